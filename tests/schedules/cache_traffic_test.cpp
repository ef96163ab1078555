// Kernels small enough to walk through by hand.
#include "schedules/cache_traffic.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

/// 1x1 convolution 4x8x16 -> 4x8x32 in bytes: 512 in, 512 weights, 1024 out.
Layer pointwise() {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::int8;
    l.input = {4, 8, 16};
    l.output = {4, 8, 32};
    return l;
}

/// Tiles of 8 channels x 4 pixels: 4 of channels, 8 of pixels.
Bytes traffic(const Layer &layer, LoopOrder order, std::int64_t capacity) {
    Schedule s;
    s.lanes = 8;
    s.pixels = 4;
    s.order = order;
    return cache_traffic(layer, analyse(layer, s), Bytes(capacity));
}

TEST(CacheTraffic, IsEveryTensorOnceWhereAllFits) {
    EXPECT_EQ(traffic(pointwise(), LoopOrder::channels_outer, 1 << 20), Bytes(512 + 512 + 1024));
    EXPECT_EQ(traffic(pointwise(), LoopOrder::pixels_outer, 1 << 20), Bytes(512 + 512 + 1024));
}

TEST(CacheTraffic, FetchesTheInputForEveryTileOfChannelsThatSweepsIt) {
    // A tile's weights take 128 bytes, and the whole input is used before it comes round again.
    EXPECT_EQ(traffic(pointwise(), LoopOrder::channels_outer, 512 + 128), Bytes(512 + 512 + 1024));
    EXPECT_EQ(traffic(pointwise(), LoopOrder::channels_outer, 512 + 127),
              Bytes(4 * 512 + 512 + 1024));
}

TEST(CacheTraffic, FetchesTheWeightsForEveryTileOfPixelsThatSweepsThem) {
    // A tile's input takes 64 bytes.
    EXPECT_EQ(traffic(pointwise(), LoopOrder::pixels_outer, 512 + 64), Bytes(512 + 512 + 1024));
    EXPECT_EQ(traffic(pointwise(), LoopOrder::pixels_outer, 512 + 63), Bytes(512 + 8 * 512 + 1024));
}

TEST(CacheTraffic, LosesEvenTheTilesOfATinyCache) {
    EXPECT_EQ(traffic(pointwise(), LoopOrder::channels_outer, 0), Bytes(4 * 512 + 8 * 512 + 1024));
}

TEST(CacheTraffic, FetchesRowsOfAWindowAgainWhenTheyDoNotFit) {
    Layer l;
    l.op = Op::depthwise_conv2d;
    l.type = DataType::int8;
    l.input = l.output = {8, 8, 16};
    l.kernel = 3;
    l.pad_top = l.pad_left = 1;
    // Three rows of 8 channels take 192 bytes; 144 of weights.
    EXPECT_EQ(traffic(l, LoopOrder::channels_outer, 192), Bytes(1024 + 144 + 1024));
    EXPECT_EQ(traffic(l, LoopOrder::channels_outer, 191), Bytes(3 * 1024 + 144 + 1024));
    // All 16 channels under pixels_outer.
    EXPECT_EQ(traffic(l, LoopOrder::pixels_outer, 383), Bytes(3 * 1024 + 144 + 1024));
    EXPECT_EQ(traffic(l, LoopOrder::pixels_outer, 384), Bytes(1024 + 144 + 1024));
}

TEST(CacheTraffic, TreatsKeysAsTheWeightsOfEachHead) {
    Layer l;
    l.op = Op::attention_scores;
    l.type = DataType::int8;
    l.groups = 2;
    l.input = {1, 8, 32};
    l.others = {{1, 16, 32}};
    l.output = {1, 8, 32};
    // Of one head 8 x 16 bytes of queries, 16 x 16 of keys in 2 tiles of 8: 128 bytes each.
    EXPECT_EQ(traffic(l, LoopOrder::channels_outer, 128 + 128), Bytes(256 + 512 + 256));
    EXPECT_EQ(traffic(l, LoopOrder::channels_outer, 128 + 127), Bytes(2 * 256 + 512 + 256));
}

TEST(CacheTraffic, PassesOnceWhereNothingIsUsedTwice) {
    Layer l;
    l.op = Op::elementwise;
    l.type = DataType::int8;
    l.input = l.output = {8, 8, 16};
    l.residual = true;
    EXPECT_EQ(traffic(l, LoopOrder::channels_outer, 0), Bytes(3 * 1024));
}

} // namespace
} // namespace edgefront
