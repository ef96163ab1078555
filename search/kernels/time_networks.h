// Times several networks side by side, whole and per layer, so that a machine whose clock wanders
// treats them alike: rounds go over all of them, and each keeps its fastest runs.
#pragma once

#include "search/kernels/runner.h"

#include <functional>
#include <vector>

namespace edgefront {

/// Means over the fastest thirtieth of all runs. The layers of one run belong together: they add up
/// to a run that happened, which the least time of each by itself would not.
struct NetworkTimes {
    Seconds whole;               ///< of undisturbed runs
    Seconds median;              ///< of all undisturbed runs
    std::vector<Seconds> layers; ///< by node, of runs with a clock reading per layer
    int runs = 0;
};

struct TimingRounds {
    int rounds = 10;
    Seconds slice = Seconds(0.02); ///< of each round, for each network, for each kind of run
    bool layers = true;            ///< else whole runs only
};

/// `progress` is told the share that is done, 0 to 1, after every slice; it may be empty, and may
/// throw to stop.
std::vector<NetworkTimes> time_networks(std::vector<Runner> &runners,
                                        const std::vector<std::vector<float>> &inputs,
                                        const TimingRounds &rounds,
                                        const std::function<void(double)> &progress);

/// The mean of the fastest thirtieth (at least one) of `runs`, by the first element of each;
/// exposed for tests. `runs` must not be empty, its members equally long.
std::vector<Seconds> mean_of_fastest(std::vector<std::vector<Seconds>> runs);

} // namespace edgefront
