// What the exact search (exact.h) adds up along the blocks, and what those to come add at least and
// at most. Criteria (labels.h) compares sums of the first blocks with it: a sum beats another when
// it does so with every completion of the network.
//
// Four things do not simply add up. A target's part per network depends on all weights (they spill
// out of a cache or an Edge TPU's memory); it is convex in them, so of two sums the one that is no
// later with the lightest and with the heaviest completion is no later with any: two criteria, and
// one where it is in proportion to the weights. The peak of activations is a maximum. An objective
// combined over targets grows with each of them: each is compared by itself. A constraint only
// matters while some completion can break it: sums that are safe from it count as equal.
#pragma once

#include "search/cost_tables.h"

#include <algorithm>
#include <limits>

namespace edgefront {

/// The least of all keys: "safe with every completion".
constexpr std::int64_t safe_key = std::numeric_limits<std::int64_t>::min() / 4;

/// A target's latency or energy once per network as a function of the weights, within `error` of
/// what CostTables::once says.
class OnceCurve {
public:
    static constexpr std::int64_t error = 8;
    /// `sums`: of some network of the context; weights from `least` to `most`.
    OnceCurve(const CostTables &tables, std::size_t target, bool energy,
              std::vector<std::int64_t> sums, std::int64_t least, std::int64_t most);
    std::int64_t operator()(std::int64_t weights) const;
    /// Whether it has one value from `least` to `most`.
    bool flat(std::int64_t least, std::int64_t most) const;
    /// Whether it is off its chord by less than `error` from `least` to `most`.
    bool straight(std::int64_t least, std::int64_t most) const;

private:
    std::int64_t exact(std::int64_t weights) const;
    void divide(std::int64_t least, std::int64_t most);

    const CostTables *tables_;
    std::size_t target_;
    bool energy_;
    mutable std::vector<std::int64_t> sums_;
    std::vector<std::int64_t> at_, value_; ///< corners, ascending
    std::vector<double> slope_;            ///< of the pieces between them
    mutable std::size_t piece_ = 0;        ///< the last one asked for
};

/// A measure of the space that is an objective, bounded, or both.
struct Goal {
    enum class Kind { additive, timed, peak } kind = Kind::additive;
    std::size_t sum = 0;     ///< index into a label's sums
    std::size_t weights = 0; ///< timed: the same of the target's weights
    std::size_t target = 0;  ///< timed
    bool energy = false;     ///< timed: energy instead of latency
    Metric metric = Metric::macs;
    int sense = 0;       ///< of the objective: 1 minimise, -1 maximise, 0 none
    bool shared = false; ///< bounded together with others: keeping `at_most` is not enough
    std::int64_t at_most = std::numeric_limits<std::int64_t>::max();
    std::int64_t at_least = std::numeric_limits<std::int64_t>::min();
};

/// An objective of the space: a goal, or those on several targets that make one value.
struct ExactObjective {
    const Combination *over = nullptr;
    std::vector<std::size_t> goals;
};

/// Least and largest sums of the blocks to come; of the peak, of their maximum. Layers that mix
/// space only count in the stage of the blocks they are added to.
struct Rest {
    bool possible = false;
    std::vector<std::int64_t> low, high;
};

/// The problem of one context (skeleton, resolution, width, activation).
class ExactProblem {
public:
    ExactProblem(const DesignSpace &space, const CostTables &tables);
    /// Fills the rests of this context, and leaves out what breaks a bound by itself.
    void enter(std::size_t context);

    std::size_t sums() const { return columns_.size(); }
    const std::vector<Goal> &goals() const { return goals_; }
    /// By the objectives' order in the space.
    const std::vector<ExactObjective> &objectives() const { return objectives_; }
    /// A combined value as an integer, rounded down.
    static std::int64_t combined_cost(double value) {
        return static_cast<std::int64_t>(std::min(value, 9e6) * 1e9);
    }
    const OnceCurve &curve(std::size_t goal) const { return curves_[goal_curve_[goal]]; }

    /// False: a layer that a target lacks, or more activations than a bound allows.
    bool allowed(const std::int64_t *row) const;
    /// A row of the tables.
    void add(std::int64_t *sums, const std::int64_t *row) const;
    /// Other sums, of more blocks.
    void join(std::int64_t *sums, const std::int64_t *others) const;
    /// A stage begins: nothing has mixed space in it yet.
    void begin_stage(std::int64_t *sums) const;
    bool mixed(const std::int64_t *sums) const { return !guard_ || sums[mixing_] > 0; }
    /// Whether the receptive field is large enough with every completion.
    bool sees_all(const std::int64_t *sums, const Rest &rest) const {
        return !guard_ || sums[reach_] + rest.low[reach_] >= reach_wanted_;
    }

    std::size_t column(const Goal &goal) const { return columns_[goal.sum]; }
    bool guarded() const { return guard_; }
    std::size_t mixing_sum() const { return mixing_; }
    std::size_t reach_sum() const { return reach_; }
    std::int64_t reach_wanted() const { return reach_wanted_; }

    /// Behind position p >= 1 of a stage, with the stage's choice of channels.
    const Rest &rest(std::size_t stage, std::size_t p, std::size_t out) const {
        return rests_[stage][p - 1][out];
    }
    /// Behind the stage.
    const Rest &behind(std::size_t stage, std::size_t out) const { return behind_[stage][out]; }
    /// Nothing is to come.
    Rest nothing() const;
    /// Makes room in `rest` for these sums.
    void widen(Rest &rest, const std::int64_t *sums) const;
    /// `other` follows on `rest`.
    void append(Rest &rest, const Rest &other) const;

private:
    std::size_t sum_of(std::size_t column);
    std::vector<std::size_t> collect(const Measure &measure, int sense,
                                     const Constraint *constraint);
    std::size_t collect_part(const Measure &measure, std::size_t part, int sense,
                             const Constraint *constraint);
    Rest after(const std::int64_t *row, const Rest &rest) const;
    void widen_by(Rest &rest, const Rest &other) const;
    void fill_stage(std::size_t s);
    void draw_curves(const Rest &whole);

    const DesignSpace &space_;
    const CostTables &tables_;
    std::size_t context_ = 0;
    const Skeleton *skeleton_ = nullptr; ///< of the context
    std::vector<std::size_t> columns_;   ///< of the tables, one per sum
    std::vector<Goal> goals_;
    std::vector<ExactObjective> objectives_;
    bool guard_ = false;
    std::size_t mixing_ = 0, reach_ = 0, peak_ = std::numeric_limits<std::size_t>::max();
    std::int64_t reach_wanted_ = 0;
    std::int64_t most_live_ = std::numeric_limits<std::int64_t>::max();
    std::vector<OnceCurve> curves_;
    std::vector<std::size_t> goal_curve_;
    std::vector<std::vector<std::vector<Rest>>> rests_; ///< by stage, p - 1, out
    std::vector<std::vector<Rest>> behind_;             ///< by stage, out
};

} // namespace edgefront
