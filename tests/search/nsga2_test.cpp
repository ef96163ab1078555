#include "search/strategy.h"
#include "search/supported.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace edgefront {
namespace {

/// Bounded so tightly that most networks are refused.
Json tight_json() {
    Json json = uib_small_on_cpu_json();
    json["constraints"][0]["at_most"] = 1;
    return json;
}

struct Searched {
    explicit Searched(const Json &json)
        : space(space_of(json)), targets(price_targets(space)), tables(space, targets, 1) {}

    std::unique_ptr<Strategy> strategy(std::int64_t evaluations, int population = 40,
                                       Nsga2Start start = Nsga2Start::seeded) const {
        RunConfig config;
        config.seed = 1;
        config.evaluations = evaluations;
        config.population = population;
        return make_nsga2(space, tables, config, start);
    }
    ParetoFront front() const {
        std::vector<Sense> senses;
        for (const auto &objective : space.objectives) {
            senses.push_back(objective.sense);
        }
        return ParetoFront(senses);
    }
    /// Asks, prices and tells once; what was asked.
    std::vector<Choices> step(Strategy &strategy, ParetoFront &front) const {
        const auto batch = strategy.ask(front);
        std::vector<Evaluation> prices;
        for (const auto &choices : batch) {
            prices.push_back(tables.evaluate(choices));
            if (prices.back().feasible()) {
                front.admit({choices, prices.back().values});
            }
        }
        strategy.tell(batch, prices);
        return batch;
    }

    DesignSpace space;
    std::vector<PricedTarget> targets;
    CostTables tables;
};

TEST(Nsga2, asks_for_as_many_different_networks_as_it_may) {
    const Searched searched(uib_small_on_cpu_json());
    for (const Nsga2Start start : {Nsga2Start::random, Nsga2Start::seeded}) {
        const auto strategy = searched.strategy(1003, 40, start);
        auto front = searched.front();
        std::set<Choices> all;
        std::size_t asked = 0;
        while (!strategy->finished()) {
            const auto batch = searched.step(*strategy, front);
            asked += batch.size();
            all.insert(batch.begin(), batch.end());
        }
        EXPECT_EQ(asked, 1003u);
        EXPECT_EQ(all.size(), asked);
        EXPECT_EQ(strategy->done(), 1003);
    }
}

TEST(Nsga2, ends_when_the_space_is_used_up) {
    const Searched searched(tiny_json());
    const auto strategy = searched.strategy(1000000, 8);
    auto front = searched.front();
    std::set<Choices> all;
    while (!strategy->finished()) {
        for (const auto &choices : searched.step(*strategy, front)) {
            EXPECT_TRUE(all.insert(choices).second);
        }
    }
    EXPECT_EQ(static_cast<double>(all.size()), searched.space.size());
}

TEST(Nsga2, goes_on_from_its_state_as_if_it_had_not_stopped) {
    const Searched searched(tight_json());
    const auto whole = searched.strategy(300);
    auto front = searched.front(), again = searched.front();
    while (!whole->finished()) {
        const auto piece = searched.strategy(300);
        piece->restore(JsonReader::parse(whole->state().dump(), "state"));
        EXPECT_EQ(searched.step(*piece, again), searched.step(*whole, front));
        EXPECT_TRUE(piece->state() == whole->state()) << whole->done();
    }
}

TEST(Nsga2, a_state_that_cannot_be_is_refused) {
    const Searched searched(uib_small_on_cpu_json());
    const auto strategy = searched.strategy(600);
    auto front = searched.front();
    searched.step(*strategy, front);
    const Json good = strategy->state();
    const auto refused = [&](const char *pointer, const Json &value) {
        Json bad = good;
        bad[Json::json_pointer(pointer)] = value;
        try {
            searched.strategy(600)->restore(JsonReader::parse(bad.dump(), "state"));
            return false;
        } catch (const UserError &) {
            return true;
        }
    };
    EXPECT_FALSE(refused("/done", good["done"]));
    EXPECT_TRUE(refused("/done", 601));
    EXPECT_TRUE(refused("/done", 0));
    EXPECT_TRUE(refused("/members", Json::array()));
    EXPECT_TRUE(refused("/members/3/choices/0", 5));
    EXPECT_TRUE(refused("/members/3/choices/0", absent));
    EXPECT_TRUE(refused("/members/3/values", {1, 2}));
    EXPECT_TRUE(refused("/effects", {1, 2}));
    EXPECT_TRUE(refused("/seen", "all"));
}

TEST(Nsga2, finds_feasible_networks_where_most_are_refused) {
    const Searched searched(tight_json());
    const auto strategy = searched.strategy(800, 40, Nsga2Start::random);
    auto front = searched.front();
    std::size_t first = 0, last = 0, refused = 0;
    while (!strategy->finished()) {
        const auto batch = searched.step(*strategy, front);
        for (const auto &choices : batch) {
            const bool feasible = searched.tables.evaluate(choices).feasible();
            first += feasible && strategy->done() == static_cast<std::int64_t>(batch.size());
            last += feasible && strategy->done() > 600;
            refused += !feasible;
        }
    }
    EXPECT_GT(refused, 30u);
    EXPECT_LT(first, 20u); // of 40
    EXPECT_GT(last, 100u); // of about 200
    EXPECT_GT(front.size(), 20u);
}

TEST(Nsga2, finds_nearly_all_of_the_exact_front_after_a_fifth_of_the_space) {
    Json json = tiny_json();
    json["resolutions"] = {96, 112, 128, 160, 192, 224};
    json["widths"] = {0.5, 0.75, 1, 1.25};
    const Searched searched(json);
    auto exact = searched.front(), found = searched.front();
    const auto size = static_cast<std::int64_t>(searched.space.size());
    for (std::int64_t i = 0; i < size; i++) {
        const Choices choices = searched.space.at(static_cast<std::uint64_t>(i));
        const Evaluation e = searched.tables.evaluate(choices);
        if (e.feasible()) {
            exact.admit({choices, e.values});
        }
    }
    const auto strategy = searched.strategy(size / 5, 200);
    while (!strategy->finished()) {
        searched.step(*strategy, found);
    }
    const auto hits =
        std::count_if(exact.members().begin(), exact.members().end(),
                      [&](const Member &member) { return found.contains(member.values); });
    EXPECT_GT(static_cast<double>(hits), 0.9 * static_cast<double>(exact.size()))
        << exact.size() << " of " << size;
}

TEST(Supported, begins_with_the_best_of_each_objective) {
    Json json = tiny_json();
    json["objectives"] = {{{"metric", "macs"}, {"sense", "maximise"}},
                          {{"metric", "params"}, {"sense", "minimise"}}};
    const Searched searched(json);
    double most_macs = 0, least_params = 1e30;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(searched.space.size()); i++) {
        const auto values = searched.tables.evaluate(searched.space.at(i)).values;
        most_macs = std::max(most_macs, values[0]);
        least_params = std::min(least_params, values[1]);
    }
    const auto networks = supported_networks(searched.space, searched.tables, 1, 10);
    ASSERT_GT(networks.size(), 2u);
    EXPECT_EQ(searched.tables.evaluate(networks[0]).values[0], most_macs);
    EXPECT_EQ(searched.tables.evaluate(networks[1]).values[1], least_params);
    std::set<Choices> different(networks.begin(), networks.end());
    EXPECT_EQ(different.size(), networks.size());
}

TEST(Supported, no_network_is_better_in_all_that_adds_up) {
    Json json = tiny_json();
    json["spatial_mixing"] = false;
    json["objectives"] = {{{"metric", "macs"}, {"sense", "maximise"}},
                          {{"metric", "params"}, {"sense", "minimise"}}};
    const Searched searched(json);
    auto front = searched.front();
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(searched.space.size()); i++) {
        const Choices choices = searched.space.at(i);
        front.admit({choices, searched.tables.evaluate(choices).values});
    }
    const auto networks = supported_networks(searched.space, searched.tables, 1, 10);
    EXPECT_GT(networks.size(), 2u);
    for (std::size_t i = 2; i < networks.size(); i++) { // the first ones regard one objective only
        EXPECT_TRUE(front.contains(searched.tables.evaluate(networks[i]).values));
    }
}

} // namespace
} // namespace edgefront
