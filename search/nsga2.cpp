#include "base/random.h"
#include "search/strategy.h"

#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/batch_evaluators/member_bfe.hpp>
#include <pagmo/bfe.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>

#include <algorithm>
#include <stdexcept>

namespace edgefront {

namespace {

/// Above every feasible objective, below infinity with any violation added: candidates that break a
/// rule are beaten by all that do not, and compete among themselves by how far off they are.
constexpr double infeasible = 1e30;

/// An axis with more than one value; pagmo cannot mutate the others.
struct Gene {
    std::size_t axis;
    int values;
};

/// The space as pagmo sees it: integer genes in, objectives to minimise out. Copies share the
/// evaluation, which outlives them.
struct Problem {
    const DesignSpace *space = nullptr;
    const std::vector<Gene> *genes = nullptr;
    const Evaluate *evaluate = nullptr;

    std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const {
        pagmo::vector_double least(genes->size(), 0.0), most;
        for (const auto &gene : *genes) {
            most.push_back(gene.values - 1);
        }
        return {least, most};
    }
    pagmo::vector_double::size_type get_nix() const { return genes->size(); }
    /// NSGA-II needs two objectives; a single one is shown twice.
    pagmo::vector_double::size_type get_nobj() const {
        return std::max<std::size_t>(2, space->objectives.size());
    }
    pagmo::vector_double fitness(const pagmo::vector_double &x) const { return batch_fitness(x); }

    pagmo::vector_double batch_fitness(const pagmo::vector_double &xs) const {
        std::vector<Choices> batch;
        const std::size_t axes = space->axes().size();
        for (std::size_t first = 0; first < xs.size(); first += genes->size()) {
            Choices choices(axes, 0);
            for (std::size_t g = 0; g < genes->size(); g++) {
                choices[(*genes)[g].axis] = static_cast<int>(xs[first + g]);
            }
            batch.push_back(space->canonical(std::move(choices)));
        }
        pagmo::vector_double fitness;
        for (const Evaluation &e : (*evaluate)(batch)) {
            for (std::size_t i = 0; i < get_nobj(); i++) {
                const std::size_t o = std::min(i, e.values.size() - 1);
                const bool maximise = space->objectives[o].sense == Sense::maximise;
                fitness.push_back(!e.feasible() ? infeasible * (1 + e.violation)
                                  : maximise    ? -e.values[o]
                                                : e.values[o]);
            }
        }
        return fitness;
    }
};

class Nsga2 : public Strategy {
public:
    Nsga2(const DesignSpace &space, const RunConfig &config)
        : space_(space), seed_(config.seed),
          population_size_(static_cast<std::size_t>(config.population)),
          generations_(config.evaluations / config.population) {
        const auto axes = space.axes();
        for (std::size_t a = 0; a < axes.size(); a++) {
            if (axes[a].values.size() > 1) {
                genes_.push_back({a, static_cast<int>(axes[a].values.size())});
            }
        }
    }

    /// The first generation is drawn at random, each further one is one generation of pagmo's
    /// algorithm under a seed of its own, so that a run can go on from any of them.
    void step(const Evaluate &evaluate, const ParetoFront &) override {
        const Problem problem{&space_, &genes_, &evaluate};
        const std::uint64_t seed = derive_seed(seed_, "nsga2/" + std::to_string(generation_));
        if (generation_ == 0) {
            draw(problem, seed);
        } else {
            evolve(problem, static_cast<unsigned>(seed));
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
        return {{"generation", generation_}, {"genes", xs_}, {"fitness", fitness_}};
    }
    void restore(const JsonReader &state) override {
        generation_ = state.at("generation").integer(0, generations_);
        const auto numbers = [&](const char *key, std::size_t each) {
            std::vector<pagmo::vector_double> rows;
            for (const auto &row : state.at(key).items()) {
                rows.push_back(row.numbers(-1e300, 1e300));
                if (rows.back().size() != each) {
                    throw row.error("expected " + std::to_string(each) + " numbers");
                }
            }
            if (rows.size() != (generation_ == 0 ? 0 : population_size_)) {
                throw state.at(key).error("expected " + std::to_string(population_size_) + " rows");
            }
            return rows;
        };
        xs_ = numbers("genes", genes_.size());
        fitness_ = numbers("fitness", std::max<std::size_t>(2, space_.objectives.size()));
        state.finish();
    }

private:
    void draw(const Problem &problem, std::uint64_t seed) {
        Random random(seed);
        pagmo::vector_double flat;
        for (std::size_t i = 0; i < population_size_; i++) {
            pagmo::vector_double x;
            for (const auto &gene : genes_) {
                x.push_back(static_cast<double>(random.below(static_cast<unsigned>(gene.values))));
            }
            flat.insert(flat.end(), x.begin(), x.end());
            xs_.push_back(std::move(x));
        }
        const auto fitness = problem.batch_fitness(flat);
        const auto n = static_cast<std::ptrdiff_t>(problem.get_nobj());
        for (auto f = fitness.begin(); f != fitness.end(); f += n) {
            fitness_.emplace_back(f, f + n);
        }
    }

    void evolve(const Problem &problem, unsigned seed) {
        pagmo::population population(pagmo::problem{problem}, 0, seed);
        for (std::size_t i = 0; i < xs_.size(); i++) {
            population.push_back(xs_[i], fitness_[i]);
        }
        pagmo::nsga2 nsga2(1, 0.95, 10., 1.0 / static_cast<double>(genes_.size()), 50., seed);
        nsga2.set_bfe(pagmo::bfe{pagmo::member_bfe{}});
        population = nsga2.evolve(population);
        xs_ = population.get_x();
        fitness_ = population.get_f();
    }

    const DesignSpace &space_;
    std::uint64_t seed_;
    std::size_t population_size_;
    std::int64_t generations_;
    std::vector<Gene> genes_;
    std::int64_t generation_ = 0;
    std::vector<pagmo::vector_double> xs_, fitness_;
};

} // namespace

std::unique_ptr<Strategy> make_nsga2(const DesignSpace &space, const RunConfig &config) {
    return std::make_unique<Nsga2>(space, config);
}

} // namespace edgefront
