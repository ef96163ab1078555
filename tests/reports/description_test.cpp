#include "dsl/zoo.h"
#include "reports/description.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace edgefront {
namespace {

const Grouping all_groupings[] = {Grouping::layer, Grouping::block, Grouping::stage, Grouping::op};

Family tiny() {
    Family f;
    f.name = "tiny";
    f.resolution = 32;
    f.classes = 10;
    f.blocks = {conv(8).k(3).s(2), inverted_bottleneck(8).e(2).squeeze_excite(),
                inverted_bottleneck(16).k(5).s(2).e(2).n(2), global_pool(), classifier()};
    return f;
}

std::vector<std::string> names(const std::vector<LayerGroup> &groups) {
    std::vector<std::string> result;
    for (const auto &group : groups) {
        result.push_back(group.name);
    }
    return result;
}

TEST(Description, totals_are_the_same_over_every_grouping_of_every_zoo_network) {
    const Zoo zoo;
    for (const auto &[name, family] : zoo.families()) {
        const Network net = build(family);
        for (const Grouping grouping : all_groupings) {
            const Description d = describe(net, grouping);
            Counts sum;
            std::set<int> seen;
            for (const auto &group : d.groups) {
                sum.macs += group.counts.macs;
                sum.flops += group.counts.flops;
                sum.params += group.counts.params;
                sum.moved += group.counts.moved;
                sum.peak = std::max(sum.peak, group.counts.peak);
                seen.insert(group.nodes.begin(), group.nodes.end());
            }
            EXPECT_EQ(seen.size(), net.nodes.size()) << name;
            EXPECT_EQ(sum.macs, macs(net)) << name;
            EXPECT_EQ(sum.params, params(net)) << name;
            EXPECT_EQ(sum.flops, d.total.flops) << name;
            EXPECT_EQ(sum.moved, d.total.moved) << name;
            EXPECT_EQ(sum.peak, d.total.peak) << name;
            EXPECT_GE(d.total.flops.count(), 2 * d.total.macs.count()) << name;
        }
    }
}

TEST(Description, a_stage_is_a_run_of_blocks_between_two_changes_of_resolution) {
    const Description d = describe(build(tiny()), Grouping::stage);
    EXPECT_EQ(names(d.groups), (std::vector<std::string>{"stage0", "stage1", "stage2"}));
    const Table table = description_table(d, Counting::macs);
    EXPECT_EQ(table.rows[0][1], "block0 to block1"); // 16x16
    EXPECT_EQ(table.rows[1][1], "block2 to block3"); // 8x8: the stride is the stage's first
    EXPECT_EQ(table.rows[2][1], "block4 to block5"); // 1x1
    EXPECT_EQ(table.rows[1][3], "16x16x8");
    EXPECT_EQ(table.rows[1][4], "8x8x16");
}

TEST(Description, squeeze_excite_does_not_split_a_stage) {
    const Network net = build(tiny());
    const Description d = describe(net, Grouping::stage);
    // conv, and expand, dw, pool, reduce, expand, scale, project
    EXPECT_EQ(d.groups[0].nodes.size(), 8u);
}

TEST(Description, rows_by_op_tell_kernels_apart) {
    const Description d = describe(build(tiny()), Grouping::op);
    std::vector<std::string> rows;
    for (const auto &row : description_table(d, Counting::macs).rows) {
        rows.push_back(row[0].get<std::string>() + " " + row[1].dump());
    }
    EXPECT_EQ(rows, (std::vector<std::string>{"conv2d 3", "conv2d 1", "depthwise_conv2d 3",
                                              "global_average_pool 1", "channel_scale 1",
                                              "depthwise_conv2d 5", "fully_connected 1"}));
}

TEST(Description, intensity_is_work_per_byte_of_inputs_weights_and_output) {
    Family f;
    f.resolution = 16;
    f.blocks = {conv(8).k(1)};
    const Network net = build(f);
    const Counts fp32 = describe(net).total;
    const double products = 16 * 16 * 3 * 8;
    // 3 channels in, 8 out, 24 weights, 8 biases; products, bias and relu
    EXPECT_EQ(fp32.moved.count(), 4 * (256 * 3 + 256 * 8 + 24 + 8));
    EXPECT_DOUBLE_EQ(fp32.intensity(Counting::macs), products / (4 * (256 * 11 + 32)));
    EXPECT_DOUBLE_EQ(fp32.intensity(Counting::flops),
                     (2 * products + 2 * 256 * 8) / (4 * (256 * 11 + 32)));
    const Counts int8 = describe(with_type(net, DataType::int8)).total;
    EXPECT_EQ(int8.moved.count(), 256 * 11 + 24 + 4 * 8) << "biases stay 32 bits wide";
    EXPECT_EQ(int8.flops, fp32.flops);
}

TEST(Description, the_peak_of_a_group_is_the_largest_of_its_layers) {
    const Description d = describe(Zoo().network("mobilenet_v2"), Grouping::stage);
    for (const auto &group : d.groups) {
        Bytes largest;
        for (const int node : group.nodes) {
            largest = std::max(largest, d.layers[static_cast<std::size_t>(node)].counts.peak);
        }
        EXPECT_EQ(group.counts.peak, largest) << group.name;
        EXPECT_NE(std::find(group.nodes.begin(), group.nodes.end(), group.counts.peak_node),
                  group.nodes.end())
            << group.name;
    }
    EXPECT_EQ(d.network.nodes[static_cast<std::size_t>(d.total.peak_node)].name, "block2.dw");
}

TEST(Description, json_keeps_its_layers_whatever_the_rows_are) {
    const Network net = build(tiny());
    for (const Grouping grouping : all_groupings) {
        const Json json = description_json(describe(net, grouping));
        ASSERT_EQ(json.at("layers").size(), net.nodes.size());
        for (const char *key : {"name", "width", "resolution", "macs", "params", "flops",
                                "peak_activation_bytes", "peak_layer", "macs_per_byte"}) {
            EXPECT_TRUE(json.contains(key)) << key;
        }
        EXPECT_EQ(json.contains("groups"), grouping != Grouping::layer);
    }
    const Json scale = description_json(describe(net)).at("layers").at(6);
    EXPECT_EQ(scale.at("name"), "block1.se.scale");
    EXPECT_EQ(scale.at("others"), (Json{{1, 1, 16}}));
    EXPECT_EQ(scale.at("inputs"), (Json{"block1.dw", "block1.se.expand"}));
}

} // namespace
} // namespace edgefront
