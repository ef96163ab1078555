// `front --axes` and `front --rank-hint`: the points of a front by other qualities.
#pragma once

#include "app/accuracy_options.h"
#include "app/command.h"
#include "search/axis_swap.h"

namespace edgefront {

struct AxesOptions {
    bool axes = false;
    std::size_t rank_hint = 0; ///< how many points get a score; 0: none
    RankHintRequest hint;
    AccuracyOptions accuracy;

    void add_to(CLI::App &command);
    bool given() const { return axes || rank_hint > 0; }
    /// Throws UserError for options that do nothing without others.
    void check() const;
};

/// Prints what the options ask for about these points; returns the exit code.
int print_axes(const AxesOptions &options, const RunResult &result,
               const std::vector<RunPoint> &points, const std::string &run,
               const OutputOptions &output, bool quiet);

} // namespace edgefront
