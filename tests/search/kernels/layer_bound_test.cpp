// The roofline of a layer on a machine with round numbers.
#include "search/kernels/layer_bound.h"
#include "tests/schedules/kernel_cases.h"

#include <gtest/gtest.h>

#include <tuple>

namespace edgefront {
namespace {

MachinePeak machine() {
    return {100e9,
            {{"L1", Bytes(10'000), Bytes(5'000), 200e9, 100e9},
             {"L2", Bytes(1'000'000), Bytes(500'000), 50e9, 80e9},
             {"DRAM", Bytes(0), Bytes(1 << 30), 10e9, 5e9}}};
}

TEST(LayerBound, ManyMultiplyAddsPerByteAreBoundByThePeak) {
    const Layer layer = dense_layer({14, 14, 96}, 1, 1, 576);
    const LayerBound bound = layer_bound(layer, machine());
    EXPECT_FALSE(bound.by_memory);
    EXPECT_DOUBLE_EQ(bound.time.count(), 2.0 * 14 * 14 * 96 * 576 / 100e9);
}

TEST(LayerBound, FewAreBoundByTheNearestLevelThatHoldsAllOperands) {
    for (const auto &[size, level, rate] :
         {std::tuple(4, "L1", 200e9), std::tuple(40, "L2", 80e9), std::tuple(400, "DRAM", 10e9)}) {
        const Layer layer = same_shape_layer(Op::elementwise, {size, size, 32});
        const LayerBound bound = layer_bound(layer, machine());
        EXPECT_TRUE(bound.by_memory);
        EXPECT_EQ(bound.level, level);
        EXPECT_DOUBLE_EQ(bound.time.count(), 2.0 * 4 * size * size * 32 / rate);
    }
}

TEST(LayerBound, ChainsMoveOnlyTheirBordersAndAllWeights) {
    const Layer expand = dense_layer({4, 4, 8}, 1, 1, 16),
                project = dense_layer({4, 4, 16}, 1, 1, 8);
    MachinePeak fast = machine();
    fast.flops = 1e15;
    const double bytes =
        4.0 * (4 * 4 * 8 + 4 * 4 * 8) +
        static_cast<double>((weight_bytes(expand) + weight_bytes(project)).count());
    EXPECT_DOUBLE_EQ(kernel_bound({expand, project}, fast).time.count(), bytes / 200e9);
    EXPECT_DOUBLE_EQ(kernel_bound({expand, project}, {1e6, machine().levels}).time.count(),
                     2.0 * 2 * 4 * 4 * 8 * 16 / 1e6);
}

TEST(LayerBound, NetworksSumTheirLayers) {
    Network network;
    network.nodes.resize(2);
    network.nodes[0].layer = dense_layer({14, 14, 96}, 1, 1, 576);
    network.nodes[1].layer = same_shape_layer(Op::elementwise, {14, 14, 576});
    EXPECT_EQ(layers_bound(network, machine()),
              layer_bound(network.nodes[0].layer, machine()).time +
                  layer_bound(network.nodes[1].layer, machine()).time);
}

} // namespace
} // namespace edgefront
