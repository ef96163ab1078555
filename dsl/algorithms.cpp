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
    }
    return v;
}

/// Whether windows reach beyond the input on any side.
bool reads_padding(const Layer &layer) {
    const auto beyond = [&](int outputs, int inputs, int pad) {
        return pad > 0 || (outputs - 1) * layer.stride + layer.kernel - pad > inputs;
    };
    return beyond(layer.output.height, layer.input.height, layer.pad_top) ||
           beyond(layer.output.width, layer.input.width, layer.pad_left);
}

/// The input at a window's tap, zero outside.
Func pad(const Layer &layer, Algorithm &a) {
    if (!reads_padding(layer)) {
        return a.input;
    }
    a.padded = Halide::BoundaryConditions::constant_exterior(
        a.input, 0.0f, {{Expr(), Expr()}, {0, layer.input.width}, {0, layer.input.height}});
    return a.padded;
}

} // namespace

WeightIndex plain_weight_index(const Layer &layer) {
    const int channels = layer.output.channels;
    return [channels](Expr channel, Expr step) { return step * channels + channel; };
}

std::vector<ImageParam> Algorithm::parameters() const {
    std::vector<ImageParam> defined;
    for (const ImageParam &p : {input, gate, residual, weights, bias}) {
        if (p.defined()) {
            defined.push_back(p);
        }
    }
    return defined;
}

Algorithm make_algorithm(const Layer &layer, const WeightIndex &weight_index) {
    if (layer.type != DataType::fp32) {
        throw std::logic_error("make_algorithm: only fp32 has kernels: " + key(layer));
    }
    const Halide::Type fp32 = Halide::Float(32);
    const int s = layer.stride;
    const int k = layer.kernel;

    Algorithm a;
    a.input = ImageParam(fp32, 3, "input");
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
        const Func in = pad(layer, a);
        a.window = RDom(0, layer.input.channels, 0, k, 0, k, "window");
        const Expr ci = a.window.x, kx = a.window.y, ky = a.window.z;
        const Expr step = ci + layer.input.channels * (kx + k * ky);
        a.sum = Func("sum");
        a.sum(c, x, y) = a.bias(c);
        a.sum(c, x, y) += a.weights(weight_index(c, step)) *
                          in(ci, x * s + kx - layer.pad_left, y * s + ky - layer.pad_top);
        value = a.sum(c, x, y);
        break;
    }
    case Op::depthwise_conv2d: {
        const Func in = pad(layer, a);
        a.window = RDom(0, k, 0, k, "window");
        const Expr kx = a.window.x, ky = a.window.y;
        a.sum = Func("sum");
        a.sum(c, x, y) = a.bias(c);
        a.sum(c, x, y) += a.weights(weight_index(c, kx + k * ky)) *
                          in(c, x * s + kx - layer.pad_left, y * s + ky - layer.pad_top);
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
        a.gate = ImageParam(fp32, 3, "gate");
        value = a.input(c, x, y) * a.gate(c, 0, 0);
        break;
    }
    if (layer.residual) {
        value += a.residual(c, x, y);
    }
    a.output(c, x, y) = activate(layer.activation, value);
    return a;
}

} // namespace edgefront
