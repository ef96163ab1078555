// What this machine can do at most, measured: fused multiply-adds on registers only, and the bytes
// a second that every level of the memory hierarchy delivers.
#pragma once

#include "base/units.h"

#include <string>
#include <vector>

namespace edgefront {

/// fp32 operations per second (1 multiply-add = 2) of `threads` threads together, the best of
/// several short slices within about a quarter of a second.
double measure_peak_flops(int threads);

/// Of one core, as the system tells them; 0 is a level it has not or does not tell. The last level
/// is shared by cores, the others are each core's own.
struct CacheSizes {
    Bytes l1, l2, l3;
};
/// From /sys where it is there (a guest's sysconf may tell all caches of its host), else sysconf.
CacheSizes cache_sizes();

/// One level, in the order of the distance from the multipliers.
struct LevelBandwidth {
    std::string level;                 ///< "L1", "L2", "L3", "DRAM"
    Bytes size;                        ///< of all threads together; 0: unbounded (DRAM)
    Bytes working_set;                 ///< what was measured with, of all threads together
    double read_bytes_per_second = 0;  ///< sum of an array
    double triad_bytes_per_second = 0; ///< a = b + s * c, which moves three arrays

    /// The better of both: the physical limit as far as it was seen.
    double best() const;
};

/// Bandwidth of `threads` threads together, each on memory of its own: per thread the best of many
/// short slices within 60 ms per level and pattern, so about half a second. Threads begin together
/// but their best slices need not coincide: with several threads a shared level may be overrated.
/// Levels whose size the system does not tell are left out, DRAM is always the last.
std::vector<LevelBandwidth> measure_bandwidth(int threads);

} // namespace edgefront
