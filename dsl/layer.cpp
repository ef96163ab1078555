#include "dsl/layer.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

const std::vector<std::string> &op_names() {
    static const std::vector<std::string> names = {
        "conv2d",           "depthwise_conv2d",  "fully_connected", "global_average_pool",
        "channel_scale",    "max_pool",          "average_pool",    "elementwise",
        "affine",           "layer_norm",        "group_norm",      "softmax",
        "attention_scores", "attention_context", "concat",          "slice",
        "channel_shuffle",  "reshape",           "unfold",          "fold",
        "resize_bilinear"};
    return names;
}

const std::vector<std::string> &activation_names() {
    static const std::vector<std::string> names = {"none",         "relu",  "relu6",   "hard_swish",
                                                   "hard_sigmoid", "swish", "sigmoid", "gelu"};
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
           others == o.others && kernel == o.kernel && stride == o.stride &&
           dilation == o.dilation && groups == o.groups && first_channel == o.first_channel &&
           count_padding == o.count_padding && pad_top == o.pad_top && pad_left == o.pad_left &&
           bias == o.bias && residual == o.residual && activation == o.activation;
}

std::string key(const Layer &layer) {
    std::string text = to_string(layer.op) + "-" + to_string(layer.type) + "-" +
                       to_string(layer.input) + "-" + to_string(layer.output);
    if (layer.has_window()) {
        text += "-k" + std::to_string(layer.kernel) + "s" + std::to_string(layer.stride) + "p" +
                std::to_string(layer.pad_top) + "." + std::to_string(layer.pad_left);
    }
    if (layer.op == Op::unfold || layer.op == Op::fold) {
        text += "-k" + std::to_string(layer.kernel);
    }
    if (layer.op == Op::slice) {
        text += "-from" + std::to_string(layer.first_channel);
    }
    text += layer.dilation > 1 ? "-d" + std::to_string(layer.dilation) : "";
    text += layer.count_padding ? "-padded" : "";
    for (const Shape &other : layer.others) {
        text += "-with" + to_string(other);
    }
    text += layer.groups > 1 ? "-g" + std::to_string(layer.groups) : "";
    text += layer.bias ? "-bias" : "";
    text += layer.residual ? "-residual" : "";
    text += layer.activation != Activation::none ? "-" + to_string(layer.activation) : "";
    return text;
}

namespace {

bool same_pixels(const Shape &a, const Shape &b) {
    return a.height == b.height && a.width == b.width;
}

/// Every output reads at least one element inside the input; the last one of a convolution that
/// starts at pixel 1 may read the zeros behind it.
bool windows_meet_input(const Layer &l) {
    const bool convolution = l.op == Op::conv2d || l.op == Op::depthwise_conv2d;
    const auto meets = [&](int in, int out, int pad) {
        return pad >= (convolution ? -1 : 0) && pad < l.reach() &&
               (out - 1) * l.stride - std::max(pad, 0) < in;
    };
    return l.kernel >= 1 && l.stride >= 1 && l.dilation >= 1 &&
           meets(l.input.height, l.output.height, l.pad_top) &&
           meets(l.input.width, l.output.width, l.pad_left);
}

/// Keys or values, of one head or of all.
bool head_sizes_fit(const Layer &l, const Shape &tokens, const Shape &heads) {
    const int d = heads.channels / l.groups;
    return heads.channels % l.groups == 0 && tokens.height == l.input.height &&
           (tokens.channels == d || tokens.channels == heads.channels);
}

} // namespace

std::string shape_problem(const Layer &l) {
    const bool divided = l.groups >= 1 && l.input.channels % l.groups == 0;
    const auto unless = [](bool fits, const std::string &problem) {
        return fits ? std::string() : problem;
    };
    const bool takes_others = l.op == Op::channel_scale || l.op == Op::concat ||
                              l.op == Op::attention_scores || l.op == Op::attention_context;
    // So that bytes and MACs stay countable in 64 bits.
    const auto too_large = [](const Shape &s) {
        constexpr std::int64_t most = std::int64_t{1} << 40;
        return s.channels > 0 && std::int64_t{1} * s.height * s.width > most / s.channels;
    };
    if (too_large(l.input) || too_large(l.output)) {
        return "a tensor has more than 2^40 elements";
    }
    if (l.input.elements() <= 0 || l.output.elements() <= 0) {
        return "a tensor is empty";
    }
    if (!takes_others && !l.others.empty()) {
        return "it takes one input";
    }
    if (takes_others && l.op != Op::concat && l.others.size() != 1) {
        return "it takes two inputs";
    }
    const bool same = l.input == l.output;
    switch (l.op) {
    case Op::conv2d:
        return unless(divided && l.output.channels % l.groups == 0,
                      "its groups do not divide the channels") +
               unless(windows_meet_input(l), "a window lies outside its input");
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool:
        return unless(l.input.channels == l.output.channels, "it keeps the channels") +
               unless(windows_meet_input(l), "a window lies outside its input");
    case Op::fully_connected:
        return unless(same_pixels(l.input, {1, 1, 1}) && same_pixels(l.output, {1, 1, 1}),
                      "it takes a 1x1 map");
    case Op::global_average_pool:
        return unless(l.output == Shape{1, 1, l.input.channels}, "its output is 1x1xC");
    case Op::channel_scale:
        return unless(same, "it keeps the shape") +
               unless(l.others[0] == Shape{1, 1, l.input.channels} ||
                          l.others[0] == Shape{l.input.height, 1, l.input.channels},
                      "its gate is 1x1xC, or Hx1xC: one per row");
    case Op::elementwise:
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm: return unless(same, "it keeps the shape");
    case Op::softmax:
        return unless(same, "it keeps the shape") +
               unless(divided, "its groups do not divide the channels");
    case Op::attention_scores:
        return unless(head_sizes_fit(l, l.others[0], l.input),
                      "keys have as many rows as the queries, and the channels of one head or "
                      "of all") +
               unless(same_pixels(l.input, l.output) &&
                          l.output.channels == l.groups * l.others[0].width,
                      "its output has one channel per head and key");
    case Op::attention_context:
        return unless(head_sizes_fit(l, l.others[0], l.output),
                      "values have as many rows as the scores, and the channels of one head or "
                      "of all") +
               unless(same_pixels(l.input, l.output) &&
                          l.input.channels == l.groups * l.others[0].width,
                      "scores have one channel per head and value");
    case Op::concat: {
        Shape all = l.input;
        const bool rows = l.output.channels == l.input.channels;
        for (const Shape &other : l.others) {
            if (rows ? other.width != all.width || other.channels != all.channels
                     : !same_pixels(other, all)) {
                return "its inputs differ in more than " + std::string(rows ? "rows" : "channels");
            }
            (rows ? all.height : all.channels) += rows ? other.height : other.channels;
        }
        return unless(all == l.output, "its output is not the sum of its inputs");
    }
    case Op::slice:
        return unless(same_pixels(l.input, l.output) && l.first_channel >= 0 &&
                          l.first_channel + l.output.channels <= l.input.channels,
                      "it reaches beyond the input's channels");
    case Op::channel_shuffle:
        return unless(same, "it keeps the shape") +
               unless(divided, "its groups do not divide the channels");
    case Op::reshape:
        return unless(l.input.elements() == l.output.elements(), "it keeps the elements");
    case Op::unfold:
        return unless(l.kernel >= 1 && l.input.height % l.kernel == 0 &&
                          l.input.width % l.kernel == 0,
                      "patches do not divide the input") +
               unless(l.output == Shape{l.kernel * l.kernel,
                                        l.input.height * l.input.width / (l.kernel * l.kernel),
                                        l.input.channels},
                      "its output has one row per position in a patch");
    case Op::fold:
        return unless(l.kernel >= 1 && l.output.height % l.kernel == 0 &&
                          l.output.width % l.kernel == 0,
                      "patches do not divide the output") +
               unless(l.input == Shape{l.kernel * l.kernel,
                                       l.output.height * l.output.width / (l.kernel * l.kernel),
                                       l.output.channels},
                      "its input has one row per position in a patch");
    case Op::resize_bilinear:
        return unless(l.input.channels == l.output.channels, "it keeps the channels");
    }
    return {};
}

Params weight_count(const Layer &layer) {
    const std::int64_t window = std::int64_t{1} * layer.kernel * layer.kernel;
    switch (layer.op) {
    case Op::conv2d:
        return Params(window * (layer.input.channels / layer.groups) * layer.output.channels);
    case Op::depthwise_conv2d: return Params(window * layer.output.channels);
    case Op::fully_connected: return Params(layer.input.elements() * layer.output.channels);
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm: return Params(layer.output.channels);
    case Op::global_average_pool:
    case Op::channel_scale:
    case Op::max_pool:
    case Op::average_pool:
    case Op::elementwise:
    case Op::softmax:
    case Op::attention_scores:
    case Op::attention_context:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold:
    case Op::resize_bilinear: return Params(0);
    }
    return Params(0);
}

Macs macs(const Layer &layer) {
    if (layer.op == Op::attention_scores) { // d per score
        return Macs(layer.output.elements() * (layer.input.channels / layer.groups));
    }
    if (layer.op == Op::attention_context) { // one per score and channel of its head
        return Macs(layer.input.elements() * (layer.output.channels / layer.groups));
    }
    if (layer.per_channel_weights()) {
        return Macs(0);
    }
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
    for (const Shape &other : layer.others) {
        elements += other.elements();
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
    case Activation::gelu: return 0.5f * x * (1.0f + std::erf(x * 0.70710678f));
    }
    return x;
}

} // namespace edgefront
