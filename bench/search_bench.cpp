// How good and how fast the search is.
//
// fronts: the share of the exact front's hypervolume that NSGA-II reaches on a space of 50,000
// networks (uib_50000.json) with so many evaluations: pagmo's own, ours from a random first
// generation, and ours with seeds from the cost tables. Every network that is priced counts, seeds
// too; the sums that choose the seeds price no network. All evaluated networks count for the front,
// whatever the strategy. Of 11 seeds: median, least and most. The reference point is the worst
// value of the space in each objective, made worse by 1 %.
//
// price: networks per second priced from the tables, one core.
// exact: the exact search on mobilenet_v4_uib within 1 %.
#include "base/random.h"
#include "dsl/zoo.h"
#include "search/design_space_json.h"
#include "search/strategy.h"

#include <benchmark/benchmark.h>
#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <pagmo/utils/hypervolume.hpp>

#include <algorithm>
#include <map>

namespace edgefront {
namespace {

constexpr int seeds = 11;

/// A space with its tables, filled once.
struct Priced {
    explicit Priced(const std::filesystem::path &file)
        : space(read_space_file(file, Zoo())), targets(price_targets(space)),
          tables(space, targets, 1) {}

    ParetoFront empty_front() const {
        std::vector<Sense> senses;
        for (const auto &objective : space.objectives) {
            senses.push_back(objective.sense);
        }
        return ParetoFront(senses);
    }
    /// Less is better.
    std::vector<double> costs(const std::vector<double> &values) const {
        std::vector<double> costs = values;
        for (std::size_t o = 0; o < costs.size(); o++) {
            if (space.objectives[o].sense == Sense::maximise) {
                costs[o] = -costs[o];
            }
        }
        return costs;
    }

    DesignSpace space;
    std::vector<PricedTarget> targets;
    CostTables tables;
};

/// The space of the comparison, enumerated.
struct Comparison : Priced {
    Comparison()
        : Priced(std::filesystem::path(EDGEFRONT_ROOT) / "bench" / "uib_50000.json"),
          exact(empty_front()) {
        std::vector<Member> all;
        for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
            const Choices choices = space.at(i);
            const Evaluation e = tables.evaluate(choices);
            if (e.feasible()) {
                all.push_back({choices, e.values});
            }
        }
        reference = costs(all.front().values);
        for (const auto &member : all) {
            const auto values = costs(member.values);
            for (std::size_t o = 0; o < values.size(); o++) {
                reference[o] = std::max(reference[o], values[o]);
            }
        }
        for (double &worst : reference) {
            worst += 0.01 * std::abs(worst);
        }
        exact.admit_all(all);
        volume = hypervolume(exact);
    }
    double hypervolume(const ParetoFront &front) const {
        std::vector<std::vector<double>> points;
        for (const auto &member : front.members()) {
            points.push_back(costs(member.values));
        }
        return pagmo::hypervolume(points).compute(reference);
    }

    ParetoFront exact;
    std::vector<double> reference;
    double volume = 0;
};

const Comparison &comparison() {
    static const Comparison one;
    return one;
}

/// What pagmo sees: one integer per axis, and the costs. It remembers what it was asked.
struct PagmoProblem {
    struct Log {
        std::vector<Member> members;
        std::int64_t evaluations = 0;
    };
    Log *log = nullptr;

    static std::vector<std::size_t> free_axes() {
        std::vector<std::size_t> free;
        const auto axes = comparison().space.axes();
        for (std::size_t a = 0; a < axes.size(); a++) {
            if (axes[a].values.size() > 1) {
                free.push_back(a);
            }
        }
        return free;
    }
    std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const {
        const auto axes = comparison().space.axes();
        pagmo::vector_double low, high;
        for (const std::size_t a : free_axes()) {
            low.push_back(0);
            high.push_back(static_cast<double>(axes[a].values.size() - 1));
        }
        return {low, high};
    }
    pagmo::vector_double::size_type get_nix() const { return free_axes().size(); }
    pagmo::vector_double::size_type get_nobj() const {
        return comparison().space.objectives.size();
    }
    pagmo::vector_double fitness(const pagmo::vector_double &genes) const {
        const Comparison &c = comparison();
        Choices choices(c.space.axes().size(), 0);
        std::size_t g = 0;
        for (const std::size_t a : free_axes()) {
            choices[a] = static_cast<int>(genes[g++]);
        }
        choices = c.space.canonical(choices);
        const Evaluation e = c.tables.evaluate(choices);
        log->evaluations++;
        if (!e.feasible()) {
            return pagmo::vector_double(c.space.objectives.size(), 1e30 * (1 + e.violation));
        }
        log->members.push_back({choices, e.values});
        return c.costs(e.values);
    }
    template <typename Archive>
    void serialize(Archive &, unsigned) {}
};

struct Found {
    ParetoFront front;
    std::int64_t evaluations;
};

Found run_pagmo(std::int64_t budget, int population, unsigned seed) {
    PagmoProblem::Log log;
    pagmo::population members(pagmo::problem(PagmoProblem{&log}),
                              static_cast<std::size_t>(population), seed);
    pagmo::algorithm algorithm(
        pagmo::nsga2(static_cast<unsigned>(budget / population - 1), 0.95, 10, 0.01, 50, seed));
    algorithm.evolve(members);
    Found found{comparison().empty_front(), log.evaluations};
    found.front.admit_all(log.members);
    return found;
}

Found run(const Priced &priced, Strategy &strategy) {
    Found found{priced.empty_front(), 0};
    while (!strategy.finished()) {
        const auto batch = strategy.ask(found.front);
        std::vector<Evaluation> prices;
        std::vector<Member> feasible;
        for (const auto &choices : batch) {
            prices.push_back(priced.tables.evaluate(choices));
            if (prices.back().feasible()) {
                feasible.push_back({choices, prices.back().values});
            }
        }
        found.evaluations += static_cast<std::int64_t>(batch.size());
        found.front.admit_all(std::move(feasible));
        strategy.tell(batch, prices);
    }
    return found;
}

Found run_ours(std::int64_t budget, Nsga2Start start, unsigned seed) {
    RunConfig config;
    config.seed = seed;
    config.evaluations = budget;
    config.population = 400;
    const Comparison &c = comparison();
    return run(c, *make_nsga2(c.space, c.tables, config, start));
}

template <typename Run>
void fronts(benchmark::State &state, const Run &run) {
    const Comparison &c = comparison();
    std::vector<double> volumes, shares;
    std::int64_t most = 0;
    for (auto _ : state) {
        for (unsigned seed = 1; seed <= seeds; seed++) {
            const Found found = run(state.range(0), seed);
            volumes.push_back(c.hypervolume(found.front) / c.volume);
            const auto hits =
                std::count_if(found.front.members().begin(), found.front.members().end(),
                              [&](const Member &m) { return c.exact.contains(m.values); });
            shares.push_back(static_cast<double>(hits) / static_cast<double>(c.exact.size()));
            most = std::max(most, found.evaluations);
        }
    }
    const auto sorted = [](std::vector<double> values) {
        std::sort(values.begin(), values.end());
        return values;
    };
    volumes = sorted(volumes);
    state.counters["evaluated"] = static_cast<double>(most);
    state.counters["hv_median"] = volumes[seeds / 2];
    state.counters["hv_min"] = volumes.front();
    state.counters["hv_max"] = volumes.back();
    state.counters["found_median"] = sorted(shares)[seeds / 2];
}

void budgets(benchmark::internal::Benchmark *benchmark) {
    benchmark->Arg(1000)->Arg(2000)->Arg(5000)->Arg(10000)->Iterations(1)->Unit(
        benchmark::kMillisecond);
}

template <int population>
void pagmo_nsga2(benchmark::State &state) {
    fronts(state,
           [](std::int64_t budget, unsigned seed) { return run_pagmo(budget, population, seed); });
}
BENCHMARK_TEMPLATE(pagmo_nsga2, 20)->Apply(budgets);
BENCHMARK_TEMPLATE(pagmo_nsga2, 40)->Apply(budgets);
BENCHMARK_TEMPLATE(pagmo_nsga2, 100)->Apply(budgets);
BENCHMARK_TEMPLATE(pagmo_nsga2, 200)->Apply(budgets);

void ours_unseeded(benchmark::State &state) {
    fronts(state, [](std::int64_t budget, unsigned seed) {
        return run_ours(budget, Nsga2Start::random, seed);
    });
}
BENCHMARK(ours_unseeded)->Apply(budgets);

void ours_seeded(benchmark::State &state) {
    fronts(state, [](std::int64_t budget, unsigned seed) {
        return run_ours(budget, Nsga2Start::seeded, seed);
    });
}
BENCHMARK(ours_seeded)->Apply(budgets);

const Priced &shipped(const std::string &name) {
    static std::map<std::string, std::unique_ptr<Priced>> spaces;
    auto &space = spaces[name];
    if (!space) {
        space = std::make_unique<Priced>(data_directory() / "spaces" / (name + ".json"));
    }
    return *space;
}

/// Networks drawn at random, so that neither they nor their rows are met in order.
void price(benchmark::State &state, const std::string &name) {
    const Priced &priced = shipped(name);
    const auto axes = priced.space.axes();
    Random random(1);
    std::vector<Choices> networks;
    for (int i = 0; i < 100000; i++) {
        Choices choices;
        for (const auto &axis : axes) {
            choices.push_back(static_cast<int>(random.below(axis.values.size())));
        }
        networks.push_back(priced.space.canonical(std::move(choices)));
    }
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(priced.tables.evaluate(networks[i]));
        i = i + 1 == networks.size() ? 0 : i + 1;
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["objectives"] = static_cast<double>(priced.space.objectives.size());
}
BENCHMARK_CAPTURE(price, uib_small, "uib_small");
BENCHMARK_CAPTURE(price, mobilenet_v4_uib, "mobilenet_v4_uib");

void exact(benchmark::State &state, const std::string &name, double epsilon) {
    const Priced &priced = shipped(name);
    RunConfig config;
    config.strategy = "exact";
    config.epsilon = epsilon;
    config.memory_bytes = std::int64_t{1} << 30;
    for (auto _ : state) {
        const auto strategy = make_strategy(priced.space, priced.tables, config);
        const Found found = run(priced, *strategy);
        state.counters["points"] = static_cast<double>(found.front.size());
        state.counters["proven_epsilon"] = strategy->proven_epsilon().value();
    }
}
BENCHMARK_CAPTURE(exact, mobilenet_v4_uib, "mobilenet_v4_uib", 0.01)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

} // namespace
} // namespace edgefront

BENCHMARK_MAIN();
