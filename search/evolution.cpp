#include "search/evolution.h"

#include "search/genes.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// Of the population, as in the paper (25 of 100).
constexpr std::size_t sample_share = 4;
constexpr std::size_t batch_share = 8;
/// Mutations upon mutations, until a child is new.
constexpr int tries = 32;

struct Individual {
    Choices choices;
    std::vector<double> fitness;
};

class Evolution : public Strategy {
public:
    Evolution(const DesignSpace &space, const RunConfig &config, Fitness fitness)
        : genes_(space), seed_(config.seed), evaluations_(config.evaluations),
          population_size_(static_cast<std::size_t>(config.population)),
          fitness_(std::move(fitness)) {}

    /// Every step has a seed of its own, so that a run can go on from any of them.
    std::vector<Choices> ask(const ParetoFront &front) override {
        Random random(derive_seed(seed_, "evolution/" + std::to_string(done_)));
        const bool first = done_ == 0;
        std::size_t wanted =
            first ? population_size_ : std::max<std::size_t>(1, population_size_ / batch_share);
        wanted = std::min(wanted, static_cast<std::size_t>(evaluations_ - done_));
        std::vector<Choices> batch;
        for (std::size_t i = 0; i < wanted; i++) {
            Choices child =
                first ? genes_.draw(random) : genes_.mutate(parent(random, front), random);
            for (int t = 0; t < tries && seen_.contains(child); t++) {
                child = genes_.mutate(child, random);
            }
            if (seen_.add(child)) {
                batch.push_back(std::move(child));
            }
        }
        exhausted_ = batch.empty();
        return batch;
    }

    void tell(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) override {
        for (std::size_t i = 0; i < batch.size(); i++) {
            population_.push_back({batch[i], fitness_(prices[i])});
        }
        const std::size_t dead =
            population_.size() - std::min(population_.size(), population_size_);
        population_.erase(population_.begin(),
                          population_.begin() + static_cast<std::ptrdiff_t>(dead));
        done_ += static_cast<std::int64_t>(batch.size());
    }

    bool finished() const override { return exhausted_ || done_ >= evaluations_; }
    std::int64_t done() const override { return done_; }
    std::int64_t planned() const override { return evaluations_; }

    Json state() const override {
        Json members = Json::array();
        for (const auto &member : population_) {
            members.push_back({{"choices", member.choices}, {"fitness", member.fitness}});
        }
        return {{"done", done_},
                {"exhausted", exhausted_},
                {"population", members},
                {"seen", seen_.state()}};
    }
    void restore(const JsonReader &state) override {
        done_ = state.at("done").integer(0, evaluations_);
        exhausted_ = state.at("exhausted").boolean();
        for (const auto &row : state.at("population").items()) {
            population_.push_back(
                {genes_.read(row.at("choices")), row.at("fitness").numbers(-1e300, 1e300)});
            if (population_.back().fitness.size() != population_.front().fitness.size()) {
                throw row.error("expected as many numbers as in the first row");
            }
            row.finish();
        }
        if (population_.empty() != (done_ == 0)) {
            throw state.at("population").error("expected the living, once there are any");
        }
        seen_.restore(state.at("seen"));
        state.finish();
    }

private:
    /// The winner of a tournament.
    Choices parent(Random &random, const ParetoFront &front) const {
        std::vector<Individual> sample;
        for (std::size_t i = 0; i < std::max<std::size_t>(2, population_size_ / sample_share);
             i++) {
            if (i % 2 == 0 || front.size() == 0) {
                sample.push_back(population_[random.below(population_.size())]);
            } else {
                const Member &member = front.members()[random.below(front.size())];
                Evaluation known;
                known.values = member.values;
                sample.push_back({member.choices, fitness_(known)});
            }
        }
        const std::size_t n = sample.front().fitness.size();
        std::vector<double> weights(n), least(n, infeasible_fitness), most(n, -infeasible_fitness);
        for (std::size_t o = 0; o < n; o++) {
            weights[o] = -std::log(1 - random.uniform());
            for (const auto &one : sample) {
                if (one.fitness[o] < infeasible_fitness) {
                    least[o] = std::min(least[o], one.fitness[o]);
                    most[o] = std::max(most[o], one.fitness[o]);
                }
            }
        }
        const auto score = [&](const Individual &one) {
            double worst = 0;
            for (std::size_t o = 0; o < n; o++) {
                const double range = most[o] - least[o];
                worst = one.fitness[o] >= infeasible_fitness ? one.fitness[o]
                        : range > 0
                            ? std::max(worst, weights[o] * (one.fitness[o] - least[o]) / range)
                            : worst;
            }
            return worst;
        };
        const Individual *best = &sample.front();
        for (const auto &one : sample) {
            if (score(one) < score(*best)) {
                best = &one;
            }
        }
        return best->choices;
    }

    Genes genes_;
    std::uint64_t seed_;
    std::int64_t evaluations_;
    std::size_t population_size_;
    Fitness fitness_;
    std::int64_t done_ = 0;
    bool exhausted_ = false;
    std::vector<Individual> population_; ///< oldest first
    Seen seen_;
};

} // namespace

std::unique_ptr<Strategy> make_evolution(const DesignSpace &space, const RunConfig &config,
                                         Fitness fitness) {
    if (!fitness) {
        fitness = [&space](const Evaluation &e) { return fitness_of(space, e); };
    }
    return std::make_unique<Evolution>(space, config, std::move(fitness));
}

} // namespace edgefront
