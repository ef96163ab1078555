// What every candidate of a space costs, without building it. Layers' prices add up, so there is
// one row of numbers per (block position, option, input and output channels, resolution, width,
// activation); a candidate is the sum of its rows, then each model's network-wide part, then the
// constraints. The result equals `estimate` on the built network (tests/search).
//
// Rows hold whole picoseconds and picojoules: integer sums do not depend on the order of blocks, so
// networks that only swap equal blocks cost exactly the same, and nothing is rounded after adding
// up, so a search over sums (exact.h) sees the very values of the front.
#pragma once

#include "hwmodels/cost_model.h"
#include "search/design_space.h"
#include "search/run_directory.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace edgefront {

/// A device and how it runs the network.
struct PricedTarget {
    std::string name; ///< as the space says
    std::unique_ptr<CostModel> model;
    Workload workload;
};

/// Throws UserError for an unknown target, or a precision or thread count it does not have.
std::vector<PricedTarget> price_targets(const DesignSpace &space);

/// A rule a candidate breaks, and the value that breaks it.
struct Broken {
    std::size_t rule = 0; ///< index into CostTables::rules()
    double value = 0;
};

struct Evaluation {
    std::vector<double> values; ///< one per objective of the space
    std::vector<Broken> broken; ///< empty: feasible
    double violation = 0;       ///< sum of the relative distances to the bounds; 0 when feasible

    /// False: a target refuses layers, whose prices are then missing, or there is no top1.
    bool priced = true;
    std::string reason; ///< why there is no top1 (accuracy.h)

    bool feasible() const { return broken.empty(); }
};

/// The value of a metric for an amount as sums hold it: picoseconds (latency, frame rate),
/// picojoules, bytes, MACs, parameters.
double value_of(Metric metric, std::int64_t amount);

class CostTables {
public:
    // Columns of a row: first those of each target, then the counts, all added up over blocks;
    // the last one, the largest number of live activations, is maxed instead.
    enum TargetColumn { latency_ps, energy_pj, weights, refused, input, output, target_columns };
    enum CountColumn { mac_count, param_count, layers, reach, mixing, live, count_columns };

    /// Prices every layer that occurs in the space once, with up to `threads` threads. `space` and
    /// `targets` must outlive the tables. Throws UserError when the tables would not fit in memory.
    CostTables(const DesignSpace &space, const std::vector<PricedTarget> &targets, int threads);

    /// Everything but top1, which add_top1 adds (accuracy.h). Safe to call from many threads. Axes
    /// beyond a stage's depth are ignored.
    Evaluation evaluate(const Choices &choices) const;

    struct Counts {
        std::int64_t macs = 0, params = 0;
    };
    Counts counts(const Choices &choices) const;

    /// What can refuse a candidate: a target that lacks an operator, the spatial-mixing guard, a
    /// source of accuracies, then the constraints of the space.
    const std::vector<std::string> &rules() const { return rules_; }
    /// A value of rule `a` nearer to its bound than `b`? Rules without a bound have no nearest
    /// value.
    bool has_bound(std::size_t rule) const { return rule >= first_constraint_; }
    bool nearer(std::size_t rule, double a, double b) const;
    bool of_accuracy(std::size_t rule) const {
        return rule >= first_accuracy_ && rule < first_constraint_;
    }
    std::size_t first_accuracy_rule() const { return first_accuracy_; }
    /// Judges a value by a constraint (an index into the space's).
    void judge(Evaluation &evaluation, std::size_t constraint, double value) const;
    /// Why `target` (an index) refuses the candidate: "block7.expand: no hard_swish", or "".
    std::string refusal(const Choices &choices, std::size_t target) const;

    /// By stage and type of block, those that the space offers behind a stage's first block.
    std::vector<BlockRate> block_rates() const;

    // Rows as they are added up, for searches that do it themselves. A context is an index into
    // DesignSpace::contexts(); channels and options are own numbers of its skeleton (skeleton.h).
    std::size_t contexts() const { return sheets_.size(); }
    std::size_t columns() const { return columns_; }
    std::size_t column(std::size_t target, TargetColumn column) const {
        return target * target_columns + column;
    }
    std::size_t column(CountColumn column) const {
        return targets_.size() * target_columns + column;
    }
    const std::int64_t *stem_row(std::size_t context) const {
        return row(sheets_[context].stem, 0, 0, 0);
    }
    /// `in` and `out`: choices of channels of the stage before and of this one; behind a stage's
    /// first position `in` is 0.
    const std::int64_t *block_row(std::size_t stage, std::size_t position, std::size_t context,
                                  std::size_t in, std::size_t out, std::size_t option) const {
        return row(sheets_[context].stages[stage][position], in, out, option);
    }
    const std::int64_t *head_row(std::size_t context, std::size_t in) const {
        return row(sheets_[context].head, in, 0, 0);
    }
    /// What a target adds once per network, given the sums of the rows.
    struct Once {
        std::int64_t latency_ps = 0;
        std::int64_t energy_pj = 0;
    };
    Once once(std::size_t target, const std::int64_t *sums) const;
    /// Bytes of a live activation on a target, of fp32 when there is no such target.
    std::int64_t live_bytes(std::size_t target) const {
        return size_of(target < targets_.size() ? targets_[target].workload.precision
                                                : DataType::fp32);
    }

    std::size_t unique_layers() const { return unique_layers_; }
    std::size_t rows() const { return rows_.size() / columns_; }

private:
    /// Rows of one block position, indexed by (in, out, option).
    struct Table {
        std::size_t first_row = 0;
        std::size_t outs = 1, options = 1;
    };
    /// The tables of one context.
    struct Sheet {
        Table stem, head;
        std::vector<std::vector<Table>> stages; ///< by stage, position
    };
    class Filler;

    const std::int64_t *row(const Table &table, std::size_t in, std::size_t out,
                            std::size_t option) const {
        const std::size_t index = (in * table.outs + out) * table.options + option;
        return rows_.data() + (table.first_row + index) * columns_;
    }
    /// The rows of a network added up, and whether it mixes space as the guard wants.
    std::vector<std::int64_t> add_up(const Choices &choices, bool &mixed) const;
    void judge(Evaluation &evaluation, const std::vector<std::int64_t> &sums, bool mixed) const;

    const DesignSpace &space_;
    const std::vector<PricedTarget> &targets_;
    std::size_t columns_ = 0;
    std::vector<std::int64_t> rows_;
    std::vector<Sheet> sheets_; ///< by context
    std::vector<std::string> rules_;
    std::size_t first_accuracy_ = 0;
    std::size_t first_constraint_ = 0;
    std::size_t unique_layers_ = 0;
};

} // namespace edgefront
