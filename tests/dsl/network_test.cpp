#include "base/error.h"
#include "dsl/memory_plan.h"
#include "dsl/zoo.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace edgefront {
namespace {

TEST(Network, counts_of_a_tiny_network_match_the_hand) {
    Family f;
    f.resolution = 16;
    f.classes = 10;
    f.blocks = {conv(8).k(3).s(2), inverted_bottleneck(8).e(2).squeeze_excite(), global_pool(),
                classifier()};
    const Network net = build(f);
    // conv 3x3x3x8 on 8x8; expand 8x16, dw 9x16, project 16x8 on 8x8; SE 16x8 and 8x16 on 1x1; 8x10
    EXPECT_EQ(macs(net).count(), 216 * 64 + 128 * 64 + 144 * 64 + 128 * 64 + 128 + 128 + 80);
    EXPECT_EQ(params(net).count(), (216 + 16) + (128 + 32) + (144 + 32) + (128 + 16) + (128 + 8) +
                                       (128 + 16) + (80 + 10));
    EXPECT_EQ(batch_norm_params(net).count(), 16 + 32 + 32 + 16);
    EXPECT_EQ(batch_norm_elements(net), 64 * (8 + 16 + 16 + 8));
}

TEST(Network, published_integers_are_reached_to_the_last_parameter) {
    const Zoo zoo;
    const auto count = [&](const char *name) {
        Variant v;
        v.classes = 1000;
        return params(build(zoo.get(name), v)).count();
    };
    // torchvision's weight metadata (num_params)
    EXPECT_EQ(count("mobilenet_v2"), 3504872);
    EXPECT_EQ(count("mobilenet_v3_large"), 5483032);
    EXPECT_EQ(count("mobilenet_v3_small"), 2542856);
    EXPECT_EQ(count("efficientnet_b0"), 5288548);
    EXPECT_EQ(count("efficientnet_b4"), 19341616);
    EXPECT_EQ(count("mnasnet_b1"), 4383312);
    EXPECT_EQ(count("resnet50"), 25557032);
    EXPECT_EQ(count("vgg16"), 138357544);
}

TEST(Network, the_precision_is_part_of_the_workload_key) {
    const Network net = Zoo().network("mobilenet_v1@0.25,128");
    const Layer a = net.nodes[1].layer;
    const Layer b = with_type(net, DataType::int8).nodes[1].layer;
    EXPECT_NE(key(a), key(b));
    EXPECT_EQ(weight_bytes(b).count(), weight_count(b).count() + 4 * b.output.channels);
}

TEST(Zoo, names_aliases_and_variants_resolve) {
    const Zoo zoo;
    EXPECT_EQ(zoo.network("mobilenetv2_100").name, "mobilenet_v2");
    EXPECT_EQ(zoo.network("mobilenet_v2@0.5").name, "mobilenet_v2@0.5");
    const Network net = zoo.network("mobilenet_v2@0.35,96");
    EXPECT_EQ(net.name, "mobilenet_v2@0.35,96");
    EXPECT_EQ(net.input, (Shape{96, 96, 3}));
    EXPECT_EQ(zoo.network((data_directory() / "networks/mobilenet_v2.json").string() + "@0.5").name,
              "mobilenet_v2@0.5");
}

TEST(Zoo, mistakes_in_a_name_are_explained) {
    const Zoo zoo;
    const auto error = [&](const std::string &text) -> std::string {
        try {
            zoo.network(text);
        } catch (const UserError &e) {
            return e.what();
        }
        return "";
    };
    EXPECT_NE(error("mobilnet_v2").find("did you mean 'mobilenet_v2'?"), std::string::npos);
    EXPECT_NE(error("mobilenet_v2@x").find("expected a width multiplier"), std::string::npos);
    EXPECT_NE(error("mobilenet_v2@1,").find("expected a resolution"), std::string::npos);
    EXPECT_NE(error("mobilenet_v2@1,96.5").find("a resolution is an integer"), std::string::npos);
    EXPECT_NE(error("no/such.json").find("no/such.json: cannot read"), std::string::npos);
}

TEST(MemoryPlan, the_peak_of_mobilenet_v2_is_its_first_expansion) {
    // 112x112x96 expanded beside its 112x112x16... the 32-channel input is gone by then:
    // 56x56x96 + 112x112x96 floats stand together at the strided depthwise.
    const Network net = Zoo().network("mobilenet_v2");
    const MemoryPlan plan = plan_memory(net);
    EXPECT_EQ(plan.peak.count(), 4 * (112 * 112 * 96 + 56 * 56 * 96));
    EXPECT_EQ(net.nodes[static_cast<std::size_t>(plan.peak_node)].name, "block2.dw");
}

TEST(MemoryPlan, a_chain_keeps_its_input_and_nothing_in_between) {
    const Network net = Zoo().network("mobilenet_v2");
    const auto named = [&](const std::string &name) {
        const auto at = std::find_if(net.nodes.begin(), net.nodes.end(),
                                     [&](const Node &node) { return node.name == name; });
        return static_cast<int>(at - net.nodes.begin());
    };
    const int first = named("block2.expand"), last = named("block2.project");
    const MemoryPlan plain = plan_memory(net);
    const MemoryPlan plan = plan_memory(net, false, {{first, first + 1, last}});
    EXPECT_LT(plan.peak, plain.peak);
    const auto live = [&](int node) { return plan.live[static_cast<std::size_t>(node)].count(); };
    for (int node = first; node <= last; node++) { // its input and its output
        EXPECT_EQ(live(node), 4 * (112 * 112 * 16 + 56 * 56 * 24));
    }
    EXPECT_EQ(live(last + 1), plain.live[static_cast<std::size_t>(last) + 1].count());
}

TEST(MemoryPlan, a_residual_keeps_the_block_input_alive) {
    Family f;
    f.resolution = 16;
    f.blocks = {conv(8).k(1), inverted_bottleneck(8).e(1)};
    const Network net = build(f);
    ASSERT_TRUE(net.nodes.back().layer.residual);
    EXPECT_EQ(plan_memory(net).peak.count(), 4 * 16 * 16 * 8 * 3);
}

} // namespace
} // namespace edgefront
