#include "tests/search/sweep_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace edgefront {
namespace {

SweepRequest reward(const std::string &target, std::vector<double> exponents = {}) {
    SweepRequest request;
    request.strategy = "reward";
    request.reward.target = target;
    request.reward.exponents = std::move(exponents);
    return request;
}

DesignSpace middle_space() {
    Json json = tiny_json();
    json["resolutions"] = {96, 128, 160, 192, 224};
    json["widths"] = {0.5, 0.75, 1};
    return space_of(json);
}

class RewardTest : public SweepFixture {};

TEST_F(RewardTest, the_soft_reward_is_the_papers) {
    const RewardOptions options{"top1", "latency_ms", 80, -0.07, -0.07};
    EXPECT_DOUBLE_EQ(reward_of(options, 75, 80), 75);
    EXPECT_NEAR(reward_of(options, 75, 160), 75 * 0.95264, 1e-3); // 2^-0.07: 5 % less
    const RewardOptions hard{"top1", "latency_ms", 80, 0, -1};
    EXPECT_DOUBLE_EQ(reward_of(hard, 75, 40), 75);
    EXPECT_DOUBLE_EQ(reward_of(hard, 75, 160), 37.5);
}

TEST_F(RewardTest, the_preferred_network_is_the_best_of_all_that_there_are) {
    const DesignSpace space = middle_space();
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    int number = 0;
    for (const double target : {0.15, 0.3, 0.6}) {
        for (const auto &exponents :
             std::vector<std::vector<double>>{{}, {-0.5}, {-1.2}, {0, -1}, {-0.4, -2.0}}) {
            const std::string folder = std::to_string(number++);
            const RunResult result = result_of(
                space, reward("latency_ms:pixel6-cpu=" + std::to_string(target), exponents),
                folder);
            double most = 0;
            for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
                const Evaluation e = tables.evaluate(space.at(i));
                const double w = exponents.empty()       ? -0.07
                                 : e.values[0] <= target ? exponents.front()
                                                         : exponents.back();
                if (e.feasible()) {
                    most = std::max(most, e.values[2] * std::pow(e.values[0] / target, w));
                }
            }
            ASSERT_TRUE(result.preferred);
            EXPECT_DOUBLE_EQ(result.preferred->reward, most);
            EXPECT_EQ(result.preferred->epsilon, 0.0);
            EXPECT_LT(result.counters.evaluated, 500); // of 1440
            const RunPoint &point = result.point(result.preferred->id);
            EXPECT_DOUBLE_EQ(reward_of(result.config.reward, point.values[2], point.values[0]),
                             most);
        }
    }
}

TEST_F(RewardTest, the_preferred_network_keeps_the_rules) {
    Json json = write_space(middle_space());
    json["constraints"] = {{{"metric", "params"}, {"at_most", 1500000}}};
    const DesignSpace space = space_of(json);
    const RunResult exact = result_of(space, reward("latency_ms:pixel6-cpu=0.3", {-0.6}), "exact");
    SweepRequest all;
    all.strategy = "exhaustive";
    const RunResult front = result_of(space, all, "all");
    double most = 0;
    for (const auto &point : front.points) {
        most = std::max(most, reward_of(exact.config.reward, point.values[2], point.values[0]));
    }
    EXPECT_DOUBLE_EQ(exact.preferred->reward, most);
}

TEST_F(RewardTest, with_a_budget_evolution_comes_near_and_proves_nothing) {
    const DesignSpace space = middle_space();
    SweepRequest request = reward("latency_ms:pixel6-cpu=0.3", {-0.6});
    const RunResult exact = result_of(space, request, "exact");
    request.evaluations = 400;
    request.population = 40;
    for (const std::uint64_t seed : {1, 2, 3}) {
        request.seed = seed;
        const RunResult found = result_of(space, request, std::to_string(seed));
        EXPECT_EQ(found.counters.evaluated, 400);
        EXPECT_FALSE(found.preferred->epsilon);
        EXPECT_GE(found.preferred->reward, 0.99 * exact.preferred->reward);
        EXPECT_LE(found.preferred->reward, exact.preferred->reward);
    }
}

TEST_F(RewardTest, accuracy_as_quality_is_left_to_evolution) {
    Json json = write_space(shipped_space("mobilenet_v1_grid"));
    json["accuracy"] = {{"source", "anchored"}, {"family", "mobilenet_v1"}, {"recipe", "slim"}};
    json["targets"] = {"pixel6-cpu"};
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", "pixel6-cpu"}},
                          {{"metric", "top1"}}};
    const DesignSpace space = space_of(json);
    SweepRequest request = reward("latency_ms:pixel6-cpu=5");
    request.population = 8;
    const RunResult found = result_of(space, request, "found");
    EXPECT_GT(found.config.evaluations, 0);
    EXPECT_FALSE(found.preferred->epsilon);
    SweepRequest all;
    all.strategy = "exhaustive";
    double most = 0;
    for (const auto &point : result_of(space, all, "all").points) {
        most = std::max(most, reward_of(found.config.reward, point.values[1], point.values[0]));
    }
    EXPECT_DOUBLE_EQ(found.preferred->reward, most);
}

TEST_F(RewardTest, too_little_memory_for_labels_weakens_the_proof_and_says_so) {
    Json json = write_space(shipped_space("uib_small"));
    json["targets"] = {"pixel6-cpu"};
    json["objectives"].erase(1);
    json["resolutions"] = {224};
    json["widths"] = {1};
    const DesignSpace space = space_of(json);
    SweepRequest request = reward("latency_ms:pixel6-cpu=1", {-1});
    request.reward.quality = "macs";
    const RunResult whole = result_of(space, request, "whole");
    EXPECT_EQ(whole.preferred->epsilon, 0.0);
    request.memory_bytes = 300000;
    const RunResult rough = result_of(space, request, "rough");
    ASSERT_TRUE(rough.preferred->epsilon);
    EXPECT_GT(*rough.preferred->epsilon, 0);
    EXPECT_LE(whole.preferred->reward,
              (1 + *rough.preferred->epsilon) * rough.preferred->reward * (1 + 1e-12));
}

TEST_F(RewardTest, what_cannot_be_says_why) {
    const DesignSpace tiny = shipped_space("tiny");
    const auto says = [&](const DesignSpace &space, const SweepRequest &request,
                          const std::string &expected) {
        try {
            config(space, request);
            ADD_FAILURE() << "accepted, expected: " << expected;
        } catch (const UserError &e) {
            EXPECT_NE(std::string(e.what()).find(expected), std::string::npos) << e.what();
        }
    };
    says(tiny, reward(""), "--reward-target");
    says(tiny, reward("latency_ms:pixel6-cpu"), "expected OBJECTIVE=NUMBER");
    says(tiny, reward("latency_ms:pixel6-cpu=3ms"), "expected OBJECTIVE=NUMBER");
    says(tiny, reward("latency_ms:pixel6-cpu=0"), "above 0");
    says(tiny, reward("latency_ms:pixel6-cp=3"), "did you mean 'latency_ms:pixel6-cpu'");
    says(tiny, reward("macs=3"), "minimises (latency_ms:pixel6-cpu, peak_bytes:pixel6-cpu)");
    says(tiny, reward("latency_ms:pixel6-cpu=3", {0.07}), "none above 0");
    says(tiny, reward("latency_ms:pixel6-cpu=3", {-1, -1, -1}), "one number or two");
    SweepRequest request = reward("latency_ms:pixel6-cpu=3");
    request.reward.quality = "mac";
    says(tiny, request, "did you mean 'macs'");
    EXPECT_THROW(run(config(tiny, reward("latency_ms:pixel6-cpu=1e300", {-10})), "steep"),
                 UserError);
    EXPECT_FALSE(fs::exists(root_ / "steep/run.json")); // before anything is searched
    says(shipped_space("uib_small"), reward("latency_ms:pixel6-cpu=3"), "(macs, params)");
}

} // namespace
} // namespace edgefront
