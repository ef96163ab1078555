#include "app/child_process.h"

#include "base/error.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace edgefront {

namespace {

/// One line of JSON per message.
void send(int pipe, const Json &message) {
    const std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t n = ::write(pipe, line.data() + sent, line.size() - sent);
        if (n < 0 && errno != EINTR) {
            ::_exit(1); // nobody listens any more
        }
        sent += n > 0 ? static_cast<std::size_t>(n) : 0;
    }
}

/// Never returns: neither buffers nor objects of the parent may be flushed or destroyed twice.
[[noreturn]] void
child(int pipe, const std::function<Json(const std::function<void(const Json &)> &)> &body) {
    Json last;
    try {
        last["answer"] = body([&](const Json &said) { send(pipe, {{"said", said}}); });
    } catch (const std::exception &e) {
        last["failure"] = e.what();
    }
    send(pipe, last);
    ::_exit(0);
}

std::string end_of(int status) {
    return WIFSIGNALED(status) ? std::string("it crashed (") + ::strsignal(WTERMSIG(status)) + ")"
                               : "its process ended without an answer";
}

/// Reads lines until the other end closes.
class Listener {
public:
    Listener(int pipe, const std::function<void(const Json &)> &heard)
        : pipe_(pipe), heard_(heard) {}

    /// Waits a little for more; false at the end.
    bool listen(ChildEnd &end) {
        struct pollfd poll = {pipe_, POLLIN, 0};
        if (::poll(&poll, 1, 100) <= 0) {
            return true;
        }
        char buffer[4096];
        const ssize_t n = ::read(pipe_, buffer, sizeof buffer);
        if (n < 0) {
            return errno == EINTR;
        }
        text_.append(buffer, static_cast<std::size_t>(n));
        for (std::size_t at; (at = text_.find('\n')) != std::string::npos;) {
            take(Json::parse(text_.substr(0, at)), end);
            text_.erase(0, at + 1);
        }
        return n > 0;
    }

private:
    void take(const Json &message, ChildEnd &end) const {
        if (message.contains("said")) {
            if (heard_) {
                heard_(message["said"]);
            }
        } else if (message.contains("answer")) {
            end.answer = message["answer"];
        } else if (message.contains("failure")) {
            end.failure = message["failure"].get<std::string>();
        } else {
            end.interrupted = true;
        }
    }

    int pipe_;
    const std::function<void(const Json &)> &heard_;
    std::string text_;
};

} // namespace

ChildEnd
run_in_child(const std::function<Json(const std::function<void(const Json &)> &tell)> &body,
             const std::function<void(const Json &)> &heard, const std::function<bool()> &stop) {
    int ends[2];
    if (::pipe(ends) != 0) {
        throw UserError(std::string("no pipe to another process: ") + std::strerror(errno));
    }
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
        const int reason = errno;
        ::close(ends[0]);
        ::close(ends[1]);
        throw UserError(std::string("no further process: ") + std::strerror(reason));
    }
    if (pid == 0) {
        ::close(ends[0]);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // whoever ends the parent for good means the child too
        if (::getppid() != parent) {
            ::_exit(1);
        }
        child(ends[1], body);
    }
    ::close(ends[1]);
    ChildEnd end;
    Listener listener(ends[0], heard);
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::seconds patience(10);
    std::optional<Clock::time_point> asked;
    while (listener.listen(end)) {
        if (!asked && stop && stop()) {
            asked = Clock::now();
            ::kill(pid, SIGTERM);
        } else if (asked && Clock::now() - *asked > patience) { // it hangs
            ::kill(pid, SIGKILL);
        }
    }
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!end.answer && end.failure.empty() && !end.interrupted) {
        if (asked) {
            end.interrupted = true;
        } else {
            end.failure = end_of(status);
        }
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
            answer["time"] = {{"median", m.time->median.count()},
                              {"least", m.time->least.count()},
                              {"p90", m.time->p90.count()},
                              {"runs", m.time->runs}};
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
            const Json &t = (*end.answer)["time"];
            m.time = Timing{Seconds(t["median"].get<double>()), Seconds(t["least"].get<double>()),
                            Seconds(t["p90"].get<double>()), t["runs"].get<int>()};
        }
    }
    return m;
}

} // namespace edgefront
