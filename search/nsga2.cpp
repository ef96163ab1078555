// NSGA-II with three additions for small budgets. No network is asked for twice. The first ones
// come from the cost tables as well as at random (supported.h). And of several children that
// parents could have, the one is priced that a model of what was priced so far expects to widen the
// front most ("informed operators", Rasheed and Hirsh 2000); one in ten is priced whatever it
// expects.
#include "base/random.h"
#include "search/effects_model.h"
#include "search/strategy.h"
#include "search/supported.h"

#include <pagmo/utils/multi_objective.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <unordered_set>

namespace edgefront {

namespace {

/// Above every feasible objective, below infinity with any violation added: candidates that break a
/// rule are beaten by all that do not, and compete among themselves by how far off they are.
constexpr double infeasible = 1e30;
constexpr double crossover_rate = 0.8;
constexpr std::size_t first_drawn = 40;    ///< at random, besides the seeds
constexpr std::size_t least_children = 20; ///< per generation; later a quarter of the population
constexpr int screened = 16;               ///< children of which one is priced
constexpr double unscreened = 0.1;         ///< share of children priced as they come
constexpr std::size_t remembered = 100000;

/// An axis with more than one value, and its values from small to large.
struct Gene {
    std::size_t axis;
    std::vector<int> values; ///< by place
    std::vector<int> places; ///< by value
};

/// A candidate and what it cost.
struct Priced {
    Choices choices;
    std::vector<double> values;
    double violation = 0; ///< 0: feasible
};

/// What tells values of an axis apart by size, for each axis; none where their order says it.
std::vector<std::vector<double>> sizes_of(const DesignSpace &space, const CostTables &tables) {
    std::vector<std::vector<double>> sizes(space.axes().size());
    sizes[0].assign(space.resolutions.begin(), space.resolutions.end());
    sizes[1] = space.widths;
    for (std::size_t s = 0; s < space.stages.size(); s++) {
        const Stage &stage = space.stages[s];
        const std::size_t axis = space.stage_axis(s);
        sizes[axis].assign(stage.channels.begin(), stage.channels.end());
        for (std::size_t p = 0; p < stage.positions.size(); p++) {
            for (std::size_t o = 0; o < stage.positions[p].size(); o++) {
                const std::int64_t *row = tables.block_row(s, p, 0, 0, 0, o);
                sizes[axis + 2 + p].push_back(
                    static_cast<double>(row[tables.column(CostTables::mac_count)]));
            }
        }
    }
    return sizes;
}

std::vector<Gene> genes_of(const DesignSpace &space, const CostTables &tables) {
    const auto sizes = sizes_of(space, tables);
    const auto axes = space.axes();
    std::vector<Gene> genes;
    for (std::size_t a = 0; a < axes.size(); a++) {
        const std::size_t n = axes[a].values.size();
        if (n < 2) {
            continue;
        }
        Gene gene{a, std::vector<int>(n), std::vector<int>(n)};
        std::iota(gene.values.begin(), gene.values.end(), 0);
        if (!sizes[a].empty()) {
            const auto size = [&](int v) { return sizes[a][static_cast<std::size_t>(v)]; };
            std::stable_sort(gene.values.begin(), gene.values.end(),
                             [&](int v, int w) { return size(v) < size(w); });
        }
        for (std::size_t i = 0; i < n; i++) {
            gene.places[static_cast<std::size_t>(gene.values[i])] = static_cast<int>(i);
        }
        genes.push_back(std::move(gene));
    }
    return genes;
}

std::vector<std::size_t> value_counts(const DesignSpace &space) {
    std::vector<std::size_t> counts;
    for (const auto &axis : space.axes()) {
        counts.push_back(axis.values.size());
    }
    return counts;
}

/// Fits the numbers of a JSON file.
std::int64_t hash_of(const Choices &choices) {
    const std::string_view bytes(reinterpret_cast<const char *>(choices.data()),
                                 choices.size() * sizeof(int));
    return static_cast<std::int64_t>(stable_hash(bytes) >> 11);
}

/// The last networks that were asked for; all of them, unless they are very many.
class Memory {
public:
    bool knows(std::int64_t hash) const { return known_.count(hash) > 0; }
    void add(std::int64_t hash) {
        order_.push_back(hash);
        known_.insert(hash);
        if (order_.size() > remembered) {
            known_.erase(order_.front());
            order_.pop_front();
        }
    }
    Json state() const { return order_; }

private:
    std::deque<std::int64_t> order_;
    std::unordered_set<std::int64_t> known_;
};

class Nsga2 : public Strategy {
public:
    Nsga2(const DesignSpace &space, const CostTables &tables, const RunConfig &config,
          Nsga2Start start)
        : space_(space), tables_(tables), seed_(config.seed), start_(start),
          population_size_(static_cast<std::size_t>(config.population)),
          planned_(static_cast<std::int64_t>(
              std::min(static_cast<double>(config.evaluations), space.size()))),
          genes_(genes_of(space, tables)), model_(value_counts(space), objectives() + 1) {}

    /// Every generation has a seed of its own, so that a run can go on from any of them.
    std::vector<Choices> ask(const ParetoFront &) override {
        Random random(derive_seed(seed_, "nsga2/" + std::to_string(done_)));
        return done_ == 0 ? first_generation(random) : next_generation(random);
    }

    /// The best of parents and children live on.
    void tell(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) override {
        for (std::size_t i = 0; i < batch.size(); i++) {
            const Evaluation &e = prices[i];
            // Whatever breaks a rule by next to nothing still breaks it.
            const double violation = e.feasible() ? 0 : std::max(e.violation, 1e-12);
            members_.push_back({batch[i], e.values, violation});
            memory_.add(hash_of(batch[i]));
            learn(members_.back());
        }
        std::vector<std::vector<double>> fitness;
        for (const Priced &member : members_) {
            fitness.push_back(fitness_of(member));
        }
        std::vector<Priced> kept;
        for (const std::size_t i : pagmo::sort_population_mo(fitness)) {
            if (kept.size() < population_size_) {
                kept.push_back(std::move(members_[i]));
            }
        }
        members_ = std::move(kept);
        for (const Priced &member : members_) {
            learn(member);
        }
        done_ += static_cast<std::int64_t>(batch.size());
    }

    bool finished() const override { return done_ >= planned_; }
    std::int64_t done() const override { return done_; }
    std::int64_t planned() const override { return planned_; }

    Json state() const override {
        Json members = Json::array();
        for (const Priced &member : members_) {
            members.push_back({{"choices", member.choices},
                               {"values", member.values},
                               {"violation", member.violation}});
        }
        return {{"done", done_},
                {"members", members},
                {"asked", memory_.state()},
                {"effects", model_.state()}};
    }

    void restore(const JsonReader &state) override {
        done_ = state.at("done").integer(0, planned_);
        for (const auto &row : state.at("members").items()) {
            Priced member;
            for (const auto index : row.at("choices").integers(absent, 1000000)) {
                member.choices.push_back(static_cast<int>(index));
            }
            member.values = row.at("values").numbers(-1e300, 1e300);
            member.violation = row.at("violation").number(0, 1e300);
            row.finish();
            if (!space_.contains(member.choices) || member.values.size() != objectives()) {
                throw row.error("expected a network of the space, and a value per objective");
            }
            members_.push_back(std::move(member));
        }
        if (members_.empty() != (done_ == 0) || members_.size() > population_size_) {
            throw state.at("members").error("expected the population of a search that was begun");
        }
        for (const auto hash : state.at("asked").integers(0, std::int64_t{1} << 53)) {
            memory_.add(hash);
        }
        model_.restore(state.at("effects"));
        state.finish();
    }

private:
    /// The networks of a generation, all different and none asked for before.
    class Batch {
    public:
        explicit Batch(const Memory &memory) : memory_(memory) {}
        bool is_new(const Choices &choices) const {
            const std::int64_t hash = hash_of(choices);
            return !memory_.knows(hash) && asked_.count(hash) == 0;
        }
        void add(Choices choices) {
            asked_.insert(hash_of(choices));
            list.push_back(std::move(choices));
        }
        std::vector<Choices> list;

    private:
        const Memory &memory_;
        std::unordered_set<std::int64_t> asked_;
    };

    std::size_t objectives() const { return space_.objectives.size(); }
    bool maximised(std::size_t objective) const {
        return space_.objectives[objective].sense == Sense::maximise;
    }

    /// The sorting wants two objectives; a single one is shown twice.
    std::vector<double> fitness_of(const Priced &member) const {
        std::vector<double> fitness;
        for (std::size_t i = 0; i < std::max<std::size_t>(2, objectives()); i++) {
            const std::size_t o = std::min(i, objectives() - 1);
            fitness.push_back(member.violation > 0 ? infeasible * (1 + member.violation)
                              : maximised(o)       ? -member.values[o]
                                                   : member.values[o]);
        }
        return fitness;
    }

    /// Logarithms of the values, which costs of blocks and their factors, width and resolution,
    /// move by steps, and the violation.
    std::vector<double> outputs_of(const Priced &member) const {
        std::vector<double> outputs;
        for (const double value : member.values) {
            outputs.push_back(std::log(std::max(value, 1e-12)));
        }
        outputs.push_back(member.violation);
        return outputs;
    }
    void learn(const Priced &member) { model_.learn(member.choices, outputs_of(member)); }

    std::vector<Choices> first_generation(Random &random) const {
        Batch batch(memory_);
        const auto budget = static_cast<std::size_t>(planned_);
        if (start_ == Nsga2Start::seeded) {
            const std::size_t most =
                std::min(population_size_, std::max<std::size_t>(budget / 10, 1));
            for (auto &choices : supported_networks(space_, tables_, random.next(), most)) {
                if (batch.is_new(choices)) {
                    batch.add(std::move(choices));
                }
            }
        }
        const std::size_t size =
            std::min({batch.list.size() + first_drawn, population_size_, budget});
        while (batch.list.size() < size) {
            batch.add(unknown(random, batch));
        }
        return std::move(batch.list);
    }

    std::vector<Choices> next_generation(Random &random) const {
        const std::size_t size = std::min<std::size_t>(
            std::clamp<std::size_t>(static_cast<std::size_t>(done_) / 20,
                                    std::min(least_children, population_size_ / 4 + 1),
                                    population_size_ / 4 + 1),
            static_cast<std::size_t>(planned_ - done_));
        Screen screen(*this);
        Batch batch(memory_);
        while (batch.list.size() < size) {
            const int wanted = random.uniform() < unscreened ? 1 : screened;
            Choices best;
            std::vector<double> best_costs;
            double best_gain = -std::numeric_limits<double>::infinity();
            for (int tries = 0, seen = 0; tries < 100 && seen < wanted; tries++) {
                const Priced &parent = this->parent(random);
                Choices child = breed(random, parent);
                if (!batch.is_new(child)) {
                    continue;
                }
                seen++;
                const auto [costs, gain] = screen.expect(parent, child);
                if (gain > best_gain) {
                    best_gain = gain;
                    best_costs = costs;
                    best = std::move(child);
                }
            }
            if (best.empty()) {
                batch.add(unknown(random, batch));
            } else {
                screen.add(best_costs);
                batch.add(std::move(best));
            }
        }
        return std::move(batch.list);
    }

    /// What children are expected to add to the feasible members and to each other.
    class Screen {
    public:
        explicit Screen(const Nsga2 &search)
            : search_(search), low_(search.objectives(), std::numeric_limits<double>::infinity()),
              high_(search.objectives(), -std::numeric_limits<double>::infinity()) {
            for (const Priced &member : search.members_) {
                if (member.violation == 0) {
                    std::vector<double> costs = member.values;
                    for (std::size_t o = 0; o < costs.size(); o++) {
                        costs[o] *= search.maximised(o) ? -1 : 1;
                        low_[o] = std::min(low_[o], costs[o]);
                        high_[o] = std::max(high_[o], costs[o]);
                    }
                    known_.push_back(std::move(costs));
                }
            }
        }
        void add(std::vector<double> costs) {
            if (!known_.empty()) {
                known_.push_back(std::move(costs));
            }
        }
        /// The child's costs, and by how much of each objective's range it could be worse before
        /// one of those known were as good in all; less what it is expected to break rules by.
        std::pair<std::vector<double>, double> expect(const Priced &parent,
                                                      const Choices &child) const {
            std::vector<double> outputs = search_.outputs_of(parent);
            const std::vector<double> before = search_.model_.predict(parent.choices);
            const std::vector<double> after = search_.model_.predict(child);
            for (std::size_t i = 0; i < outputs.size(); i++) {
                outputs[i] += after[i] - before[i];
            }
            const double violation = std::max(outputs.back(), 0.0);
            outputs.pop_back();
            for (std::size_t o = 0; o < outputs.size(); o++) {
                outputs[o] = (search_.maximised(o) ? -1 : 1) * std::exp(outputs[o]);
            }
            double gain = known_.empty() ? 0 : std::numeric_limits<double>::infinity();
            for (const auto &costs : known_) {
                double ahead = -std::numeric_limits<double>::infinity();
                for (std::size_t o = 0; o < outputs.size() && ahead < gain; o++) {
                    const double range = std::max(high_[o] - low_[o], 1e-12);
                    ahead = std::max(ahead, (costs[o] - outputs[o]) / range);
                }
                gain = std::min(gain, ahead);
            }
            return {std::move(outputs), gain - violation};
        }

    private:
        const Nsga2 &search_;
        std::vector<std::vector<double>> known_;
        std::vector<double> low_, high_;
    };

    Choices draw(Random &random) const {
        Choices choices(space_.axes().size(), 0);
        for (const auto &gene : genes_) {
            choices[gene.axis] = static_cast<int>(random.below(gene.values.size()));
        }
        return space_.canonical(std::move(choices));
    }

    /// A network that was not asked for yet. There is one, since no more are planned than the space
    /// holds; when chance does not find it, almost all are remembered: they are few.
    Choices unknown(Random &random, const Batch &batch) const {
        for (int tries = 0; tries < 1000; tries++) {
            Choices choices = draw(random);
            if (batch.is_new(choices)) {
                return choices;
            }
        }
        const auto size = static_cast<std::uint64_t>(space_.size());
        std::uint64_t index = random.below(size);
        Choices choices = space_.at(index);
        while (!batch.is_new(choices)) {
            choices = space_.at(++index % size);
        }
        return choices;
    }

    /// The better of two; members are sorted by rank, those of a rank by the room around them.
    const Priced &parent(Random &random) const {
        return members_[std::min(random.below(members_.size()), random.below(members_.size()))];
    }

    /// Uniform crossover with another parent and some steps, or one step at least.
    Choices breed(Random &random, const Priced &one) const {
        const bool cross = random.uniform() < crossover_rate;
        const Choices &other = cross ? parent(random).choices : one.choices;
        const std::size_t stepping = cross ? genes_.size() : random.below(genes_.size());
        Choices child = one.choices;
        for (std::size_t g = 0; g < genes_.size(); g++) {
            const Gene &gene = genes_[g];
            int &value = child[gene.axis];
            if (cross && random.below(2) == 0) {
                value = other[gene.axis];
            }
            if (value == absent) {
                value = gene.values[random.below(gene.values.size())];
            } else if (g == stepping || random.below(2 * genes_.size()) == 0) {
                value = stepped(random, gene, value);
            }
        }
        return space_.canonical(std::move(child));
    }

    /// To a neighbour by size, or anywhere.
    int stepped(Random &random, const Gene &gene, int value) const {
        const auto last = static_cast<int>(gene.values.size()) - 1;
        if (random.below(2) == 0) {
            return gene.values[random.below(gene.values.size())];
        }
        const int place = gene.places[static_cast<std::size_t>(value)];
        const bool up = place == 0 || (place < last && random.below(2) == 0);
        return gene.values[static_cast<std::size_t>(place + (up ? 1 : -1))];
    }

    const DesignSpace &space_;
    const CostTables &tables_;
    std::uint64_t seed_;
    Nsga2Start start_;
    std::size_t population_size_;
    std::int64_t planned_;
    std::vector<Gene> genes_;
    std::int64_t done_ = 0;
    std::vector<Priced> members_; ///< best first
    Memory memory_;
    EffectsModel model_;
};

} // namespace

std::unique_ptr<Strategy> make_nsga2(const DesignSpace &space, const CostTables &tables,
                                     const RunConfig &config, Nsga2Start start) {
    return std::make_unique<Nsga2>(space, tables, config, start);
}

} // namespace edgefront
