#include "dsl/layer.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

const std::vector<std::string> &op_names() {
    static const std::vector<std::string> names = {"conv2d",          "depthwise_conv2d",
                                                   "fully_connected", "global_average_pool",
                                                   "channel_scale",   "max_pool"};
    return names;
}

const std::vector<std::string> &activation_names() {
    static const std::vector<std::string> names = {"none",         "relu",  "relu6",  "hard_swish",
                                                   "hard_sigmoid", "swish", "sigmoid"};
    return names;
}

std::string to_string(Op op) {
    return op_names()[static_cast<std::size_t>(op)];
}

std::string to_string(Activation activation) {
    return activation_names()[static_cast<std::size_t>(activation)];
}

bool Layer::operator==(const Layer &o) const {
    return op == o.op && type == o.type && input == o.input && output == o.output &&
           kernel == o.kernel && stride == o.stride && groups == o.groups && pad_top == o.pad_top &&
           pad_left == o.pad_left && bias == o.bias && residual == o.residual &&
           activation == o.activation;
}

std::string key(const Layer &layer) {
    std::string text = to_string(layer.op) + "-" + to_string(layer.type) + "-" +
                       to_string(layer.input) + "-" + to_string(layer.output);
    if (layer.has_window()) {
        text += "-k" + std::to_string(layer.kernel) + "s" + std::to_string(layer.stride) + "p" +
                std::to_string(layer.pad_top) + "." + std::to_string(layer.pad_left);
    }
    text += layer.groups > 1 ? "-g" + std::to_string(layer.groups) : "";
    text += layer.bias ? "-bias" : "";
    text += layer.residual ? "-residual" : "";
    text += layer.activation != Activation::none ? "-" + to_string(layer.activation) : "";
    return text;
}

Params weight_count(const Layer &layer) {
    const std::int64_t window = std::int64_t{1} * layer.kernel * layer.kernel;
    switch (layer.op) {
    case Op::conv2d:
        return Params(window * (layer.input.channels / layer.groups) * layer.output.channels);
    case Op::depthwise_conv2d: return Params(window * layer.output.channels);
    case Op::fully_connected: return Params(layer.input.elements() * layer.output.channels);
    case Op::global_average_pool:
    case Op::channel_scale:
    case Op::max_pool: return Params(0);
    }
    return Params(0);
}

Macs macs(const Layer &layer) {
    // Every weight is used once per output pixel.
    const std::int64_t pixels = std::int64_t{1} * layer.output.height * layer.output.width;
    return Macs(weight_count(layer).count() * pixels);
}

Bytes weight_bytes(const Layer &layer) {
    const std::int64_t bias = layer.bias ? 4 * std::int64_t{layer.output.channels} : 0;
    return Bytes(weight_count(layer).count() * size_of(layer.type) + bias);
}

Bytes input_bytes(const Layer &layer) {
    std::int64_t elements = layer.input.elements();
    if (layer.op == Op::channel_scale) {
        elements += layer.input.channels;
    }
    if (layer.residual) {
        elements += layer.output.elements();
    }
    return Bytes(elements * size_of(layer.type));
}

Bytes output_bytes(const Layer &layer) {
    return Bytes(layer.output.elements() * size_of(layer.type));
}

float activate(Activation activation, float x) {
    const auto relu6 = [](float v) { return std::min(std::max(v, 0.0f), 6.0f); };
    switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return std::max(x, 0.0f);
    case Activation::relu6: return relu6(x);
    case Activation::hard_swish: return x * relu6(x + 3.0f) / 6.0f;
    case Activation::hard_sigmoid: return relu6(x + 3.0f) / 6.0f;
    case Activation::swish: return x / (1.0f + std::exp(-x));
    case Activation::sigmoid: return 1.0f / (1.0f + std::exp(-x));
    }
    return x;
}

} // namespace edgefront
