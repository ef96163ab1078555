// The random half of weights.h: draws a checkpoint while following mean and variance of every
// tensor, so that deep networks neither die nor blow up.
#include "base/random.h"
#include "dsl/weights.h"

#include <algorithm>
#include <cmath>
#include <utility>

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

// Batch-norm statistics, uniform or normal, and what they do to the moments on average. Gates and
// activations like swish amplify a tensor that is larger than thought; offsets of this size are
// what keeps that from going on and on.
constexpr double gamma_low = 0.8, gamma_high = 1.2;
constexpr double beta_deviation = 0.5;
constexpr double mean_deviation = 0.3;
constexpr double variance_low = 0.6, variance_high = 1.4;
// Trained layer scales start near zero; these matter.
constexpr double layer_scale_low = 0.5, layer_scale_high = 1.5;

double uniform_second_moment(double low, double high) {
    return (low * low + low * high + high * high) / 3;
}

/// Every channel times a factor of its own, of the given mean and second moment.
Moments times_factors(const Moments &m, double mean, double second) {
    const double centre = m.mean * mean;
    return {centre, (m.between + m.mean * m.mean) * second - centre * centre, m.within * second};
}

Moments times_gamma(const Moments &m) {
    return times_factors(m, (gamma_low + gamma_high) / 2,
                         uniform_second_moment(gamma_low, gamma_high));
}

Moments plus_beta(Moments m) {
    m.between += beta_deviation * beta_deviation;
    return m;
}

/// Mean 0, variance 1 but for `epsilon`.
Moments normalised(const Moments &m, double epsilon) {
    const double variance = m.variance() + epsilon;
    return {0, m.between / variance, m.within / variance};
}

/// Of a batch norm whose statistics are drawn around the mean and variance of what it sees.
Moments after_batch_norm(Moments m) {
    m = normalised(m, 0);
    m.between += mean_deviation * mean_deviation;
    // 1 / sqrt(var) with var uniform: E[1 / var] = ln(high / low) / (high - low).
    const double spread = variance_high - variance_low;
    m = times_factors(m, 2 * (std::sqrt(variance_high) - std::sqrt(variance_low)) / spread,
                      std::log(variance_high / variance_low) / spread);
    return plus_beta(times_gamma(m));
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

FloatTensor normal_tensor(const TensorSpec &spec, std::uint64_t seed, double deviation,
                          double mean = 0) {
    FloatTensor tensor{spec.shape, {}};
    std::size_t count = 1;
    for (const std::int64_t extent : spec.shape) {
        count *= static_cast<std::size_t>(extent);
    }
    Random random(derive_seed(seed, spec.name));
    tensor.values.resize(count);
    for (float &value : tensor.values) {
        value = static_cast<float>(mean + deviation * random.normal());
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

/// Taps of a window that lie inside the input, on average over all outputs.
double taps_inside(const Layer &layer) {
    const auto along = [&](int in, int out, int pad) {
        int inside = 0;
        for (int o = 0; o < out; o++) {
            for (int tap = 0; tap < layer.kernel; tap++) {
                const int at = o * layer.stride - pad + tap * layer.dilation;
                inside += at >= 0 && at < in;
            }
        }
        return static_cast<double>(inside) / out;
    };
    return along(layer.input.height, layer.output.height, layer.pad_top) *
           along(layer.input.width, layer.output.width, layer.pad_left);
}

/// Draws filters for unit output variance; returns the moments of what they compute.
Moments draw_filters(const Node &node, const TensorSpec &spec, std::uint64_t seed,
                     const Moments &in, TensorMap &checkpoint) {
    const bool depthwise = node.layer.op == Op::depthwise_conv2d;
    const auto kernel = static_cast<std::size_t>(node.layer.kernel);
    const auto inputs = static_cast<std::size_t>(node.layer.input.channels / node.layer.groups);
    const std::size_t fan_in = kernel * kernel * (depthwise ? 1 : inputs);
    const bool centred = !depthwise && fan_in > 1;
    const double carried = std::max(centred ? in.variance() : in.second(), 1e-12);
    const double terms = taps_inside(node.layer) * static_cast<double>(depthwise ? 1 : inputs);
    FloatTensor weight = normal_tensor(spec, seed, 1 / std::sqrt(terms * carried));
    if (centred) {
        centre_filters(weight, fan_in);
    }
    checkpoint.emplace(spec.name, std::move(weight));
    return {0, 1 - in.within / carried, in.within / carried};
}

/// What the layer computes before its weights are drawn.
Moments before_weights(const Layer &layer, const Moments &in) {
    const bool norm = layer.op == Op::layer_norm || layer.op == Op::group_norm;
    return norm ? normalised(in, norm_epsilon) : in;
}

Moments draw_layer(const Node &node, std::uint64_t seed, const Moments &in, TensorMap &checkpoint) {
    Moments out = before_weights(node.layer, in);
    for (const TensorSpec &spec : checkpoint_tensors(node)) {
        const std::string part = spec.name.substr(node.name.size());
        const auto uniform = [&](double low, double high) {
            checkpoint.emplace(spec.name, uniform_tensor(spec, seed, low, high));
        };
        if (part == ".weight" && node.layer.per_channel_weights()) {
            uniform(gamma_low, gamma_high);
            out = times_gamma(out);
        } else if (part == ".weight") {
            out = draw_filters(node, spec, seed, out, checkpoint);
        } else if (part == ".bn.weight") {
            uniform(gamma_low, gamma_high);
        } else if (part == ".bn.running_var") {
            uniform(variance_low * out.variance(), variance_high * out.variance());
        } else if (part == ".bn.running_mean") {
            checkpoint.emplace(
                spec.name,
                normal_tensor(spec, seed, mean_deviation * std::sqrt(out.variance()), out.mean));
        } else if (part == ".layer_scale") {
            uniform(layer_scale_low, layer_scale_high);
        } else { // ".bias", ".bn.bias"
            checkpoint.emplace(spec.name, normal_tensor(spec, seed, beta_deviation));
        }
    }
    if (node.offset == Offset::batch_norm) {
        out = after_batch_norm(out);
    } else if (node.offset == Offset::bias) {
        out = plus_beta(out);
    }
    if (node.layer_scale) {
        out = times_factors(out, (layer_scale_low + layer_scale_high) / 2,
                            uniform_second_moment(layer_scale_low, layer_scale_high));
    }
    return out;
}

// Averages take neighbouring pixels for independent; where they are not, more variance is left.

/// Mean of about `count` pixels.
Moments averaged(const Moments &in, double count) {
    return {in.mean, in.between, in.within / count};
}

/// The mean of a whole map is one value per channel.
Moments pooled(const Moments &in, const Shape &shape) {
    return {in.mean, in.between + in.within / (static_cast<double>(shape.height) * shape.width), 0};
}

Moments average_pooled(const Moments &in, const Layer &layer) {
    const double inside = taps_inside(layer);
    Moments out = averaged(in, inside);
    if (layer.count_padding) {
        const double share = inside / (layer.kernel * layer.kernel);
        out = {out.mean * share, out.between * share * share, out.within * share * share};
    }
    return out;
}

/// Means of two pixels along each side, weighted by their distance.
Moments resized(const Moments &in, const Shape &from, const Shape &to) {
    const auto left = [](int in_size, int out_size) { // of the variance, on average
        double sum = 0;
        for (int o = 0; o < out_size; o++) {
            const double at = (o + 0.5) * in_size / out_size - 0.5;
            const double part = at - std::floor(at);
            const bool edge = at < 0 || at > in_size - 1;
            sum += edge ? 1 : part * part + (1 - part) * (1 - part);
        }
        return sum / out_size;
    };
    return averaged(in, 1 / (left(from.height, to.height) * left(from.width, to.width)));
}

/// Product of independent values, the gate being the same at every pixel.
Moments scaled(const Moments &in, const Moments &gate) {
    const double mean = in.mean * gate.mean;
    const double channel = (in.between + in.mean * in.mean) * gate.second();
    return {mean, channel - mean * mean, in.within * gate.second()};
}

/// The largest of `n` independent normal values: mean and variance by midpoint sums over its
/// density n * phi(z) * Phi(z)^(n-1).
Moments largest(const Moments &in, double n) {
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

/// Parts of a tensor, each with its share of the elements. Parts in rows share their channels.
Moments joined(const std::vector<std::pair<Moments, double>> &parts, bool rows) {
    double mean = 0, second = 0, between = 0;
    for (const auto &[m, share] : parts) {
        mean += share * m.mean;
        second += share * m.second();
        between += rows ? share * share * m.between : share * (m.between + m.mean * m.mean);
    }
    between -= rows ? 0 : mean * mean;
    return {mean, between, second - mean * mean - between};
}

/// A softmax over `count` scores. With normal scores e^score is log-normal, and the mean square of
/// a share is about E[e^2s] / E[(sum e^s)^2] = e^v / (e^v + count - 1) / count, v their variance.
/// That takes a spread which all scores of one softmax have in common, and which cancels, for one
/// between them.
Moments softmaxed(const Moments &in, double count) {
    const auto mean_square = [&](double variance) {
        const double ratio = std::exp(std::min(variance, 50.0));
        return ratio / (ratio + count - 1) / count;
    };
    const double between = mean_square(in.between);
    return {1 / count, between - 1 / (count * count), mean_square(in.variance()) - between};
}

/// Sums of `d` products over sqrt(d); channels of scores are keys.
Moments scores(const Moments &queries, const Moments &keys, double d) {
    const double products = queries.mean * keys.mean;
    const double second = keys.second();
    return {std::sqrt(d) * products,
            (queries.between + queries.mean * queries.mean) * second - products * products,
            queries.within * second};
}

/// Sums over `count` values, weighted by a softmax: what the values have in common stays, their
/// differences average out. Weights that are the same for all queries give all queries the same.
Moments context(const Moments &weights, const Moments &values, double count) {
    const double same = count * (weights.mean * weights.mean + weights.between);
    return {values.mean, values.between + same * values.within,
            count * weights.within * values.within};
}

/// The same elements as other pixels and channels: they keep only their variance.
Moments reshaped(const Moments &in, const Layer &layer) {
    return layer.input.channels == layer.output.channels ? in : Moments{in.mean, 0, in.variance()};
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
        const Layer &layer = node.layer;
        Moments m = input(node, 0);
        switch (layer.op) {
        case Op::conv2d:
        case Op::depthwise_conv2d:
        case Op::fully_connected:
        case Op::affine:
        case Op::layer_norm:
        case Op::group_norm: m = draw_layer(node, seed, m, checkpoint); break;
        case Op::global_average_pool: m = pooled(m, layer.input); break;
        case Op::channel_scale: m = scaled(m, input(node, 1)); break;
        case Op::max_pool: m = largest(m, taps_inside(layer)); break;
        case Op::average_pool: m = average_pooled(m, layer); break;
        case Op::softmax: m = softmaxed(m, layer.input.channels / layer.groups); break;
        case Op::attention_scores:
            m = scores(m, input(node, 1), layer.input.channels / layer.groups);
            break;
        case Op::attention_context: m = context(m, input(node, 1), layer.others[0].width); break;
        case Op::concat: {
            std::vector<std::pair<Moments, double>> parts;
            for (std::size_t i = 0; i <= layer.others.size(); i++) {
                const Shape &part = i == 0 ? layer.input : layer.others[i - 1];
                parts.emplace_back(input(node, i),
                                   static_cast<double>(part.elements()) /
                                       static_cast<double>(layer.output.elements()));
            }
            m = joined(parts, layer.input.channels == layer.output.channels);
            break;
        }
        case Op::resize_bilinear: m = resized(m, layer.input, layer.output); break;
        case Op::reshape: m = reshaped(m, layer); break;
        case Op::elementwise:
        case Op::slice:
        case Op::channel_shuffle:
        case Op::unfold:
        case Op::fold: break;
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
