// Fits constants of targets to published latencies: least squares of the relative error, with
// every constant inside the bounds of its spec. Deterministic, and independent of the values in the
// file. Targets of one architecture may be fitted together, sharing some of the fitted numbers.
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

/// What is to be found for one target: keys of rates or times.
struct CalibrationTask {
    Target target;
    std::vector<TimedNetwork> rows;
    std::vector<std::string> own; ///< constants of this target alone
};

/// The targets with the constants of their own, and those `shared` by all of them, set to their
/// best values; provenance and `calibration` (predictions, and predictions with the row held out)
/// filled in.
///
/// Latencies of these models are piecewise linear in times and in 1 / rates. So: a coarse look over
/// the bounds, then Gauss-Newton steps within the bounds from its best points. The mapping of a
/// layer may change with the constants. So a layer takes the least time of all mappings that were
/// best for some constants so far, and the fit is repeated with those that are best for its result
/// (and, once, for half and twice each number) until they bring nothing new, a few times at most.
/// Values are rounded to six digits.
///
/// Throws UserError when there are fewer than two rows per fitted number, a key cannot be fitted or
/// is not determined by the rows, a target or one of its keys is there twice, one target is to
/// share a number with nobody, or a network does not run on its target.
std::vector<Target> calibrate(const std::vector<CalibrationTask> &tasks,
                              const std::vector<std::string> &shared);

/// One target by itself.
Target calibrate(const Target &target, const std::vector<std::string> &fitted,
                 const std::vector<TimedNetwork> &rows);

/// The target and those it was fitted with, as its calibration says, with their `calibrate` rows:
/// what repeats that calibration. Without one, the target alone with nothing to find.
std::vector<CalibrationTask> calibration_tasks(const Target &target,
                                               const std::vector<LatencyRow> &rows, const Zoo &zoo);

} // namespace edgefront
