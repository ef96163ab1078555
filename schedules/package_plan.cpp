// What a package will hold: names, symbols, and where every layer's numbers stand.
#include "base/error.h"
#include "base/random.h"
#include "schedules/package.h"
#include "schedules/packing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <stdexcept>

namespace edgefront {

namespace {

constexpr std::int64_t border = MemoryPlan::alignment / sizeof(float);

std::int64_t aligned(std::int64_t floats) {
    return (floats + border - 1) / border * border;
}

/// NR of packing.h; weights that are not packed are one tile of all channels.
int tile_of(const Layer &layer, const Schedule &schedule) {
    return layer.op == Op::depthwise_conv2d || layer.per_channel_weights()
               ? layer.output.channels
               : schedule.lanes * schedule.vectors;
}

std::uint64_t hash_of(const PackagePlan &plan) {
    std::string text;
    for (const PackageStep &step : plan.steps) {
        for (const PackedLayer &l : step.layers) {
            const Node &node = plan.network.nodes[static_cast<std::size_t>(l.node)];
            text += fmt::format("{} {} {}\n", key(node.layer), l.weights_count, l.tile);
        }
    }
    return stable_hash(text);
}

/// FNV-1a over 32-bit words, as in package/runtime.c.
std::uint64_t hash_words(const std::vector<float> &values) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const float value : values) {
        std::uint32_t word = 0;
        std::memcpy(&word, &value, sizeof word);
        hash = (hash ^ word) * 0x100000001b3u;
    }
    return hash;
}

template <typename T>
void append(std::string &bytes, const T &value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
}

} // namespace

std::string kernel_compiler() {
    return "Halide " EDGEFRONT_HALIDE_VERSION ", emitter " + std::to_string(emitter_version());
}

std::string c_name(const std::string &network_name) {
    std::string name;
    for (const char c : network_name) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            name += c;
        } else if (c == '@') {
            name += "_w";
        } else if (c == ',') {
            name += "_r";
        } else {
            name += c == '.' ? 'p' : '_';
        }
    }
    const bool starts_well =
        !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0;
    return starts_well ? name : "network_" + name;
}

std::vector<KernelChoice> default_kernels(const Network &network, const KernelTarget &target,
                                          const CoreInfo &core) {
    std::vector<KernelChoice> kernels;
    for (std::size_t i = 0; i < network.nodes.size(); i++) {
        kernels.push_back({{static_cast<int>(i)},
                           default_schedule(network.nodes[i].layer, isa_info(target.text),
                                            default_threads, core)});
    }
    return kernels;
}

std::vector<Layer> layers_of(const PackagePlan &plan, const PackageStep &step) {
    std::vector<Layer> layers;
    for (const PackedLayer &l : step.layers) {
        layers.push_back(plan.network.nodes[static_cast<std::size_t>(l.node)].layer);
    }
    return layers;
}

std::string name_of(const PackagePlan &plan, const PackageStep &step) {
    std::string name;
    for (const PackedLayer &l : step.layers) {
        name +=
            (name.empty() ? "" : " + ") + plan.network.nodes[static_cast<std::size_t>(l.node)].name;
    }
    return name;
}

namespace {

/// Gives the layer its place behind what is packed so far.
PackedLayer packed_layer(const Layer &layer, int node, const Schedule &schedule,
                         PackagePlan &plan) {
    PackedLayer packed;
    packed.node = node;
    packed.weights_count = packed_weight_count(layer, schedule);
    packed.bias_count = packed_bias_count(layer, schedule);
    packed.weights_at = plan.floats;
    packed.bias_at = packed.weights_at + aligned(packed.weights_count);
    packed.tile = tile_of(layer, schedule);
    plan.floats = packed.bias_at + aligned(packed.bias_count);
    return packed;
}

/// What a kernel may ask for, with what Halide adds to every piece.
std::int64_t scratch_of(const std::vector<Layer> &layers, const KernelPlan &plan) {
    constexpr std::int64_t more = 256; // bytes
    const auto pieces = static_cast<std::int64_t>(layers.size()) - 1;
    return plan.fused()
               ? (scratch_bytes(layers, plan).count() + pieces * more + MemoryPlan::alignment - 1) /
                     MemoryPlan::alignment * MemoryPlan::alignment
               : 0;
}

} // namespace

PackagePlan plan_package(const Network &network, const std::vector<KernelChoice> &kernels,
                         const KernelTarget &target) {
    PackagePlan plan;
    plan.name = c_name(network.name);
    plan.network = network;
    plan.target = target;
    std::vector<std::vector<int>> chains;
    int next = 0;
    for (const KernelChoice &kernel : kernels) {
        PackageStep step;
        step.plan = kernel.plan;
        for (std::size_t i = 0; i < kernel.nodes.size(); i++) {
            if (kernel.nodes[i] != next++) {
                throw std::logic_error("plan_package: every node is needed once, in order");
            }
            const Node &node = network.nodes.at(static_cast<std::size_t>(kernel.nodes[i]));
            if (node.layer.type != DataType::fp32) {
                throw UserError("kernels are generated in fp32 only; " + node.name + " is " +
                                to_string(node.layer.type));
            }
            step.layers.push_back(
                packed_layer(node.layer, kernel.nodes[i], kernel.plan.members.at(i), plan));
        }
        const std::vector<Layer> layers = layers_of(plan, step);
        step.symbol =
            "edgefront_kernel_" + stable_hash_hex("Halide " EDGEFRONT_HALIDE_VERSION "; " +
                                                  kernel_key(layers, step.plan, target));
        plan.scratch = std::max(plan.scratch, scratch_of(layers, step.plan));
        if (kernel.nodes.size() > 1) {
            chains.push_back(kernel.nodes);
        }
        plan.steps.push_back(step);
    }
    if (next != static_cast<int>(network.nodes.size())) {
        throw std::logic_error("plan_package: every node is needed once, in order");
    }
    plan.memory = plan_memory(network, true, chains);
    plan.hash = hash_of(plan);
    return plan;
}

std::string pack_weights(const PackagePlan &plan, const NetworkWeights &weights) {
    std::vector<float> block(static_cast<std::size_t>(plan.floats));
    for (const PackageStep &step : plan.steps) {
        for (std::size_t i = 0; i < step.layers.size(); i++) {
            const PackedLayer &l = step.layers[i];
            const auto node = static_cast<std::size_t>(l.node);
            const Layer &layer = plan.network.nodes[node].layer;
            if (layer.has_weights()) {
                const LayerWeights &plain = weights.layers.at(node);
                const auto w = pack_weights(layer, step.plan.members[i], plain.weights);
                const auto b = pack_bias(layer, step.plan.members[i], plain.bias);
                std::copy(w.begin(), w.end(), block.begin() + l.weights_at);
                std::copy(b.begin(), b.end(), block.begin() + l.bias_at);
            }
        }
    }
    const std::uint64_t payload = block.size() * sizeof(float);
    std::string bytes = package_weights_magic;
    append(bytes, package_weights_version);
    append(bytes, package_weights_header_bytes);
    append(bytes, plan.hash);
    append(bytes, payload);
    append(bytes, hash_words(block));
    bytes.resize(package_weights_header_bytes);
    bytes.append(reinterpret_cast<const char *>(block.data()), payload);
    return bytes;
}

} // namespace edgefront
