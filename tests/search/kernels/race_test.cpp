#include "base/random.h"
#include "search/kernels/race.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace edgefront {
namespace {

/// Runs a race on times that `seconds` tells for a plan; returns how many slices each one had.
template <typename F>
std::map<std::string, int> run(Race &race, F seconds) {
    std::map<std::string, int> slices;
    while (race.heat()) {
        std::vector<std::vector<double>> times;
        for (const std::string &plan : race.heat()->runners) {
            times.emplace_back();
            for (int i = 0; i < race.heat()->slices; i++) {
                times.back().push_back(seconds(plan));
            }
            slices[plan] += race.heat()->slices;
        }
        race.took(times);
    }
    return slices;
}

const std::map<std::string, double> true_times = {
    {"a", 1.0}, {"b", 0.9}, {"c", 1.5}, {"d", 2.0}, {"e", 0.95}};

TEST(Race, GivesTheBetterOnesMoreSlices) {
    Race race("a", {"b", "c", "d", "e"});
    const auto slices = run(race, [](const std::string &plan) { return true_times.at(plan); });
    EXPECT_GT(slices.at("b"), slices.at("e"));
    EXPECT_GT(slices.at("e"), slices.at("d"));
    EXPECT_EQ(slices.at("c"), slices.at("d"));
    const auto places = race.places();
    ASSERT_EQ(places.size(), 4u);
    EXPECT_EQ(places[0].plan, "b");
    EXPECT_NEAR(places[0].ratio, 0.9, 1e-12);
    EXPECT_EQ(places[1].plan, "e");
    EXPECT_NEAR(race.incumbent_seconds(), 1.0, 1e-12);
    EXPECT_EQ(race.jitter(), 0);
}

TEST(Race, FindsTheFastestUnderNoiseThatOnlyAdds) {
    int right = 0;
    constexpr int races = 200;
    for (int seed = 0; seed < races; seed++) {
        Random random(static_cast<std::uint64_t>(seed));
        Race race("a", {"b", "c", "d", "e"});
        run(race, [&](const std::string &plan) {
            const double spike = random.uniform() < 0.2 ? 1 + 2 * random.uniform() : 1;
            return true_times.at(plan) * (1 + 0.02 * random.uniform()) * spike;
        });
        right += race.places()[0].plan == "b" ? 1 : 0;
        EXPECT_LT(race.jitter(), 0.05);
    }
    EXPECT_GT(right, races * 95 / 100);
}

TEST(Race, ADriftingClockDoesNotChangeTheRatios) {
    double clock = 1;
    Race race("a", {"b", "c"});
    run(race, [&](const std::string &plan) { return true_times.at(plan) * (clock *= 1.0003); });
    EXPECT_NEAR(race.places()[0].ratio, 0.9, 0.01);
}

TEST(Race, TheIncumbentAloneHasItsTime) {
    Race race("a", {});
    const auto slices = run(race, [](const std::string &) { return 3.0; });
    EXPECT_GT(slices.at("a"), 0);
    EXPECT_EQ(race.incumbent_seconds(), 3.0);
    EXPECT_TRUE(race.places().empty());
}

TEST(Race, GoesOnWithoutAChallengerThatIsDropped) {
    Race race("a", {"b", "c"});
    race.drop("b");
    ASSERT_TRUE(race.heat());
    EXPECT_EQ(race.heat()->runners, (std::vector<std::string>{"a", "c", "a"}));
    run(race, [](const std::string &plan) { return true_times.at(plan); });
    ASSERT_EQ(race.places().size(), 1u);
    EXPECT_EQ(race.places()[0].plan, "c");
}

TEST(Race, TwinsShowTheJitter) {
    Race race("a", {});
    race.took({{1, 1, 1, 1}, {1.1, 1.1, 1.1, 1.1}});
    EXPECT_NEAR(race.jitter(), 0.1, 1e-12);
}

} // namespace
} // namespace edgefront
