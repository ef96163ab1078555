#include "schedules/winograd.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

Layer conv3x3(int size) {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::fp32;
    l.kernel = 3;
    l.pad_top = l.pad_left = 1;
    l.input = {size, size, 16};
    l.output = {size, size, 32};
    return l;
}

TEST(Winograd, SavesWhatThePaperSays) {
    // arXiv:1509.09308: F(2x2, 3x3) takes 16 multiplications instead of 36, F(4x4, 3x3) 36 of 144.
    EXPECT_DOUBLE_EQ(winograd_counts(conv3x3(8), 2).share, 16.0 / 36);
    EXPECT_DOUBLE_EQ(winograd_counts(conv3x3(8), 4).share, 36.0 / 144);
    EXPECT_DOUBLE_EQ(winograd_counts(conv3x3(8), 4).padded_share, 36.0 / 144);
}

TEST(Winograd, CountsTheOutputsThatTilesAtTheEdgeWaste) {
    // 6 x 6 outputs in 2 x 2 tiles of 4 x 4: 4 x 36 products instead of 36 x 9.
    const WinogradCounts counts = winograd_counts(conv3x3(6), 4);
    EXPECT_DOUBLE_EQ(counts.share, 0.25);
    EXPECT_DOUBLE_EQ(counts.padded_share, 144.0 / 324);
    EXPECT_EQ(counts.transformed, 4 * 36 * (16 + 32));
    // 36 values stand for 9: three times as many more, in fp32.
    EXPECT_EQ(counts.more_weights, Bytes(3 * 9 * 16 * 32 * 4));
}

TEST(Winograd, WithOneOutputPerTileIsADirectConvolution) {
    const WinogradCounts counts = winograd_counts(conv3x3(5), 1);
    EXPECT_DOUBLE_EQ(counts.share, 1);
    EXPECT_DOUBLE_EQ(counts.padded_share, 1);
    EXPECT_EQ(counts.more_weights, Bytes(0));
}

TEST(Winograd, AppliesToDenseConvolutionsOfStrideOneOnly) {
    EXPECT_TRUE(winograd_applies(conv3x3(8)));
    Layer l = conv3x3(8);
    l.stride = 2;
    EXPECT_FALSE(winograd_applies(l));
    l = conv3x3(8);
    l.dilation = 2;
    EXPECT_FALSE(winograd_applies(l));
    l = conv3x3(8);
    l.groups = 2;
    EXPECT_FALSE(winograd_applies(l));
    l = conv3x3(8);
    l.kernel = 1;
    EXPECT_FALSE(winograd_applies(l));
    l = conv3x3(8);
    l.op = Op::depthwise_conv2d;
    EXPECT_FALSE(winograd_applies(l));
    l = conv3x3(8);
    l.input.channels = 15;
    EXPECT_FALSE(winograd_applies(l));
}

} // namespace
} // namespace edgefront
