#include "base/error.h"
#include "dsl/zoo.h"
#include "schedules/kernel_shape.h"
#include "schedules/schedule_space.h"
#include "tests/schedules/kernel_cases.h"

#include <gtest/gtest.h>

#include <map>

namespace edgefront {
namespace {

const std::vector<IsaInfo> &machines() {
    static const std::vector<IsaInfo> isas = {{16, 32}, {8, 16}, {4, 16}, {4, 32}, {4, 8}};
    return isas;
}

/// A core that starts two multiply-adds and four instructions per cycle, in any order.
CoreInfo large_core() {
    CoreInfo core;
    core.issue = 4;
    return core;
}

/// One of either per cycle, two instructions at most, in the order of the program.
CoreInfo small_core() {
    CoreInfo core;
    core.multiplies = core.loads = 1;
    core.issue = 2;
    core.in_order = true;
    core.l1_bytes = 32 * 1024;
    return core;
}

/// Every distinct layer of the zoo, at widths that leave channels odd and maps small.
std::map<std::string, Layer> zoo_layers() {
    std::map<std::string, Layer> layers;
    const Zoo zoo;
    for (const auto &[name, family] : zoo.families()) {
        for (const char *variant : {"", "@0.35,96", "@1.4,384"}) {
            Network network;
            try {
                network = zoo.network(name + variant);
            } catch (const UserError &) {
                continue; // families whose width is fixed
            }
            for (const Node &node : network.nodes) {
                layers.emplace(key(node.layer), node.layer);
            }
        }
    }
    return layers;
}

TEST(ScheduleSpace, HoldsTheDefaultOfEveryLayerOfTheZooOnEveryMachine) {
    const std::map<std::string, Layer> layers = zoo_layers();
    ASSERT_GT(layers.size(), 100u);
    for (const auto &[name, layer] : layers) {
        for (const IsaInfo &isa : machines()) {
            const ScheduleSpace space = schedule_space(layer, isa);
            for (const int threads : {1, 4}) {
                const Schedule s = default_schedule(layer, isa, threads);
                EXPECT_TRUE(space.contains(s)) << name << " " << to_string(s);
                EXPECT_LT(sums_held(layer, s, isa) + s.vectors + 1, isa.registers);
            }
            EXPECT_EQ(default_schedule(layer, isa).parallel, ParallelOver::none);
            for (const CoreInfo &core : {large_core(), small_core()}) {
                const Schedule s = default_schedule(layer, isa, 2, core);
                EXPECT_TRUE(space.contains(s)) << name << " " << to_string(s);
            }
        }
    }
}

TEST(ScheduleSpace, HoldsADefaultForEveryOperatorAndOddSizes) {
    std::vector<Layer> layers;
    for (const Shape &shape :
         {Shape{1, 1, 1}, Shape{1, 49, 3}, Shape{7, 5, 45}, Shape{4, 256, 6}}) {
        for (const Op op : {Op::elementwise, Op::affine, Op::layer_norm, Op::group_norm,
                            Op::softmax, Op::reshape, Op::resize_bilinear, Op::channel_shuffle}) {
            layers.push_back(same_shape_layer(op, shape));
        }
        layers.push_back(concat_layer({shape, shape, shape}));
        layers.push_back(slice_layer(shape, 0, 1));
        layers.push_back(unfold_layer({6 * shape.height, 3, shape.channels}, 3));
        layers.push_back(fold_layer({2, 2 * shape.width, shape.channels}, 2));
        layers.push_back(average_pool_layer(shape, 3, 1));
        layers.push_back(from_pixel_one(dense_layer(shape, 1, 2, 5)));
        for (const bool shared : {false, true}) {
            const AttentionShape s{shape.height, shape.width, 7, 3, shape.channels, shared};
            layers.push_back(scores_layer(s));
            layers.push_back(context_layer(s));
        }
    }
    layers.push_back(scores_layer({1, 9, 4096, 1, 4096})); // keys beyond the stack
    layers.push_back(max_pool_layer({64, 64, 8}, 31, 1));
    for (const Layer &layer : layers) {
        ASSERT_EQ(shape_problem(layer), "") << key(layer);
        for (const IsaInfo &isa : machines()) {
            const ScheduleSpace space = schedule_space(layer, isa);
            for (const int threads : {1, 4}) {
                const Schedule s = default_schedule(layer, isa, threads);
                ASSERT_TRUE(space.contains(s)) << key(layer) << " " << to_string(s);
            }
            const Schedule s = default_schedule(layer, isa, 2, small_core());
            ASSERT_TRUE(space.contains(s)) << key(layer) << " " << to_string(s);
        }
    }
}

constexpr IsaInfo neon = {4, 32};

TEST(DefaultSchedule, CountsEveryInstructionOfANarrowCore) {
    const Layer pointwise = dense_layer({14, 14, 96}, 1, 1, 576);
    EXPECT_EQ(default_schedule(pointwise, neon).unroll, 1); // measured: no faster on x86
    EXPECT_EQ(default_schedule(pointwise, neon, 1, large_core()).unroll, 4);
    EXPECT_EQ(default_schedule(pointwise, neon, 1, small_core()).unroll, 4);
}

TEST(DefaultSchedule, TilesOfWindowsFitTheMapOfANarrowCore) {
    for (const int width : {7, 10, 14, 28, 56}) {
        for (const int kernel : {3, 5}) {
            const Layer layer = depthwise_layer({width, width, 96}, kernel, 1);
            for (const CoreInfo &core : {large_core(), small_core()}) {
                const Schedule s = default_schedule(layer, neon, 1, core);
                EXPECT_EQ(width % s.pixels, 0) << to_string(s);
                EXPECT_GE(s.pixels, 7) << to_string(s);
            }
        }
    }
}

TEST(DefaultSchedule, HoldsMoreSumsWhereACoreWaitsForItsLoads) {
    for (const int channels : {32, 96, 144}) {
        const Layer layer = dense_layer({28, 28, channels}, 1, 1, 32);
        const Schedule large = default_schedule(layer, neon, 1, large_core());
        const Schedule small = default_schedule(layer, neon, 1, small_core());
        EXPECT_GE(sums_held(layer, small, neon), 18) << to_string(small);
        EXPECT_GT(sums_held(layer, small, neon), sums_held(layer, large, neon));
        EXPECT_LT(estimated_cycles(layer, small, neon, small_core()),
                  estimated_cycles(layer, large, neon, small_core()));
        EXPECT_LT(estimated_cycles(layer, large, neon, large_core()),
                  estimated_cycles(layer, small, neon, large_core()));
    }
}

TEST(DefaultSchedule, KeepsRowsOfAWindowThatTheFirstCacheHolds) {
    const Layer layer = depthwise_layer({56, 56, 72}, 3, 1); // rows of 48 KB
    CoreInfo core = large_core();
    EXPECT_EQ(default_schedule(layer, neon, 1, core).order, LoopOrder::pixels_outer);
    core.l1_bytes = 32 * 1024;
    EXPECT_EQ(default_schedule(layer, neon, 1, core).order, LoopOrder::channels_outer);
}

TEST(KernelShape, SeesElementsInLongRowsAndSinglePixelsInSeveralRows) {
    EXPECT_EQ(kernel_shape(same_shape_layer(Op::elementwise, {7, 9, 5})).output, (Shape{7, 1, 45}));
    EXPECT_EQ(kernel_shape(same_shape_layer(Op::elementwise, {1, 49, 3})).output,
              (Shape{7, 1, 21}));
    EXPECT_EQ(kernel_shape(same_shape_layer(Op::layer_norm, {1, 256, 3})).output,
              (Shape{16, 16, 3}));
    EXPECT_EQ(kernel_shape(same_shape_layer(Op::layer_norm, {1, 17, 3})).output, (Shape{1, 17, 3}));
    EXPECT_EQ(kernel_shape(same_shape_layer(Op::group_norm, {1, 256, 3})).output,
              (Shape{1, 256, 3}));
    const Layer rows = kernel_shape(concat_layer({{4, 5, 7}, {2, 5, 7}}, true));
    EXPECT_EQ(rows.input, (Shape{4, 1, 35}));
    EXPECT_EQ(rows.others[0], (Shape{2, 1, 35}));
    EXPECT_EQ(rows.output, (Shape{6, 1, 35}));
    const Layer reshaped = kernel_shape(moving_layer(Op::reshape, {2, 3, 6}, {1, 1, 36}));
    EXPECT_EQ(reshaped.input, reshaped.output);
    EXPECT_EQ(shape_problem(reshaped), "");
}

TEST(ScheduleSpace, DrawsMembersOnlyAndTheSameForTheSameSeed) {
    Layer layer;
    layer.input = {14, 14, 24};
    layer.output = {14, 14, 40};
    const ScheduleSpace space = schedule_space(layer, {16, 32});
    EXPECT_GT(space.all().size(), 1000u);
    Random a(5), b(5);
    for (int i = 0; i < 50; i++) {
        const Schedule s = space.draw(a);
        EXPECT_TRUE(space.contains(s)) << to_string(s);
        EXPECT_EQ(s, space.draw(b));
    }
}

TEST(ScheduleSpace, LeavesOutWhatDoesNotFit) {
    Layer layer;
    layer.input = {14, 14, 24};
    layer.output = {14, 14, 40};
    const ScheduleSpace space = schedule_space(layer, {8, 16});
    Schedule s = default_schedule(layer, {8, 16});
    ASSERT_TRUE(space.contains(s));
    s.vectors = 3;
    s.pixels = 7; // 21 sums in 16 registers
    EXPECT_FALSE(space.contains(s));
    s = default_schedule(layer, {8, 16});
    s.lanes = 16;
    EXPECT_FALSE(space.contains(s));
    s = default_schedule(layer, {8, 16});
    s.unroll = 5;
    EXPECT_FALSE(space.contains(s));
}

TEST(ScheduleSpace, DepthwiseVectorsNeverReachBeyondTheChannels) {
    Layer layer;
    layer.op = Op::depthwise_conv2d;
    layer.kernel = 3;
    layer.pad_top = layer.pad_left = 1;
    for (const int channels : {1, 3, 8, 20, 33}) {
        layer.input = layer.output = {5, 5, channels};
        for (const IsaInfo &isa : machines()) {
            for (const Schedule &s : schedule_space(layer, isa).all()) {
                ASSERT_LE(s.lanes * s.vectors, channels) << to_string(s);
            }
        }
    }
}

TEST(IsaInfo, ComesFromTheHalideTarget) {
    EXPECT_EQ(isa_info("x86-64-linux-sse41"), (IsaInfo{4, 16}));
    EXPECT_EQ(isa_info("x86-64-linux-avx-avx2-fma-sse41"), (IsaInfo{8, 16}));
    EXPECT_EQ(isa_info("x86-64-linux-avx-avx2-avx512-avx512_skylake-fma"), (IsaInfo{16, 32}));
    EXPECT_EQ(isa_info("arm-64-linux"), (IsaInfo{4, 32}));
    EXPECT_THROW(isa_info("hexagon-32-noos"), UserError);
}

} // namespace
} // namespace edgefront
