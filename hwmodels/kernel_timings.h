// How long the kernels of whole networks took on this machine: what a CPU target is calibrated to.
// As a file (schema edgefront/kernel_timings/1) it repeats a calibration without measuring again.
#pragma once

#include "base/json_reader.h"
#include "dsl/family.h"
#include "schedules/schedule.h"

#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

/// One network with its kernels, fp32, batch 1, one thread.
struct TimedKernels {
    Family family; ///< its one variant, `network`, is `build(family)`
    Network network;
    std::vector<Schedule> schedules; ///< by node
    std::vector<Seconds> layers;     ///< by node, each within a running network
    Seconds whole;                   ///< of undisturbed runs
};

/// What micro-benchmarks say about one core; 0 where nothing was measured.
struct MachineRates {
    double peak_gflops = 0; ///< fp32 multiply-adds, each two operations
    /// Reading, as the next ones. In files for whoever reads them; no constant of a target is
    /// fitted to it, as prices count loads of the first cache by instructions.
    double l1_gb_per_s = 0;
    double l2_gb_per_s = 0;
    double l3_gb_per_s = 0;
    double dram_gb_per_s = 0;
};

struct KernelTimings {
    std::string machine; ///< the processor's name for itself
    std::string when;    ///< date, for the provenance
    std::string kernels; ///< Halide target string
    std::uint64_t seed = 0;
    MachineRates rates;
    std::vector<TimedKernels> networks;

    std::size_t layer_count() const;
};

/// To whole nanoseconds, exactly the number that comes back from a file.
Seconds whole_nanoseconds(Seconds time);

/// Strict; throws UserError with file and pointer.
KernelTimings read_kernel_timings(const std::filesystem::path &path);
Json write_kernel_timings(const KernelTimings &timings);

} // namespace edgefront
