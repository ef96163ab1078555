// Instructions of generated kernels, counted by hand.
#include "schedules/kernel_counts.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

constexpr IsaInfo isa{16, 32};

Layer convolution(int kernel, Shape input, Shape output) {
    Layer layer;
    layer.kernel = kernel;
    layer.input = input;
    layer.output = output;
    layer.pad_top = layer.pad_left = kernel / 2;
    return layer;
}

TEST(KernelCounts, OfAPointwiseConvolution) {
    const Layer layer = convolution(1, {8, 8, 24}, {8, 8, 64});
    const KernelCounts c =
        kernel_counts(layer, parse_schedule("tile lanes=16 vectors=2 pixels=4"), isa);
    EXPECT_EQ(c.tiles, 2 * 2 * 8); // of 64 / 32 channels, 8 / 4 pixels, 8 rows
    EXPECT_EQ(c.steps, 32 * 24);
    EXPECT_EQ(c.adds, 32 * 24 * 8);
    EXPECT_EQ(c.loads, 32 * 24 * (2 + 4)); // two of weights, four pixels spread out
    EXPECT_EQ(c.taps, 0);
    EXPECT_FALSE(c.window);
}

TEST(KernelCounts, PaddedLanesAndPixelsCount) {
    const Layer layer = convolution(1, {1, 7, 8}, {1, 7, 40});
    const KernelCounts c =
        kernel_counts(layer, parse_schedule("tile lanes=16 vectors=2 pixels=4"), isa);
    EXPECT_EQ(c.tiles, 2 * 2);
    EXPECT_EQ(c.adds, 4 * 8 * 8);
}

TEST(KernelCounts, TwoPixelsInAVectorHalveTheAdds) {
    const Layer layer = convolution(1, {4, 4, 16}, {4, 4, 24});
    const Schedule paired = parse_schedule("tile lanes=8 vectors=3 pixels=4");
    ASSERT_TRUE(pairs_pixels(layer, paired, isa));
    const KernelCounts c = kernel_counts(layer, paired, isa);
    EXPECT_EQ(c.tiles, 4);
    EXPECT_EQ(c.adds, 4 * 16 * 3 * 4 / 2);
    EXPECT_EQ(c.loads, 4 * 16 * (3 + 4 + 1));
}

TEST(KernelCounts, DenseWindowsHaveTaps) {
    const Layer layer = convolution(3, {8, 8, 4}, {8, 8, 16});
    const KernelCounts c = kernel_counts(layer, parse_schedule("tile lanes=16 pixels=8"), isa);
    EXPECT_EQ(c.tiles, 8);
    EXPECT_EQ(c.steps, 8 * 9 * 4);
    EXPECT_EQ(c.taps, 8 * 9);
}

TEST(KernelCounts, OfADepthwiseConvolution) {
    Layer layer = convolution(3, {16, 16, 32}, {16, 16, 32});
    layer.op = Op::depthwise_conv2d;
    const KernelCounts c =
        kernel_counts(layer, parse_schedule("tile lanes=16 pixels=4 rows=2"), isa);
    EXPECT_TRUE(c.window);
    EXPECT_EQ(c.tiles, 2 * 4 * 8);
    EXPECT_EQ(c.adds, 64 * 8 * 9);
    EXPECT_EQ(c.loads, 64 * (6 * 4 + 9));
    EXPECT_DOUBLE_EQ(c.edge, 1 - 2.0 * 6 / (4 * 8)); // all but two columns and six rows of tiles
}

TEST(KernelCounts, ATileAsWideAsTheMapMeetsNoSideBorder) {
    Layer layer = convolution(3, {8, 8, 16}, {8, 8, 16});
    layer.op = Op::depthwise_conv2d;
    const KernelCounts c = kernel_counts(layer, parse_schedule("tile lanes=16 pixels=8"), isa);
    EXPECT_DOUBLE_EQ(c.edge, 2.0 / 8); // the first and the last row
}

TEST(KernelCounts, WhatMultipliesNothingHasNone) {
    Layer layer = convolution(1, {8, 8, 16}, {8, 8, 16});
    layer.op = Op::elementwise;
    EXPECT_EQ(kernel_counts(layer, default_schedule(layer, isa), isa).tiles, 0);
}

} // namespace
} // namespace edgefront
