#include "schedules/packing.h"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

namespace edgefront {
namespace {

TEST(Packing, PutsTheWeightsOfATileTogetherAndFillsTheLastWithZeros) {
    Layer layer;
    layer.input = {1, 1, 2};
    layer.output = {1, 1, 5};
    layer.bias = true;
    Schedule s;
    s.lanes = 2;
    s.vectors = 2;
    std::vector<float> plain(10); // [k][n]
    std::iota(plain.begin(), plain.end(), 1.0f);
    EXPECT_EQ(pack_weights(layer, s, plain),
              (std::vector<float>{1, 2, 3, 4, 6, 7, 8, 9, 5, 0, 0, 0, 10, 0, 0, 0}));
    EXPECT_EQ(packed_weight_count(layer, s), 16);
    EXPECT_EQ(pack_bias(layer, s, {1, 2, 3, 4, 5}), (std::vector<float>{1, 2, 3, 4, 5, 0, 0, 0}));
    EXPECT_EQ(packed_bias_count(layer, s), 8);
}

TEST(Packing, KeepsDepthwiseWeightsPlainAndZeroesAnAbsentBias) {
    Layer layer;
    layer.op = Op::depthwise_conv2d;
    layer.kernel = 3;
    layer.input = layer.output = {4, 4, 5};
    Schedule s;
    s.lanes = 4;
    std::vector<float> plain(45);
    std::iota(plain.begin(), plain.end(), 1.0f);
    EXPECT_EQ(pack_weights(layer, s, plain), plain);
    EXPECT_EQ(pack_bias(layer, s, {}), std::vector<float>(5));
}

TEST(Packing, RefusesTheWrongNumberOfWeights) {
    Layer layer;
    layer.input = {1, 1, 2};
    layer.output = {1, 1, 5};
    EXPECT_THROW(pack_weights(layer, {}, std::vector<float>(9)), std::logic_error);
    EXPECT_THROW(pack_bias(layer, {}, std::vector<float>(5)), std::logic_error); // it has none
}

} // namespace
} // namespace edgefront
