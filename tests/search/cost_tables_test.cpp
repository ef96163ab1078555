#include "base/random.h"
#include "search/cost_tables.h"
#include "search/spatial_guard.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

Choices random_choices(const DesignSpace &space, Random &random) {
    Choices choices;
    for (const auto &axis : space.axes()) {
        choices.push_back(static_cast<int>(random.below(axis.values.size())));
    }
    return space.canonical(choices);
}

/// The value of a measure by building the network and asking the models.
double by_building(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                   const Measure &measure, const Choices &choices) {
    const Network network = space.network(choices);
    for (const auto &target : targets) {
        if (target.name == measure.target) {
            const Estimate e = estimate(*target.model, network, target.workload);
            EXPECT_TRUE(e.supported());
            switch (measure.metric) {
            case Metric::latency_ms: return milliseconds(e.total.latency);
            case Metric::energy_mj: return millijoules(e.total.energy);
            case Metric::frames_per_second: return 1 / e.total.latency.count();
            case Metric::peak_bytes: return static_cast<double>(e.peak.count());
            case Metric::macs:
            case Metric::params:
            case Metric::top1: break;
            }
        }
    }
    return static_cast<double>(measure.metric == Metric::macs ? macs(network).count()
                                                              : params(network).count());
}

/// uib_small with every measure on every kind of target, and no constraint.
DesignSpace everything_measured() {
    Json json = JsonReader::parse_file(data_directory() / "spaces" / "uib_small.json").value();
    json["activations"] = {"relu", "relu6"};
    json["targets"] = {"pixel6-cpu",
                       "pixel8-edgetpu",
                       "hexagon690",
                       {{"name", "host"}, {"precision", "fp32"}, {"threads", 2}}};
    json["constraints"] = Json::array();
    json["objectives"] = Json::array();
    for (const char *target : {"pixel6-cpu", "pixel8-edgetpu", "hexagon690", "host"}) {
        for (const char *metric : {"latency_ms", "energy_mj", "peak_bytes"}) {
            json["objectives"].push_back({{"metric", metric}, {"target", target}});
        }
    }
    json["objectives"].push_back({{"metric", "macs"}, {"sense", "maximise"}});
    json["objectives"].push_back({{"metric", "params"}, {"sense", "minimise"}});
    return space_of(json);
}

TEST(CostTables, equal_the_estimate_of_the_built_network) {
    const DesignSpace space = everything_measured();
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 2);
    Random random(11);
    for (int i = 0; i < 60; i++) {
        const Choices choices = random_choices(space, random);
        const Evaluation evaluation = tables.evaluate(choices);
        for (std::size_t o = 0; o < space.objectives.size(); o++) {
            const Measure &measure = space.objectives[o].measure;
            const double expected = by_building(space, targets, measure, choices);
            if (kind_of(measure.metric) == CostKind::counted) {
                EXPECT_EQ(evaluation.values[o], expected) << measure.name();
            } else {
                // Tables keep a picosecond and a picojoule.
                EXPECT_NEAR(evaluation.values[o], expected, 1e-8) << measure.name();
                EXPECT_GT(evaluation.values[o], 0) << measure.name();
            }
        }
    }
}

TEST(CostTables, sum_weights_as_the_device_stores_them) {
    // A layer that rpi4-cpu computes by Winograd's filtering, in a network beyond its cache.
    Json json = JsonReader::parse_file(data_directory() / "spaces" / "uib_small.json").value();
    json["stem"][2]["kernel"] = 3;
    json["widths"] = {4};
    json["targets"] = {"rpi4-cpu"};
    json["constraints"] = Json::array();
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", "rpi4-cpu"}},
                          {{"metric", "energy_mj"}, {"target", "rpi4-cpu"}}};
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 2);
    Random random(12);
    const Choices choices = random_choices(space, random);
    const Network network = space.network(choices);
    NetworkTotals plain = totals(*targets[0].model, network, targets[0].workload);
    const Cost stored = targets[0].model->network_cost(plain, targets[0].workload);
    plain.weights = {};
    for (const Node &node : network.nodes) {
        plain.weights += weight_bytes(node.layer);
    }
    EXPECT_GT(stored.energy, targets[0].model->network_cost(plain, targets[0].workload).energy);
    const Evaluation evaluation = tables.evaluate(choices);
    for (std::size_t o = 0; o < space.objectives.size(); o++) {
        EXPECT_NEAR(evaluation.values[o],
                    by_building(space, targets, space.objectives[o].measure, choices), 1e-8);
    }
}

TEST(CostTables, networks_that_only_swap_alike_blocks_cost_exactly_the_same) {
    const DesignSpace space = shipped_space("uib_small");
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    Random random(3);
    const std::size_t first = space.stage_axis(0) + 2;
    for (int i = 0; i < 100; i++) {
        Choices choices = random_choices(space, random);
        Choices swapped = choices;
        std::swap(swapped[first + 1], swapped[first + 3]);
        EXPECT_EQ(tables.evaluate(choices).values, tables.evaluate(swapped).values);
    }
}

TEST(CostTables, do_not_depend_on_the_number_of_threads) {
    const DesignSpace space = shipped_space("tiny");
    const auto targets = price_targets(space);
    const CostTables one(space, targets, 1), four(space, targets, 4);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        EXPECT_EQ(one.evaluate(space.at(i)).values, four.evaluate(space.at(i)).values);
    }
}

TEST(CostTables, a_space_too_large_for_memory_is_refused) {
    Json json = tiny_json();
    for (int i = 0; i < 1000; i++) {
        json["widths"].push_back(2 + 0.001 * i);
        json["resolutions"].push_back(200 + i);
    }
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    EXPECT_THROW(CostTables(space, targets, 1), UserError);
}

TEST(CostTables, a_constraint_refuses_exactly_the_networks_beyond_its_bound) {
    Json json = tiny_json();
    json["spatial_mixing"] = false;
    json["constraints"] = {
        {{"metric", "latency_ms"}, {"target", "pixel6-cpu"}, {"at_most", 0.8}},
        {{"metric", "frames_per_second"}, {"target", "pixel6-cpu"}, {"at_least", 2000}},
        {{"metric", "macs"}, {"at_most", 6e7}}};
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    int feasible = 0;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        const Evaluation e = tables.evaluate(space.at(i));
        const bool expected = e.values[0] <= 0.5 && e.values[2] <= 6e7;
        EXPECT_EQ(e.feasible(), expected);
        EXPECT_EQ(e.violation > 0, !expected);
        feasible += e.feasible();
    }
    EXPECT_GT(feasible, 0);
    EXPECT_LT(feasible, space.size());
}

TEST(CostTables, a_layer_the_target_lacks_makes_a_network_infeasible) {
    Json json = tiny_json();
    json["targets"] = {"pixel6-cpu", "coral-usb"};
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    bool seen[2] = {false, false};
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        const Choices choices = space.at(i);
        const Estimate e = estimate(*targets[1].model, space.network(choices), targets[1].workload);
        const Evaluation evaluation = tables.evaluate(choices);
        bool refused = false;
        for (const auto &broken : evaluation.broken) {
            refused = refused || broken.rule == 1;
        }
        EXPECT_EQ(refused, !e.supported());
        EXPECT_EQ(tables.refusal(choices, 1), e.supported() ? "" : e.unsupported.front());
        seen[e.supported() ? 1 : 0] = true;
    }
    EXPECT_TRUE(seen[0]) << "the test needs an activation coral-usb lacks";
    EXPECT_TRUE(seen[1]);
}

std::vector<BlockRange> ranges(const DesignSpace &space, const Choices &choices) {
    const Skeleton &skeleton = space.skeleton(space.contexts()[space.context_of(choices)]);
    int next = 0;
    for (const auto &block : skeleton.stem) {
        next += block.repeat;
    }
    const auto values = space.describe(choices);
    std::vector<BlockRange> stages;
    for (std::size_t s = 0; s < skeleton.stages.size(); s++) {
        stages.push_back({next, next});
        for (std::size_t p = 0; p < skeleton.stages[s].positions.size(); p++) {
            const std::string &option = values[space.stage_axis(s) + 2 + p];
            next += !option.empty() && option != no_block;
        }
        stages.back().end = next;
    }
    return stages;
}

TEST(SpatialGuard, refuses_exactly_the_networks_that_do_not_mix_space) {
    Json json = JsonReader::parse_file(data_directory() / "spaces" / "uib_small.json").value();
    json["constraints"] = Json::array();
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    Random random(5);
    int refused = 0;
    for (int i = 0; i < 2000; i++) {
        Choices choices = random_choices(space, random);
        if (i % 2 == 0) { // many blocks without any depthwise convolution, so that some are refused
            for (std::size_t s = 0; s < 2; s++) {
                for (std::size_t p = 1; p < 6; p++) {
                    choices[space.stage_axis(s) + 2 + p] = 0; // a0_k0_e2
                }
            }
            choices = space.canonical(choices);
        }
        const Network network = space.network(choices);
        const bool mixes =
            mixes_space(spatial_mixing(network), network.resolution, ranges(space, choices));
        EXPECT_EQ(tables.evaluate(choices).feasible(), mixes);
        refused += !mixes;
    }
    EXPECT_GT(refused, 100);
    EXPECT_LT(refused, 1900);
}

TEST(SpatialGuard, knows_the_receptive_field_of_a_chain) {
    const Zoo zoo;
    Family family = zoo.get("mobilenet_v4_conv_small");
    family.blocks = {conv(8).k(3).s(2), uib(8).start_dw(3).mid_dw(5).s(2).e(2),
                     uib(8).e(2),       conv(8).k(3),
                     global_pool(),     conv(8).k(1)};
    const SpatialMixing mixing = spatial_mixing(build(family, {1.0, 64}));
    // 3 at jump 1; then 3 and 5 at jump 2, 3 at jump 4.
    EXPECT_EQ(receptive_field(mixing), 1 + 2 + (2 + 4) * 2 + 2 * 4);
    EXPECT_EQ(mixing.mixing_layers, (std::vector<int>{1, 2, 0, 1, 0, 0}));
}

TEST(SpatialGuard, a_stage_of_ffn_blocks_alone_is_refused) {
    Json json = tiny_json();
    json["stages"] = Json::parse(R"([
        {"stride": 2, "channels": [32], "depths": [3],
         "blocks": [["a5_k5_e2"], ["a5_k5_e2"], ["a5_k5_e2"]]},
        {"stride": 1, "channels": [64], "depths": [2],
         "blocks": [["a0_k0_e4", "a0_k3_e4"], ["a0_k0_e4", "a3_k0_e4"]]}])");
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    int refused = 0;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        const Choices choices = space.at(i);
        if (space.contexts()[space.context_of(choices)].resolution > 96) {
            continue; // there the receptive field is too small as well
        }
        const std::size_t axis = space.stage_axis(1);
        const bool only_ffn = choices[axis + 2] == 0 && choices[axis + 3] == 0;
        const Evaluation e = tables.evaluate(choices);
        EXPECT_EQ(e.feasible(), !only_ffn);
        refused += only_ffn;
        if (only_ffn) {
            EXPECT_EQ(tables.rules()[e.broken.front().rule], "spatial mixing");
        }
    }
    EXPECT_GT(refused, 0);
    json["spatial_mixing"] = false;
    const DesignSpace unguarded = space_of(json);
    const CostTables open(unguarded, targets, 1);
    EXPECT_TRUE(open.evaluate(unguarded.at(0)).feasible());
}

} // namespace
} // namespace edgefront
