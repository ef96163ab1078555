#include "dsl/algorithms.h"

#include <stdexcept>

namespace edgefront {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::RDom;

namespace {

Expr activate(Activation activation, const Expr &v) {
    const auto relu6 = [](const Expr &e) { return Halide::clamp(e, 0.0f, 6.0f); };
    switch (activation) {
    case Activation::none: return v;
    case Activation::relu: return Halide::max(v, 0.0f);
    case Activation::relu6: return relu6(v);
    case Activation::hard_swish: return v * (relu6(v + 3.0f) * (1.0f / 6.0f));
    case Activation::hard_sigmoid: return relu6(v + 3.0f) * (1.0f / 6.0f);
    case Activation::swish: return v / (1.0f + Halide::exp(-v));
    case Activation::sigmoid: return 1.0f / (1.0f + Halide::exp(-v));
    case Activation::gelu: break; // TODO(kernels)
    }
    return v;
}

/// The input at (c, x, y), `outside` beyond it. Only sides that some window reaches beyond are
/// tested: the inner part of a kernel is free of tests where Halide can tell it apart.
Func pad(const Layer &layer, Algorithm &a, const Expr &outside) {
    const auto reaches = [&](int outputs) { return (outputs - 1) * layer.stride + layer.kernel; };
    const bool left = layer.pad_left > 0;
    const bool top = layer.pad_top > 0;
    const bool right = reaches(layer.output.width) - layer.pad_left > layer.input.width;
    const bool bottom = reaches(layer.output.height) - layer.pad_top > layer.input.height;
    if (!left && !right && !top && !bottom) {
        return a.input;
    }
    Expr inside = Halide::Internal::const_true();
    const auto inside_of = [&](const Expr &at, bool before, bool after, int extent) {
        Expr position = at;
        if (before) {
            inside = inside && at >= 0;
            position = Halide::max(Halide::likely(position), 0);
        }
        if (after) {
            inside = inside && at < extent;
            position = Halide::min(Halide::likely(position), extent - 1);
        }
        return position;
    };
    const Expr x = inside_of(a.x, left, right, layer.input.width);
    const Expr y = inside_of(a.y, top, bottom, layer.input.height);
    a.padded = Func("padded");
    a.padded(a.c, a.x, a.y) = Halide::select(inside, Halide::likely(a.input(a.c, x, y)), outside);
    return a.padded;
}

} // namespace

WeightIndex plain_weight_index(const Layer &layer) {
    const int channels = layer.output.channels;
    return [channels](Expr channel, Expr step) { return step * channels + channel; };
}

std::vector<ImageParam> Algorithm::parameters() const {
    std::vector<ImageParam> defined;
    std::vector<ImageParam> all = {input};
    all.insert(all.end(), others.begin(), others.end());
    all.insert(all.end(), {residual, weights, bias});
    for (const ImageParam &p : all) {
        if (p.defined()) {
            defined.push_back(p);
        }
    }
    return defined;
}

Algorithm make_algorithm(const Layer &layer, const WeightIndex &weight_index,
                         const ChannelTile &tile) {
    if (layer.type != DataType::fp32) {
        throw std::logic_error("make_algorithm: only fp32 has kernels: " + key(layer));
    }
    const Halide::Type fp32 = Halide::Float(32);
    const int s = layer.stride;
    const int k = layer.kernel;

    Algorithm a;
    a.input = ImageParam(fp32, 3, "input");
    for (std::size_t i = 0; i < layer.others.size(); i++) {
        a.others.emplace_back(fp32, 3, "other" + std::to_string(i));
    }
    if (layer.residual) {
        a.residual = ImageParam(fp32, 3, "residual");
    }
    if (layer.has_weights()) {
        a.weights = ImageParam(fp32, 1, "weights");
        a.bias = ImageParam(fp32, 1, "bias");
    }
    a.output = Func("output");
    const Halide::Var c = a.c, x = a.x, y = a.y;

    Expr value;
    switch (layer.op) {
    case Op::conv2d:
    case Op::fully_connected: {
        const Func in = pad(layer, a, 0.0f);
        const int inputs = layer.input.channels / layer.groups;
        const int outputs = layer.output.channels / layer.groups;
        a.window = RDom(0, inputs, 0, k, 0, k, "window");
        const Expr ci = a.window.x, kx = a.window.y, ky = a.window.z;
        const Expr step = ci + inputs * (kx + k * ky);
        // Told by the tile, so that Halide sees one group for all lanes of a vector.
        const Expr first =
            layer.groups == 1 ? Expr(0) : c / tile.width * tile.width / outputs * inputs;
        const auto tap = [&](const Expr &column, const Expr &row) {
            return in(first + ci, column * s + kx - layer.pad_left, row * s + ky - layer.pad_top);
        };
        a.sum = Func("sum");
        if (tile.pair_lanes > 0) {
            const int pair_lanes = tile.pair_lanes;
            const Halide::Var side = a.side, group = a.group;
            const Expr channel = group * pair_lanes + c;
            a.sum(c, side, group, x, y) = a.bias(channel);
            a.sum(c, side, group, x, y) +=
                a.weights(weight_index(channel, step)) *
                Halide::select(side == 0, tap(2 * x, y), tap(2 * x + 1, y));
            value = a.sum(c % pair_lanes, x % 2, c / pair_lanes, x / 2, y);
        } else {
            a.sum(c, x, y) = a.bias(c);
            a.sum(c, x, y) += a.weights(weight_index(c, step)) * tap(x, y);
            value = a.sum(c, x, y);
        }
        break;
    }
    case Op::depthwise_conv2d: {
        const Func in = pad(layer, a, 0.0f);
        a.window = RDom(0, k, 0, k, "window");
        const Expr kx = a.window.x, ky = a.window.y;
        a.sum = Func("sum");
        a.sum(c, x, y) = a.bias(c);
        a.sum(c, x, y) += a.weights(weight_index(c, kx + k * ky)) *
                          in(c, x * s + kx - layer.pad_left, y * s + ky - layer.pad_top);
        value = a.sum(c, x, y);
        break;
    }
    case Op::max_pool: {
        const Func in = pad(layer, a, fp32.min());
        a.window = RDom(0, k, 0, k, "window");
        const Expr kx = a.window.x, ky = a.window.y;
        a.sum = Func("sum");
        a.sum(c, x, y) = fp32.min();
        a.sum(c, x, y) = Halide::max(
            a.sum(c, x, y), in(c, x * s + kx - layer.pad_left, y * s + ky - layer.pad_top));
        value = a.sum(c, x, y);
        break;
    }
    case Op::global_average_pool: {
        a.window = RDom(0, layer.input.width, 0, layer.input.height, "window");
        a.sum = Func("sum");
        a.sum(c, x, y) = 0.0f;
        a.sum(c, x, y) += a.input(c, x + a.window.x, y + a.window.y);
        const int pixels = layer.input.width * layer.input.height;
        value = a.sum(c, x, y) * (1.0f / static_cast<float>(pixels));
        break;
    }
    case Op::channel_scale:
        value = a.input(c, x, y) * a.others[0](c, 0, layer.others[0].height > 1 ? y : Expr(0));
        break;
    case Op::average_pool:
    case Op::elementwise:
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax:
    case Op::attention_scores:
    case Op::attention_context:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold:
    case Op::resize_bilinear: throw std::logic_error("TODO(kernels): " + key(layer));
    }
    if (layer.residual) {
        value += a.residual(c, x, y);
    }
    a.output(c, x, y) = activate(layer.activation, value);
    return a;
}

} // namespace edgefront
