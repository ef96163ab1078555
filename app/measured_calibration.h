// The part of `edgefront calibrate` that measures this machine instead of reading published rows.
#pragma once

#include "app/command.h"
#include "hwmodels/target.h"

namespace edgefront {

struct MeasuredCalibration {
    bool asked = false; ///< --measure
    double minutes = 10;
    std::uint64_t seed = 1;
    int networks = 24;
    std::string timings;      ///< file to fit to instead of measuring
    std::string save_timings; ///< file for what was measured

    void add_to(CLI::App &command);
    /// Whether a flag that only makes sense here was given.
    bool used() const { return asked || !timings.empty() || !save_timings.empty(); }

    /// The target with constants of this machine; measures for up to `minutes`, unless it reads
    /// timings. Throws Interrupted after Ctrl-C.
    Target run(const Target &target, bool quiet) const;
};

/// What --format table shows of the result.
Table measured_table(const Target &target);

} // namespace edgefront
