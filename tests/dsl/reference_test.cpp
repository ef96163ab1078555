// The yardstick itself: small cases by hand, and a second way of writing each sum.
#include "base/random.h"
#include "dsl/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace edgefront {
namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<float> values(count);
    for (float &v : values) {
        v = static_cast<float>(random.normal());
    }
    return values;
}

/// Every input element scattered to the outputs it reaches, the other way round than naive.c.
std::vector<float> scatter_convolution(const Layer &l, const std::vector<float> &in,
                                       const std::vector<float> &weights) {
    const bool depthwise = l.op == Op::depthwise_conv2d;
    std::vector<double> out(static_cast<std::size_t>(l.output.elements()));
    const auto at = [](const Shape &s, int y, int x, int c) {
        return static_cast<std::size_t>((y * s.width + x) * s.channels + c);
    };
    for (int iy = 0; iy < l.input.height; iy++) {
        for (int ix = 0; ix < l.input.width; ix++) {
            for (int ci = 0; ci < l.input.channels; ci++) {
                for (int ky = 0; ky < l.kernel; ky++) {
                    for (int kx = 0; kx < l.kernel; kx++) {
                        const int oy = iy + l.pad_top - ky * l.dilation;
                        const int ox = ix + l.pad_left - kx * l.dilation;
                        if (oy < 0 || ox < 0 || oy % l.stride != 0 || ox % l.stride != 0 ||
                            oy / l.stride >= l.output.height || ox / l.stride >= l.output.width) {
                            continue;
                        }
                        const int tap = ky * l.kernel + kx;
                        for (int co = depthwise ? ci : 0;
                             co < (depthwise ? ci + 1 : l.output.channels); co++) {
                            const int w =
                                depthwise ? tap * l.output.channels + co
                                          : (tap * l.input.channels + ci) * l.output.channels + co;
                            out[at(l.output, oy / l.stride, ox / l.stride, co)] +=
                                double{in[at(l.input, iy, ix, ci)]} *
                                weights[static_cast<std::size_t>(w)];
                        }
                    }
                }
            }
        }
    }
    return {out.begin(), out.end()};
}

struct Window {
    Op op;
    int kernel, stride, pad_top, pad_left;
    Shape input, output;
    int dilation = 1;
};

class Reference : public ::testing::TestWithParam<Window> {};

TEST_P(Reference, ConvolutionEqualsTheSameSumScattered) {
    const Window &w = GetParam();
    Layer layer;
    layer.op = w.op;
    layer.input = w.input;
    layer.output = w.output;
    layer.kernel = w.kernel;
    layer.stride = w.stride;
    layer.dilation = w.dilation;
    layer.pad_top = w.pad_top;
    layer.pad_left = w.pad_left;
    const auto input = random_values(static_cast<std::size_t>(w.input.elements()), 1);
    const auto weights = random_values(static_cast<std::size_t>(weight_count(layer).count()), 2);
    LayerOperands operands;
    operands.input = input.data();
    operands.weights = weights.data();
    const auto expected = scatter_convolution(layer, input, weights);
    const auto actual = run_reference(layer, operands);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); i++) {
        EXPECT_NEAR(actual[i], expected[i], 1e-5) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Windows, Reference,
    ::testing::Values(Window{Op::conv2d, 3, 2, 0, 0, {8, 6, 3}, {4, 3, 70}}, // pads below, right
                      Window{Op::conv2d, 3, 2, 1, 1, {9, 7, 3}, {5, 4, 5}},
                      Window{Op::conv2d, 1, 1, 0, 0, {4, 5, 6}, {4, 5, 65}},
                      Window{Op::conv2d, 5, 1, 2, 2, {3, 3, 2}, {3, 3, 4}}, // larger than the input
                      Window{Op::depthwise_conv2d, 3, 1, 1, 1, {5, 6, 66}, {5, 6, 66}},
                      Window{Op::depthwise_conv2d, 5, 2, 1, 1, {8, 8, 3}, {4, 4, 3}},
                      Window{Op::conv2d, 3, 1, 2, 2, {6, 5, 4}, {6, 5, 3}, 2},
                      Window{Op::depthwise_conv2d, 3, 2, 3, 3, {9, 4, 3}, {5, 2, 3}, 3},
                      Window{Op::conv2d, 1, 2, -1, -1, {6, 7, 3}, {3, 4, 5}}, // from pixel 1 on
                      Window{Op::depthwise_conv2d, 1, 2, -1, -1, {5, 4, 3}, {3, 2, 3}},
                      Window{Op::fully_connected, 1, 1, 0, 0, {1, 1, 17}, {1, 1, 9}}));

TEST(Reference, TheEpilogueAddsBiasAndResidualBeforeTheActivation) {
    Layer layer;
    layer.op = Op::conv2d;
    layer.input = {1, 1, 1};
    layer.output = {1, 1, 3};
    layer.bias = layer.residual = true;
    layer.activation = Activation::relu6;
    const std::vector<float> input = {2}, weights = {1, 2, 3}, bias = {0.5f, -9, 0},
                             residual = {0.25f, 1, 4};
    LayerOperands operands{input.data(), {}, residual.data(), weights.data(), bias.data()};
    EXPECT_EQ(run_reference(layer, operands), (std::vector<float>{2.75f, 0, 6}));
}

TEST(Reference, PoolingIsTheMeanAndScalingTheProduct) {
    Layer pool;
    pool.op = Op::global_average_pool;
    pool.input = {2, 2, 2};
    pool.output = {1, 1, 2};
    const std::vector<float> input = {1, 10, 2, 20, 3, 30, 6, 40}, gate = {0.5f, 2};
    LayerOperands operands;
    operands.input = input.data();
    operands.others = {gate.data()};
    EXPECT_EQ(run_reference(pool, operands), (std::vector<float>{3, 25}));
    Layer scale;
    scale.op = Op::channel_scale;
    scale.input = scale.output = {2, 2, 2};
    scale.others = {{1, 1, 2}};
    EXPECT_EQ(run_reference(scale, operands),
              (std::vector<float>{0.5f, 20, 1, 40, 1.5f, 60, 3, 80}));
}

using Values = std::vector<float>;

Layer layer_of(Op op, Shape input, Shape output, std::vector<Shape> others = {}, int groups = 1) {
    Layer layer;
    layer.op = op;
    layer.input = input;
    layer.output = output;
    layer.others = std::move(others);
    layer.groups = groups;
    EXPECT_EQ(shape_problem(layer), "");
    return layer;
}

Values run(const Layer &layer, const Values &input, const std::vector<Values> &others = {}) {
    LayerOperands operands;
    operands.input = input.data();
    for (const Values &other : others) {
        operands.others.push_back(other.data());
    }
    return run_reference(layer, operands);
}

void expect_near(const Values &actual, const Values &expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); i++) {
        EXPECT_NEAR(actual[i], expected[i], 1e-5) << i;
    }
}

TEST(Reference, AnAverageWindowCountsWhatLiesOutsideOnlyWhenTold) {
    Layer layer = layer_of(Op::average_pool, {2, 3, 1}, {1, 2, 1});
    layer.kernel = 3;
    layer.stride = 2;
    layer.pad_top = layer.pad_left = 1;
    const Values input = {1, 2, 3, 4, 5, 12};
    EXPECT_EQ(run(layer, input), (Values{3, 5.5f})); // 12 / 4, 22 / 4
    layer.count_padding = true;
    expect_near(run(layer, input), {12 / 9.0f, 22 / 9.0f});
}

TEST(Reference, AGatePerRowScalesItsRow) {
    const Layer layer = layer_of(Op::channel_scale, {2, 2, 1}, {2, 2, 1}, {{2, 1, 1}});
    EXPECT_EQ(run(layer, {1, 2, 3, 4}, {{10, -1}}), (Values{10, 20, -3, -4}));
}

TEST(Reference, AnAffineLayerHasAFactorAndAnOffsetPerChannel) {
    Layer layer = layer_of(Op::affine, {1, 2, 2}, {1, 2, 2});
    layer.bias = layer.residual = true;
    const Values input = {1, 2, 3, 4}, weights = {10, -1}, bias = {0.5f, 5},
                 residual = {0, 1, 2, 3};
    EXPECT_EQ(
        run_reference(layer, {input.data(), {}, residual.data(), weights.data(), bias.data()}),
        (Values{10.5f, 4, 32.5f, 4}));
}

TEST(Reference, AnElementwiseLayerIsItsEpilogue) {
    Layer layer = layer_of(Op::elementwise, {1, 1, 3}, {1, 1, 3});
    layer.residual = true;
    layer.activation = Activation::relu;
    const Values input = {1, -5, 3}, residual = {1, 2, -1};
    EXPECT_EQ(run_reference(layer, {input.data(), {}, residual.data(), nullptr, nullptr}),
              (Values{2, 0, 2}));
}

TEST(Reference, NormsLeaveMeanZeroAndVarianceOne) {
    Layer layer = layer_of(Op::layer_norm, {1, 2, 2}, {1, 2, 2});
    layer.bias = true;
    const Values input = {1, 3, 10, 4}, weights = {1, 2}, bias = {0, 100};
    const LayerOperands operands{input.data(), {}, nullptr, weights.data(), bias.data()};
    expect_near(run_reference(layer, operands), {-0.999995f, 101.99999f, 1, 98});
    layer.op = Op::group_norm; // mean 4.5, variance (12.25 + 2.25 + 30.25 + 0.25) / 4 = 11.25
    const float scale = 1 / std::sqrt(11.25f + norm_epsilon);
    expect_near(run_reference(layer, operands),
                {-3.5f * scale, 100 - 3 * scale, 5.5f * scale, 100 - scale});
}

TEST(Reference, SoftmaxIsAShareOfExponentialsWithinAPart) {
    Layer layer = layer_of(Op::softmax, {1, 1, 4}, {1, 1, 4});
    const float ln3 = std::log(3.0f);
    expect_near(run(layer, {0, ln3, ln3, 0}), {0.125f, 0.375f, 0.375f, 0.125f});
    layer.groups = 2;
    expect_near(run(layer, {0, ln3, 1000, 1000}), {0.25f, 0.75f, 0.5f, 0.5f});
}

/// Two rows, one query each, two keys, two heads of four channels.
TEST(Reference, ScoresAreDotProductsOfAHeadOverTheRootOfItsDepth) {
    Layer layer = layer_of(Op::attention_scores, {2, 1, 8}, {2, 1, 4}, {{2, 2, 8}}, 2);
    const Values queries = {1, 2, 3, 4, 5, 6, 7, 8, /* row 1 */ 1, 0, 0, 0, 0, 1, 0, 0};
    const Values keys = {1,  0, 0, 0, 0, 1, 0, 0, 0,   2, 0, 0, 1, 1, 1, 1, // row 0
                         10, 0, 0, 0, 0, 3, 0, 0, -10, 2, 0, 0, 1, 7, 1, 1};
    EXPECT_EQ(run(layer, queries, {keys}), (Values{0.5f, 2, 3, 13, 5, -5, 1.5f, 3.5f}));
    layer.others = {{2, 2, 4}}; // shared by the heads
    const Values shared = {1, 0, 0, 0, 0, 2, 0, 0, /* row 1 */ 4, 6, 0, 0, 0, 0, 0, 1};
    EXPECT_EQ(shape_problem(layer), "");
    EXPECT_EQ(run(layer, queries, {shared}), (Values{0.5f, 2, 2.5f, 6, 2, 0, 3, 0}));
}

TEST(Reference, ContextIsTheSumOfAHeadsValuesWeightedByItsScores) {
    Layer layer = layer_of(Op::attention_context, {2, 1, 4}, {2, 1, 4}, {{2, 2, 4}}, 2);
    const Values scores = {1, 2, 10, 0, /* row 1 */ 0, 1, 1, 1};
    const Values values = {1, 2, 3, 4, 5, 6, 7, 8, /* row 1 */ -1, -2, -3, -4, -5, -6, -7, -8};
    EXPECT_EQ(run(layer, scores, {values}), (Values{11, 14, 30, 40, -5, -6, -10, -12}));
    layer.others = {{2, 2, 2}}; // shared by the heads
    EXPECT_EQ(shape_problem(layer), "");
    const Values shared = {1, 2, 3, 4, /* row 1 */ -1, -2, -3, -4};
    EXPECT_EQ(run(layer, scores, {shared}), (Values{7, 10, 10, 20, -3, -4, -4, -6}));
}

TEST(Reference, ConcatPutsChannelsOrRowsBehindEachOther) {
    const Layer channels = layer_of(Op::concat, {1, 2, 1}, {1, 2, 4}, {{1, 2, 2}, {1, 2, 1}});
    EXPECT_EQ(run(channels, {1, 2}, {{3, 4, 5, 6}, {7, 8}}), (Values{1, 3, 4, 7, 2, 5, 6, 8}));
    const Layer rows = layer_of(Op::concat, {1, 2, 1}, {4, 2, 1}, {{2, 2, 1}, {1, 2, 1}});
    EXPECT_EQ(run(rows, {1, 2}, {{3, 4, 5, 6}, {7, 8}}), (Values{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Reference, SlicesShufflesAndReshapesMoveElements) {
    const Values two_pixels = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};
    Layer slice = layer_of(Op::slice, {1, 2, 6}, {1, 2, 2});
    slice.first_channel = 3;
    EXPECT_EQ(run(slice, two_pixels), (Values{3, 4, 13, 14}));
    Layer shuffle = layer_of(Op::channel_shuffle, {1, 2, 6}, {1, 2, 6});
    shuffle.groups = 2;
    EXPECT_EQ(run(shuffle, two_pixels), (Values{0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15}));
    const Layer reshape = layer_of(Op::reshape, {1, 2, 6}, {4, 3, 1});
    EXPECT_EQ(run(reshape, two_pixels), two_pixels);
}

TEST(Reference, UnfoldGathersPositionsOfPatchesAndFoldPutsThemBack) {
    // Pixels of a 2x4 map of two 2x2 patches, then positions (0, 0), (0, 1), (1, 0), (1, 1).
    const Values map = {0, 1, 2, 3, 4, 5, 6, 7};
    const Values patches = {0, 2, 1, 3, 4, 6, 5, 7};
    Layer layer;
    layer.op = Op::unfold;
    layer.kernel = 2;
    layer.input = {2, 4, 1};
    layer.output = {4, 2, 1};
    ASSERT_EQ(shape_problem(layer), "");
    EXPECT_EQ(run(layer, map), patches);
    std::swap(layer.input, layer.output);
    layer.op = Op::fold;
    ASSERT_EQ(shape_problem(layer), "");
    EXPECT_EQ(run(layer, patches), map);
}

TEST(Reference, ResizingInterpolatesBetweenPixelCentres) {
    const Layer twice = layer_of(Op::resize_bilinear, {1, 2, 1}, {2, 4, 1});
    EXPECT_EQ(run(twice, {0, 4}), (Values{0, 1, 3, 4, 0, 1, 3, 4}));
    const Layer down = layer_of(Op::resize_bilinear, {3, 3, 1}, {2, 2, 1}); // centres 0.25, 1.75
    EXPECT_EQ(run(down, {0, 4, 8, 12, 16, 20, 24, 28, 32}), (Values{4, 10, 22, 28}));
    const Layer same = layer_of(Op::resize_bilinear, {2, 2, 1}, {2, 2, 1});
    EXPECT_EQ(run(same, {1, 2, 3, 4}), (Values{1, 2, 3, 4}));
}

TEST(Reference, ActivationsAreThoseOfTheLayers) {
    for (std::size_t a = 0; a < activation_names().size(); a++) {
        for (const float x : {-7.0f, -3.0f, -1.5f, -0.0f, 0.5f, 2.9f, 3.1f, 6.0f, 8.0f}) {
            EXPECT_FLOAT_EQ(naive_activate(static_cast<int>(a), x),
                            activate(static_cast<Activation>(a), x))
                << activation_names()[a] << " of " << x;
        }
    }
}

TEST(Comparison, ADeadOrWrongOrNonFiniteOutputFails) {
    const auto passes = [](const std::vector<float> &reference, const std::vector<float> &actual) {
        const naive_difference d = naive_compare(reference.data(), actual.data(), reference.size());
        return naive_passes(&d, reference.size(), 1e-4) != 0;
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    EXPECT_TRUE(passes({0, 5, 10}, {0, 5, 10}));
    EXPECT_TRUE(passes({0, 5, 10}, {0.0009f, 5, 10}));
    EXPECT_FALSE(passes({0, 5, 10}, {0.0011f, 5, 10})); // 1.1e-4 of the range
    EXPECT_FALSE(passes({3, 3, 3}, {3, 3, 3}));         // nothing alive in it
    EXPECT_FALSE(passes({0, 5, 10}, {0, nan, 10}));
    EXPECT_FALSE(passes({0, nan, 10}, {0, nan, 10}));
    EXPECT_FALSE(passes({0, 5, 10}, {0, infinity, 10}));
    EXPECT_FALSE(passes({0, nan, 10}, {0, 5, 10}));
}

} // namespace
} // namespace edgefront
