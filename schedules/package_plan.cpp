// What a package will hold: names, symbols, and where every layer's numbers stand.
#include "base/error.h"
#include "base/random.h"
#include "schedules/package.h"
#include "schedules/packing.h"
#include "schedules/schedule_space.h"

#include <fmt/format.h>

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
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
        const PackageStep &s = plan.steps[i];
        text +=
            fmt::format("{} {} {}\n", key(plan.network.nodes[i].layer), s.weights_count, s.tile);
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

std::vector<Schedule> default_schedules(const Network &network, const KernelTarget &target) {
    constexpr int several_threads = 2;
    std::vector<Schedule> schedules;
    for (const Node &node : network.nodes) {
        schedules.push_back(default_schedule(node.layer, isa_info(target.text), several_threads));
    }
    return schedules;
}

PackagePlan plan_package(const Network &network, const std::vector<Schedule> &schedules,
                         const KernelTarget &target) {
    if (schedules.size() != network.nodes.size()) {
        throw std::logic_error("plan_package: one schedule per layer is needed");
    }
    PackagePlan plan;
    plan.name = c_name(network.name);
    plan.network = network;
    plan.target = target;
    plan.memory = plan_memory(network, true);
    for (std::size_t i = 0; i < schedules.size(); i++) {
        const Layer &layer = network.nodes[i].layer;
        if (layer.type != DataType::fp32) {
            throw UserError("kernels are generated in fp32 only; " + network.nodes[i].name +
                            " is " + to_string(layer.type));
        }
        PackageStep step;
        step.schedule = schedules[i];
        step.symbol =
            "edgefront_kernel_" + stable_hash_hex("Halide " EDGEFRONT_HALIDE_VERSION "; " +
                                                  kernel_key(layer, step.schedule, target));
        step.weights_count = packed_weight_count(layer, step.schedule);
        step.bias_count = packed_bias_count(layer, step.schedule);
        step.weights_at = plan.floats;
        step.bias_at = step.weights_at + aligned(step.weights_count);
        step.tile = tile_of(layer, step.schedule);
        plan.floats = step.bias_at + aligned(step.bias_count);
        plan.steps.push_back(step);
    }
    plan.hash = hash_of(plan);
    return plan;
}

std::string pack_weights(const PackagePlan &plan, const NetworkWeights &weights) {
    std::vector<float> block(static_cast<std::size_t>(plan.floats));
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
        const Layer &layer = plan.network.nodes[i].layer;
        const PackageStep &step = plan.steps[i];
        if (layer.has_weights()) {
            const LayerWeights &plain = weights.layers.at(i);
            const auto w = pack_weights(layer, step.schedule, plain.weights);
            const auto b = pack_bias(layer, step.schedule, plain.bias);
            std::copy(w.begin(), w.end(), block.begin() + step.weights_at);
            std::copy(b.begin(), b.end(), block.begin() + step.bias_at);
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
