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
                        const int oy = iy + l.pad_top - ky, ox = ix + l.pad_left - kx;
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
