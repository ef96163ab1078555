#include "search/kernels/trial_pool.h"

#include "schedules/emit.h"
#include "search/kernels/trial_threads.h"

#include <fmt/format.h>

#include <chrono>
#include <poll.h>
#include <sched.h>
#include <stdexcept>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

/// Keeps this process on the n-th core it may run on.
void pin(int n) {
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return;
    }
    n %= CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && n-- == 0) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            ::sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }
}

} // namespace

struct ProcessPool::Worker {
    SharedNumber busy;
    std::unique_ptr<WorkerProcess> process;
    std::optional<TrialRequest> request;
    Clock::time_point asked;
};

ProcessPool::ProcessPool(const std::vector<std::vector<Layer>> &works, KernelSource &source,
                         const PoolOptions &options)
    : works_(works), source_(source), options_(options) {
    for (int i = 0; i < options.workers; i++) {
        workers_.push_back(std::make_unique<Worker>());
        start(i);
    }
}

ProcessPool::~ProcessPool() = default;

int ProcessPool::workers() const {
    return options_.workers;
}

void ProcessPool::start(int worker) {
    Worker &w = *workers_[static_cast<std::size_t>(worker)];
    w.process.reset();
    const auto bench = std::make_shared<std::unique_ptr<TrialBench>>();
    w.process = std::make_unique<WorkerProcess>(
        [this, worker, bench, &w](const Json &request, const WorkerProcess::Say &) {
            if (!*bench) { // now in the child
                if (options_.pinned) {
                    pin(worker);
                }
                if (options_.threads > 1) {
                    if (edgefront_trial_threads(options_.threads) == 0) {
                        throw std::runtime_error("the system has no more threads");
                    }
                    set_jit_parallel_for(edgefront_trial_parallel_for);
                }
                *bench = std::make_unique<TrialBench>(works_, source_, w.busy);
            }
            return (*bench)->serve(request);
        });
}

void ProcessPool::ask(int worker, const TrialRequest &request) {
    Worker &w = *workers_[static_cast<std::size_t>(worker)];
    w.request = request;
    w.asked = Clock::now();
    w.busy.set(0);
    w.process->ask(write_request(request));
}

std::optional<TrialAnswer> ProcessPool::wait() {
    std::vector<struct pollfd> polls;
    for (const auto &w : workers_) {
        polls.push_back({w->request ? w->process->descriptor() : -1, POLLIN, 0});
    }
    constexpr int a_while_ms = 50;
    ::poll(polls.data(), polls.size(), a_while_ms);
    for (int i = 0; i < options_.workers; i++) {
        if (workers_[static_cast<std::size_t>(i)]->request) {
            if (std::optional<TrialAnswer> answer = look_at(i)) {
                workers_[static_cast<std::size_t>(i)]->request.reset();
                return answer;
            }
        }
    }
    return {};
}

std::optional<TrialAnswer> ProcessPool::look_at(int worker) {
    Worker &w = *workers_[static_cast<std::size_t>(worker)];
    if (const std::optional<Json> answer = w.process->take()) {
        if (answer->contains("failure")) {
            return fault(worker, "failed: " + (*answer)["failure"].get<std::string>());
        }
        if (answer->value("spoilt", false)) {
            return fault(worker, (*answer)["refused"].get<std::string>());
        }
        TrialAnswer result;
        result.worker = worker;
        result.plan = w.request->plans.at(0);
        result.refused = answer->value("refused", "");
        if (answer->contains("seconds")) {
            result.seconds = (*answer)["seconds"].get<std::vector<std::vector<double>>>();
        }
        return result;
    }
    if (!w.process->end().empty()) {
        return fault(worker, "crashed: " + w.process->end(), w.process->killed_from_outside());
    }
    const std::chrono::duration<double> took = Clock::now() - w.asked;
    if (took.count() > options_.most_seconds) {
        return fault(worker, fmt::format("hung: no answer within {} s", options_.most_seconds),
                     true);
    }
    return {};
}

TrialAnswer ProcessPool::fault(int worker, const std::string &what, bool outside) {
    Worker &w = *workers_[static_cast<std::size_t>(worker)];
    TrialAnswer answer;
    answer.worker = worker;
    answer.plan = w.request->plans.at(static_cast<std::size_t>(w.busy.get()));
    answer.refused = what;
    answer.lost = true;
    answer.outside = outside;
    start(worker);
    return answer;
}

} // namespace edgefront
