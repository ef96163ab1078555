#include "app/child_process.h"

#include "search/kernels/worker_process.h"

#include <chrono>
#include <poll.h>

namespace edgefront {

namespace {

/// Waits a little for more and takes it; false at the end.
bool listen(WorkerProcess &child, const std::function<void(const Json &)> &heard, ChildEnd &end) {
    constexpr int a_while_ms = 100;
    struct pollfd poll = {child.descriptor(), POLLIN, 0};
    ::poll(&poll, 1, a_while_ms);
    while (const std::optional<Json> message = child.take()) {
        if (message->contains("said")) {
            if (heard) {
                heard((*message)["said"]);
            }
        } else if (message->contains("answer")) {
            end.answer = (*message)["answer"];
            return false;
        } else {
            end.failure = (*message)["failure"].get<std::string>();
            return false;
        }
    }
    return child.end().empty();
}

} // namespace

ChildEnd
run_in_child(const std::function<Json(const std::function<void(const Json &)> &tell)> &body,
             const std::function<void(const Json &)> &heard, const std::function<bool()> &stop) {
    WorkerProcess child(
        [&](const Json &, const WorkerProcess::Say &say) {
            return Json{{"answer", body(say)}};
        },
        WorkerProcess::Signals::as_here);
    child.ask(Json(true));
    ChildEnd end;
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::seconds patience(10);
    std::optional<Clock::time_point> asked;
    while (listen(child, heard, end)) {
        if (!asked && stop && stop()) {
            asked = Clock::now();
            child.ask_to_end();
        } else if (asked && Clock::now() - *asked > patience) {
            child.kill("hangs");
        }
    }
    if (!end.answer && end.failure.empty()) {
        end.interrupted = asked.has_value();
        end.failure = asked ? "" : "it crashed (" + child.end() + ")";
    }
    return end;
}

Measurement measure_apart(const Network &network, const MeasureOptions &options) {
    const auto body = [&](const std::function<void(const Json &)> &tell) {
        MeasureOptions own = options;
        own.progress = [&](double share, const std::string &doing) {
            tell({{"share", share}, {"doing", doing}});
        };
        const Measurement m = measure(network, own);
        Json answer = {{"failure", m.failure}, {"interrupted", m.interrupted}};
        if (m.time) {
            answer["time"] = write_timing(*m.time);
        }
        return answer;
    };
    const auto heard = [&](const Json &said) {
        if (options.progress) {
            options.progress(said["share"].get<double>(), said["doing"].get<std::string>());
        }
    };
    const ChildEnd end = run_in_child(body, heard, options.stop);
    Measurement m;
    m.failure = end.failure;
    m.interrupted = end.interrupted;
    if (end.answer) {
        m.failure = (*end.answer)["failure"].get<std::string>();
        m.interrupted = (*end.answer)["interrupted"].get<bool>();
        if (end.answer->contains("time")) {
            m.time = read_timing((*end.answer)["time"]);
        }
    }
    return m;
}

} // namespace edgefront
