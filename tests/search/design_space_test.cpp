#include "base/random.h"
#include "search/design_space.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace edgefront {
namespace {

TEST(DesignSpace, every_network_has_one_number) {
    const DesignSpace space = shipped_space("tiny");
    std::set<Choices> seen;
    std::set<std::string> ids;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        const Choices choices = space.at(i);
        EXPECT_EQ(space.canonical(choices), choices);
        EXPECT_EQ(space.parse(space.describe(choices)), choices);
        seen.insert(choices);
        ids.insert(space.id(choices));
    }
    EXPECT_EQ(static_cast<double>(seen.size()), space.size());
    EXPECT_EQ(ids.size(), seen.size());
}

TEST(DesignSpace, size_counts_only_blocks_that_exist) {
    // resolutions x widths x activations x (1 channel x (2 + 2 x 2)) x (2 channels x 2 x 4)
    EXPECT_EQ(shipped_space("tiny").size(), 2 * 2 * 2 * (2 + 4) * (2 * 8));
    const DesignSpace small = shipped_space("uib_small");
    const auto stage = [](double first) {
        return 3 * first * (std::pow(36, 3) + std::pow(36, 4) + std::pow(36, 5));
    };
    EXPECT_DOUBLE_EQ(small.size(), 5 * 4 * 1 * stage(32) * stage(32));
}

TEST(DesignSpace, blocks_beyond_the_depth_do_not_change_the_network) {
    const DesignSpace space = shipped_space("uib_small");
    Choices choices(space.axes().size(), 0); // depth 4 of 6 in both stages
    Choices other = choices;
    other[space.stage_axis(0) + 2 + 5] = 3;
    EXPECT_NE(choices, other);
    EXPECT_EQ(space.canonical(choices), space.canonical(other));
    EXPECT_EQ(space.describe(space.canonical(other))[space.stage_axis(0) + 2 + 5], "");
    EXPECT_EQ(space.id(space.canonical(choices)), space.id(space.canonical(other)));
}

TEST(DesignSpace, a_network_has_the_chosen_blocks) {
    const DesignSpace space = shipped_space("tiny");
    const Choices choices = space.parse({"160", "0.5", "hard_swish", "96", "2", "a5_k5_e3",
                                         "a0_k0_e4", "128", "2", "a0_k5_e4", "a3_k0_e4"});
    const Network network = space.network(choices);
    EXPECT_EQ(network.resolution, 160);
    EXPECT_EQ(network.width, 0.5);
    std::vector<std::string> uibs;
    for (const auto &node : network.nodes) {
        if (node.block_name.rfind("uir", 0) == 0 &&
            (uibs.empty() || uibs.back() != node.block_name)) {
            uibs.push_back(node.block_name);
        }
    }
    EXPECT_EQ(uibs,
              (std::vector<std::string>{"uir_r1_a5_k5_s2_e3_c96", "uir_r1_a0_k0_s1_e4_c96",
                                        "uir_r1_a0_k5_s2_e4_c128", "uir_r1_a3_k0_s1_e4_c128"}));
    EXPECT_EQ(network.nodes[0].layer.activation, Activation::hard_swish);
    EXPECT_NE(network.name.find(space.id(choices)), std::string::npos);
}

TEST(DesignSpace, choices_that_are_no_network_are_refused) {
    const DesignSpace space = shipped_space("tiny");
    const std::vector<std::string> good = {"160", "0.5", "relu", "96",       "1",       "a5_k5_e3",
                                           "",    "128", "2",    "a0_k5_e4", "a3_k0_e4"};
    EXPECT_NO_THROW(space.parse(good));
    auto bad = good;
    bad[6] = "a0_k0_e4"; // depth is 1
    EXPECT_THROW(space.parse(bad), UserError);
    bad = good;
    bad[5] = ""; // a block that must exist
    EXPECT_THROW(space.parse(bad), UserError);
    bad = good;
    bad[0] = "161";
    EXPECT_THROW(space.parse(bad), UserError);
    bad = good;
    bad.pop_back();
    EXPECT_THROW(space.parse(bad), UserError);
}

TEST(DesignSpaceJson, writing_and_reading_gives_the_same_space) {
    for (const char *name : {"tiny", "uib_small"}) {
        const Json json = write_space(shipped_space(name));
        EXPECT_EQ(write_space(space_of(json)).dump(), json.dump()) << name;
    }
}

TEST(DesignSpaceJson, a_strided_position_has_no_block_without_depthwise) {
    const DesignSpace space = shipped_space("uib_small");
    const Stage &stage = space.skeletons[0].stages[0];
    EXPECT_EQ(stage.positions[0].size(), 32u);
    EXPECT_EQ(stage.positions[1].size(), 36u);
    for (const auto &option : stage.positions[0]) {
        EXPECT_NE(option_type(option), "FFN");
    }
}

struct BadSpace {
    const char *what;
    std::function<void(Json &)> change;
    const char *message; ///< must stand in the error
};

TEST(DesignSpaceJson, mistakes_are_reported_with_pointer_and_nearest_name) {
    const BadSpace cases[] = {
        {"a misspelt key",
         [](Json &j) {
             j["resolutoins"] = j["resolutions"];
             j.erase("resolutions");
         },
         "resolutoins"},
        {"an unknown key", [](Json &j) { j["speed"] = 1; }, "speed"},
        {"another schema", [](Json &j) { j["schema"] = "edgefront/space/9"; }, "/schema"},
        {"an unknown family", [](Json &j) { j["rules"] = "mobilenet_v44"; }, "/rules"},
        {"an empty axis", [](Json &j) { j["widths"] = Json::array(); }, "/widths"},
        {"a value twice",
         [](Json &j) {
             j["widths"] = {1, 1};
         },
         "/widths/1"},
        {"an unknown activation", [](Json &j) { j["activations"] = {"rellu"}; },
         "did you mean 'relu'"},
        {"an even kernel",
         [](Json &j) {
             j["stages"][0]["blocks"][0] = {
                 {"start_kernels", {0, 4}}, {"mid_kernels", {3}}, {"expansions", {2}}};
         },
         "/stages/0/blocks/0/start_kernels/1"},
        {"no depthwise for the stride", [](Json &j) { j["stages"][0]["blocks"][0] = {"a0_k0_e4"}; },
         "/stages/0/blocks/0/0"},
        {"an option that cannot be read",
         [](Json &j) { j["stages"][0]["blocks"][0] = {"a3-k0-e4"}; }, "/stages/0/blocks/0/0"},
        {"too few positions", [](Json &j) { j["stages"][0]["depths"] = {3}; }, "/stages/0/blocks"},
        {"a missing head", [](Json &j) { j["head"] = Json::array(); }, "/head"},
        {"an objective on no target", [](Json &j) { j["objectives"][0]["target"] = "pixel6-cpuu"; },
         "did you mean 'pixel6-cpu'"},
        {"a latency without target", [](Json &j) { j["objectives"][0].erase("target"); },
         "/objectives/0"},
        {"a capacity without sense", [](Json &j) { j["objectives"][2].erase("sense"); },
         "/objectives/2"},
        {"a maximised latency", [](Json &j) { j["objectives"][0]["sense"] = "maximise"; },
         "/objectives/0/sense"},
        {"an objective twice", [](Json &j) { j["objectives"].push_back(j["objectives"][0]); },
         "/objectives/3"},
        {"a constraint without bound",
         [](Json &j) {
             j["constraints"] = {{{"metric", "macs"}}};
         },
         "/constraints/0"},
        {"no objective", [](Json &j) { j["objectives"] = Json::array(); }, "/objectives"},
    };
    for (const auto &bad : cases) {
        Json json = tiny_json();
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
