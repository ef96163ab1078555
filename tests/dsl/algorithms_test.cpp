// The algorithms alone, in Halide's own order, against the naive reference.
#include "dsl/algorithms.h"
#include "tests/schedules/kernel_cases.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

/// Memory in the dimensions that `p` is seen in.
Halide::Buffer<float> buffer(float *data, const Halide::OutputImageParam &p) {
    std::vector<halide_dimension_t> dimensions;
    const Halide::Internal::Parameter parameter = p.parameter();
    const auto value = [](const Halide::Expr &e) {
        return static_cast<int>(*Halide::Internal::as_const_int(e));
    };
    for (int i = 0; i < p.dimensions(); i++) {
        dimensions.emplace_back(0, value(parameter.extent_constraint(i)),
                                value(parameter.stride_constraint(i)));
    }
    return Halide::Buffer<float>(data, p.dimensions(), dimensions.data());
}

void check(const Layer &layer, int pair_lanes = 0) {
    SCOPED_TRACE(key(layer));
    KernelCase c(layer, Random(derive_seed(1, key(layer))));
    Algorithm a = make_algorithm(layer, plain_weight_index(layer), {1, pair_lanes});
    EXPECT_EQ(shape_problem(layer), "");
    a.input.set(buffer(c.input.data(), a.input));
    for (std::size_t i = 0; i < a.others.size(); i++) {
        a.others[i].set(buffer(c.others[i]->data(), a.others[i]));
    }
    if (a.residual.defined()) {
        a.residual.set(buffer(c.residual.data(), a.residual));
    }
    std::vector<float> bias = c.bias;
    bias.resize(static_cast<std::size_t>(layer.output.channels));
    if (a.weights.defined()) {
        a.weights.set(Halide::Buffer<float>(c.weights.data(), static_cast<int>(c.weights.size())));
        a.bias.set(Halide::Buffer<float>(bias.data(), static_cast<int>(bias.size())));
    }
    std::vector<float> out(c.expected.size());
    Halide::Buffer<float> result = buffer(out.data(), a.output.output_buffer());
    a.output.realize(result);
    EXPECT_LE(c.error(out), 1e-5);
}

TEST(Algorithm, OfEveryOpEqualsTheReference) {
    check(with(dense_layer({4, 5, 3}, 1, 1, 6), Activation::hard_swish, true));
    check(with(dense_layer({6, 5, 3}, 3, 2, 6), Activation::relu6));
    check(with(symmetric(depthwise_layer({6, 5, 3}, 5, 2)), Activation::relu));
    check(with(fully_connected_layer(9, 4), Activation::hard_sigmoid));
    check(pool_layer({3, 4, 5}));
    check(scale_layer({3, 4, 5}));
    check(symmetric(max_pool_layer({5, 6, 3}, 3, 2)));
    check(with(symmetric(average_pool_layer({5, 6, 3}, 3, 2)), Activation::relu, true));
    check(symmetric(average_pool_layer({5, 6, 3}, 3, 1, true)));
    check(with(same_shape_layer(Op::elementwise, {3, 4, 5}), Activation::gelu, true));
    check(with(same_shape_layer(Op::affine, {3, 4, 5}), Activation::relu6));
    check(with(same_shape_layer(Op::layer_norm, {3, 4, 5}), Activation::none, true));
    check(with(same_shape_layer(Op::group_norm, {3, 4, 5}), Activation::gelu));
    check(with(softmax_layer({3, 4, 5}), Activation::swish));
    check(softmax_layer({3, 4, 6}, 3));
    check(with(moving_layer(Op::resize_bilinear, {4, 5, 3}, {7, 3, 3}), Activation::relu, true));
}

TEST(Algorithm, OfAttentionEqualsTheReference) {
    for (const bool shared : {false, true}) {
        check(with(scores_layer({2, 3, 4, 2, 5, shared}), Activation::relu, true));
        check(with(context_layer({2, 3, 4, 2, 5, shared}), Activation::relu, true));
    }
}

TEST(Algorithm, OfMovedDataEqualsTheReference) {
    check(with(concat_layer({{3, 4, 5}, {3, 4, 1}, {3, 4, 2}}), Activation::relu, true));
    check(with(concat_layer({{3, 4, 5}, {1, 4, 5}}, true), Activation::relu, true));
    check(with(slice_layer({3, 4, 5}, 1, 3), Activation::relu, true));
    check(
        with(grouped(same_shape_layer(Op::channel_shuffle, {3, 4, 6}), 3), Activation::relu, true));
    check(with(moving_layer(Op::reshape, {3, 4, 6}, {2, 12, 3}), Activation::relu, true));
    check(with(unfold_layer({4, 6, 3}, 2), Activation::relu, true));
    check(with(fold_layer({6, 9, 3}, 3), Activation::relu, true));
}

TEST(Algorithm, OfSpreadWindowsAndOfThoseFromPixelOneEqualsTheReference) {
    check(dilated(dense_layer({6, 7, 3}, 3, 1, 4), 2));
    check(dilated(depthwise_layer({6, 7, 3}, 3, 2), 3));
    check(from_pixel_one(dense_layer({5, 6, 3}, 1, 2, 4)));
    check(from_pixel_one(depthwise_layer({6, 5, 3}, 1, 2)));
}

TEST(Algorithm, OfPairedPixelsEqualsTheReference) {
    check(with(dense_layer({4, 6, 3}, 1, 1, 6), Activation::hard_swish, true), 2);
    check(with(dense_layer({7, 7, 3}, 3, 2, 8), Activation::relu6), 4);
}

TEST(Algorithm, IsRefusedForTypesWithoutKernels) {
    Layer layer = pool_layer({3, 4, 5});
    layer.type = DataType::int8;
    EXPECT_THROW(make_algorithm(layer, plain_weight_index(layer)), std::logic_error);
}

} // namespace
} // namespace edgefront
