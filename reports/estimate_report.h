// A network's price on a target, layer by layer, with everything that explains it: what the time is
// spent on, the lower bound, the interval of the calibration, and what other constants change.
#pragma once

#include "hwmodels/cost_model.h"
#include "reports/table.h"

#include <optional>
#include <string>

namespace edgefront {

struct EstimateReport {
    std::string network;
    Target target;
    Workload workload;
    Estimate estimate;
    /// The device as its file has it, when `target` is one with other constants.
    struct Unchanged {
        Target target;
        Estimate estimate;
    };
    std::optional<Unchanged> unchanged = {};
    Fuse fuse = Fuse::never; ///< what was asked for
};

/// A row per layer or fused group and one for the network-wide part; totals and explanations as
/// notes.
Table estimate_table(const EstimateReport &report);
/// All of it; what has no price is null.
Json estimate_json(const EstimateReport &report);

} // namespace edgefront
