// Published latencies against the models' predictions, with simpler formulas beside them as a
// measure: a model that does not beat them is not worth its constants.
#pragma once

#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/latency_rows.h"
#include "reports/table.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

struct LatencyComparisonRow {
    LatencyRow published;
    std::string reason; ///< why there is no prediction; else empty
    CostKind kind = CostKind::modelled;
    std::optional<Seconds> predicted;
    /// Latency = a * MACs, fitted on the `calibrate` rows of the same target, precision and
    /// threads; nothing when these are too few.
    std::optional<Seconds> macs;
    /// Latency = a + b * MACs + c * bytes (weights, and each layer's inputs and outputs), likewise.
    std::optional<Seconds> linear3;
};

/// Of relative errors |predicted / published - 1|, as fractions.
struct ErrorSummary {
    double median_error = 0;
    double p90_error = 0;
    std::optional<double> spearman; ///< between predicted and published latencies
};

/// One target over its rows with a prediction; `rows` may be 0.
struct TargetComparison {
    std::string target;
    CostKind kind = CostKind::modelled;
    int rows = 0;
    int calibrate_rows = 0; ///< of these; their errors are those of a fit, not of a prediction
    std::optional<ErrorSummary> model;
    /// Over the same rows; nothing when one of these has no prediction by the baseline.
    std::optional<ErrorSummary> macs;
    std::optional<ErrorSummary> linear3;
};

struct LatencyComparison {
    std::vector<LatencyComparisonRow> rows;
    std::vector<TargetComparison> targets; ///< those with a target file, by name
    std::vector<std::string> no_target;    ///< names of targets that have rows but no file
};

/// Compares the rows of `split`, or all. Baselines are fitted on `calibrate` rows in either case.
LatencyComparison compare_latency(const std::vector<LatencyRow> &rows, const Zoo &zoo,
                                  const std::map<std::string, Target> &targets,
                                  std::optional<Split> split = {});

/// `with_skipped`: every row and the reason for a missing prediction, for programs.
Table to_table(const LatencyComparison &comparison, bool with_skipped);
/// {"rows": [...], "targets": [...], "no_target": [...]}; errors are fractions.
Json to_json(const LatencyComparison &comparison);

} // namespace edgefront
