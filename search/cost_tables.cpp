#include "search/cost_tables.h"

#include "base/error.h"
#include "search/parallel.h"
#include "search/spatial_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace edgefront {

namespace {

constexpr double ps_per_second = 1e12;
/// Layers are added up to rows in thousandths (fs, fJ), so that rows are off by half a unit at
/// most.
constexpr std::int64_t fine = 1000;

/// Above this the tables of a space are refused.
constexpr double most_bytes = 5e8;

/// Elements alive while each node runs: of every tensor from its producer to its last reader.
std::vector<std::int64_t> live_elements(const Network &network) {
    const std::size_t n = network.nodes.size();
    std::vector<std::size_t> last(n + 1, 0); // of tensor i - 1; 0 is the network's input
    for (std::size_t i = 0; i < n; i++) {
        last[i + 1] = i;
        for (const int producer : network.nodes[i].inputs) {
            last[static_cast<std::size_t>(producer + 1)] = i;
        }
    }
    std::vector<std::int64_t> change(n + 1, 0);
    for (std::size_t t = 0; t <= n; t++) {
        const std::int64_t elements =
            t == 0 ? network.input.elements() : network.nodes[t - 1].layer.output.elements();
        change[t == 0 ? 0 : t - 1] += elements;
        change[last[t] + 1] -= elements;
    }
    for (std::size_t i = 1; i < n; i++) {
        change[i] += change[i - 1];
    }
    change.pop_back();
    return change;
}

} // namespace

std::vector<PricedTarget> price_targets(const DesignSpace &space) {
    std::vector<PricedTarget> result;
    for (const auto &target : space.targets) {
        PricedTarget priced;
        priced.name = target.name;
        priced.model = make_cost_model(find_target(target.name));
        priced.workload = workload_for(priced.model->target(), target.precision, target.threads);
        result.push_back(std::move(priced));
    }
    return result;
}

/// Builds the networks that between them contain every block in every surrounding, and reads their
/// blocks into rows; then prices each different layer once.
class CostTables::Filler {
public:
    explicit Filler(CostTables &tables) : tables_(tables), space_(tables.space_) {}

    void fill(int threads) {
        lay_out();
        for (std::size_t c = 0; c < tables_.sheets_.size(); c++) {
            const Context &context = space_.contexts()[c];
            skeleton_ = &space_.skeleton(context);
            sheet_ = &tables_.sheets_[c];
            family_ = space_.rules;
            family_.name = space_.name;
            family_.activation = context.activation;
            variant_.resolution = context.resolution;
            variant_.width = context.width;
            fill_sheet();
        }
        price(threads);
    }

private:
    void lay_out() {
        std::size_t rows = 0;
        const auto place = [&](std::size_t ins, std::size_t outs, std::size_t options) {
            const CostTables::Table table{rows, outs, options};
            rows += ins * outs * options;
            return table;
        };
        for (const auto &context : space_.contexts()) {
            CostTables::Sheet sheet;
            sheet.stem = place(1, 1, 1);
            std::size_t ins = 1;
            for (const auto &stage : space_.skeleton(context).stages) {
                sheet.stages.emplace_back();
                for (const auto &position : stage.positions) {
                    sheet.stages.back().push_back(
                        place(ins, stage.channels.size(), position.size()));
                    ins = 1; // behind the first block the input is as wide as the output
                }
                ins = stage.channels.size();
            }
            sheet.head = place(ins, 1, 1);
            tables_.sheets_.push_back(std::move(sheet));
        }
        const double bytes = static_cast<double>(rows) * static_cast<double>(tables_.columns_) *
                             sizeof(std::int64_t);
        if (bytes > most_bytes) {
            throw UserError(fmt::format("space '{}' needs {:.3g} rows of costs ({:.3g} GB), more "
                                        "than fit; give it fewer values per axis",
                                        space_.name, static_cast<double>(rows), bytes * 1e-9));
        }
        tables_.rows_.assign(rows * tables_.columns_, 0);
    }

    /// Stem and stages before `stage`, the last of them with the given choice of channels; one
    /// block of each is enough to set the shape of what follows.
    std::vector<Block> before(std::size_t stage, std::size_t in) const {
        std::vector<Block> blocks = skeleton_->stem;
        for (std::size_t s = 0; s < stage; s++) {
            const Stage &passed = skeleton_->stages[s];
            blocks.push_back(passed.placed(passed.positions[0][0], 0, s + 1 == stage ? in : 0));
        }
        return blocks;
    }

    static int block_count(const std::vector<Block> &blocks) {
        int n = 0;
        for (const auto &block : blocks) {
            n += block.repeat;
        }
        return n;
    }

    void fill_sheet() {
        const std::vector<Block> nothing;
        add(network(skeleton_->stem, nothing), {0, block_count(skeleton_->stem)}, Part::stem,
            tables_.row(sheet_->stem, 0, 0, 0));
        std::size_t ins = 1;
        for (std::size_t s = 0; s < skeleton_->stages.size(); s++) {
            const std::size_t outs = skeleton_->stages[s].channels.size();
            for (std::size_t in = 0; in < ins; in++) {
                for (std::size_t out = 0; out < outs; out++) {
                    fill_stage(s, in, out);
                }
            }
            ins = outs;
        }
        for (std::size_t in = 0; in < ins; in++) {
            const auto body = before(skeleton_->stages.size(), in);
            const int first = block_count(body);
            add(network(body, skeleton_->head), {first, first + block_count(skeleton_->head)},
                Part::head, tables_.row(sheet_->head, in, 0, 0));
        }
    }

    /// Network number o has option o at every position.
    void fill_stage(std::size_t s, std::size_t in, std::size_t out) {
        const Stage &stage = skeleton_->stages[s];
        const auto body = before(s, in);
        std::size_t most = 0;
        for (const auto &position : stage.positions) {
            most = std::max(most, position.size());
        }
        for (std::size_t o = 0; o < most; o++) {
            std::vector<Block> blocks;
            std::vector<BlockRange> ranges;
            int next = block_count(body);
            for (std::size_t p = 0; p < stage.positions.size(); p++) {
                const auto &position = stage.positions[p];
                const Option &option = position[std::min(o, position.size() - 1)];
                ranges.push_back({next, next});
                if (option.block) {
                    blocks.push_back(stage.placed(option, p, out));
                    next = ranges.back().end += blocks.back().repeat;
                }
            }
            const Network built = network(body, blocks);
            for (std::size_t p = 0; p < stage.positions.size(); p++) {
                const bool seen = p > 0 && in > 0;
                if (o < stage.positions[p].size() && !seen) {
                    add(built, ranges[p], Part::block,
                        tables_.row(sheet_->stages[s][p], p == 0 ? in : 0, out, o));
                }
            }
        }
    }

    Network network(std::vector<Block> blocks, const std::vector<Block> &more) {
        blocks.insert(blocks.end(), more.begin(), more.end());
        family_.blocks = std::move(blocks);
        return build(family_, variant_);
    }

    enum class Part { stem, block, head };

    /// Counts the blocks into a row and remembers their layers for `price`.
    void add(const Network &built, const BlockRange &blocks, Part part, const std::int64_t *place) {
        const auto offset = static_cast<std::size_t>(place - tables_.rows_.data());
        std::int64_t *row = tables_.rows_.data() + offset;
        std::int64_t *counts = row + tables_.targets_.size() * target_columns;
        const auto alive = live_elements(built);
        const auto mixed = spatial_mixing(built);
        for (int b = blocks.first; b < blocks.end; b++) {
            counts[reach] += mixed.reach[static_cast<std::size_t>(b)];
            counts[mixing] += mixed.mixing_layers[static_cast<std::size_t>(b)];
        }
        const auto per_target = [&](TargetColumn column, auto bytes) {
            for (std::size_t t = 0; t < tables_.targets_.size(); t++) {
                row[t * target_columns + column] += bytes(tables_.targets_[t]);
            }
        };
        for (std::size_t i = 0; i < built.nodes.size(); i++) {
            const Node &node = built.nodes[i];
            if (node.block < blocks.first || node.block >= blocks.end) {
                continue;
            }
            counts[mac_count] += macs(node.layer).count();
            counts[param_count] += params(node).count();
            counts[layers] += 1;
            counts[live] = std::max(counts[live], alive[i]);
            per_target(weights, [&](const PricedTarget &target) {
                Layer layer = node.layer;
                layer.type = target.workload.precision;
                return target.model->stored_weights(layer, target.workload).count();
            });
            pending_.emplace_back(offset, unique(node.layer));
        }
        // The stem takes the network's input and the head makes its output.
        const auto bytes_of = [](const Shape &shape, const PricedTarget &target) {
            return shape.elements() * size_of(target.workload.precision);
        };
        per_target(input, [&](const PricedTarget &t) {
            return part == Part::stem ? bytes_of(built.input, t) : 0;
        });
        per_target(output, [&](const PricedTarget &t) {
            return part == Part::head ? bytes_of(built.output(), t) : 0;
        });
    }

    std::size_t unique(const Layer &layer) {
        const auto [it, added] = numbers_.emplace(key(layer), layers_.size());
        if (added) {
            layers_.push_back(layer);
        }
        return it->second;
    }

    void price(int threads) {
        const std::size_t n = tables_.targets_.size();
        std::vector<std::int64_t> prices(layers_.size() * n * 3, 0);
        parallel_for(layers_.size() * n, threads, 64, [&](std::size_t i) {
            const PricedTarget &target = tables_.targets_[i % n];
            const Verdict verdict = price_layer(*target.model, layers_[i / n], target.workload);
            if (const Cost *cost = std::get_if<Cost>(&verdict)) {
                prices[3 * i] = std::llround(cost->latency.count() * ps_per_second * fine);
                prices[3 * i + 1] = std::llround(cost->energy.count() * fine);
            } else {
                prices[3 * i + 2] = 1;
            }
        });
        for (const auto &[offset, layer] : pending_) {
            for (std::size_t t = 0; t < n; t++) {
                const std::int64_t *price = prices.data() + 3 * (layer * n + t);
                std::int64_t *row = tables_.rows_.data() + offset + t * target_columns;
                row[latency_ps] += price[0];
                row[energy_pj] += price[1];
                row[refused] += price[2];
            }
        }
        for (std::size_t r = 0; r < tables_.rows_.size(); r += tables_.columns_) {
            for (std::size_t t = 0; t < n; t++) {
                for (const auto column : {latency_ps, energy_pj}) {
                    std::int64_t &amount = tables_.rows_[r + t * target_columns + column];
                    amount = (amount + fine / 2) / fine;
                }
            }
        }
        tables_.unique_layers_ = layers_.size();
    }

    CostTables &tables_;
    const DesignSpace &space_;
    const Skeleton *skeleton_ = nullptr; ///< of the context being filled
    const CostTables::Sheet *sheet_ = nullptr;
    Family family_;
    Variant variant_;
    std::unordered_map<std::string, std::size_t> numbers_;
    std::vector<Layer> layers_;
    std::vector<std::pair<std::size_t, std::size_t>> pending_; ///< (offset of a row, layer)
};

CostTables::CostTables(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                       int threads)
    : space_(space), targets_(targets), columns_(targets.size() * target_columns + count_columns) {
    for (const auto &target : targets) {
        rules_.push_back("every layer runs on " + target.name);
    }
    if (space.spatial_mixing) {
        rules_.push_back("spatial mixing");
    }
    first_accuracy_ = rules_.size();
    if (space.accuracy) {
        for (const auto &rule : accuracy_rules(*space.accuracy)) {
            rules_.push_back(rule);
        }
    }
    first_constraint_ = rules_.size();
    for (const auto &constraint : space.constraints) {
        rules_.push_back(constraint.name());
    }
    Filler(*this).fill(threads);
}

std::vector<std::int64_t> CostTables::add_up(const Choices &choices, bool &mixed) const {
    const std::size_t context = space_.context_of(choices);
    const Skeleton &skeleton = space_.skeleton(space_.contexts()[context]);
    const Sheet &sheet = sheets_[context];
    const auto own = [&](std::size_t axis) { return skeleton.menus[axis].own(choices[axis]); };
    const std::size_t last = columns_ - 1; // the column that is maxed
    std::vector<std::int64_t> sums(columns_, 0);
    const auto add = [&](const std::int64_t *row) {
        for (std::size_t c = 0; c < last; c++) {
            sums[c] += row[c];
        }
        sums[last] = std::max(sums[last], row[last]);
    };
    const std::size_t mixing_column = targets_.size() * target_columns + mixing;
    mixed = true;
    add(row(sheet.stem, 0, 0, 0));
    std::size_t in = 0;
    for (std::size_t s = 0; s < skeleton.stages.size(); s++) {
        const std::size_t axis = space_.stage_axis(s);
        const std::size_t out = own(axis);
        const auto depth = static_cast<std::size_t>(skeleton.stages[s].depths[own(axis + 1)]);
        const std::int64_t mixing_before = sums[mixing_column];
        for (std::size_t p = 0; p < depth; p++) {
            add(row(sheet.stages[s][p], p == 0 ? in : 0, out, own(axis + 2 + p)));
        }
        mixed = mixed && sums[mixing_column] > mixing_before;
        in = out;
    }
    add(row(sheet.head, in, 0, 0));
    const auto resolution = space_.contexts()[context].resolution;
    mixed = mixed && 1 + sums[targets_.size() * target_columns + reach] >= resolution;
    return sums;
}

Evaluation CostTables::evaluate(const Choices &choices) const {
    bool mixed = true;
    const std::vector<std::int64_t> sums = add_up(choices, mixed);
    Evaluation evaluation;
    judge(evaluation, sums, mixed);
    return evaluation;
}

CostTables::Counts CostTables::counts(const Choices &choices) const {
    bool mixed = true;
    const std::vector<std::int64_t> sums = add_up(choices, mixed);
    return {sums[column(mac_count)], sums[column(param_count)]};
}

double value_of(Metric metric, std::int64_t amount) {
    const auto value = static_cast<double>(amount);
    switch (metric) {
    case Metric::latency_ms:
    case Metric::energy_mj: return value / 1e9;
    case Metric::frames_per_second: return 1e12 / value;
    case Metric::peak_bytes:
    case Metric::macs:
    case Metric::params:
    case Metric::top1: return value;
    }
    return value;
}

CostTables::Once CostTables::once(std::size_t target, const std::int64_t *sums) const {
    const std::int64_t *own = sums + target * target_columns;
    const std::int64_t *counts = sums + targets_.size() * target_columns;
    const Workload &workload = targets_[target].workload;
    NetworkTotals totals;
    totals.weights = Bytes(own[weights]);
    totals.input = Bytes(own[input]);
    totals.output = Bytes(own[output]);
    totals.peak_activations = Bytes(counts[live] * size_of(workload.precision));
    totals.layers = static_cast<int>(counts[layers]);
    const Cost whole = targets_[target].model->network_cost(totals, workload);
    return {std::llround(whole.latency.count() * ps_per_second),
            std::llround(whole.energy.count())};
}

void CostTables::judge(Evaluation &evaluation, const std::vector<std::int64_t> &sums,
                       bool mixed) const {
    const std::int64_t *counts = sums.data() + targets_.size() * target_columns;
    std::vector<Once> prices;
    const auto refuse = [&](std::size_t rule, double value, double violation) {
        evaluation.broken.push_back({rule, value});
        evaluation.violation += violation;
    };
    for (std::size_t t = 0; t < targets_.size(); t++) {
        const std::int64_t *own = sums.data() + t * target_columns;
        prices.push_back(once(t, sums.data()));
        prices.back().latency_ps += own[latency_ps];
        prices.back().energy_pj += own[energy_pj];
        if (own[refused] > 0) {
            refuse(t, static_cast<double>(own[refused]), static_cast<double>(own[refused]));
            evaluation.priced = false;
        }
    }
    if (space_.spatial_mixing && !mixed) {
        refuse(targets_.size(), 0, 1);
    }
    const auto value = [&](const Measure &measure) {
        std::size_t t = 0;
        while (t < targets_.size() && targets_[t].name != measure.target) {
            t++;
        }
        const auto amount = [&]() -> std::int64_t {
            switch (measure.metric) {
            case Metric::latency_ms:
            case Metric::frames_per_second: return prices[t].latency_ps;
            case Metric::energy_mj: return prices[t].energy_pj;
            case Metric::peak_bytes: return counts[live] * live_bytes(t);
            case Metric::macs: return counts[mac_count];
            case Metric::params: return counts[param_count];
            case Metric::top1: return 0;
            }
            return 0;
        };
        return value_of(measure.metric, amount());
    };
    for (const auto &objective : space_.objectives) {
        evaluation.values.push_back(value(objective.measure));
    }
    for (std::size_t c = 0; c < space_.constraints.size(); c++) {
        if (space_.constraints[c].measure.metric != Metric::top1) {
            judge(evaluation, c, value(space_.constraints[c].measure));
        }
    }
}

void CostTables::judge(Evaluation &evaluation, std::size_t index, double v) const {
    const Constraint &constraint = space_.constraints[index];
    const auto refuse = [&](double violation) {
        evaluation.broken.push_back({first_constraint_ + index, v});
        evaluation.violation += violation;
    };
    if (constraint.at_most && v > *constraint.at_most) {
        refuse(v / std::max(*constraint.at_most, 1e-9) - 1);
    }
    if (constraint.at_least && v < *constraint.at_least) {
        refuse(1 - v / *constraint.at_least);
    }
}

bool CostTables::nearer(std::size_t rule, double a, double b) const {
    const Constraint &constraint = space_.constraints[rule - first_constraint_];
    return constraint.at_most ? a < b : a > b;
}

std::string CostTables::refusal(const Choices &choices, std::size_t target) const {
    const PricedTarget &priced = targets_[target];
    const Estimate e = estimate(*priced.model, space_.network(choices), priced.workload);
    return e.supported() ? "" : e.unsupported.front();
}

} // namespace edgefront
