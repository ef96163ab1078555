// A sweep's folder: run.json (the resolved configuration: replays the run by itself), front.json
// and front.csv (the result), state.json (the checkpoint; gone once the run is finished),
// refined.json (that of a refinement, see refine.h).
// `RunResult` is front.json as a value: what reports/ renders and `front` filters.
#pragma once

#include "base/json_reader.h"
#include "hwmodels/cost.h"
#include "search/pareto.h"
#include "search/refined_point.h"
#include "search/run_options.h"
#include "search/trace.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// One column of values. `name` is "<quantity>" or "<quantity>:<target>", the quantity with its
/// unit: "latency_ms:pixel6-cpu", "energy_mj:host", "peak_bytes", "macs", "params".
struct ObjectiveColumn {
    std::string name;
    std::string metric; ///< "latency_ms"
    std::string target; ///< empty for counts
    Sense sense = Sense::minimise;
    CostKind kind = CostKind::modelled;
};

/// A device of the run. The hash pins the constants that priced the layers.
struct RunTarget {
    std::string name;
    std::string hash;
    std::string precision;
    int threads = 1;
};

struct MergedRun;

/// The strategy of a front that was merged from other runs (merge.h).
constexpr const char *merged_strategy = "merge";

/// Everything that decides the bytes of a result (run.json).
struct RunConfig {
    std::string tool_version;
    Json space;           ///< the space, resolved: data/schema/space.schema.json
    std::string strategy; ///< one of strategy_names(), or "merge"
    std::uint64_t seed = 0;
    // The strategy's options; those it does not have are left as they are here.
    std::int64_t evaluations = 0;  ///< budget; the size of the space when exhaustive, 0 when exact
    int population = 0;            ///< nsga2, evolution
    double epsilon = 0;            ///< exact, local: how far from exact labels may be
    std::int64_t memory_bytes = 0; ///< exact, local, reward: for labels; beyond it, epsilon rises
    /// nsga2, evolution, local: the search ends when the hypervolume (trace.h) grew by less than
    /// the share `min_gain` over the last `patience` evaluations; 0: when the budget does.
    std::int64_t patience = 0;
    double min_gain = 0;
    NetAdaptOptions netadapt;
    RewardOptions reward;
    std::vector<RunTarget> targets;
    std::vector<MergedRun> merged; ///< the runs a merged front joins; else empty
};

struct RunPoint {
    std::string id; ///< see DesignSpace::id; of 10^5 points about one shares it with another
    std::vector<std::string> choices; ///< one per choice name; "" where a block is left out
    std::vector<double> values;       ///< one per objective; second figures where there are any
    std::optional<RefinedPoint> refined = {}; ///< what is known since its refinement (refine.h)

    /// Those of the search.
    const std::vector<double> &first_values() const {
        return refined ? refined->predicted : values;
    }
    Standing standing() const;
    /// False where second figures have shown that the point is on no front.
    bool stands() const {
        const Standing s = standing();
        return s != Standing::dominated && s != Standing::infeasible;
    }
};

/// A member of the front that beats a published network, and by how much (in the objective's unit,
/// never negative: less for `minimise`, more for `maximise`).
struct Dominator {
    std::string id;
    std::vector<double> better_by;
};

/// A published network looked up in the space.
struct PublishedMark {
    std::string network; ///< "mobilenet_v4_conv_small@1,224"
    bool inside = false;
    std::string reason; ///< why it is outside, or which constraint it breaks; else empty
    bool feasible = false;
    bool on_front = false; ///< a member of the front has exactly its values
    std::string id;        ///< when inside
    std::vector<std::string> choices;
    std::vector<double> values; ///< when priced
    std::vector<Dominator> dominated_by;
};

/// Why candidates were refused, by constraint.
struct Refusals {
    std::string constraint; ///< "latency_ms:pixel6-cpu <= 3", "every layer
                            ///< runs on coral-usb (a reason it did not)"
    std::int64_t candidates = 0;
    std::optional<double> nearest; ///< the value nearest to the bound among those refused
};

/// What one type of block costs in a stage and what it sees: the reason for its share of a front.
/// Means over the stage's blocks behind the first, at all resolutions, widths and channels of the
/// space.
struct BlockRate {
    std::string stage;       ///< "s1"
    std::string type;        ///< "ExtraDW", "IB", "ConvNext", "FFN", or another option's text
    double offered = 0;      ///< share of the options, 0 to 1
    double reach_pixels = 0; ///< by which a block widens the receptive field
    /// Latency by MACs, one per target of the run; empty where the blocks have no MACs (pooling).
    std::vector<double> ms_per_100_mmacs;
};

/// Where the column top1 comes from, and how far it may be trusted.
struct AccuracySummary {
    std::string source; ///< "anchored: ..."
    CostKind kind = CostKind::given;
    /// In points of top-1, for values that are fitted; `error` says what it is: "leave-one-out
    /// RMSE".
    std::optional<double> plus_minus;
    std::string error;
    /// Rank correlation of a model's predictions with the values of the rows left out: of all rows,
    /// and of the better half of them, where decisions are made.
    std::optional<double> spearman, spearman_upper;
    std::vector<std::string> predicted; ///< ids of the points whose value a model predicted
    /// Of what a model predicts with: values of two models are not comparable. Empty without one.
    std::string model_hash;

    /// "fitted, +- 0.23 points (leave-one-out RMSE): anchored: ..."
    std::string text() const;
};

/// A network on the way of a strategy that goes step by step (netadapt).
struct PathStep {
    std::string change;         ///< "s1_b2: a5_k5_e3 -> a3_k0_e4"; empty where the path begins
    std::int64_t proposals = 0; ///< changes to choose from
    double loss = 0;            ///< of quality, as the strategy weighs it
    RunPoint point;
};

/// The one network that a scalarised reward prefers.
struct Preferred {
    std::string id;
    double reward = 0;
    /// Proven: no network of the space has a reward above (1 + epsilon) times this. Nothing: the
    /// best that was evaluated.
    std::optional<double> epsilon;

    /// "proven the largest of the space"
    std::string certainty() const;
};

struct RunCounters {
    double space_size = 0; ///< networks in the space; exact below 2^53
    std::int64_t evaluated = 0;
    std::int64_t feasible = 0;
    std::vector<Refusals> refused;
};

/// A run whose front went into a merged one.
struct MergedRun {
    std::string folder; ///< as it was named
    RunConfig config;   ///< without the space, which all share
    bool finished = false;
    RunCounters counters;
};

struct RunResult {
    RunConfig config;
    bool finished = false; ///< false: interrupted, the front of what was seen
    /// The certificate of a finished run: every feasible network is matched by a point within the
    /// factor 1 + epsilon in each objective; 0: the front is exact. Nothing: nothing is proven.
    std::optional<double> epsilon;
    std::vector<std::string> choice_names;
    std::vector<ObjectiveColumn> objectives;
    RunCounters counters;
    /// The front of the first figures, by the first objective, best first. Where points are
    /// refined, by the values that stand now: see RunPoint::standing for which are still on the
    /// front.
    std::vector<RunPoint> points;
    std::vector<PublishedMark> marks;
    std::vector<BlockRate> block_rates;
    std::optional<AccuracySummary> accuracy; ///< when there is a column top1
    Trace trace;                             ///< how the front grew; empty when merged
    std::vector<PathStep> path;              ///< of netadapt
    std::optional<Preferred> preferred;      ///< by reward: a point of the front

    /// A point of the front or of the path, by id or by its first characters; throws UserError
    /// (unknown; ambiguous, with the ids or, where two points share one, the choices).
    const RunPoint &point(const std::string &id) const;
    /// Index into `objectives`; throws UserError with the nearest name.
    std::size_t objective(const std::string &name) const;
    /// One per objective.
    std::vector<Sense> senses() const;
    /// Objectives with second figures, as indices; empty: the front is not refined.
    std::vector<std::size_t> refined_objectives() const;
    /// "measured", "modelled"...: of a point's value, or of its column's where that stays. Of top1
    /// with a model, "given" or "fitted" by point.
    std::string kind_of(const RunPoint &point, std::size_t objective) const;
};

Json to_json(const RunConfig &config);
Json to_json(const RunCounters &counters);
Json to_json(const RunResult &result);
RunCounters read_counters(const JsonReader &json);
RunConfig read_run_config(const JsonReader &json);
RunResult read_run_result(const JsonReader &json);
/// An object as text with one line per member, and per element of its arrays.
std::string dump_lines(const Json &object);
/// "id", the choices, the objectives; of a refined front then, per refined objective, "predicted
/// NAME" and "kind NAME", and "standing"; RFC 4180.
std::string front_csv(const RunResult &result);

/// The result of the sweep in `directory`; throws UserError when there is none.
RunResult read_run(const std::filesystem::path &directory);
/// front.json and front.csv.
void write_result(const std::filesystem::path &directory, const RunResult &result);

} // namespace edgefront
