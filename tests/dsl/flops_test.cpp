#include "dsl/flops.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

Layer layer(Op op, Shape input, Shape output) {
    Layer l;
    l.op = op;
    l.input = input;
    l.output = output;
    return l;
}

TEST(Flops, a_product_counts_two_and_its_epilogue_one_each) {
    Layer conv = layer(Op::conv2d, {4, 4, 8}, {4, 4, 16});
    EXPECT_EQ(flops(conv).count(), 2 * 4 * 4 * 8 * 16);
    conv.bias = true;
    conv.residual = true;
    conv.activation = Activation::relu6; // max and min
    EXPECT_EQ(flops(conv).count(), 2 * 4 * 4 * 8 * 16 + 4 * 4 * 16 * (1 + 1 + 2));
}

TEST(Flops, an_activation_counts_the_operations_of_its_formula) {
    const auto count = [](Activation activation) {
        Layer l = layer(Op::elementwise, {1, 1, 1}, {1, 1, 1});
        l.activation = activation;
        return flops(l).count();
    };
    EXPECT_EQ(count(Activation::none), 0);
    EXPECT_EQ(count(Activation::relu), 1);
    EXPECT_EQ(count(Activation::relu6), 2);
    EXPECT_EQ(count(Activation::hard_sigmoid), 4); // x + 3, max, min, / 6
    EXPECT_EQ(count(Activation::hard_swish), 5);   // and * x
    EXPECT_EQ(count(Activation::sigmoid), 4);      // -x, exp, 1 +, 1 /
    EXPECT_EQ(count(Activation::swish), 4);        // -x, exp, 1 +, x /
    EXPECT_EQ(count(Activation::gelu), 5);         // x * c, erf, 1 +, * x, * 0.5
}

TEST(Flops, a_mean_is_one_addition_short_and_one_division) {
    EXPECT_EQ(flops(layer(Op::global_average_pool, {7, 7, 10}, {1, 1, 10})).count(), 490);
    Layer pool = layer(Op::average_pool, {4, 4, 10}, {2, 2, 10});
    pool.kernel = 3;
    EXPECT_EQ(flops(pool).count(), 9 * 2 * 2 * 10);
}

TEST(Flops, attention_counts_its_products_and_the_scaling_of_scores) {
    // 2 sequences of 6 queries, 5 keys, 3 heads of 4 channels
    Layer scores = layer(Op::attention_scores, {2, 6, 12}, {2, 6, 15});
    scores.groups = 3;
    scores.others = {{2, 5, 12}};
    ASSERT_EQ(shape_problem(scores), "");
    EXPECT_EQ(flops(scores).count(), 2 * 6 * 15 * (2 * 4 + 1));
    Layer context = layer(Op::attention_context, {2, 6, 15}, {2, 6, 12});
    context.groups = 3;
    context.others = {{2, 5, 12}};
    ASSERT_EQ(shape_problem(context), "");
    EXPECT_EQ(flops(context).count(), 2 * 2 * 6 * 12 * 5);
    EXPECT_EQ(flops(layer(Op::softmax, {2, 6, 15}, {2, 6, 15})).count(), 5 * 2 * 6 * 15);
}

TEST(Flops, a_norm_counts_per_element_and_per_normalised_part) {
    Layer norm = layer(Op::layer_norm, {2, 3, 8}, {2, 3, 8});
    norm.bias = true;
    EXPECT_EQ(flops(norm).count(), (6 + 1) * 48 + 5 * 6);
    norm.op = Op::group_norm;
    EXPECT_EQ(flops(norm).count(), (6 + 1) * 48 + 5);
}

TEST(Flops, moving_elements_about_counts_none) {
    for (const Op op : {Op::slice, Op::channel_shuffle, Op::reshape, Op::unfold, Op::fold}) {
        EXPECT_EQ(flops(layer(op, {4, 4, 8}, {4, 4, 8})).count(), 0) << to_string(op);
    }
}

} // namespace
} // namespace edgefront
