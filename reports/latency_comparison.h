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

/// A part of a network's modelled latency, of one layer or of all layers with one operator.
struct LatencyPart {
    std::string name; ///< of the layer or operator; "(network)" is what no layer owns
    std::string op;
    Seconds time;
    double share = 0; ///< of the network's latency
    BoundBy bound_by = BoundBy::nothing;
    std::vector<Share> spent; ///< the largest first, without those that take no time
};

/// Where a prediction that misses says the time goes.
struct Explanation {
    std::vector<LatencyPart> operators; ///< all, the longest first
    std::vector<LatencyPart> layers;    ///< the longest first
};

struct LatencyComparisonRow {
    LatencyRow published;
    std::string reason; ///< why there is no prediction; else empty
    CostKind kind = CostKind::modelled;
    std::optional<Seconds> predicted;
    /// What the two baselines say (reports/latency_baselines.h); nothing without calibrate rows.
    std::optional<Seconds> macs;
    std::optional<Seconds> linear3;
    bool linear3_falls_back = false;        ///< too few rows: `linear3` is `macs`
    std::optional<Explanation> explanation; ///< where the error is beyond the goal
};

/// Of relative errors |predicted / published - 1|, as fractions.
struct ErrorSummary {
    double median_error = 0;
    double p90_error = 0;
    std::optional<double> spearman; ///< between predicted and published latencies
};

/// Rows with a prediction, and what model and baselines say about them.
struct LatencySummary {
    int rows = 0;           ///< may be 0
    int calibrate_rows = 0; ///< of these; their errors are those of a fit, not of a prediction
    int fallback_rows = 0;  ///< of these; with too few calibrate rows for `linear3`
    std::optional<ErrorSummary> model;
    /// Over the same rows; nothing when one of these has no prediction by the baseline.
    std::optional<ErrorSummary> macs;
    std::optional<ErrorSummary> linear3;
};

struct TargetComparison : LatencySummary {
    std::string target;
    TargetKind hardware = TargetKind::cpu;
    CostKind kind = CostKind::modelled;
    std::map<int, LatencySummary> threads; ///< where there is more than one number of threads
};

/// All targets of one kind of hardware, over the rows that model and baselines predict.
struct KindComparison : LatencySummary {
    TargetKind hardware = TargetKind::cpu;
    std::vector<std::string> targets;
};

struct LatencyComparison {
    std::vector<LatencyComparisonRow> rows;
    std::vector<TargetComparison> targets; ///< those with a target file, by name
    std::vector<KindComparison> kinds;     ///< those with rows, in the order of TargetKind
    std::vector<std::string> no_target;    ///< names of targets that have rows but no file
};

/// The median and 90th percentile of the errors that models of a kind of hardware are meant to stay
/// below, as fractions. A single row misses when its error is beyond the median's goal. Kinds that
/// the project has set no goal for have that of DSPs, the least demanding one.
struct ErrorGoal {
    double median;
    double p90;
};
ErrorGoal error_goal(TargetKind hardware);

/// Compares the rows of `split`, or all. Baselines are fitted on `calibrate` rows in either case.
LatencyComparison compare_latency(const std::vector<LatencyRow> &rows, const Zoo &zoo,
                                  const std::map<std::string, Target> &targets,
                                  std::optional<Split> split = {});

/// `with_skipped`: every row and the reason for a missing prediction, for programs. `explain`:
/// notes with the explanations of the rows that miss.
Table to_table(const LatencyComparison &comparison, bool with_skipped, bool explain = false);
/// {"rows": [...], "targets": [...], "kinds": [...], "no_target": [...]}; errors are fractions.
/// With `explain`, rows that miss have an "explanation".
Json to_json(const LatencyComparison &comparison, bool explain = false);

} // namespace edgefront
