// Fits constants of a target to published latencies: least squares of the relative error, with
// every constant inside the bounds of its spec. Deterministic, and independent of the values in the
// file.
#pragma once

#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/latency_rows.h"

#include <string>
#include <vector>

namespace edgefront {

/// A network and how long it takes; only rows marked `calibrate` may become one.
struct TimedNetwork {
    Network network;
    Workload workload;
    Seconds latency;
};

struct CalibrationSet {
    std::vector<TimedNetwork> rows;
    std::vector<std::string> skipped; ///< networks the zoo does not have, each once
};

/// The target's own `calibrate` rows.
CalibrationSet calibration_set(const Target &target, const std::vector<LatencyRow> &rows,
                               const Zoo &zoo);

/// The target with `fitted` (keys of rates or times) set to their best values, provenance and
/// `calibration` (predictions, and predictions with the row held out) filled in.
///
/// Latencies of these models are piecewise linear in times and in 1 / rates. So: a coarse grid over
/// the bounds, then Gauss-Newton steps within the bounds from its best points. Values are rounded
/// to six digits. Throws UserError when there are fewer than two rows per fitted number, a key
/// cannot be fitted, or a network does not run on the target.
Target calibrate(const Target &target, const std::vector<std::string> &fitted,
                 const std::vector<TimedNetwork> &rows);

} // namespace edgefront
