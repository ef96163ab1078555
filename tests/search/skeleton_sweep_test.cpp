// Sweeps of spaces with several skeletons, and the published networks in them.
#include "base/files.h"
#include "search/front_summary.h"
#include "search/marks.h"
#include "search/sweep.h"
#include "tests/search/spaces.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace edgefront {
namespace {

TEST(Marks, published_networks_lie_inside_the_spaces_made_for_them) {
    const Zoo zoo;
    const auto expect_inside = [&](const DesignSpace &space, const std::string &network,
                                   const std::string &skeleton) {
        const auto found = find_in_space(space, zoo, network);
        ASSERT_TRUE(std::holds_alternative<Choices>(found))
            << network << ": " << std::get<std::string>(found);
        const auto &choices = std::get<Choices>(found);
        EXPECT_EQ(choices, space.canonical(choices));
        const Network ours = space.network(choices), published = zoo.network(network);
        EXPECT_EQ(macs(ours), macs(published)) << network;
        EXPECT_EQ(params(ours), params(published)) << network;
        const bool marked =
            std::any_of(space.marks.begin(), space.marks.end(), [&](const std::string &mark) {
                return zoo.network(mark).name == published.name;
            });
        EXPECT_TRUE(marked) << network;
        EXPECT_EQ(space.skeleton(space.contexts()[space.context_of(choices)]).name, skeleton);
    };
    for (const auto &[space, networks] :
         std::map<std::string, std::vector<std::pair<std::string, std::string>>>{
             {"mobilenet_v4_uib",
              {{"mobilenet_v4_conv_small", "small"},
               {"mobilenet_v4_conv_medium", "medium"},
               {"mobilenet_v4_conv_large", "large"}}},
             {"hybrid",
              {{"mobilenet_v4_hybrid_medium", "medium"}, {"mobilenet_v4_hybrid_large", "large"}}},
             {"mobilenet_v1_grid", {{"mobilenet_v1", ""}}}}) {
        const DesignSpace shipped = shipped_space(space);
        for (const auto &[name, skeleton] : networks) {
            const Family &family = zoo.get(name);
            for (const int resolution : family.resolutions) {
                expect_inside(shipped, fmt::format("{}@1,{}", name, resolution), skeleton);
            }
            for (const double width : family.width.values) {
                expect_inside(shipped, fmt::format("{}@{}", name, width), skeleton);
            }
        }
    }
    const DesignSpace grid = shipped_space("mobilenet_v2_grid");
    EXPECT_EQ(grid.marks.size(), 22u);
    for (const auto &mark : grid.marks) {
        expect_inside(grid, mark, "");
    }
}

TEST(Marks, the_reason_is_of_the_skeleton_that_fits_furthest) {
    const DesignSpace space = shipped_space("mobilenet_v4_uib");
    const auto reason = [&](const std::string &network) {
        return std::get<std::string>(find_in_space(space, Zoo(), network));
    };
    EXPECT_EQ(reason("mobilenet_v4_conv_large@1,512"), "large: the space has no resolution 512");
    EXPECT_EQ(reason("mobilenet_v4_hybrid_large@1,384"), "large: the space has no activation gelu");
    EXPECT_NE(
        reason("mobilenet_v4_hybrid_medium").find("medium: stage 2 block 5 cannot be mobile_mqa"),
        std::string::npos);
}

class SkeletonSweep : public ::testing::Test {
protected:
    RunResult run(const DesignSpace &space, const std::string &strategy, double epsilon = 0) {
        SweepRequest request;
        request.strategy = strategy;
        if (strategy == "exact") {
            request.epsilon = epsilon;
        }
        const RunConfig config = resolve(space, price_targets(space), request, "0.0.test");
        return run_sweep(config, temporary_.path() / std::to_string(runs_++), Zoo(), SweepHooks())
            .result;
    }

    std::size_t expect_equal(const Json &json) {
        const DesignSpace space = space_of(json);
        const RunResult expected = run(space, "exhaustive"), found = run(space, "exact");
        EXPECT_EQ(found.epsilon, 0.0);
        EXPECT_EQ(found.points.size(), expected.points.size());
        for (std::size_t i = 0; i < std::min(found.points.size(), expected.points.size()); i++) {
            EXPECT_EQ(found.points[i].id, expected.points[i].id);
            EXPECT_EQ(found.points[i].values, expected.points[i].values);
        }
        return found.points.size();
    }

    /// More of everything, some 20,000 networks.
    Json larger() {
        Json json = two_skeletons();
        const Json first = {"a3_k3_e2", "a0_k5_e3", "a5_k5_e3", "a3_k0_e6"};
        const Json any = {"a0_k0_e2", "a3_k0_e2", "a0_k3_e4", "a5_k5_e3", "a0_k0_e4"};
        json["skeletons"][0]["stages"][0]["depths"] = {1, 3};
        json["skeletons"][0]["stages"][0]["blocks"] = {first, any, any};
        json["skeletons"][1]["stages"][0]["blocks"] = {first};
        auto &blocks = json["skeletons"][1]["stages"][1]["blocks"];
        blocks[0] = first;
        blocks[2] = any;
        blocks[3].insert(blocks[3].end(), any.begin(), any.end() - 3);
        return json;
    }

    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-skeletons"};
    int runs_ = 0;
};

TEST_F(SkeletonSweep, exact_equals_enumeration_on_a_cpu) {
    EXPECT_GT(expect_equal(larger()), 50u);
}

TEST_F(SkeletonSweep, exact_equals_enumeration_with_other_objectives_and_bounds) {
    Json json = larger();
    json["targets"] = {"pixel8-edgetpu", "pixel6-cpu"};
    json["objectives"] = {{{"metric", "energy_mj"}, {"target", "pixel8-edgetpu"}},
                          {{"metric", "peak_bytes"}},
                          {{"metric", "macs"}, {"sense", "maximise"}}};
    json["constraints"] = {{{"metric", "params"}, {"at_most", 150000}},
                           {{"metric", "latency_ms"}, {"target", "pixel6-cpu"}, {"at_most", 1}}};
    EXPECT_GT(expect_equal(json), 5u);
}

TEST_F(SkeletonSweep, exact_equals_enumeration_where_attention_is_refused) {
    Json json = larger();
    json["targets"] = {"coral-usb"};
    json["objectives"][0]["target"] = "coral-usb";
    EXPECT_GT(expect_equal(json), 20u);
}

TEST_F(SkeletonSweep, exact_equals_enumeration_of_grids_without_free_blocks) {
    for (const char *name : {"mobilenet_v1_grid", "mobilenet_v2_grid"}) {
        EXPECT_GT(expect_equal(write_space(shipped_space(name))), 5u);
    }
}

TEST_F(SkeletonSweep, exact_finds_what_comes_nearest_where_nothing_is_feasible) {
    Json json = larger();
    json["constraints"] = {{{"metric", "params"}, {"at_most", 1000}},
                           {{"metric", "macs"}, {"at_least", 1e9}}};
    const DesignSpace space = space_of(json);
    const RunResult expected = run(space, "exhaustive"), found = run(space, "exact");
    EXPECT_TRUE(found.points.empty());
    for (const std::size_t rule : {2u, 3u}) { // behind the target's and the guard's
        ASSERT_TRUE(expected.counters.refused[rule].nearest);
        EXPECT_EQ(found.counters.refused[rule].nearest, expected.counters.refused[rule].nearest);
    }
}

TEST_F(SkeletonSweep, an_exact_search_goes_on_in_the_skeleton_where_it_stopped) {
    const DesignSpace space = space_of(larger());
    const RunResult whole = run(space, "exact");
    SweepRequest request;
    request.strategy = "exact";
    const RunConfig config = resolve(space, price_targets(space), request, "0.0.test");
    const auto folder = temporary_.path() / "interrupted";
    for (const int steps : {7, 32, 1000}) { // `short` has 8 contexts of 4 steps, one was done
        int left = steps;
        SweepHooks hooks;
        hooks.stop = [&] { return left-- == 0; };
        const SweepOutcome outcome = run_sweep(config, folder, Zoo(), hooks);
        EXPECT_EQ(outcome.end == SweepEnd::finished, steps == 1000);
        EXPECT_EQ(outcome.result.epsilon.has_value(), steps == 1000);
        if (steps == 1000) {
            EXPECT_EQ(front_csv(outcome.result), front_csv(whole));
            EXPECT_EQ(to_json(outcome.result.counters), to_json(whole.counters));
        }
    }
}

TEST_F(SkeletonSweep, published_networks_are_marked_with_what_beats_them) {
    const RunResult result = run(shipped_space("mobilenet_v2_grid"), "exact", 0.05);
    ASSERT_EQ(result.marks.size(), 22u);
    std::size_t on_front = 0;
    for (const auto &mark : result.marks) {
        EXPECT_TRUE(mark.inside && mark.feasible);
        EXPECT_EQ(mark.on_front, mark.dominated_by.empty()) << mark.network;
        on_front += mark.on_front;
        for (const auto &by : mark.dominated_by) {
            const RunPoint &point = result.point(by.id);
            for (std::size_t o = 0; o < 3; o++) {
                const double sign = result.objectives[o].sense == Sense::minimise ? 1 : -1;
                EXPECT_LE(sign * point.values[o], sign * mark.values[o]);
                EXPECT_EQ(by.better_by[o], std::abs(mark.values[o] - point.values[o]));
            }
        }
    }
    EXPECT_GT(on_front, 5u);
    EXPECT_LT(on_front, 22u);
}

TEST_F(SkeletonSweep, the_mix_of_blocks_is_counted_by_skeleton_and_type) {
    const RunResult result = run(space_of(larger()), "exact");
    const auto types = block_types(result);
    EXPECT_NE(std::find(types.begin(), types.end(), "mqa_s2"), types.end());
    const auto mix = block_mix(result);
    std::int64_t total = 0;
    std::vector<std::string> stages;
    for (const auto &stage : mix) {
        stages.push_back(stage.stage);
        total += stage.total();
    }
    EXPECT_EQ(std::set<std::string>(stages.begin(), stages.end()),
              (std::set<std::string>{"all", "long.s1", "long.s2", "short.s1"}));
    EXPECT_EQ(total, 2 * mix.back().total());
    std::int64_t blocks = 0;
    for (const auto &point : result.points) {
        for (std::size_t c = 0; c < result.choice_names.size(); c++) {
            const bool position = result.choice_names[c].find("_b") != std::string::npos;
            blocks += position && !point.choices[c].empty() && point.choices[c] != no_block;
        }
    }
    EXPECT_EQ(mix.back().total(), blocks);
    const auto rate = std::find_if(result.block_rates.begin(), result.block_rates.end(),
                                   [](const BlockRate &r) { return r.type == "mqa_s2"; });
    ASSERT_NE(rate, result.block_rates.end());
    EXPECT_EQ(rate->stage, "long.s2");
    // Both resolutions' means, and windows of 3 over pixels that lie 16 apart.
    EXPECT_EQ(rate->reach_pixels, (96 + 128) / 2.0 + 2 * 16);
}

} // namespace
} // namespace edgefront
