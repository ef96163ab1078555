// The algorithms alone, in Halide's own order, against the naive reference.
#include "dsl/algorithms.h"
#include "tests/schedules/kernel_cases.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

Halide::Buffer<float> image(float *data, const Shape &s) {
    return Halide::Buffer<float>(data, s.channels, s.width, s.height);
}

void check(const Layer &layer, int pair_lanes = 0) {
    SCOPED_TRACE(key(layer));
    KernelCase c(layer, Random(derive_seed(1, key(layer))));
    Algorithm a = make_algorithm(layer, plain_weight_index(layer), {1, pair_lanes});
    a.input.set(image(c.input.data(), layer.input));
    for (std::size_t i = 0; i < a.others.size(); i++) {
        a.others[i].set(image(c.others[i]->data(), layer.others[i]));
    }
    if (a.residual.defined()) {
        a.residual.set(image(c.residual.data(), layer.output));
    }
    std::vector<float> bias = c.bias;
    bias.resize(static_cast<std::size_t>(layer.output.channels));
    if (a.weights.defined()) {
        a.weights.set(Halide::Buffer<float>(c.weights.data(), static_cast<int>(c.weights.size())));
        a.bias.set(Halide::Buffer<float>(bias.data(), static_cast<int>(bias.size())));
    }
    std::vector<float> out(c.expected.size());
    Halide::Buffer<float> result = image(out.data(), layer.output);
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
