#include "base/random.h"
#include "search/strategy.h"

#include <pagmo/utils/multi_objective.hpp>

#include <algorithm>

namespace edgefront {

namespace {

/// Above every feasible objective, below infinity with any violation added: candidates that break a
/// rule are beaten by all that do not, and compete among themselves by how far off they are.
constexpr double infeasible = 1e30;
constexpr double crossover_rate = 0.95;

/// An axis with more than one value.
struct Gene {
    std::size_t axis;
    int values;
};

class Nsga2 : public Strategy {
public:
    Nsga2(const DesignSpace &space, const RunConfig &config)
        : space_(space), axes_(space.axes().size()), seed_(config.seed),
          population_size_(static_cast<std::size_t>(config.population)),
          generations_(config.evaluations / config.population) {
        const auto axes = space.axes();
        for (std::size_t a = 0; a < axes.size(); a++) {
            if (axes[a].values.size() > 1) {
                genes_.push_back({a, static_cast<int>(axes[a].values.size())});
            }
        }
    }

    /// The first generation is drawn at random. Every generation has a seed of its own, so that a
    /// run can go on from any of them.
    std::vector<Choices> ask(const ParetoFront &) override {
        Random random(derive_seed(seed_, "nsga2/" + std::to_string(generation_)));
        std::vector<Choices> batch;
        const std::vector<std::size_t> order =
            generation_ == 0 ? std::vector<std::size_t>() : pagmo::sort_population_mo(fitness_);
        while (batch.size() < population_size_) {
            batch.push_back(generation_ == 0 ? draw(random) : breed(random, order));
        }
        return batch;
    }

    /// The better half of parents and children lives on.
    void tell(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) override {
        std::vector<Choices> all = std::move(members_);
        std::vector<std::vector<double>> fitness = std::move(fitness_);
        for (std::size_t i = 0; i < batch.size(); i++) {
            all.push_back(batch[i]);
            fitness.push_back(fitness_of(prices[i]));
        }
        members_.clear();
        fitness_.clear();
        for (const std::size_t i : pagmo::select_best_N_mo(fitness, population_size_)) {
            members_.push_back(all[i]);
            fitness_.push_back(fitness[i]);
        }
        generation_++;
    }

    bool finished() const override { return generation_ >= generations_; }
    std::int64_t done() const override {
        return generation_ * static_cast<std::int64_t>(population_size_);
    }
    std::int64_t planned() const override {
        return generations_ * static_cast<std::int64_t>(population_size_);
    }
    Json state() const override {
        return {{"generation", generation_}, {"members", members_}, {"fitness", fitness_}};
    }
    void restore(const JsonReader &state) override {
        generation_ = state.at("generation").integer(0, generations_);
        const std::size_t rows = generation_ == 0 ? 0 : population_size_;
        const auto require = [](const JsonReader &list, std::size_t count, const char *what) {
            if (list.items().size() != count) {
                throw list.error("expected " + std::to_string(count) + what);
            }
        };
        require(state.at("members"), rows, " rows");
        require(state.at("fitness"), rows, " rows");
        for (const auto &row : state.at("members").items()) {
            require(row, axes_, " choices");
            Choices choices;
            for (const auto index : row.integers(absent, 1000000)) {
                choices.push_back(static_cast<int>(index));
            }
            members_.push_back(space_.canonical(std::move(choices)));
        }
        for (const auto &row : state.at("fitness").items()) {
            require(row, fitness_size(), " numbers");
            fitness_.push_back(row.numbers(-1e300, 1e300));
        }
        state.finish();
    }

private:
    /// The sorting wants two objectives; a single one is shown twice.
    std::size_t fitness_size() const { return std::max<std::size_t>(2, space_.objectives.size()); }

    std::vector<double> fitness_of(const Evaluation &e) const {
        std::vector<double> fitness;
        for (std::size_t i = 0; i < fitness_size(); i++) {
            const std::size_t o = std::min(i, space_.objectives.size() - 1);
            const bool maximise = space_.objectives[o].sense == Sense::maximise;
            fitness.push_back(!e.feasible() ? infeasible * (1 + e.violation)
                              : maximise    ? -e.values[o]
                                            : e.values[o]);
        }
        return fitness;
    }

    Choices draw(Random &random) const {
        Choices choices(axes_, 0);
        for (const auto &gene : genes_) {
            choices[gene.axis] = static_cast<int>(random.below(static_cast<unsigned>(gene.values)));
        }
        return space_.canonical(std::move(choices));
    }

    /// Uniform crossover of two parents, each the better of two, then one gene in the mean anew.
    Choices breed(Random &random, const std::vector<std::size_t> &order) const {
        const auto parent = [&] {
            const auto a = random.below(order.size()), b = random.below(order.size());
            return members_[order[std::min(a, b)]];
        };
        Choices child = parent();
        const Choices other = parent();
        const bool cross = random.uniform() < crossover_rate;
        for (const auto &gene : genes_) {
            int &value = child[gene.axis];
            if (cross && random.below(2) == 0) {
                value = other[gene.axis];
            }
            if (random.below(genes_.size()) == 0 || value == absent) {
                value = static_cast<int>(random.below(static_cast<unsigned>(gene.values)));
            }
        }
        return space_.canonical(std::move(child));
    }

    const DesignSpace &space_;
    std::size_t axes_;
    std::uint64_t seed_;
    std::size_t population_size_;
    std::int64_t generations_;
    std::vector<Gene> genes_;
    std::int64_t generation_ = 0;
    std::vector<Choices> members_;
    std::vector<std::vector<double>> fitness_;
};

} // namespace

std::unique_ptr<Strategy> make_nsga2(const DesignSpace &space, const RunConfig &config) {
    return std::make_unique<Nsga2>(space, config);
}

} // namespace edgefront
