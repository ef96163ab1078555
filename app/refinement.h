// --refine of `sweep`: the second look at a finished front.
#pragma once

#include "app/command.h"
#include "search/refine.h"

namespace edgefront {

struct RefineOptions {
    std::size_t points = 0;        ///< 0: none
    std::string by;                ///< empty: whichever the run's objectives allow
    std::optional<double> seconds; ///< of timed runs per network
    std::string db;                ///< measure: of tuned plans

    void add_to(CLI::App &command);
};

/// Refines the run in the folder and prints its summary and both figures of the refined points.
/// Returns an exit code.
int refine_run(const std::string &directory, const RefineOptions &options, int threads, bool quiet);

} // namespace edgefront
