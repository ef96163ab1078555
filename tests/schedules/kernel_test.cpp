// Differential: every operator under its default schedule and schedules drawn from its space, the
// compiled kernel against the naive reference.
#include "schedules/emit.h"
#include "schedules/schedule_space.h"
#include "tests/schedules/kernel_cases.h"

#include <gtest/gtest.h>

#include <tuple>

namespace edgefront {
namespace {

/// Closer than asked for anywhere: only the order of fp32 sums differs.
constexpr double tolerance = 1e-5;

void check(KernelCase &c, const Schedule &schedule, const KernelTarget &target) {
    SCOPED_TRACE(kernel_key({c.layer}, schedule, target));
    JitKernel kernel({c.layer}, schedule, target);
    const bool weighted = c.layer.has_weights();
    GuardedFloats weights(weighted ? pack_weights(c.layer, schedule, c.weights)
                                   : std::vector<float>());
    GuardedFloats bias(weighted ? pack_bias(c.layer, schedule, c.bias) : std::vector<float>());
    GuardedFloats out(c.expected.size());
    std::vector<const float *> operands = c.inputs();
    if (weighted) {
        operands.insert(operands.end(), {weights.data(), bias.data()});
    }
    kernel.bind(operands, out.data());
    kernel.run();
    EXPECT_LE(c.error(out.values()), tolerance);
    EXPECT_TRUE(out.mark_is_intact());
}

/// The host without the extensions of its instruction set: narrower vectors, no fused multiply-add.
KernelTarget baseline_target() {
    const std::string text = host_kernel_target().text;
    const std::size_t bits = text.find('-');
    const std::size_t os = text.find('-', bits + 1);
    return parse_kernel_target(text.substr(0, text.find('-', os + 1)));
}

/// The default schedule and `draws` others on the host, and the default of its baseline.
void check_layer(const Layer &layer, int draws) {
    const KernelTarget host = host_kernel_target();
    const IsaInfo isa = isa_info(host.text);
    const ScheduleSpace space = schedule_space(layer, isa);
    Random random(derive_seed(1, key(layer)));
    KernelCase c(layer, random);
    check(c, default_schedule(layer, isa), host);
    for (int i = 0; i < draws; i++) {
        check(c, space.draw(random), host);
    }
    const KernelTarget baseline = baseline_target();
    check(c, default_schedule(layer, isa_info(baseline.text)), baseline);
}

TEST(Kernel, PointwiseConvolutionsEqualTheReference) {
    check_layer(with(dense_layer({14, 14, 32}, 1, 1, 64), Activation::relu6), 2);
    check_layer(with(dense_layer({7, 9, 24}, 1, 1, 40), Activation::hard_swish, true), 2);
    check_layer(with(dense_layer({5, 5, 7}, 1, 1, 3), Activation::relu), 2);
    check_layer(dense_layer({6, 5, 16}, 1, 2, 24), 1);
}

TEST(Kernel, PointwiseConvolutionsOfOnePixelEqualTheReference) {
    check_layer(with(dense_layer({1, 1, 72}, 1, 1, 20), Activation::relu), 2);
    check_layer(with(dense_layer({1, 1, 20}, 1, 1, 72), Activation::hard_sigmoid), 1);
}

TEST(Kernel, VectorsOfTwoPixelsEqualTheReference) {
    const KernelTarget host = host_kernel_target();
    const IsaInfo isa = isa_info(host.text);
    const int half = isa.lanes / 2;
    for (const int stride : {1, 2}) {
        const Layer layer = with(dense_layer({6 * stride, 8 * stride, 20}, 1, stride, 3 * half),
                                 Activation::hard_swish, true);
        KernelCase c(layer, Random(1));
        for (const auto &[vectors, pixels, rows] : {std::tuple(3, 4, 1), std::tuple(1, 8, 2)}) {
            Schedule s;
            s.lanes = half;
            s.vectors = vectors;
            s.pixels = pixels;
            s.rows = rows;
            ASSERT_TRUE(pairs_pixels(layer, s, isa));
            for (const LoopOrder order : {LoopOrder::pixels_outer, LoopOrder::channels_outer}) {
                s.order = order;
                check(c, s, host);
            }
        }
    }
}

TEST(Kernel, DenseConvolutionsEqualTheReference) {
    check_layer(with(dense_layer({32, 32, 3}, 3, 2, 16), Activation::hard_swish), 2);
    check_layer(with(symmetric(dense_layer({17, 15, 3}, 3, 2, 20)), Activation::relu6), 1);
    check_layer(with(dense_layer({7, 7, 8}, 3, 1, 24), Activation::relu, true), 2);
    check_layer(dense_layer({6, 6, 12}, 5, 2, 8), 1);
}

TEST(Kernel, GroupedConvolutionsEqualTheReference) {
    check_layer(with(grouped(dense_layer({9, 7, 32}, 3, 1, 128), 2), Activation::relu), 3);
    check_layer(with(grouped(dense_layer({8, 8, 80}, 3, 2, 320), 5), Activation::swish), 1);
    check_layer(grouped(dense_layer({7, 7, 12}, 1, 1, 60), 3), 2); // groups of 20 outputs
    check_layer(with(grouped(dense_layer({5, 5, 6}, 3, 1, 10), 2), Activation::none, true), 1);
}

TEST(Kernel, MaxPoolingEqualsTheReference) {
    check_layer(max_pool_layer({14, 14, 32}, 2, 2), 1);
    check_layer(symmetric(max_pool_layer({13, 11, 40}, 3, 2)), 2);
    check_layer(symmetric(max_pool_layer({5, 6, 7}, 3, 1)), 1);
}

TEST(Kernel, SmoothActivationsEqualTheReference) {
    check_layer(with(dense_layer({7, 7, 16}, 1, 1, 24), Activation::swish), 1);
    check_layer(with(depthwise_layer({9, 9, 20}, 3, 1), Activation::swish), 1);
    check_layer(with(dense_layer({1, 1, 8}, 1, 1, 96), Activation::sigmoid), 1);
}

TEST(Kernel, DepthwiseConvolutionsEqualTheReference) {
    check_layer(with(depthwise_layer({14, 14, 48}, 3, 1), Activation::relu6), 2);
    check_layer(with(symmetric(depthwise_layer({14, 14, 40}, 3, 2)), Activation::relu), 2);
    check_layer(with(depthwise_layer({14, 14, 40}, 3, 2), Activation::relu), 1);
    check_layer(with(depthwise_layer({7, 7, 24}, 5, 1), Activation::hard_swish), 2);
    check_layer(with(depthwise_layer({11, 13, 20}, 5, 2), Activation::none, true), 1);
    check_layer(depthwise_layer({9, 6, 16}, 7, 1), 1);
    check_layer(depthwise_layer({5, 3, 5}, 3, 1), 1);
    check_layer(depthwise_layer({2, 2, 8}, 5, 1), 1); // a window larger than the map
}

TEST(Kernel, FullyConnectedLayersEqualTheReference) {
    check_layer(fully_connected_layer(320, 100), 2);
    check_layer(with(fully_connected_layer(31, 10), Activation::hard_swish), 1);
}

TEST(Kernel, PoolingAndScalingEqualTheReference) {
    check_layer(pool_layer({7, 7, 72}), 2);
    check_layer(pool_layer({5, 3, 10}), 1);
    check_layer(scale_layer({7, 7, 72}), 2);
    check_layer(with(scale_layer({5, 3, 10}), Activation::relu), 1);
}

TEST(Kernel, SpreadWindowsAndThoseFromPixelOneEqualTheReference) {
    check_layer(with(dilated(dense_layer({11, 9, 8}, 3, 1, 24), 2), Activation::relu), 1);
    check_layer(with(dilated(depthwise_layer({14, 14, 40}, 3, 1), 4), Activation::swish), 1);
    check_layer(dilated(depthwise_layer({9, 8, 20}, 5, 2), 2), 1);
    check_layer(with(from_pixel_one(dense_layer({7, 8, 20}, 1, 2, 22)), Activation::relu), 2);
    check_layer(from_pixel_one(depthwise_layer({5, 7, 16}, 1, 2)), 1);
}

TEST(Kernel, AveragePoolingEqualsTheReference) {
    check_layer(average_pool_layer({14, 14, 32}, 2, 2), 1);
    check_layer(with(symmetric(average_pool_layer({13, 11, 40}, 3, 2)), Activation::none, true), 2);
    check_layer(symmetric(average_pool_layer({7, 6, 22}, 3, 1, true)), 1);
    check_layer(average_pool_layer({6, 5, 3}, 5, 1), 1);
}

TEST(Kernel, ElementwiseLayersEqualTheReference) {
    check_layer(with(same_shape_layer(Op::elementwise, {7, 7, 40}), Activation::gelu, true), 2);
    check_layer(with(same_shape_layer(Op::elementwise, {1, 49, 3}), Activation::relu), 1);
    check_layer(same_shape_layer(Op::affine, {7, 9, 45}), 2);
    check_layer(with(same_shape_layer(Op::affine, {1, 5, 3}), Activation::swish, true), 1);
    Layer gates = scale_layer({4, 6, 45});
    gates.others[0].height = 4;
    check_layer(with(gates, Activation::none, true), 1);
}

TEST(Kernel, NormsEqualTheReference) {
    check_layer(same_shape_layer(Op::layer_norm, {4, 16, 144}), 2);
    check_layer(with(same_shape_layer(Op::layer_norm, {1, 49, 45}), Activation::gelu, true), 2);
    check_layer(same_shape_layer(Op::layer_norm, {3, 7, 3}), 1);
    check_layer(same_shape_layer(Op::group_norm, {4, 16, 72}), 2);
    check_layer(with(same_shape_layer(Op::group_norm, {7, 7, 45}), Activation::relu, true), 2);
    check_layer(same_shape_layer(Op::group_norm, {1, 5, 3}), 1);
}

TEST(Kernel, SoftmaxEqualsTheReference) {
    check_layer(softmax_layer({1, 9, 4 * 49}, 4), 2);
    check_layer(softmax_layer({4, 7, 64}), 1);
    check_layer(with(softmax_layer({2, 3, 45}), Activation::none, true), 2);
    check_layer(softmax_layer({3, 3, 6}, 2), 1);
    check_layer(softmax_layer({1, 1, 9000}), 0);
}

TEST(Kernel, AttentionEqualsTheReference) {
    for (const AttentionShape &s :
         {AttentionShape{4, 16, 16, 4, 36}, AttentionShape{1, 49, 25, 4, 16, true},
          AttentionShape{2, 7, 7, 3, 15}, AttentionShape{1, 5, 3, 1, 3}}) {
        check_layer(with(scores_layer(s), Activation::none, s.rows == 2), 2);
        check_layer(with(context_layer(s), Activation::relu, s.rows == 2), 2);
    }
}

TEST(Kernel, ConcatenationsEqualTheReference) {
    check_layer(concat_layer({{7, 7, 40}, {7, 7, 24}, {7, 7, 3}}), 2);
    check_layer(with(concat_layer({{1, 9, 5}, {1, 9, 45}}), Activation::relu, true), 1);
    check_layer(concat_layer(std::vector<Shape>(8, {5, 3, 7})), 1);
    check_layer(with(concat_layer({{4, 5, 7}, {2, 5, 7}, {1, 5, 7}}, true), Activation::relu, true),
                1);
}

TEST(Kernel, MovedDataEqualsTheReference) {
    check_layer(slice_layer({7, 7, 45}, 16, 29), 1);
    check_layer(with(slice_layer({1, 6, 9}, 5, 3), Activation::relu, true), 1);
    check_layer(grouped(same_shape_layer(Op::channel_shuffle, {7, 7, 116}), 2), 1);
    check_layer(grouped(same_shape_layer(Op::channel_shuffle, {5, 4, 60}), 3), 1);
    check_layer(
        with(grouped(same_shape_layer(Op::channel_shuffle, {3, 3, 40}), 8), Activation::relu, true),
        1);
    check_layer(moving_layer(Op::reshape, {7, 7, 6}, {1, 49, 6}), 1);
    check_layer(with(moving_layer(Op::reshape, {2, 3, 6}, {1, 1, 36}), Activation::swish, true), 1);
    check_layer(unfold_layer({8, 12, 45}, 2), 2);
    check_layer(with(unfold_layer({9, 6, 3}, 3), Activation::relu, true), 1);
    check_layer(fold_layer({8, 12, 45}, 2), 1);
    check_layer(with(fold_layer({6, 9, 3}, 3), Activation::relu, true), 1);
}

TEST(Kernel, ResizingEqualsTheReference) {
    check_layer(moving_layer(Op::resize_bilinear, {7, 9, 40}, {14, 18, 40}), 1);
    check_layer(
        with(moving_layer(Op::resize_bilinear, {12, 5, 7}, {5, 8, 7}), Activation::relu, true), 1);
}

TEST(Kernel, BlocksOfTilesAndReductionsAndPrefetchingEqualTheReference) {
    const KernelTarget host = host_kernel_target();
    const IsaInfo isa = isa_info(host.text);
    for (const Layer &layer : {with(dense_layer({6, 12, 128}, 1, 1, 184), Activation::relu, true),
                               dense_layer({5, 12, 128}, 3, 1, 96),
                               dense_layer({12, 12, 192}, 1, 2, 48), fully_connected_layer(64, 192),
                               with(depthwise_layer({9, 12, 192}, 3, 1), Activation::relu6)}) {
        KernelCase c(layer, Random(1));
        const ScheduleSpace space = schedule_space(layer, isa);
        Schedule s = default_schedule(layer, isa);
        s.lanes = std::min(isa.lanes, 16);
        s.vectors = 1;
        s.pixels = std::min(2, layer.output.width);
        s.rows = layer.stride; // of the one with stride 2 also rows and unrolling
        s.unroll = layer.stride > 1 ? 4 : 1;
        int refined = 0;
        int blocked_reductions = 0;
        for (const LoopOrder order : space.order) {
            for (const ParallelOver over : space.parallel) {
                for (const int block : {1, 3}) {
                    for (const int prefetch : {0, 4}) {
                        for (const int depth : space.depth) {
                            Schedule r = s;
                            r.order = order;
                            r.parallel = over;
                            r.block = block;
                            r.prefetch = prefetch;
                            r.depth = depth;
                            if ((block > 1 || prefetch > 0 || depth > 0) && space.contains(r)) {
                                check(c, r, host);
                                refined++;
                                blocked_reductions += depth > 0;
                            }
                        }
                    }
                }
            }
        }
        EXPECT_GE(refined, layer.op == Op::fully_connected ? 2 : 4) << key(layer);
        EXPECT_EQ(blocked_reductions > 3, layer.op == Op::conv2d) << key(layer);
    }
}

TEST(Kernel, EverySchedulingKnobIsRespectedOrRefused) {
    const Layer layer = dense_layer({8, 8, 16}, 1, 1, 32);
    Schedule s = default_schedule(layer, isa_info(host_kernel_target().text));
    s.unroll = 5;
    EXPECT_THROW(JitKernel({layer}, s, host_kernel_target()), std::logic_error);
}

} // namespace
} // namespace edgefront
