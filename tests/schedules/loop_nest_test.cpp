#include "base/random.h"
#include "schedules/loop_nest.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

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

/// A small legal layer; attention has 3 heads of 4 channels, 5 keys or values and 2 rows.
Layer of_op(Op op) {
    Layer layer;
    layer.op = op;
    layer.input = layer.output = {9, 7, 20};
    switch (op) {
    case Op::conv2d: return pointwise({9, 7, 20}, 12);
    case Op::depthwise_conv2d: return depthwise({9, 7, 20}, 3);
    case Op::fully_connected:
        layer.input = {1, 1, 20};
        layer.output = {1, 1, 12};
        layer.bias = true;
        break;
    case Op::global_average_pool: layer.output = {1, 1, 20}; break;
    case Op::channel_scale: layer.others = {{1, 1, 20}}; break;
    case Op::max_pool:
    case Op::average_pool:
        layer.kernel = 3;
        layer.pad_top = layer.pad_left = 1;
        break;
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm: layer.bias = true; break;
    case Op::softmax:
    case Op::channel_shuffle: layer.groups = 4; break;
    case Op::attention_scores:
        layer.groups = 3;
        layer.input = {2, 7, 12};
        layer.others = {{2, 5, 12}};
        layer.output = {2, 7, 15};
        break;
    case Op::attention_context:
        layer.groups = 3;
        layer.input = {2, 7, 15};
        layer.others = {{2, 5, 4}};
        layer.output = {2, 7, 12};
        break;
    case Op::concat:
        layer.others = {{9, 7, 8}, {9, 7, 1}};
        layer.output.channels = 29;
        break;
    case Op::slice:
        layer.first_channel = 3;
        layer.output.channels = 8;
        break;
    case Op::reshape: layer.output = {1, 63, 20}; break;
    case Op::unfold:
        layer.kernel = 2;
        layer.input = {4, 6, 20};
        layer.output = {4, 6, 20};
        break;
    case Op::fold:
        layer.kernel = 2;
        layer.input = {4, 6, 20};
        layer.output = {6, 4, 20};
        break;
    case Op::resize_bilinear: layer.output = {18, 14, 20}; break;
    case Op::elementwise: break;
    }
    return layer;
}

std::vector<Op> all_ops() {
    std::vector<Op> ops;
    for (std::size_t i = 0; i < op_names().size(); i++) {
        ops.push_back(static_cast<Op>(i));
    }
    return ops;
}

/// Knobs up to `most`, any order.
Schedule random_schedule(Random &random, int most) {
    const auto value = [&] { return 1 + static_cast<int>(random.below(most)); };
    return {value(),
            value(),
            value(),
            value(),
            value(),
            static_cast<LoopOrder>(random.below(2)),
            static_cast<ParallelOver>(random.below(3))};
}

/// A dense layer's tile loops run one by one, as loop_nest.h describes them; in elements.
struct Walked {
    std::int64_t issued = 0;
    std::int64_t input = 0;
    std::int64_t weights = 0; ///< keys or values in attention
};

Walked walk(const Layer &l, const Schedule &s, int depth) {
    const bool attention = l.op != Op::conv2d;
    const bool straight = depth <= s.unroll;
    const int width = s.lanes * s.vectors;
    Walked w;
    std::tuple<int, int, int> held_weights{-1, 0, 0}, held_input{-1, 0, 0};
    const auto tile = [&](int part, int channel, int row, int column) {
        w.issued += std::int64_t{1} * width * s.pixels * s.rows * depth;
        const std::tuple<int, int, int> input{part, row, column};
        if (!straight || s.order != LoopOrder::pixels_outer || input != held_input) {
            w.input += std::int64_t{1} * s.pixels * s.rows * depth;
        }
        const std::tuple<int, int, int> weights{part, channel, attention ? row : 0};
        if (!straight || s.order != LoopOrder::channels_outer || weights != held_weights) {
            w.weights += std::int64_t{1} * width * depth * (attention ? s.rows : 1);
        }
        held_input = input;
        held_weights = weights;
    };
    const auto channels = [&](const auto &body) {
        for (int part = 0; part < l.groups; part++) {
            for (int c = 0; c < l.output.channels / l.groups; c += width) {
                body(part, c);
            }
        }
    };
    const auto pixels = [&](const auto &body) {
        for (int y = 0; y < l.output.height; y += s.rows) {
            for (int x = 0; x < l.output.width; x += s.pixels) {
                body(y, x);
            }
        }
    };
    if (s.order == LoopOrder::channels_outer) {
        channels([&](int part, int c) { pixels([&](int y, int x) { tile(part, c, y, x); }); });
    } else {
        pixels([&](int y, int x) { channels([&](int part, int c) { tile(part, c, y, x); }); });
    }
    return w;
}

TEST(LoopNest, CountsGroupsAndAttentionAsWalkingTheTilesDoes) {
    Random random(11);
    Layer grouped = pointwise({9, 7, 20}, 12);
    grouped.groups = 4;
    grouped.bias = false;
    const std::vector<std::pair<Layer, int>> layers = {
        {of_op(Op::attention_scores), 4}, {of_op(Op::attention_context), 5}, {grouped, 5}};
    for (const auto &[layer, depth] : layers) {
        ASSERT_EQ(shape_problem(layer), "");
        EXPECT_EQ(macs(layer).count(), layer.output.elements() * depth);
        for (int i = 0; i < 500; i++) {
            const Schedule s = random_schedule(random, 9);
            SCOPED_TRACE(key(layer) + " " + to_string(s));
            const LoopNest nest = analyse(layer, s);
            const Walked w = walk(layer, s, depth);
            ASSERT_EQ(nest.issued.count(), w.issued);
            const bool conv = layer.op == Op::conv2d;
            ASSERT_EQ(nest.input.reads.count(), 4 * (w.input + (conv ? 0 : w.weights)));
            ASSERT_EQ(nest.weights.reads.count(), conv ? 4 * w.weights : 0);
        }
    }
}

TEST(LoopNest, DilatedWindowsOfATileShareTheColumnsTheyHaveInCommon) {
    for (const int dilation : {1, 2, 3, 6}) {
        for (int pixels = 1; pixels <= 8; pixels++) {
            Layer layer = depthwise({1, 8, 1}, 3);
            layer.dilation = dilation;
            layer.pad_left = dilation;
            Schedule s;
            s.pixels = pixels;
            std::set<int> columns;
            for (int x = 0; x < pixels; x++) {
                for (int tap = 0; tap < 3; tap++) {
                    columns.insert(x + tap * dilation);
                }
            }
            const auto tiles = static_cast<std::int64_t>((8 + pixels - 1) / pixels);
            EXPECT_EQ(analyse(layer, s).input.reads.count(),
                      4 * tiles * static_cast<std::int64_t>(columns.size()) * 3)
                << dilation << " " << pixels;
        }
    }
}

TEST(LoopNest, CountsElementOperationsPerOutput) {
    // Per output: taps of a window, passes of a norm, pixels of a bilinear value, one product.
    const std::vector<std::pair<Op, int>> operations = {{Op::average_pool, 9},
                                                        {Op::max_pool, 9},
                                                        {Op::layer_norm, 3},
                                                        {Op::group_norm, 3},
                                                        {Op::softmax, 3},
                                                        {Op::affine, 1},
                                                        {Op::channel_scale, 1},
                                                        {Op::resize_bilinear, 4},
                                                        {Op::attention_scores, 1},
                                                        {Op::concat, 0},
                                                        {Op::slice, 0},
                                                        {Op::channel_shuffle, 0},
                                                        {Op::unfold, 0},
                                                        {Op::fold, 0},
                                                        {Op::elementwise, 0},
                                                        {Op::reshape, 0},
                                                        {Op::attention_context, 0}};
    for (const auto &[op, each] : operations) {
        Layer layer = of_op(op);
        const std::int64_t outputs = layer.output.elements();
        EXPECT_EQ(analyse(layer, Schedule()).elementwise, each * outputs) << to_string(op);
        layer.residual = true;
        layer.activation = Activation::swish;
        EXPECT_EQ(analyse(layer, Schedule()).elementwise, (each + 2) * outputs) << to_string(op);
    }
}

TEST(LoopNest, CountsTheBytesOfMovedDataOnce) {
    const auto nest = [](Op op) { return analyse(of_op(op), Schedule()); };
    EXPECT_EQ(nest(Op::concat).traffic(), nest(Op::concat).footprint());
    EXPECT_EQ(nest(Op::concat).footprint().count(), 2 * 9 * 7 * 29 * 4);
    EXPECT_EQ(nest(Op::slice).footprint().count(), 2 * 9 * 7 * 8 * 4);
    EXPECT_EQ(nest(Op::channel_shuffle).traffic().count(), 2 * 9 * 7 * 20 * 4);
    EXPECT_EQ(nest(Op::layer_norm).input.reads.count(), 3 * 9 * 7 * 20 * 4);
}

TEST(LoopNest, AReshapeMovesNothingUnlessItHasAnEpilogue) {
    Layer layer = of_op(Op::reshape);
    EXPECT_EQ(analyse(layer, Schedule()).footprint().count(), 0);
    EXPECT_EQ(analyse(layer, Schedule()).traffic().count(), 0);
    layer.activation = Activation::relu;
    EXPECT_EQ(analyse(layer, Schedule()).traffic().count(), 2 * 63 * 20 * 4);
}

TEST(LoopNest, AGatePerRowIsReadForEveryRow) {
    Layer layer = of_op(Op::channel_scale);
    layer.others = {{9, 1, 20}};
    Schedule s;
    s.pixels = 3; // 3 tiles in each of 9 rows
    const std::int64_t data = 9 * 7 * 20;
    EXPECT_EQ(analyse(layer, s).input.reads.count(), 4 * (data + 9 * 20 * 3));
    s.order = LoopOrder::channels_outer;
    EXPECT_EQ(analyse(layer, s).input.reads.count(), 4 * (data + 9 * 20));
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
    EXPECT_EQ(nest.registers.count(), 256 * 4 * 4); // four floats for each that is issued
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
    const LoopNest nest = analyse(layer, Schedule());
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
    for (const Op op : all_ops()) {
        for (const DataType type : {DataType::fp32, DataType::fp16, DataType::int8}) {
            Layer layer = of_op(op);
            layer.type = type;
            layer.activation = Activation::relu;
            ASSERT_EQ(shape_problem(layer), "") << key(layer);
            const std::int64_t expected = macs(layer).count();
            for (int i = 0; i < 200; i++) {
                const Schedule s = random_schedule(random, 40);
                const LoopNest nest = analyse(layer, s);
                SCOPED_TRACE(key(layer) + " " + to_string(s));
                EXPECT_EQ(nest.macs.count(), expected);
                EXPECT_GE(nest.issued.count(), expected);
                EXPECT_EQ(nest.registers.count(), 4 * nest.issued.count() * size_of(type));
                EXPECT_GT(nest.lane_use, 0);
                EXPECT_LE(nest.lane_use, 1);
                EXPECT_GE(nest.weights.reads.count(), nest.weights.footprint.count());
                EXPECT_EQ(nest.output.writes, output_bytes(layer));
                EXPECT_EQ(nest.input.footprint + nest.residual.footprint,
                          op == Op::slice ? output_bytes(layer) : input_bytes(layer));
                EXPECT_GE(nest.input.reads.count(), nest.input.footprint.count());
                EXPECT_GT(nest.elementwise, 0);
            }
        }
    }
}

} // namespace
} // namespace edgefront
