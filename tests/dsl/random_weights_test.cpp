// Random weights follow the mean and variance of every operator: whatever stands before a linear
// layer, once or many times, that layer's output has about unit variance.
#include "dsl/reference.h"
#include "dsl/weights.h"
#include "tests/dsl/network_builder.h"
#include "tests/dsl/run_network.h"

#include <gtest/gtest.h>

#include <functional>
#include <ostream>

namespace edgefront {
namespace {

/// What stands between two linear layers: takes and gives 16x16x32.
struct Part {
    const char *name;
    std::function<int(Builder &, int)> apply;
};

int window(Builder &b, Op op, int x, int kernel, int dilation, bool count_padding = false) {
    return b.add(op, {x}, [&](Node &n) {
        n.layer.kernel = kernel;
        n.layer.dilation = dilation;
        n.layer.pad_top = n.layer.pad_left = (n.layer.reach() - 1) / 2;
        n.layer.count_padding = count_padding;
    });
}

int reshape(Builder &b, int x, Shape to) {
    return b.add(Op::reshape, {x}, [&](Node &n) { n.layer.output = to; });
}

int resize(Builder &b, int x, int side) {
    return b.add(Op::resize_bilinear, {x},
                 [&](Node &n) { n.layer.output.height = n.layer.output.width = side; });
}

int slice(Builder &b, int x, int first, int channels) {
    return b.add(Op::slice, {x}, [&](Node &n) {
        n.layer.first_channel = first;
        n.layer.output.channels = channels;
    });
}

int concat(Builder &b, const std::vector<int> &parts, bool rows = false) {
    return b.add(Op::concat, parts, [&](Node &n) {
        Shape &out = n.layer.output;
        for (std::size_t i = 1; i < parts.size(); i++) {
            const Shape &part = b.shape(parts[i]);
            (rows ? out.height : out.channels) += rows ? part.height : part.channels;
        }
    });
}

int softmax(Builder &b, int x, int groups) {
    return b.add(Op::softmax, {x}, [&](Node &n) { n.layer.groups = groups; });
}

int offset_op(Builder &b, Op op, int x, Offset offset, bool layer_scale = false) {
    return b.add(op, {x}, [&](Node &n) {
        n.offset = offset;
        n.layer_scale = layer_scale;
    });
}

/// All pixels attend to all; keys and values are shared by the heads, or not.
int attention(Builder &b, int x, bool shared) {
    constexpr int heads = 2, d = 16;
    const Shape image = b.shape(x);
    const int normal = offset_op(b, Op::layer_norm, x, Offset::bias);
    const int tokens = reshape(b, normal, {1, image.height * image.width, image.channels});
    const int each = shared ? d : heads * d;
    const int queries = b.linear(tokens, heads * d, Offset::bias);
    const int keys = b.linear(tokens, each, Offset::bias);
    const int values = b.linear(tokens, each, Offset::bias);
    const int scores = b.add(Op::attention_scores, {queries, keys}, [&](Node &n) {
        n.layer.groups = heads;
        n.layer.output.channels = heads * b.shape(keys).width;
    });
    const int context =
        b.add(Op::attention_context, {softmax(b, scores, heads), values}, [&](Node &n) {
            n.layer.groups = heads;
            n.layer.output.channels = heads * d;
        });
    return reshape(b, context, image);
}

/// The separable attention of MobileViTv2, on 4 rows of pixels in the same place of a patch.
int separable_attention(Builder &b, int x) {
    const int normal = offset_op(b, Op::group_norm, x, Offset::bias);
    const int rows = b.add(Op::unfold, {normal}, [&](Node &n) {
        n.layer.kernel = 2;
        n.layer.output = {4, n.layer.input.height * n.layer.input.width / 4,
                          n.layer.input.channels};
    });
    const Shape tokens = b.shape(rows);
    const int score = b.linear(rows, 1, Offset::bias);
    const int shares = softmax(b, reshape(b, score, {4, 1, tokens.width}), 1);
    const int keys = b.linear(rows, tokens.channels, Offset::bias);
    const int context = b.add(Op::attention_context, {shares, keys},
                              [&](Node &n) { n.layer.output.channels = tokens.channels; });
    const int values = b.linear(rows, tokens.channels, Offset::bias, Activation::relu);
    const int scaled = b.add(Op::channel_scale, {values, context});
    const Shape image = b.shape(x);
    return b.add(Op::fold, {scaled}, [&](Node &n) {
        n.layer.kernel = 2;
        n.layer.output = image;
    });
}

int sum(Builder &b, int x, int y, Activation activation = Activation::none) {
    return b.add(Op::elementwise, {x, y}, [&](Node &n) {
        n.layer.residual = true;
        n.layer.activation = activation;
    });
}

int activated(Builder &b, int x, Activation activation) {
    return b.add(Op::elementwise, {x}, [&](Node &n) { n.layer.activation = activation; });
}

std::ostream &operator<<(std::ostream &out, const Part &part) {
    return out << part.name;
}

std::vector<Part> parts() {
    return {
        {"sums", [](Builder &b, int x) { return sum(b, x, b.linear(x, 32, Offset::batch_norm)); }},
        {"gelu", [](Builder &b, int x) { return activated(b, x, Activation::gelu); }},
        {"max_pool", [](Builder &b, int x) { return window(b, Op::max_pool, x, 3, 1); }},
        {"average_pool", [](Builder &b, int x) { return window(b, Op::average_pool, x, 3, 1); }},
        {"average_pool_with_padding",
         [](Builder &b, int x) { return window(b, Op::average_pool, x, 9, 1, true); }},
        {"batch_norm_of_large_values",
         [](Builder &b, int x) {
             for (int i = 0; i < 8; i++) {
                 x = sum(b, x, b.linear(x, 32, Offset::bias));
             }
             return offset_op(b, Op::affine, x, Offset::batch_norm);
         }},
        {"affine", [](Builder &b, int x) { return offset_op(b, Op::affine, x, Offset::bias); }},
        {"layer_norm_of_small_values",
         [](Builder &b, int x) {
             return offset_op(b, Op::layer_norm, softmax(b, x, 1), Offset::bias);
         }},
        {"group_norm",
         [](Builder &b, int x) { return offset_op(b, Op::group_norm, x, Offset::bias); }},
        {"softmax", [](Builder &b, int x) { return softmax(b, x, 4); }},
        {"attention", [](Builder &b, int x) { return attention(b, x, false); }},
        {"attention_with_shared_keys", [](Builder &b, int x) { return attention(b, x, true); }},
        {"separable_attention", separable_attention},
        {"concat_of_unequal_parts",
         [](Builder &b, int x) {
             return concat(b, {slice(b, x, 0, 16), softmax(b, slice(b, x, 16, 16), 1)});
         }},
        {"concat_of_rows",
         [](Builder &b, int x) {
             const int rows = b.add(Op::conv2d, {x}, [](Node &n) {
                 n.layer.stride = 2;
                 n.layer.output = {8, 8, 32};
             });
             const int half = reshape(b, rows, {4, 16, 32});
             const int more = b.linear(half, 32, Offset::bias, Activation::relu);
             return concat(b, {half, more, half, softmax(b, more, 1)}, true);
         }},
        {"shuffle",
         [](Builder &b, int x) {
             return b.add(Op::channel_shuffle, {x}, [](Node &n) { n.layer.groups = 4; });
         }},
        {"resize", [](Builder &b, int x) { return resize(b, resize(b, x, 5), 16); }},
        {"dilated_convolution", [](Builder &b, int x) { return window(b, Op::conv2d, x, 3, 6); }},
        {"dilated_depthwise",
         [](Builder &b, int x) { return window(b, Op::depthwise_conv2d, x, 5, 3); }},
        {"window_larger_than_the_map",
         [](Builder &b, int x) {
             const int small = window(b, Op::depthwise_conv2d, resize(b, x, 2), 7, 1);
             return resize(b, small, 16);
         }},
        {"layer_scale",
         [](Builder &b, int x) {
             return sum(b, x, offset_op(b, Op::conv2d, x, Offset::batch_norm, true));
         }},
    };
}

class RandomWeightsOf : public ::testing::TestWithParam<Part> {};

TEST_P(RandomWeightsOf, KeepTheLinearLayersBehindItAtUnitVariance) {
    for (const std::uint64_t seed : {1, 2, 3}) {
        Builder b({32, 32, 3});
        int x = b.add(Op::conv2d, {-1}, [](Node &n) {
            n.layer.kernel = 3;
            n.layer.stride = 2;
            n.layer.output = {16, 16, 32};
            n.offset = Offset::batch_norm;
        });
        std::vector<int> linear;
        for (int depth = 0; depth < 4; depth++) {
            x = GetParam().apply(b, x);
            ASSERT_EQ(b.shape(x), (Shape{16, 16, 32}));
            linear.push_back(b.linear(x, 64, Offset::none));
            const int wide = b.linear(x, 64, Offset::batch_norm, Activation::relu);
            x = b.linear(wide, 32, Offset::batch_norm);
        }
        const Network &network = b.network();
        validate(network);
        const auto outputs =
            run_network(network, random_weights(network, seed), random_input(network, seed));
        for (const int layer : linear) {
            const auto &values = outputs[static_cast<std::size_t>(layer)];
            const naive_difference d = naive_compare(values.data(), values.data(), values.size());
            EXPECT_GT(d.variance, 0.25) << layer << ", seed " << seed;
            EXPECT_LT(d.variance, 4.0) << layer << ", seed " << seed;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Operators, RandomWeightsOf, ::testing::ValuesIn(parts()),
                         [](const auto &part) { return std::string(part.param.name); });

} // namespace
} // namespace edgefront
