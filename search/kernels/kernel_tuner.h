// The inner search on this machine: measured kernels. Several workers go through the layers, each
// with one layer at a time; while one times its kernels the others compile or wait, so that
// only one kernel is timed at any moment. What a layer costs in all and what may still be gained on
// it decide whose turn is next. Every batch of trials is in the database before the next one
// starts.
#pragma once

#include "search/kernels/kernel_search.h"
#include "search/tuner.h"

#include <functional>
#include <string>
#include <vector>

namespace edgefront {

struct KernelProgress {
    std::int64_t trials = 0; ///< of this call
    std::int64_t refused = 0;
    Seconds
        layers; ///< the best plans of layers alone, times how often they occur; fresh ones apart
    Seconds defaults;        ///< the same layers under their default plans
    std::size_t at_rest = 0; ///< layers on which nothing more is tried
    std::size_t total = 0;
};

struct KernelTuneOptions {
    SearchOptions search;
    std::string version;
    /// No network judges the layers afterwards: the best plan alone is the one to use.
    bool alone = false;
    std::function<bool()> stop = [] { return false; }; ///< asked often; out of time included
    std::function<void(const KernelProgress &)> progress = [](const KernelProgress &) {};
};

struct KernelTuneResult {
    TuneResult tuned;
    KernelProgress progress; ///< how far it came
    double jitter = 0;       ///< between equal kernels, as a part of their time: 90th percentile
};

/// The different layers of a network, with the names that they have there, and behind them the
/// chains of layers that one kernel can compute.
std::vector<TunedLayer> kernel_works(const Network &network);

/// `works` are those of the pool, in its order.
KernelTuneResult tune_kernels(const std::vector<TunedLayer> &works, TrialPool &pool, TuningDb &db,
                              const KernelTuneOptions &options);

} // namespace edgefront
