// The random half of weights.h: draws a checkpoint while following mean and variance of every
// tensor, so that deep networks neither die nor blow up.
#include "base/random.h"
#include "dsl/weights.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// What is known of a tensor's values: their mean, how much of the variance lies between channels
/// (the same at every pixel) and how much within a channel (independent between pixels).
struct Moments {
    double mean = 0;
    double between = 0;
    double within = 1;

    double variance() const { return between + within; }
    double second() const { return variance() + mean * mean; }
};

// Batch-norm statistics, uniform or normal, and what they do to the moments on average.
constexpr double gamma_low = 0.8, gamma_high = 1.2;
constexpr double beta_deviation = 0.3;
constexpr double mean_deviation = 0.3;
constexpr double variance_low = 0.6, variance_high = 1.4;
// Trained layer scales start near zero; these matter.
constexpr double layer_scale_low = 0.5, layer_scale_high = 1.5;

double uniform_second_moment(double low, double high) {
    return (low * low + low * high + high * high) / 3;
}

Moments after_batch_norm(Moments m) {
    // gamma / sqrt(var) with var uniform: E[1 / var] = ln(high / low) / (high - low).
    const double gain = uniform_second_moment(gamma_low, gamma_high) *
                        std::log(variance_high / variance_low) / (variance_high - variance_low);
    m.between =
        (m.between + mean_deviation * mean_deviation) * gain + beta_deviation * beta_deviation;
    m.within *= gain;
    return m;
}

/// Moments of activation(x) with x normal both between and within channels: midpoint sums.
Moments after_activation(Activation activation, const Moments &m) {
    if (activation == Activation::none) {
        return m;
    }
    constexpr int points = 81;
    constexpr double reach = 5; // standard deviations
    std::vector<double> z(points), weight(points);
    double total = 0;
    for (int i = 0; i < points; i++) {
        const auto at = static_cast<std::size_t>(i);
        z[at] = reach * (2.0 * (i + 0.5) / points - 1);
        total += weight[at] = std::exp(-0.5 * z[at] * z[at]);
    }
    double mean = 0, second = 0, between = 0;
    for (std::size_t c = 0; c < points; c++) {
        const double centre = m.mean + std::sqrt(m.between) * z[c];
        double channel = 0;
        for (std::size_t i = 0; i < points; i++) {
            const double x = centre + std::sqrt(m.within) * z[i];
            const double y = activate(activation, static_cast<float>(x));
            channel += weight[i] / total * y;
            second += weight[c] / total * weight[i] / total * y * y;
        }
        mean += weight[c] / total * channel;
        between += weight[c] / total * channel * channel;
    }
    return {mean, std::max(between - mean * mean, 0.0), std::max(second - between, 0.0)};
}

FloatTensor normal_tensor(const TensorSpec &spec, std::uint64_t seed, double deviation) {
    FloatTensor tensor{spec.shape, {}};
    std::size_t count = 1;
    for (const std::int64_t extent : spec.shape) {
        count *= static_cast<std::size_t>(extent);
    }
    Random random(derive_seed(seed, spec.name));
    tensor.values.resize(count);
    for (float &value : tensor.values) {
        value = static_cast<float>(deviation * random.normal());
    }
    return tensor;
}

FloatTensor uniform_tensor(const TensorSpec &spec, std::uint64_t seed, double low, double high) {
    FloatTensor tensor{spec.shape, {}};
    Random random(derive_seed(seed, spec.name));
    tensor.values.resize(static_cast<std::size_t>(spec.shape[0]));
    for (float &value : tensor.values) {
        value = static_cast<float>(low + (high - low) * random.uniform());
    }
    return tensor;
}

/// Takes the mean out of every output channel's filter. Otherwise the mean that activations leave
/// in their output would turn into an ever larger constant per channel, and far layers would see
/// images without structure.
void centre_filters(FloatTensor &weight, std::size_t fan_in) {
    const auto correction = static_cast<float>(
        std::sqrt(static_cast<double>(fan_in) / static_cast<double>(fan_in - 1)));
    for (std::size_t start = 0; start < weight.values.size(); start += fan_in) {
        double mean = 0;
        for (std::size_t i = 0; i < fan_in; i++) {
            mean += weight.values[start + i] / static_cast<double>(fan_in);
        }
        for (std::size_t i = 0; i < fan_in; i++) {
            float &value = weight.values[start + i];
            value = (value - static_cast<float>(mean)) * correction;
        }
    }
}

/// Draws the layer's weights for unit output variance; returns the moments of what it computes.
Moments draw_weights(const Node &node, const TensorSpec &spec, std::uint64_t seed,
                     const Moments &in, TensorMap &checkpoint) {
    const bool depthwise = node.layer.op == Op::depthwise_conv2d;
    const auto kernel = static_cast<std::size_t>(node.layer.kernel);
    const auto inputs = static_cast<std::size_t>(node.layer.input.channels / node.layer.groups);
    const std::size_t fan_in = kernel * kernel * (depthwise ? 1 : inputs);
    const bool centred = !depthwise && fan_in > 1;
    const double carried = std::max(centred ? in.variance() : in.second(), 1e-12);
    FloatTensor weight =
        normal_tensor(spec, seed, 1 / std::sqrt(static_cast<double>(fan_in) * carried));
    if (centred) {
        centre_filters(weight, fan_in);
    }
    checkpoint.emplace(spec.name, std::move(weight));
    return {0, 1 - in.within / carried, in.within / carried};
}

Moments draw_layer(const Node &node, std::uint64_t seed, const Moments &in, TensorMap &checkpoint) {
    Moments out = in;
    for (const TensorSpec &spec : checkpoint_tensors(node)) {
        const std::string part = spec.name.substr(node.name.size());
        if (part == ".weight" && node.layer.per_channel_weights()) {
            checkpoint.emplace(spec.name, uniform_tensor(spec, seed, gamma_low, gamma_high));
        } else if (part == ".weight") {
            out = draw_weights(node, spec, seed, in, checkpoint);
        } else if (part == ".layer_scale") {
            checkpoint.emplace(spec.name,
                               uniform_tensor(spec, seed, layer_scale_low, layer_scale_high));
        } else if (part == ".bn.weight") {
            checkpoint.emplace(spec.name, uniform_tensor(spec, seed, gamma_low, gamma_high));
        } else if (part == ".bn.running_var") {
            checkpoint.emplace(spec.name, uniform_tensor(spec, seed, variance_low, variance_high));
        } else if (part == ".bn.running_mean") {
            checkpoint.emplace(spec.name, normal_tensor(spec, seed, mean_deviation));
        } else { // ".bias", ".bn.bias"
            checkpoint.emplace(spec.name, normal_tensor(spec, seed, beta_deviation));
        }
    }
    if (node.offset == Offset::batch_norm) {
        out = after_batch_norm(out);
    } else if (node.offset == Offset::bias) {
        out.between += beta_deviation * beta_deviation;
    }
    return out;
}

Moments pooled(const Moments &in, const Shape &shape) {
    return {in.mean, in.between + in.within / (static_cast<double>(shape.height) * shape.width), 0};
}

/// Product of independent values, the gate being the same at every pixel.
Moments scaled(const Moments &in, const Moments &gate) {
    const double mean = in.mean * gate.mean;
    const double channel = (in.between + in.mean * in.mean) * gate.second();
    return {mean, channel - mean * mean, in.within * gate.second()};
}

/// The largest of `n` independent normal values: mean and variance by midpoint sums over its
/// density n * phi(z) * Phi(z)^(n-1).
Moments largest(const Moments &in, int n) {
    constexpr int points = 240;
    double total = 0, mean = 0, second = 0;
    for (int i = 0; i < points; i++) {
        const double z = -5 + 0.05 * (i + 0.5); // to 7: the largest of many lies high
        const double below = 0.5 * std::erfc(-z / std::sqrt(2.0));
        const double density = std::exp(-0.5 * z * z) * std::pow(below, n - 1);
        total += density;
        mean += density * z;
        second += density * z * z;
    }
    mean /= total;
    const double deviation = std::sqrt(in.within);
    return {in.mean + mean * deviation, in.between, in.within * (second / total - mean * mean)};
}

} // namespace

TensorMap random_checkpoint(const Network &network, std::uint64_t seed) {
    TensorMap checkpoint;
    std::vector<Moments> outputs;
    const auto input = [&](const Node &node, std::size_t i) {
        const int from = node.inputs.at(i);
        return from < 0 ? Moments{} : outputs[static_cast<std::size_t>(from)];
    };
    for (const Node &node : network.nodes) {
        Moments m = input(node, 0);
        switch (node.layer.op) {
        case Op::conv2d:
        case Op::depthwise_conv2d:
        case Op::fully_connected:
        case Op::affine:
        case Op::layer_norm:
        case Op::group_norm: m = draw_layer(node, seed, m, checkpoint); break;
        case Op::global_average_pool: m = pooled(m, node.layer.input); break;
        case Op::channel_scale: m = scaled(m, input(node, 1)); break;
        // TODO(weights)
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
        case Op::resize_bilinear: break;
        case Op::max_pool: m = largest(m, node.layer.kernel * node.layer.kernel); break;
        }
        if (node.layer.residual) {
            const Moments other = input(node, node.inputs.size() - 1);
            m.mean += other.mean;
            m.between += other.between;
            m.within += other.within;
        }
        outputs.push_back(after_activation(node.layer.activation, m));
    }
    return checkpoint;
}

std::vector<float> random_input(const Network &network, std::uint64_t seed) {
    Random random(derive_seed(seed, "input"));
    std::vector<float> values(static_cast<std::size_t>(network.input.elements()));
    for (float &value : values) {
        value = static_cast<float>(random.normal());
    }
    return values;
}

} // namespace edgefront
