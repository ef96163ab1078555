// Spaces of several skeletons, and positions that offer other blocks than UIBs, or none.
#include "base/random.h"
#include "search/marks.h"
#include "search/spatial_guard.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace edgefront {
namespace {

std::uint64_t count(const DesignSpace &space) {
    return static_cast<std::uint64_t>(space.size());
}

Choices any_choices(const DesignSpace &space, Random &random) {
    Choices choices;
    for (const auto &axis : space.axes()) {
        choices.push_back(static_cast<int>(random.below(axis.values.size())));
    }
    return choices;
}

TEST(Skeletons, every_network_has_one_number_and_no_two_are_the_same) {
    const DesignSpace space = space_of(two_skeletons());
    EXPECT_EQ(space.size(), 2 * 2 * 2 * (2 * (2 + 4)) + 2 * (2 * (2 * (8 + 16))));
    std::set<Choices> seen;
    std::set<std::string> ids, built;
    for (std::uint64_t i = 0; i < count(space); i++) {
        const Choices choices = space.at(i);
        EXPECT_EQ(space.canonical(choices), choices);
        EXPECT_EQ(space.parse(space.describe(choices)), choices);
        seen.insert(choices);
        ids.insert(space.id(choices));
        std::string layers;
        for (const auto &node : space.network(choices).nodes) {
            layers += key(node.layer) + ";";
        }
        built.insert(layers);
    }
    EXPECT_EQ(seen.size(), count(space));
    EXPECT_EQ(ids.size(), count(space));
    EXPECT_EQ(built.size(), count(space));
}

TEST(Skeletons, axes_have_the_values_of_all_and_choices_say_which) {
    const DesignSpace space = space_of(two_skeletons());
    std::vector<std::string> names;
    for (const auto &axis : space.axes()) {
        names.push_back(axis.name);
    }
    EXPECT_EQ(names,
              (std::vector<std::string>{"resolution", "width", "activation", "skeleton",
                                        "s1_channels", "s1_depth", "s1_b1", "s1_b2", "s2_channels",
                                        "s2_depth", "s2_b1", "s2_b2", "s2_b3", "s2_b4"}));
    EXPECT_EQ(space.axes()[0].values, (std::vector<std::string>{"64", "96", "128"}));
    EXPECT_EQ(space.axes()[6].values,
              (std::vector<std::string>{"a3_k3_e2", "a0_k5_e3", "a5_k5_e3"}));
    const std::vector<std::string> small = {"64",       "1", "gelu", "short", "48", "2", "a0_k5_e3",
                                            "a0_k0_e4", "",  "",     "",      "",   "",  ""};
    const std::vector<std::string> large = {"128",      "1",        "relu",     "long", "24",
                                            "1",        "a0_k5_e3", "",         "40",   "3",
                                            "a3_k3_e2", "none",     "a3_k0_e2", ""};
    EXPECT_EQ(space.describe(space.parse(small)), small);
    EXPECT_EQ(space.describe(space.parse(large)), large);
    EXPECT_EQ(space.blocks(space.parse(large)).size(), 1u + 1 + 2 + 3);
    const auto refused = [&](std::vector<std::string> values, std::size_t axis, const char *value) {
        values[axis] = value;
        EXPECT_THROW(space.parse(values), UserError) << space.axes()[axis].name << " " << value;
    };
    refused(small, 0, "128"); // of the other skeleton
    refused(small, 3, "");
    refused(small, 3, "shrot");
    refused(small, 6, "a5_k5_e3");
    refused(small, 8, "40");
    refused(large, 8, "");
    refused(large, 11, ""); // an empty position is "none"
    refused(large, 13, "mqa");
}

TEST(Skeletons, what_a_skeleton_lacks_becomes_the_nearest_it_has) {
    const DesignSpace space = space_of(two_skeletons());
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    Random random(3);
    for (int i = 0; i < 500; i++) {
        const Choices choices = any_choices(space, random), canonical = space.canonical(choices);
        EXPECT_EQ(space.parse(space.describe(canonical)), canonical);
        EXPECT_EQ(canonical[3], choices[3]);
        EXPECT_EQ(tables.evaluate(choices).values, tables.evaluate(canonical).values);
        const auto &context = space.contexts()[space.context_of(choices)];
        EXPECT_EQ(context.choices, Choices(canonical.begin(), canonical.begin() + 4));
        // 64, 96, 128: short has the first two, long the last two.
        EXPECT_EQ(canonical[0],
                  choices[3] == 0 ? std::min(choices[0], 1) : std::max(choices[0], 1));
    }
}

TEST(Skeletons, writing_and_reading_gives_the_same_space) {
    for (const char *name : {"mobilenet_v4_uib", "hybrid", "mobilenet_v2_grid"}) {
        const Json json = write_space(shipped_space(name));
        EXPECT_EQ(write_space(space_of(json)).dump(), json.dump()) << name;
    }
    const Json json = write_space(space_of(two_skeletons()));
    EXPECT_EQ(write_space(space_of(json)).dump(), json.dump());
}

/// Every measure on several kinds of targets.
Json everything_measured(Json json, const std::vector<std::string> &targets) {
    json["targets"] = targets;
    json["objectives"] = {{{"metric", "macs"}, {"sense", "maximise"}},
                          {{"metric", "params"}, {"sense", "minimise"}}};
    for (const auto &target : targets) {
        for (const char *metric : {"latency_ms", "energy_mj", "peak_bytes"}) {
            json["objectives"].push_back({{"metric", metric}, {"target", target}});
        }
    }
    return json;
}

void expect_equal_to_estimates(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                               const CostTables &tables, const Choices &choices) {
    const Network network = space.network(choices);
    const Evaluation found = tables.evaluate(choices);
    EXPECT_EQ(found.values[0], static_cast<double>(macs(network).count()));
    EXPECT_EQ(found.values[1], static_cast<double>(params(network).count()));
    for (std::size_t t = 0; t < targets.size(); t++) {
        const Estimate e = estimate(*targets[t].model, network, targets[t].workload);
        ASSERT_TRUE(e.supported()) << e.unsupported.front();
        EXPECT_NEAR(found.values[2 + 3 * t], milliseconds(e.total.latency), 1e-8);
        EXPECT_NEAR(found.values[3 + 3 * t], millijoules(e.total.energy), 1e-8);
        EXPECT_EQ(found.values[4 + 3 * t], static_cast<double>(e.peak.count()));
    }
}

TEST(Skeletons, tables_equal_the_estimates_of_all_built_networks) {
    const DesignSpace space =
        space_of(everything_measured(two_skeletons(), {"pixel6-cpu", "pixel8-edgetpu", "s23-gpu"}));
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 2);
    for (std::uint64_t i = 0; i < count(space); i += 3) {
        expect_equal_to_estimates(space, targets, tables, space.at(i));
    }
}

TEST(Skeletons, tables_of_shipped_spaces_equal_the_estimates_of_built_networks) {
    for (const char *name : {"mobilenet_v4_uib", "hybrid", "mobilenet_v1_grid"}) {
        Json json = write_space(shipped_space(name));
        const DesignSpace space = space_of(everything_measured(json, {"pixel6-cpu"}));
        const auto targets = price_targets(space);
        const CostTables tables(space, targets, 2);
        Random random(5);
        for (int i = 0; i < 6; i++) {
            expect_equal_to_estimates(space, targets, tables,
                                      space.canonical(any_choices(space, random)));
        }
        for (const auto &mark : space.marks) {
            const auto found = find_in_space(space, Zoo(), mark);
            ASSERT_TRUE(std::holds_alternative<Choices>(found)) << std::get<std::string>(found);
            expect_equal_to_estimates(space, targets, tables, std::get<Choices>(found));
        }
    }
}

TEST(Skeletons, the_guard_refuses_exactly_the_networks_that_do_not_mix_space) {
    Json json = two_skeletons();
    json["skeletons"][0]["resolutions"] = {32, 96}; // of which the smaller is seen as a whole
    json["skeletons"][1]["stages"][1]["blocks"][0] = {"a0_k3_e2", "a5_k5_e3"};
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    std::uint64_t refused = 0, attentive = 0;
    for (std::uint64_t i = 0; i < count(space); i++) {
        const Choices choices = space.at(i);
        const auto values = space.describe(choices);
        const Network network = space.network(choices);
        std::vector<BlockRange> stages;
        int next = 1; // the stem's convolution
        for (const std::size_t axis : {space.stage_axis(0), space.stage_axis(1)}) {
            stages.push_back({next, next});
            for (std::size_t p = 0; p < (axis == space.stage_axis(0) ? 2u : 4u); p++) {
                const std::string &option = values[axis + 2 + p];
                next += !option.empty() && option != no_block;
            }
            stages.back().end = next;
        }
        if (values[3] == "short") {
            stages.pop_back();
        }
        const bool mixes = mixes_space(spatial_mixing(network), network.resolution, stages);
        EXPECT_EQ(tables.evaluate(choices).feasible(), mixes);
        refused += !mixes;
        const bool attention = values[11] == "mqa_s2" || values[13] == "mqa";
        EXPECT_TRUE(mixes || !attention) << "attention sees the whole map";
        attentive += attention;
    }
    EXPECT_GT(refused, 10u);
    EXPECT_LT(refused, count(space) - attentive);
}

TEST(SpatialGuard, attention_on_a_coarser_map_leaves_the_steps_of_what_follows) {
    const Zoo zoo;
    const auto reach_of = [&](const std::vector<Block> &blocks) {
        Family family = zoo.get("mobilenet_v4_hybrid_medium");
        family.blocks = blocks;
        return spatial_mixing(build(family, {1.0, 64})).reach;
    };
    Block attention;
    attention.kind = BlockKind::defined;
    attention.definition = "mobile_mqa";
    attention.arguments = {{"heads", 2}, {"key", 8}, {"kv_stride", 2}};
    const Block first = conv(16).k(3).s(2), after = uib(16).start_dw(3).mid_dw(5).e(2);
    EXPECT_EQ(reach_of({first, after}), (std::vector<int>{2, (2 + 4) * 2}));
    // Keys are made by windows of 3 pixels.
    EXPECT_EQ(reach_of({first, attention, after}), (std::vector<int>{2, 2 * 2 + 64, (2 + 4) * 2}));
}

TEST(Skeletons, a_target_without_attention_refuses_it_with_the_reason) {
    Json json = two_skeletons();
    json["targets"] = {"coral-usb"};
    json["objectives"][0]["target"] = "coral-usb";
    json["skeletons"][0]["activations"] = {"relu"};
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    std::uint64_t refused = 0;
    for (std::uint64_t i = 0; i < count(space); i++) {
        const Choices choices = space.at(i);
        const auto values = space.describe(choices);
        const bool attention = values[11] == "mqa_s2" || values[13] == "mqa";
        const Evaluation evaluation = tables.evaluate(choices);
        EXPECT_EQ(evaluation.priced, !attention);
        EXPECT_EQ(tables.refusal(choices, 0).empty(), !attention);
        refused += attention;
    }
    EXPECT_GT(refused, 0u);
}

struct BadSpace {
    const char *what;
    std::function<void(Json &)> change;
    const char *message; ///< must stand in the error
};

TEST(SkeletonJson, mistakes_are_reported_with_their_place) {
    const auto blocks = [](Json &j) -> Json & { return j["skeletons"][1]["stages"][1]["blocks"]; };
    const auto row = [](const char *name, const Json &block) {
        return Json{{"name", name}, {"block", block}};
    };
    const Json attention = {{"op", "mobile_mqa"}, {"heads", 2}, {"key", 8}};
    const BadSpace cases[] = {
        {"both forms", [](Json &j) { j["stem"] = j["skeletons"][0]["stem"]; }, "/stem"},
        {"no skeleton", [](Json &j) { j["skeletons"] = Json::array(); }, "/skeletons"},
        {"a name twice", [](Json &j) { j["skeletons"][1]["name"] = "short"; }, "/skeletons/1/name"},
        {"no name", [](Json &j) { j["skeletons"][1].erase("name"); }, "/skeletons/1"},
        {"no resolutions anywhere", [](Json &j) { j["skeletons"][1].erase("resolutions"); },
         "/skeletons/1"},
        {"an unknown key", [](Json &j) { j["skeletons"][0]["widht"] = 1; }, "widht"},
        {"an empty first block",
         [&](Json &j) {
             blocks(j)[0] = {"none", "a3_k0_e2"};
         },
         "/skeletons/1/stages/1/blocks/0/0"},
        {"attention first", [&](Json &j) { blocks(j)[0][1] = row("mqa", attention); },
         "/skeletons/1/stages/1/blocks/0/1"},
        {"an empty last block",
         [&](Json &j) {
             blocks(j)[3] = {"none", "a3_k0_e2"};
         },
         "every depth"},
        {"the same network twice",
         [&](Json &j) {
             blocks(j)[1] = {"none", "a3_k0_e2"};
         },
         "in common with position 3"},
        {"a name twice at one position",
         [&](Json &j) { blocks(j)[1].push_back(row("mqa_s2", attention)); },
         "/skeletons/1/stages/1/blocks/1/2"},
        {"a block twice at one position",
         [&](Json &j) { blocks(j)[1].push_back(row("other", blocks(j)[1][1]["block"])); },
         "/skeletons/1/stages/1/blocks/1/2"},
        {"a taken name", [&](Json &j) { blocks(j)[1][1]["name"] = "none"; }, "/blocks/1/1/name"},
        {"a UIB's name", [&](Json &j) { blocks(j)[1][1]["name"] = "a0_k0_e3"; },
         "/blocks/1/1/name"},
        {"a UIB as a row", [&](Json &j) { blocks(j)[1][1]["block"] = "uir_r1_a3_k3_s1_e2_c32"; },
         "/blocks/1/1/block"},
        {"an unknown row", [&](Json &j) { blocks(j)[1][1]["block"]["op"] = "mobile_mqq"; },
         "did you mean 'mobile_mqa'"},
        {"a branch", [&](Json &j) { blocks(j)[1][1]["block"]["from"] = -2; }, "/blocks/1/1/block"},
        {"other channels",
         [&](Json &j) {
             blocks(j)[1][1]["block"] = {{"op", "conv"}, {"kernel", 1}, {"channels", 48}};
         },
         "/skeletons/1/stages/1/blocks/1/1/block: the block of an option must keep the shape"},
    };
    for (const auto &bad : cases) {
        Json json = two_skeletons();
        bad.change(json);
        try {
            space_of(json);
            ADD_FAILURE() << bad.what << " was accepted";
        } catch (const UserError &e) {
            EXPECT_NE(std::string(e.what()).find(bad.message), std::string::npos)
                << bad.what << ": " << e.what();
            EXPECT_NE(std::string(e.what()).find("space.json"), std::string::npos) << e.what();
        }
    }
}

} // namespace
} // namespace edgefront
