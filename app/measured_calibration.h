// The part of `edgefront calibrate` that measures this machine instead of reading published rows.
#pragma once

#include "app/command.h"
#include "hwmodels/target.h"

#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

struct MeasuredCalibration {
    bool asked = false; ///< --measure
    double minutes = 10;
    std::uint64_t seed = 1;
    int networks = 24;
    std::string timings;                       ///< file to fit to instead of measuring
    std::string save_timings;                  ///< file for what was measured
    std::vector<const CLI::Option *> steering; ///< flags that only measuring looks at

    void add_to(CLI::App &command);
    /// Whether a flag that only makes sense here was given.
    bool used() const { return asked || !timings.empty() || !save_timings.empty(); }

    /// Throws UserError naming flags that were given and have no effect; `measures`: constants come
    /// from this machine, not from published rows.
    void require_used(bool measures) const;

    /// The target with constants of this machine; measures for up to `minutes`, unless it reads
    /// timings. Throws UserError for a target that is not this machine and for `save_timings` that
    /// cannot be written, before it measures; Interrupted after Ctrl-C.
    Target run(const Target &target, bool quiet) const;
};

/// Throws UserError for a path that `write_file` could not write now; nothing is created. For use
/// before minutes go into what would stand there.
void require_writable(const std::filesystem::path &path);

/// What --format table shows of the result.
Table measured_table(const Target &target);

} // namespace edgefront
