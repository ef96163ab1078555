// Worker processes for trials of kernels. What crashes or hangs costs its trial: the worker is
// ended and another one started.
#pragma once

#include "search/kernels/kernel_trial.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

struct TrialAnswer {
    int worker = 0;
    std::string plan;    ///< the one that `refused` is about
    std::string refused; ///< why it is no kernel: it does not compile, crashed, hung, was wrong
    bool lost = false;   ///< the worker started anew: the kernels it had are gone
    /// It was killed from outside or took too long: perhaps no fault of the plan.
    bool outside = false;
    std::vector<std::vector<double>> seconds; ///< per run; by plan of the request, by slice
};

/// Workers that answer one request each at a time. An interface, for tests with a simulated clock.
class TrialPool {
public:
    virtual ~TrialPool() = default;
    virtual int workers() const = 0;
    virtual void ask(int worker, const TrialRequest &request) = 0;
    /// The next answer, or nothing after a while.
    virtual std::optional<TrialAnswer> wait() = 0;
};

struct PoolOptions {
    int workers = 2;
    int threads = 1;          ///< of parallel loops
    bool pinned = true;       ///< each to a core of its own: kernels of one thread
    double most_seconds = 30; ///< a request that takes longer hangs
};

class ProcessPool : public TrialPool {
public:
    /// `works` and `source` have to live as long. Forks: the process has one thread.
    ProcessPool(const std::vector<std::vector<Layer>> &works, KernelSource &source,
                const PoolOptions &options);
    ~ProcessPool() override;

    int workers() const override;
    void ask(int worker, const TrialRequest &request) override;
    std::optional<TrialAnswer> wait() override;

private:
    struct Worker;
    void start(int worker);
    std::optional<TrialAnswer> look_at(int worker);
    TrialAnswer fault(int worker, const std::string &what, bool outside = false);

    const std::vector<std::vector<Layer>> &works_;
    KernelSource &source_;
    PoolOptions options_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

} // namespace edgefront
