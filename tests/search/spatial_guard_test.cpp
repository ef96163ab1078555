#include "search/spatial_guard.h"
#include "tests/dsl/network_builder.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

int window(Builder &b, Op op, int x, int kernel, int stride = 1, int dilation = 1) {
    return b.add(op, {x}, [&](Node &n) {
        n.layer.kernel = kernel;
        n.layer.stride = stride;
        n.layer.dilation = dilation;
        n.layer.pad_top = n.layer.pad_left = (n.layer.reach() - 1) / 2;
        n.layer.output.height = (n.layer.output.height + stride - 1) / stride;
        n.layer.output.width = (n.layer.output.width + stride - 1) / stride;
    });
}

int resize(Builder &b, int x, int side) {
    return b.add(Op::resize_bilinear, {x},
                 [&](Node &n) { n.layer.output.height = n.layer.output.width = side; });
}

int field(const Builder &b) {
    validate(b.network());
    return receptive_field(spatial_mixing(b.network()));
}

int mixing(const Builder &b) {
    return spatial_mixing(b.network()).mixing_layers.at(0);
}

TEST(SpatialGuard, counts_dilated_windows_and_pools_on_their_grid) {
    Builder b({32, 32, 8});
    int x = window(b, Op::conv2d, -1, 3, 2);
    EXPECT_EQ(field(b), 3);
    x = window(b, Op::average_pool, x, 3, 2); // neighbours are 2 apart
    EXPECT_EQ(field(b), 3 + 2 * 2);
    window(b, Op::depthwise_conv2d, x, 3, 1, 3); // 4 apart
    EXPECT_EQ(field(b), 7 + 2 * 3 * 4);
    EXPECT_EQ(mixing(b), 2); // a pool mixes no more than it has to
}

TEST(SpatialGuard, a_join_sees_what_its_widest_input_sees) {
    for (const bool wide_first : {true, false}) {
        Builder b({32, 32, 8});
        const int narrow = b.linear(-1, 8);
        const int wide = window(b, Op::depthwise_conv2d, narrow, 5);
        const int first = wide_first ? wide : narrow, second = wide_first ? narrow : wide;
        b.add(Op::concat, {first, second}, [](Node &n) { n.layer.output.channels = 16; });
        EXPECT_EQ(field(b), 5);
        b.add(Op::elementwise, {first, second}, [](Node &n) { n.layer.residual = true; });
        EXPECT_EQ(field(b), 5);
    }
}

TEST(SpatialGuard, neighbours_of_a_resized_map_are_closer) {
    Builder b({32, 32, 8});
    const int small = window(b, Op::max_pool, -1, 4, 4);
    EXPECT_EQ(field(b), 4);
    const int large = resize(b, small, 32);
    EXPECT_EQ(field(b), 4 + 4);
    window(b, Op::depthwise_conv2d, large, 3);
    EXPECT_EQ(field(b), 8 + 2);
}

TEST(SpatialGuard, attention_sees_the_whole_input) {
    Builder b({16, 16, 8});
    const int tokens = b.add(Op::reshape, {-1}, [](Node &n) { n.layer.output = {1, 256, 8}; });
    const int scores = b.add(Op::attention_scores, {tokens, tokens},
                             [](Node &n) { n.layer.output.channels = 256; });
    EXPECT_EQ(field(b), 1);
    EXPECT_FALSE(mixes_space(spatial_mixing(b.network()), 16, {{0, 1}}));
    b.add(Op::attention_context, {scores, tokens}, [](Node &n) { n.layer.output.channels = 8; });
    EXPECT_GE(field(b), 16);
    EXPECT_EQ(mixing(b), 1);
    EXPECT_TRUE(mixes_space(spatial_mixing(b.network()), 16, {{0, 1}}));
}

} // namespace
} // namespace edgefront
