#include "search/exact.h"

#include "search/block_runs.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace edgefront {

namespace {

/// Positions with fewer labels than this are not worth any of epsilon.
constexpr std::size_t few_labels = 4000;
/// The power of what epsilon allows that goes to merging choices of runs; labels have the rest.
constexpr double share_of_options = 0.3;

class Exact : public Strategy {
public:
    Exact(const DesignSpace &space, const CostTables &tables, const RunConfig &config)
        : space_(space), tables_(tables), problem_(space, tables), bits_(space),
          blocks_(space, tables, problem_, bits_) {
        const double allowed = 1 + config.epsilon * (1 - 1e-9);
        options_allowed_ = std::pow(allowed, share_of_options);
        labels_allowed_ = allowed / options_allowed_;
        std::size_t most_outs = 1;
        for (const auto &context : space.contexts()) {
            std::int64_t steps = 2; // beginning and end
            for (const auto &stage : space.skeleton(context).stages) {
                steps += static_cast<std::int64_t>(stage.positions.size());
                most_outs = std::max(most_outs, stage.channels.size());
            }
            steps_before_.push_back(steps_before_.back() + steps);
        }
        // A label, and while it is pruned a copy, its keys in order and in the tree.
        const std::size_t bytes = 8 * (2 * none().row() + 48);
        const auto affordable =
            std::max<std::size_t>(static_cast<std::size_t>(config.memory_bytes) / bytes, 1000);
        most_candidates_ = affordable / 2;
        most_labels_ = affordable / (4 * most_outs);
    }

    /// A run of positions, or the beginning or the end of a context.
    std::vector<Choices> ask(const ParetoFront &front) override {
        if (unit_ == 0) {
            begin(front);
            unit_++;
        } else if (stage_ < skeleton_->stages.size()) {
            unit_ += place();
        } else {
            return end(front);
        }
        return {};
    }
    bool finished() const override { return context_ >= tables_.contexts(); }
    std::int64_t done() const override {
        return steps_before_[context_] + static_cast<std::int64_t>(unit_);
    }
    std::int64_t planned() const override { return steps_before_.back(); }
    /// A context that was begun is begun again.
    Json state() const override { return {{"context", context_}, {"factor", factor_}}; }
    void restore(const JsonReader &state) override {
        context_ = static_cast<std::size_t>(
            state.at("context").integer(0, static_cast<std::int64_t>(tables_.contexts())));
        factor_ = state.at("factor").number(1, 1e300);
        state.finish();
    }
    std::optional<double> proven_epsilon() const override {
        return finished() ? std::optional<double>(factor_ - 1) : std::nullopt;
    }

private:
    Labels none() const { return {problem_.sums(), bits_.words(), {}, 1}; }

    void begin(const ParetoFront &front) {
        problem_.enter(context_);
        known_ = DominanceTree(problem_.objectives().size());
        std::vector<std::int64_t> costs;
        for (const auto &member : front.members()) {
            costs = costs_of(member.values);
            known_.insert(costs.data());
        }
        const Context &context = space_.contexts()[context_];
        skeleton_ = &space_.skeleton(context);
        Labels first = none();
        if (problem_.allowed(tables_.stem_row(context_))) {
            std::int64_t *label = first.push(std::vector<std::int64_t>(first.row(), 0).data());
            problem_.add(label, tables_.stem_row(context_));
            for (std::size_t axis = 0; axis < context.choices.size(); axis++) {
                bits_.set(label + first.sums, axis, context.choices[axis]);
            }
        }
        arriving_ = {std::move(first)};
        stage_ = position_ = 0;
        options_factor_ = 1;
        ends_.clear();
    }

    /// The values as integers, less is better, as Criteria::ideal has them.
    std::vector<std::int64_t> costs_of(const std::vector<double> &values) const {
        std::vector<std::int64_t> costs;
        for (std::size_t o = 0; o < values.size(); o++) {
            const Goal &q = problem_.goals()[problem_.objectives()[o]];
            switch (q.kind) {
            case Goal::Kind::timed: costs.push_back(std::llround(values[o] * 1e9)); break;
            case Goal::Kind::peak:
                costs.push_back(std::llround(values[o]) / tables_.live_bytes(q.target));
                break;
            case Goal::Kind::additive: costs.push_back(q.sense * std::llround(values[o])); break;
            }
        }
        return costs;
    }

    /// Returns how many positions it was.
    std::size_t place() {
        const Stage &stage = skeleton_->stages[stage_];
        BlockRun run = longest_run(stage, stage_, position_);
        std::vector<Extensions> extensions;
        for (std::size_t length = 0; length != run.length;) {
            length = run.length;
            extensions = collect(run);
        }
        const std::size_t end = run.first + run.length;
        std::vector<Labels> placed;
        for (std::size_t out = 0; out < extensions.size(); out++) {
            placed.push_back(extended(extensions[out], problem_.rest(stage_, end, out)));
            // Only of single positions that follow each other does one know the other's options.
            if (run.first > 0 && run.length == 1) {
                blocks_.note_options(placed.back(), buckets_[out].size(), context_, run);
            } else {
                BlockRuns::note_all(placed.back());
            }
        }
        buckets_ = std::move(placed);
        const std::size_t outs = buckets_.size();
        if (run.first == 0) {
            arriving_.clear();
            ends_.assign(outs, none());
        }
        const auto depth =
            std::find(stage.depths.begin(), stage.depths.end(), static_cast<int>(end));
        for (std::size_t out = 0; depth != stage.depths.end() && out < outs; out++) {
            leave(buckets_[out], static_cast<std::size_t>(depth - stage.depths.begin()),
                  ends_[out]);
        }
        position_ = end;
        if (end == stage.positions.size()) {
            buckets_.clear();
            for (std::size_t out = 0; out < outs; out++) {
                const Rest &rest = problem_.behind(stage_, out);
                arriving_.push_back(fitting(prune(problem_, rest, bits_, ends_[out], 0), rest));
            }
            ends_.clear();
            position_ = 0;
            stage_++;
        }
        return run.length;
    }

    /// Every label with every choice of a run that is of use to its like.
    struct Extensions {
        std::deque<std::vector<std::size_t>> groups;
        std::vector<Extension> list;
        std::size_t labels = 0;
    };

    /// By the stage's channels.
    std::vector<Extensions> collect(BlockRun &run) {
        std::vector<Extensions> all(skeleton_->stages[stage_].channels.size());
        for (std::size_t out = 0; out < all.size(); out++) {
            if (run.first == 0) {
                for (std::size_t in = 0; in < arriving_.size(); in++) {
                    collect(arriving_[in], run, in, out, all[out]);
                }
            } else {
                collect(buckets_[out], run, 0, out, all[out]);
            }
        }
        return all;
    }

    void collect(const Labels &labels, BlockRun &run, std::size_t in, std::size_t out,
                 Extensions &all) {
        const Rest &rest = problem_.rest(stage_, run.first + run.length, out);
        // Whether a label needs more layers that mix space decides which choices are of use.
        std::vector<std::size_t> alike[4];
        for (std::size_t i = 0; i < labels.size(); i++) {
            const std::int64_t *label = labels.at(i);
            alike[2 * problem_.sees_all(label, rest) + problem_.mixed(label)].push_back(i);
        }
        const bool choosy = run.length == 1 && labels.factor == 1 && options_factor_ == 1 &&
                            blocks_.like_before(context_, stage_, run.first, out);
        for (auto &members : alike) {
            if (members.empty()) {
                continue;
            }
            Rest before;
            for (const std::size_t i : members) {
                problem_.widen(before, labels.at(i));
            }
            const Labels options =
                blocks_.options(context_, run, before, in, out, options_allowed_);
            options_factor_ = std::max(options_factor_, options.factor);
            all.groups.push_back(std::move(members));
            const auto &group = all.groups.back();
            for (std::size_t i = 0; i < options.size(); i++) {
                const std::int64_t *added = options.at(i), *choices = options.choices(i);
                Extension e{&labels,
                            &group,
                            {added, added + options.sums},
                            {choices, choices + options.words},
                            before};
                problem_.join(e.own.low.data(), added);
                problem_.join(e.own.high.data(), added);
                if (choosy) {
                    const std::size_t o = blocks_.option(choices, context_, stage_, run.first);
                    all.groups.emplace_back();
                    std::copy_if(
                        group.begin(), group.end(), std::back_inserter(all.groups.back()),
                        [&](std::size_t l) { return BlockRuns::noted(labels.note(l), o); });
                    e.members = &all.groups.back();
                }
                if (!e.members->empty()) {
                    all.labels += e.members->size();
                    all.list.push_back(std::move(e));
                }
            }
        }
    }

    /// What stays of them, less exactly when it would be too many.
    Labels extended(const Extensions &all, const Rest &rest) {
        if (all.list.empty() || !rest.possible) {
            return none();
        }
        double factor = 1;
        for (const Extension &e : all.list) {
            factor = std::max(factor, e.labels->factor);
        }
        for (double delta = share(all.labels, factor);;) {
            const auto labels = extend(problem_, rest, bits_, all.list, delta, most_candidates_);
            if (labels) {
                return fitting(*labels, rest);
            }
            delta = std::max(2 * delta, 1e-4);
            refuse_hopeless(delta);
        }
    }

    /// Notes an own number of the stage: of channels (0) or depth (1).
    void choose(std::int64_t *words, std::size_t axis, std::size_t own) const {
        axis += space_.stage_axis(stage_);
        bits_.set(words, axis, skeleton_->menus[axis].choices[own]);
    }

    /// The stage ends here, for those with a layer that mixes space.
    void leave(const Labels &labels, std::size_t depth, Labels &ends) const {
        ends.factor = std::max(ends.factor, labels.factor);
        for (std::size_t i = 0; i < labels.size(); i++) {
            if (problem_.mixed(labels.at(i))) {
                std::int64_t *label = ends.push(labels.at(i));
                choose(label + labels.sums, 1, depth);
                problem_.begin_stage(label);
            }
        }
    }

    /// Without those that the front beats already, and few enough for the memory.
    Labels fitting(const Labels &labels, const Rest &rest) {
        return fit(problem_, rest, bits_, prune_by(known_, problem_, rest, labels), most_labels_);
    }

    /// This run's share of what the factor may still grow: more for later ones, with more labels.
    double share(std::size_t labels, double factor) const {
        if (labels < few_labels || factor >= labels_allowed_) {
            return 0;
        }
        double own = 0, left = 0;
        std::size_t before = 0;
        for (std::size_t s = 0; s < skeleton_->stages.size(); s++) {
            const std::size_t positions = skeleton_->stages[s].positions.size();
            for (std::size_t p = s == stage_ ? position_ : 0; s >= stage_ && p < positions;) {
                p += longest_run(skeleton_->stages[s], s, p).length;
                left += static_cast<double>(before + p);
                own = own > 0 ? own : left;
            }
            before += positions;
        }
        return std::pow(labels_allowed_ / factor, own / left) - 1;
    }

    /// The networks of the context's front.
    std::vector<Choices> end(const ParetoFront &front) {
        Labels whole = none();
        for (std::size_t in = 0; in < arriving_.size(); in++) {
            const std::int64_t *row = tables_.head_row(context_, in);
            whole.factor = std::max(whole.factor, arriving_[in].factor);
            for (std::size_t i = 0; problem_.allowed(row) && i < arriving_[in].size(); i++) {
                problem_.add(whole.push(arriving_[in].at(i)), row);
            }
        }
        arriving_.clear();
        const Rest nothing = problem_.nothing();
        whole = prune_by(known_, problem_, nothing, prune(problem_, nothing, bits_, whole, 0));
        factor_ = std::max(factor_, whole.factor * options_factor_);
        std::vector<Choices> batch;
        for (std::size_t i = 0; i < whole.size(); i++) {
            batch.push_back(bits_.choices(whole.choices(i)));
        }
        context_++;
        unit_ = 0;
        return finished() && batch.empty() && front.size() == 0 ? nearest() : batch;
    }

    /// For every rule the network of each context that comes nearest to keeping it.
    std::vector<Choices> nearest() const {
        std::vector<Choices> batch;
        for (std::size_t context = 0; context < tables_.contexts(); context++) {
            const auto take = [&](std::size_t column, int sign) {
                batch.push_back(extreme_network(space_, tables_, context, column, sign));
            };
            for (std::size_t t = 0; t < space_.targets.size(); t++) {
                take(tables_.column(t, CostTables::refused), 1);
            }
            if (space_.spatial_mixing) {
                take(tables_.column(CostTables::reach), -1);
            }
            for (const Goal &q : problem_.goals()) {
                if (q.at_most != Goal().at_most) {
                    take(problem_.column(q), 1);
                }
                if (q.at_least != Goal().at_least) {
                    take(problem_.column(q), -1);
                }
            }
        }
        return batch;
    }

    const DesignSpace &space_;
    const CostTables &tables_;
    ExactProblem problem_;
    ChoiceBits bits_;
    BlockRuns blocks_;
    double options_allowed_, labels_allowed_;      ///< factors; their product is epsilon's
    std::vector<std::int64_t> steps_before_ = {0}; ///< by context, and of all
    std::size_t most_candidates_, most_labels_;

    std::size_t context_ = 0;
    double factor_ = 1; ///< the largest of all contexts so far
    // Inside a context.
    std::size_t unit_ = 0, stage_ = 0, position_ = 0;
    double options_factor_ = 1; ///< of merging choices of runs so far
    const Skeleton *skeleton_ = nullptr;
    DominanceTree known_{1};             ///< the front when the context began
    std::vector<Labels> arriving_;       ///< at the stage, by the channels of the one before
    std::vector<Labels> buckets_, ends_; ///< inside and behind the stage, by its channels
};

} // namespace

Choices extreme_network(const DesignSpace &space, const CostTables &tables, std::size_t context,
                        std::size_t column, int sign) {
    const bool maxed = column == tables.column(CostTables::live);
    return cheapest_network(
               space, tables, context,
               [&](const std::int64_t *row) { return static_cast<double>(sign * row[column]); },
               [&](double a, double b) {
                   return maxed ? sign * std::max(sign * a, sign * b) : a + b;
               })
        .choices;
}

CheapestNetwork cheapest_network(const DesignSpace &space, const CostTables &tables,
                                 std::size_t context,
                                 const std::function<double(const std::int64_t *)> &amount,
                                 const std::function<double(double, double)> &joined) {
    struct Best {
        double amount = std::numeric_limits<double>::infinity();
        Choices choices; ///< of what follows
    };
    const auto prefer = [](Best &best, double amount, std::vector<int> first, const Choices &rest) {
        if (amount < best.amount) {
            first.insert(first.end(), rest.begin(), rest.end());
            best = {amount, std::move(first)};
        }
    };
    const Skeleton &skeleton = space.skeleton(space.contexts()[context]);
    // `ways[in]`: the best from a stage's beginning to the end of the network.
    std::vector<Best> ways;
    const std::size_t last_outs =
        skeleton.stages.empty() ? 1 : skeleton.stages.back().channels.size();
    for (std::size_t in = 0; in < last_outs; in++) {
        ways.push_back({amount(tables.head_row(context, in)), {}});
    }
    for (std::size_t s = skeleton.stages.size(); s-- > 0;) {
        const Stage &stage = skeleton.stages[s];
        const std::size_t ins = s == 0 ? 1 : skeleton.stages[s - 1].channels.size();
        std::vector<Best> before(ins);
        for (std::size_t in = 0; in < ins; in++) {
            for (std::size_t out = 0; out < stage.channels.size(); out++) {
                for (std::size_t d = 0; d < stage.depths.size(); d++) {
                    std::vector<int> own = {static_cast<int>(out), static_cast<int>(d)};
                    double total = ways[out].amount;
                    for (std::size_t p = 0; p < stage.positions.size(); p++) {
                        if (static_cast<int>(p) >= stage.depths[d]) {
                            own.push_back(0);
                            continue;
                        }
                        Best option;
                        for (std::size_t o = 0; o < stage.positions[p].size(); o++) {
                            prefer(option,
                                   amount(tables.block_row(s, p, context, p == 0 ? in : 0, out, o)),
                                   {static_cast<int>(o)}, {});
                        }
                        own.push_back(option.choices[0]);
                        total = joined(total, option.amount);
                    }
                    prefer(before[in], total, own, ways[out].choices);
                }
            }
        }
        ways = std::move(before);
    }
    return {joined(amount(tables.stem_row(context)), ways[0].amount),
            space.choices_of(space.contexts()[context], ways[0].choices)};
}

std::unique_ptr<Strategy> make_exact(const DesignSpace &space, const CostTables &tables,
                                     const RunConfig &config) {
    return std::make_unique<Exact>(space, tables, config);
}

} // namespace edgefront
