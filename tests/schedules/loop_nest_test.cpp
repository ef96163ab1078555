#include "base/random.h"
#include "schedules/loop_nest.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

Layer pointwise(Shape input, int channels) {
    Layer layer;
    layer.input = input;
    layer.output = {input.height, input.width, channels};
    layer.bias = true;
    return layer;
}

Layer depthwise(Shape input, int kernel) {
    Layer layer;
    layer.op = Op::depthwise_conv2d;
    layer.input = layer.output = input;
    layer.kernel = kernel;
    layer.pad_top = layer.pad_left = (kernel - 1) / 2;
    return layer;
}

Layer of_op(Op op) {
    Layer layer = op == Op::depthwise_conv2d ? depthwise({9, 7, 20}, 3) : pointwise({9, 7, 20}, 12);
    layer.op = op;
    switch (op) {
    case Op::conv2d:
    case Op::depthwise_conv2d: break;
    case Op::fully_connected:
        layer.input = {1, 1, 20};
        layer.output = {1, 1, 12};
        break;
    case Op::global_average_pool:
        layer.output = {1, 1, 20};
        layer.bias = false;
        break;
    case Op::average_pool:
    case Op::elementwise:
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax:
    case Op::attention_scores:
    case Op::attention_context:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold:
    case Op::resize_bilinear:
    case Op::channel_scale:
    case Op::max_pool:
        layer.output = layer.input;
        layer.bias = false;
        break;
    }
    return layer;
}

TEST(LoopNest, CountsATinyPointwiseLayerAsDoneByHand) {
    // 6 pixels of 4 channels to 5: tiles of 2 x 2 channels and 2 pixels pad 5 to 8 and 3 to 4.
    Schedule s;
    s.lanes = 2;
    s.vectors = 2;
    s.pixels = 2;
    const LoopNest nest = analyse(pointwise({2, 3, 4}, 5), s);
    EXPECT_EQ(nest.macs.count(), 6 * 4 * 5);
    EXPECT_EQ(nest.issued.count(), 2 * 4 * 4 * 8);
    EXPECT_DOUBLE_EQ(nest.lane_use, 120.0 / 256.0);
    EXPECT_EQ(nest.input.footprint.count(), 6 * 4 * 4);
    EXPECT_EQ(nest.input.reads.count(), 2 * (8 * 4 * 4)); // every pixel once for each channel tile
    EXPECT_EQ(nest.weights.footprint.count(), (4 * 5 + 5) * 4);
    EXPECT_EQ(nest.weights.reads.count(), 4 * (4 * 8 + 5) * 4); // everything for each pixel tile
    EXPECT_EQ(nest.output.writes.count(), 6 * 5 * 4);
    EXPECT_EQ(nest.output.reads.count(), 0);
    EXPECT_EQ(nest.residual.reads.count(), 0);
    EXPECT_EQ(nest.elementwise, 0);
}

TEST(LoopNest, DepthwiseTilesShareTheirWindows) {
    Schedule s;
    s.lanes = 4;
    s.pixels = 4;
    s.rows = 2;
    s.order = LoopOrder::channels_outer;
    const Layer layer = depthwise({8, 8, 8}, 3);
    const LoopNest nest = analyse(layer, s);
    EXPECT_EQ(nest.macs, nest.issued);
    EXPECT_EQ(nest.input.reads.count(), 8 * (6 * 4) * 8 * 4); // 8 tiles of 6 x 4 inputs
    EXPECT_EQ(nest.weights.reads.count(), 9 * 8 * 4);         // stay in registers
    s.order = LoopOrder::pixels_outer;
    EXPECT_EQ(analyse(layer, s).weights.reads.count(), 8 * 9 * 8 * 4);
}

TEST(LoopNest, ResidualAndActivationAreElementwise) {
    Layer layer = pointwise({2, 2, 8}, 8);
    layer.residual = true;
    layer.activation = Activation::relu6;
    const LoopNest nest = analyse(layer, {});
    EXPECT_EQ(nest.elementwise, 2 * 2 * 2 * 8);
    EXPECT_EQ(nest.residual.footprint.count(), 2 * 2 * 8 * 4);
    EXPECT_EQ(nest.input.footprint.count(), 2 * 2 * 8 * 4);
}

TEST(LoopNest, AWiderTileNeverReadsMoreThanItsPaddingExplains) {
    const Layer layer = pointwise({14, 14, 96}, 576);
    Schedule narrow, wide;
    narrow.lanes = wide.lanes = 16;
    wide.vectors = 2;
    wide.pixels = 7;
    EXPECT_LT(analyse(layer, wide).traffic().count(), analyse(layer, narrow).traffic().count());
}

TEST(LoopNest, HoldsItsInvariantsForEveryOpTypeAndSchedule) {
    Random random(3);
    for (const Op op : {Op::conv2d, Op::depthwise_conv2d, Op::fully_connected,
                        Op::global_average_pool, Op::channel_scale}) {
        for (const DataType type : {DataType::fp32, DataType::fp16, DataType::int8}) {
            Layer layer = of_op(op);
            layer.type = type;
            layer.activation = Activation::relu;
            const std::int64_t expected = macs(layer).count();
            for (int i = 0; i < 200; i++) {
                const auto value = [&] { return 1 + static_cast<int>(random.below(40)); };
                const Schedule s{value(),
                                 value(),
                                 value(),
                                 value(),
                                 value(),
                                 static_cast<LoopOrder>(random.below(2)),
                                 static_cast<ParallelOver>(random.below(3))};
                const LoopNest nest = analyse(layer, s);
                SCOPED_TRACE(key(layer) + " " + to_string(s));
                EXPECT_EQ(nest.macs.count(), expected);
                EXPECT_GE(nest.issued.count(), expected);
                EXPECT_GT(nest.lane_use, 0);
                EXPECT_LE(nest.lane_use, 1);
                EXPECT_GE(nest.weights.reads.count(), nest.weights.footprint.count());
                EXPECT_EQ(nest.output.writes, output_bytes(layer));
                EXPECT_EQ(nest.input.footprint + nest.residual.footprint, input_bytes(layer));
                EXPECT_GE(nest.input.reads.count(), nest.input.footprint.count());
                EXPECT_GT(nest.elementwise, 0);
            }
        }
    }
}

} // namespace
} // namespace edgefront
