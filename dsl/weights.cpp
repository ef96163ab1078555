#include "dsl/weights.h"

#include "base/random.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace edgefront {

namespace {

/// A batch norm alone: its gamma is all there is to learn beside the offset.
bool is_batch_norm(const Node &node) {
    return node.layer.op == Op::affine && node.offset == Offset::batch_norm;
}

std::vector<std::int64_t> weight_shape(const Layer &layer) {
    const std::int64_t ci = layer.input.channels / layer.groups;
    const std::int64_t co = layer.output.channels, k = layer.kernel;
    if (layer.per_channel_weights()) {
        return {co};
    }
    switch (layer.op) {
    case Op::conv2d: return {co, ci, k, k};
    case Op::depthwise_conv2d: return {co, 1, k, k};
    case Op::fully_connected: return {co, ci};
    default: throw std::logic_error(to_string(layer.op) + " has no weights");
    }
}

/// [out][in][taps] of PyTorch to [taps][in][out] of layer.h, each output channel times `scale`.
std::vector<float> to_plain(const std::vector<float> &values, std::size_t outputs,
                            std::size_t inputs, std::size_t taps, const std::vector<float> &scale) {
    std::vector<float> plain(values.size());
    for (std::size_t o = 0; o < outputs; o++) {
        for (std::size_t i = 0; i < inputs; i++) {
            for (std::size_t t = 0; t < taps; t++) {
                plain[(t * inputs + i) * outputs + o] =
                    values[(o * inputs + i) * taps + t] * scale[o];
            }
        }
    }
    return plain;
}

/// The inverse, to a tensor of this shape.
std::vector<float> from_plain(const std::vector<float> &plain,
                              const std::vector<std::int64_t> &shape) {
    const auto outputs = static_cast<std::size_t>(shape[0]);
    const std::size_t inputs = shape.size() > 1 ? static_cast<std::size_t>(shape[1]) : 1;
    const std::size_t taps = plain.size() / (outputs * inputs);
    std::vector<float> values(plain.size());
    for (std::size_t o = 0; o < outputs; o++) {
        for (std::size_t i = 0; i < inputs; i++) {
            for (std::size_t t = 0; t < taps; t++) {
                values[(o * inputs + i) * taps + t] = plain[(t * inputs + i) * outputs + o];
            }
        }
    }
    return values;
}

LayerWeights fold_layer(const Node &node, const TensorMap &checkpoint, double epsilon) {
    const auto values = [&](const std::string &suffix) -> const std::vector<float> & {
        return checkpoint.at(node.name + suffix).values;
    };
    const auto outputs = static_cast<std::size_t>(node.layer.output.channels);
    std::vector<float> scale(outputs, 1.0f), bias;
    switch (node.offset) {
    case Offset::none: break;
    case Offset::bias: bias = values(".bias"); break;
    case Offset::batch_norm:
        bias.resize(outputs);
        for (std::size_t c = 0; c < outputs; c++) {
            const double factor =
                values(".bn.weight")[c] / std::sqrt(values(".bn.running_var")[c] + epsilon);
            scale[c] = static_cast<float>(factor);
            bias[c] =
                static_cast<float>(values(".bn.bias")[c] - values(".bn.running_mean")[c] * factor);
        }
        break;
    }
    if (node.layer_scale) {
        const std::vector<float> &factors = values(".layer_scale");
        for (std::size_t c = 0; c < outputs; c++) {
            scale[c] *= factors[c];
            if (!bias.empty()) {
                bias[c] *= factors[c];
            }
        }
    }
    if (is_batch_norm(node)) {
        return {std::move(scale), std::move(bias)};
    }
    const FloatTensor &weight = checkpoint.at(node.name + ".weight");
    const std::size_t inputs =
        weight.shape.size() > 1 ? static_cast<std::size_t>(weight.shape[1]) : 1;
    const std::size_t taps = weight.values.size() / (outputs * inputs);
    return {to_plain(weight.values, outputs, inputs, taps, scale), std::move(bias)};
}

std::string hash_of(const std::vector<LayerWeights> &layers) {
    std::string hashes;
    for (const LayerWeights &layer : layers) {
        for (const std::vector<float> *values : {&layer.weights, &layer.bias}) {
            hashes += stable_hash_hex(
                {reinterpret_cast<const char *>(values->data()), values->size() * sizeof(float)});
        }
    }
    return stable_hash_hex(hashes);
}

bool ends_with(const std::string &text, const std::string &tail) {
    return text.size() >= tail.size() &&
           text.compare(text.size() - tail.size(), tail.size(), tail) == 0;
}

} // namespace

std::vector<TensorSpec> checkpoint_tensors(const Node &node) {
    std::vector<TensorSpec> tensors;
    if (!node.layer.has_weights()) {
        return tensors;
    }
    const std::vector<std::int64_t> channels = {node.layer.output.channels};
    if (!is_batch_norm(node)) {
        tensors.push_back({node.name + ".weight", weight_shape(node.layer)});
    }
    switch (node.offset) {
    case Offset::none: break;
    case Offset::bias: tensors.push_back({node.name + ".bias", channels}); break;
    case Offset::batch_norm:
        for (const char *part : {"weight", "bias", "running_mean", "running_var"}) {
            tensors.push_back({node.name + ".bn." + part, channels});
        }
        break;
    }
    if (node.layer_scale) {
        tensors.push_back({node.name + ".layer_scale", channels});
    }
    return tensors;
}

NetworkWeights fold(const Network &network, const TensorMap &checkpoint) {
    NetworkWeights result;
    for (const Node &node : network.nodes) {
        result.layers.push_back(node.layer.has_weights()
                                    ? fold_layer(node, checkpoint, network.batch_norm_epsilon)
                                    : LayerWeights{});
    }
    result.hash = hash_of(result.layers);
    return result;
}

NetworkWeights random_weights(const Network &network, std::uint64_t seed) {
    NetworkWeights weights = fold(network, random_checkpoint(network, seed));
    weights.source = "seed " + std::to_string(seed);
    return weights;
}

TensorMap load_checkpoint(const Network &network, const std::filesystem::path &path) {
    const TensorFile file = TensorFile::read(path);
    TensorMap checkpoint;
    std::vector<std::string> known;
    for (const Node &node : network.nodes) {
        for (const TensorSpec &spec : checkpoint_tensors(node)) {
            FloatTensor tensor = file.floats(spec.name, spec.shape);
            if (ends_with(spec.name, ".running_var") &&
                *std::min_element(tensor.values.begin(), tensor.values.end()) < 0) {
                throw UserError({file.file(), "/" + spec.name}, "a variance is negative");
            }
            checkpoint.emplace(spec.name, std::move(tensor));
            known.push_back(spec.name);
        }
        if (node.offset == Offset::batch_norm) {
            known.push_back(node.name + ".bn.num_batches_tracked");
        }
    }
    for (const std::string &name : file.names()) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw UserError({file.file(), "/" + name},
                            network.name + " has no such tensor" + did_you_mean(name, known));
        }
    }
    return checkpoint;
}

NetworkWeights load_weights(const Network &network, const std::filesystem::path &path) {
    NetworkWeights weights = fold(network, load_checkpoint(network, path));
    weights.source = "file " + path.filename().string();
    return weights;
}

TensorMap folded_checkpoint(const Network &network, NetworkWeights weights) {
    TensorMap checkpoint;
    for (std::size_t i = 0; i < network.nodes.size(); i++) {
        const Node &node = network.nodes[i];
        if (!node.layer.has_weights()) {
            continue;
        }
        const std::vector<std::int64_t> shape = weight_shape(node.layer);
        LayerWeights layer = std::exchange(weights.layers[i], {});
        checkpoint[node.name + ".weight"] = {shape, from_plain(layer.weights, shape)};
        if (node.offset != Offset::none) {
            checkpoint[node.name + ".bias"] = {{node.layer.output.channels}, std::move(layer.bias)};
        }
    }
    return checkpoint;
}

} // namespace edgefront
