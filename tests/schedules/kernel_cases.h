// Layers for kernel tests and their random operands, in memory that faults when a kernel leaves it.
#pragma once

#include "base/random.h"
#include "dsl/reference.h"
#include "schedules/guarded_floats.h"
#include "schedules/packing.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

namespace edgefront {

/// A layer with seeded operands and its reference output.
struct KernelCase {
    Layer layer;
    GuardedFloats input, residual;
    std::vector<std::unique_ptr<GuardedFloats>> others;
    std::vector<float> weights, bias;
    std::vector<float> expected;

    KernelCase(const Layer &l, Random random)
        : layer(l), input(size(l.input), random), residual(size(l.output), random) {
        set_up(random);
    }
    /// On an input of somebody else.
    KernelCase(const Layer &l, Random random, const std::vector<float> &given)
        : layer(l), input(given), residual(size(l.output), random) {
        set_up(random);
    }

    /// Activations in the order a kernel takes them.
    std::vector<const float *> inputs() {
        std::vector<const float *> in = {input.data()};
        for (const auto &other : others) {
            in.push_back(other->data());
        }
        if (layer.residual) {
            in.push_back(residual.data());
        }
        return in;
    }

    /// Largest difference from the reference, as a share of the reference's range.
    double error(const std::vector<float> &out) const {
        const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
        const double range = std::max(static_cast<double>(*high) - *low, 1e-6);
        double worst = 0;
        for (std::size_t i = 0; i < expected.size(); i++) {
            const double e = std::fabs(static_cast<double>(out[i]) - expected[i]) / range;
            worst = e <= worst ? worst : e; // keeps a NaN
        }
        return worst;
    }

private:
    void set_up(Random &random) {
        LayerOperands operands;
        for (const Shape &other : layer.others) {
            others.push_back(std::make_unique<GuardedFloats>(size(other), random));
            operands.others.push_back(others.back()->data());
        }
        const std::size_t count = static_cast<std::size_t>(weight_count(layer).count());
        const double fan_in = static_cast<double>(count) / layer.output.channels;
        for (std::size_t i = 0; i < count; i++) {
            weights.push_back(static_cast<float>(random.normal() / std::sqrt(fan_in)));
        }
        for (int i = 0; layer.bias && i < layer.output.channels; i++) {
            bias.push_back(static_cast<float>(random.normal()));
        }
        operands.input = input.data();
        operands.residual = residual.data();
        operands.weights = weights.data();
        operands.bias = layer.bias ? bias.data() : nullptr;
        expected = run_reference(layer, operands);
    }

    static std::size_t size(const Shape &shape) {
        return static_cast<std::size_t>(shape.elements());
    }
};

/// Dense convolution padded as TensorFlow's SAME pads: the odd row and column at the far side.
inline Layer dense_layer(Shape input, int kernel, int stride, int channels) {
    Layer layer;
    layer.input = input;
    layer.kernel = kernel;
    layer.stride = stride;
    layer.output = {(input.height + stride - 1) / stride, (input.width + stride - 1) / stride,
                    channels};
    const auto before = [&](int outputs, int inputs) {
        return std::max((outputs - 1) * stride + kernel - inputs, 0) / 2;
    };
    layer.pad_top = before(layer.output.height, input.height);
    layer.pad_left = before(layer.output.width, input.width);
    layer.bias = true;
    return layer;
}

inline Layer depthwise_layer(Shape input, int kernel, int stride) {
    Layer layer = dense_layer(input, kernel, stride, input.channels);
    layer.op = Op::depthwise_conv2d;
    return layer;
}

inline Layer max_pool_layer(Shape input, int kernel, int stride) {
    Layer layer = dense_layer(input, kernel, stride, input.channels);
    layer.op = Op::max_pool;
    layer.bias = false;
    return layer;
}

/// Input and output channels in `groups` independent parts.
inline Layer grouped(Layer layer, int groups) {
    layer.groups = groups;
    return layer;
}

/// The same with (kernel - 1) / 2 zeros on either side, as PyTorch pads.
inline Layer symmetric(Layer layer) {
    layer.pad_top = layer.pad_left = (layer.kernel - 1) / 2;
    return layer;
}

inline Layer fully_connected_layer(int inputs, int outputs) {
    Layer layer = dense_layer({1, 1, inputs}, 1, 1, outputs);
    layer.op = Op::fully_connected;
    return layer;
}

inline Layer pool_layer(Shape input) {
    Layer layer;
    layer.op = Op::global_average_pool;
    layer.input = input;
    layer.output = {1, 1, input.channels};
    return layer;
}

inline Layer scale_layer(Shape input) {
    Layer layer;
    layer.op = Op::channel_scale;
    layer.input = layer.output = input;
    layer.others = {{1, 1, input.channels}};
    return layer;
}

inline Layer average_pool_layer(Shape input, int kernel, int stride, bool count_padding = false) {
    Layer layer = max_pool_layer(input, kernel, stride);
    layer.op = Op::average_pool;
    layer.count_padding = count_padding;
    return layer;
}

/// SAME padding for taps that are `dilation` apart.
inline Layer dilated(Layer layer, int dilation) {
    layer.dilation = dilation;
    layer.pad_top = layer.pad_left = (layer.reach() - 1) / 2;
    return layer;
}

/// A 1x1 window of stride 2 that starts at pixel (1, 1).
inline Layer from_pixel_one(Layer layer) {
    layer.pad_top = layer.pad_left = -1;
    return layer;
}

/// elementwise, affine, norms: one input, the same shape.
inline Layer same_shape_layer(Op op, Shape shape) {
    Layer layer;
    layer.op = op;
    layer.input = layer.output = shape;
    layer.bias = layer.has_weights();
    return layer;
}

inline Layer softmax_layer(Shape shape, int groups = 1) {
    return grouped(same_shape_layer(Op::softmax, shape), groups);
}

struct AttentionShape {
    int rows, queries, keys, heads, depth;
    bool shared_keys = false;
};

inline Layer scores_layer(const AttentionShape &s) {
    Layer layer;
    layer.op = Op::attention_scores;
    layer.groups = s.heads;
    layer.input = {s.rows, s.queries, s.heads * s.depth};
    layer.others = {{s.rows, s.keys, s.shared_keys ? s.depth : s.heads * s.depth}};
    layer.output = {s.rows, s.queries, s.heads * s.keys};
    return layer;
}

inline Layer context_layer(const AttentionShape &s) {
    Layer layer = scores_layer(s);
    layer.op = Op::attention_context;
    std::swap(layer.input, layer.output);
    return layer;
}

/// Behind each other in channels, or in rows when the channels of all are those of the first.
inline Layer concat_layer(const std::vector<Shape> &inputs, bool rows = false) {
    Layer layer;
    layer.op = Op::concat;
    layer.input = layer.output = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); i++) {
        layer.others.push_back(inputs[i]);
        layer.output.height += rows ? inputs[i].height : 0;
        layer.output.channels += rows ? 0 : inputs[i].channels;
    }
    return layer;
}

inline Layer slice_layer(Shape input, int first, int channels) {
    Layer layer = same_shape_layer(Op::slice, input);
    layer.first_channel = first;
    layer.output.channels = channels;
    return layer;
}

inline Layer moving_layer(Op op, Shape input, Shape output) {
    Layer layer;
    layer.op = op;
    layer.input = input;
    layer.output = output;
    return layer;
}

inline Layer unfold_layer(Shape map, int patch) {
    Layer layer = moving_layer(
        Op::unfold, map, {patch * patch, map.height * map.width / (patch * patch), map.channels});
    layer.kernel = patch;
    return layer;
}

inline Layer fold_layer(Shape map, int patch) {
    Layer layer = unfold_layer(map, patch);
    layer.op = Op::fold;
    std::swap(layer.input, layer.output);
    return layer;
}

inline Layer with(Layer layer, Activation activation, bool residual = false) {
    layer.activation = activation;
    layer.residual = residual;
    return layer;
}

} // namespace edgefront
