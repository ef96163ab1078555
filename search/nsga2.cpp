#include "search/genes.h"
#include "search/strategy.h"

#include <pagmo/utils/multi_objective.hpp>

#include <algorithm>

namespace edgefront {

namespace {

constexpr double crossover_rate = 0.95;

class Nsga2 : public Strategy {
public:
    Nsga2(const DesignSpace &space, const RunConfig &config)
        : space_(space), genes_(space), seed_(config.seed),
          population_size_(static_cast<std::size_t>(config.population)),
          generations_(config.evaluations / config.population) {}

    /// The first generation is drawn at random. Every generation has a seed of its own, so that a
    /// run can go on from any of them.
    std::vector<Choices> ask(const ParetoFront &) override {
        Random random(derive_seed(seed_, "nsga2/" + std::to_string(generation_)));
        std::vector<Choices> batch;
        const std::vector<std::size_t> order =
            generation_ == 0 ? std::vector<std::size_t>() : pagmo::sort_population_mo(fitness_);
        while (batch.size() < population_size_) {
            batch.push_back(generation_ == 0 ? genes_.draw(random) : breed(random, order));
        }
        return batch;
    }

    /// The better half of parents and children lives on.
    void tell(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) override {
        std::vector<Choices> all = std::move(members_);
        std::vector<std::vector<double>> fitness = std::move(fitness_);
        for (std::size_t i = 0; i < batch.size(); i++) {
            all.push_back(batch[i]);
            fitness.push_back(fitness_of(space_, prices[i], fitness_size()));
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
            members_.push_back(genes_.read(row));
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

    /// Uniform crossover of two parents, each the better of two, then one gene in the mean anew.
    Choices breed(Random &random, const std::vector<std::size_t> &order) const {
        const auto parent = [&] {
            const auto a = random.below(order.size()), b = random.below(order.size());
            return members_[order[std::min(a, b)]];
        };
        Choices child = parent();
        const Choices other = parent();
        const bool cross = random.uniform() < crossover_rate;
        for (const auto &gene : genes_.list()) {
            int &value = child[gene.axis];
            if (cross && random.below(2) == 0) {
                value = other[gene.axis];
            }
            if (random.below(genes_.list().size()) == 0 || value == absent) {
                value = static_cast<int>(random.below(static_cast<unsigned>(gene.values)));
            }
        }
        return space_.canonical(std::move(child));
    }

    const DesignSpace &space_;
    Genes genes_;
    std::uint64_t seed_;
    std::size_t population_size_;
    std::int64_t generations_;
    std::int64_t generation_ = 0;
    std::vector<Choices> members_;
    std::vector<std::vector<double>> fitness_;
};

} // namespace

std::unique_ptr<Strategy> make_nsga2(const DesignSpace &space, const RunConfig &config) {
    return std::make_unique<Nsga2>(space, config);
}

} // namespace edgefront
