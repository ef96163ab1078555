// What `edgefront calibrate` measures on this machine: micro-benchmarks, and kernels inside
// networks drawn at random.
#pragma once

#include "hwmodels/kernel_timings.h"
#include "schedules/package.h"

#include <functional>

namespace edgefront {

struct MeasureKernelsOptions {
    std::uint64_t seed = 1;          ///< of the networks
    int networks = 24;               ///< at most; fewer when time runs out
    Seconds budget = Seconds(600.0); ///< for everything, compilation included
    int rounds = 40;                 ///< of timing
    BuildContext build;              ///< its own `progress` is not used
    /// Told the share of the budgeted work that is done, 0 to 1, and what comes next; may be empty,
    /// may throw to stop.
    std::function<void(double share, const std::string &doing)> progress;
};

/// Default schedules, fp32, one thread. Throws UserError when not even two networks could be built
/// in time.
KernelTimings measure_kernels(const MeasureKernelsOptions &options);

} // namespace edgefront
