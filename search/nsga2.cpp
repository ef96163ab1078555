// NSGA-II with three additions for small budgets. No network is asked for twice. The first ones
// come from the cost tables as well as at random (supported.h). And of several children that
// parents could have, the one is priced that a model of what was priced so far expects to widen the
// front most ("informed operators", Rasheed and Hirsh 2000); one in ten is priced whatever it
// expects.
#include "search/effects_model.h"
#include "search/genes.h"
#include "search/strategy.h"
#include "search/supported.h"

#include <pagmo/utils/multi_objective.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace edgefront {

namespace {

constexpr double crossover_rate = 0.8;
constexpr std::size_t first_drawn = 40;    ///< at random, besides the seeds
constexpr std::size_t least_children = 20; ///< per generation; later a quarter of the population
constexpr int screened = 16;               ///< children of which one is priced
constexpr double unscreened = 0.1;         ///< share of children priced as they come
constexpr double infinity = std::numeric_limits<double>::infinity();

/// A candidate and what it cost.
struct Individual {
    Choices choices;
    std::vector<double> values;
    double violation = 0; ///< 0: feasible
};

std::vector<std::size_t> value_counts(const DesignSpace &space) {
    std::vector<std::size_t> counts;
    for (const auto &axis : space.axes()) {
        counts.push_back(axis.values.size());
    }
    return counts;
}

/// What individuals cost, with less as better, and what children of theirs are expected to cost.
class Forecast {
public:
    explicit Forecast(const DesignSpace &space)
        : space_(space), model_(value_counts(space), space.objectives.size() + 1) {}

    /// Of what has no top1 that value is 0, which says nothing about its choices.
    void learn(const Individual &one) {
        if (std::all_of(one.values.begin(), one.values.end(), [](double v) { return v > 0; })) {
            model_.learn(one.choices, outputs_of(one));
        }
    }

    std::vector<double> costs(const Individual &one) const {
        std::vector<double> costs = one.values;
        for (std::size_t o = 0; o < costs.size(); o++) {
            costs[o] *= sign(o);
        }
        return costs;
    }

    /// The costs, and behind them the violation of rules.
    std::vector<double> expect(const Individual &parent, const Choices &child) const {
        std::vector<double> outputs = outputs_of(parent);
        const std::vector<double> before = model_.predict(parent.choices);
        const std::vector<double> after = model_.predict(child);
        for (std::size_t i = 0; i < outputs.size(); i++) {
            outputs[i] += after[i] - before[i];
        }
        for (std::size_t o = 0; o + 1 < outputs.size(); o++) {
            outputs[o] = sign(o) * std::exp(outputs[o]);
        }
        outputs.back() = std::max(outputs.back(), 0.0);
        return outputs;
    }

    Json state() const { return model_.state(); }
    void restore(const JsonReader &state) { model_.restore(state); }

private:
    double sign(std::size_t objective) const {
        return space_.objectives[objective].sense == Sense::maximise ? -1 : 1;
    }
    /// Logarithms of the values, since width and resolution multiply what blocks cost.
    std::vector<double> outputs_of(const Individual &one) const {
        std::vector<double> outputs;
        for (const double value : one.values) {
            outputs.push_back(std::log(std::max(value, 1e-12)));
        }
        outputs.push_back(one.violation);
        return outputs;
    }

    const DesignSpace &space_;
    EffectsModel model_;
};

/// The costs of a generation's feasible members and of the children chosen so far.
class Known {
public:
    Known(const Forecast &forecast, const std::vector<Individual> &members) {
        for (const Individual &member : members) {
            if (member.violation == 0) {
                list_.push_back(forecast.costs(member));
                const auto &costs = list_.back();
                low_.resize(costs.size(), infinity);
                high_.resize(costs.size(), -infinity);
                for (std::size_t o = 0; o < costs.size(); o++) {
                    low_[o] = std::min(low_[o], costs[o]);
                    high_[o] = std::max(high_[o], costs[o]);
                }
            }
        }
    }
    void add(const std::vector<double> &expected) {
        if (!list_.empty()) {
            list_.emplace_back(expected.begin(), expected.end() - 1);
        }
    }
    /// By how much of each objective's range the child could be worse before one of those known
    /// were as good in all; less what it is expected to break rules by.
    double gain(const std::vector<double> &expected) const {
        double least = list_.empty() ? 0 : infinity;
        for (const auto &costs : list_) {
            double ahead = -infinity;
            for (std::size_t o = 0; o < costs.size() && ahead < least; o++) {
                const double range = std::max(high_[o] - low_[o], 1e-12);
                ahead = std::max(ahead, (costs[o] - expected[o]) / range);
            }
            least = std::min(least, ahead);
        }
        return least - expected.back();
    }

private:
    std::vector<std::vector<double>> list_;
    std::vector<double> low_, high_;
};

class Nsga2 : public Strategy {
public:
    Nsga2(const DesignSpace &space, const CostTables &tables, const RunConfig &config,
          Nsga2Start start)
        : space_(space), tables_(tables), genes_(space), seed_(config.seed), start_(start),
          population_size_(static_cast<std::size_t>(config.population)),
          planned_(static_cast<std::int64_t>(
              std::min(static_cast<double>(config.evaluations), space.size()))),
          forecast_(space) {}

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
            forecast_.learn(members_.back());
        }
        std::vector<std::vector<double>> fitness;
        for (const Individual &member : members_) {
            Evaluation e;
            e.values = member.values;
            e.violation = member.violation;
            if (member.violation > 0) {
                e.broken.emplace_back();
            }
            fitness.push_back(fitness_of(space_, e, 2)); // the sorting wants two objectives
        }
        std::vector<Individual> kept;
        for (const std::size_t i : pagmo::sort_population_mo(fitness)) {
            if (kept.size() < population_size_) {
                kept.push_back(std::move(members_[i]));
            }
        }
        members_ = std::move(kept);
        for (const Individual &member : members_) {
            forecast_.learn(member);
        }
        done_ += static_cast<std::int64_t>(batch.size());
    }

    bool finished() const override { return done_ >= planned_; }
    std::int64_t done() const override { return done_; }
    std::int64_t planned() const override { return planned_; }

    Json state() const override {
        Json members = Json::array();
        for (const Individual &member : members_) {
            members.push_back({{"choices", member.choices},
                               {"values", member.values},
                               {"violation", member.violation}});
        }
        return {{"done", done_},
                {"members", members},
                {"seen", seen_.state()},
                {"effects", forecast_.state()}};
    }

    void restore(const JsonReader &state) override {
        done_ = state.at("done").integer(0, planned_);
        for (const auto &row : state.at("members").items()) {
            members_.push_back({genes_.read(row.at("choices")),
                                row.at("values").numbers(-1e300, 1e300),
                                row.at("violation").number(0, 1e300)});
            row.finish();
            if (members_.back().values.size() != space_.objectives.size()) {
                throw row.error("expected a value per objective");
            }
        }
        if (members_.empty() != (done_ == 0) || members_.size() > population_size_) {
            throw state.at("members").error("expected the population, once there is one");
        }
        seen_.restore(state.at("seen"));
        forecast_.restore(state.at("effects"));
        state.finish();
    }

private:
    std::vector<Choices> first_generation(Random &random) {
        std::vector<Choices> batch;
        const auto budget = static_cast<std::size_t>(planned_);
        if (start_ == Nsga2Start::seeded) {
            const std::size_t most =
                std::min(population_size_, std::max<std::size_t>(budget / 10, 1));
            for (auto &choices : supported_networks(space_, tables_, random.next(), most)) {
                seen_.add(choices);
                batch.push_back(std::move(choices));
            }
        }
        const std::size_t drawn = std::min(first_drawn, population_size_);
        const std::size_t size = std::min(batch.size() + drawn, budget);
        while (batch.size() < size) {
            batch.push_back(unseen(random));
        }
        return batch;
    }

    std::vector<Choices> next_generation(Random &random) {
        const std::size_t most = population_size_ / 4;
        const std::size_t wanted =
            std::clamp(static_cast<std::size_t>(done_) / 20, std::min(least_children, most), most);
        const std::size_t size = std::min(wanted, static_cast<std::size_t>(planned_ - done_));
        Known known(forecast_, members_);
        std::vector<Choices> batch;
        while (batch.size() < size) {
            const int compared = random.uniform() < unscreened ? 1 : screened;
            Choices best;
            std::vector<double> best_expected;
            double best_gain = -infinity;
            for (int tries = 0, fresh = 0; tries < 100 && fresh < compared; tries++) {
                const Individual &parent = this->parent(random);
                Choices child = breed(random, parent);
                if (seen_.contains(child)) {
                    continue;
                }
                fresh++;
                std::vector<double> expected = forecast_.expect(parent, child);
                const double gain = known.gain(expected);
                if (gain > best_gain) {
                    best_gain = gain;
                    best_expected = std::move(expected);
                    best = std::move(child);
                }
            }
            if (best.empty()) {
                batch.push_back(unseen(random));
            } else {
                seen_.add(best);
                known.add(best_expected);
                batch.push_back(std::move(best));
            }
        }
        return batch;
    }

    /// There is one, since no more are planned than the space holds; when chance does not find it,
    /// almost all were seen, so the space is small.
    Choices unseen(Random &random) {
        for (int tries = 0; tries < 1000; tries++) {
            Choices choices = genes_.draw(random);
            if (seen_.add(choices)) {
                return choices;
            }
        }
        const auto size = static_cast<std::uint64_t>(space_.size());
        std::uint64_t index = random.below(size);
        while (!seen_.add(space_.at(index % size))) {
            index++;
        }
        return space_.at(index % size);
    }

    /// The better of two; members are sorted by rank, those of a rank by the room around them.
    const Individual &parent(Random &random) const {
        const auto a = random.below(members_.size()), b = random.below(members_.size());
        return members_[std::min(a, b)];
    }

    /// Uniform crossover with another parent, then half a gene in the mean anew; or one gene anew.
    Choices breed(Random &random, const Individual &one) const {
        if (random.uniform() >= crossover_rate) {
            return genes_.mutate(one.choices, random);
        }
        const Choices &other = parent(random).choices;
        Choices child = one.choices;
        for (const Gene &gene : genes_.list()) {
            int &value = child[gene.axis];
            if (random.below(2) == 0) {
                value = other[gene.axis];
            }
            if (value == absent || random.below(2 * genes_.list().size()) == 0) {
                value = static_cast<int>(random.below(static_cast<unsigned>(gene.values)));
            }
        }
        return space_.canonical(child);
    }

    const DesignSpace &space_;
    const CostTables &tables_;
    Genes genes_;
    std::uint64_t seed_;
    Nsga2Start start_;
    std::size_t population_size_;
    std::int64_t planned_;
    std::int64_t done_ = 0;
    std::vector<Individual> members_; ///< best first
    Seen seen_;
    Forecast forecast_;
};

} // namespace

std::unique_ptr<Strategy> make_nsga2(const DesignSpace &space, const CostTables &tables,
                                     const RunConfig &config, Nsga2Start start) {
    return std::make_unique<Nsga2>(space, tables, config, start);
}

} // namespace edgefront
