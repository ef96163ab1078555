// What no device can do faster, worked out from its constants without the models, and layers to try
// it on.
#pragma once

#include "base/random.h"
#include "hwmodels/cost_model.h"
#include "schedules/winograd.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace edgefront {

inline constexpr double rounding = 1 - 1e-12;

/// Multiply-adds per second of everything the target has, at full use.
inline double peak_macs(const Target &t, const Workload &w) {
    const double hertz = t.constant("clock_ghz") * 1e9;
    switch (t.kind) {
    case TargetKind::cpu: return hertz * t.constant("mac_per_cycle", w.precision) * w.threads;
    case TargetKind::dsp:
        return hertz * t.constant("mac_per_cycle", w.precision) * t.constant("vector_units");
    case TargetKind::edgetpu:
        return hertz * t.constant("array_rows") * t.constant("array_columns") *
               t.constant("arrays");
    case TargetKind::gpu:
    case TargetKind::npu: return hertz * t.constant("mac_per_cycle", w.precision);
    }
    return 0;
}

/// Multiplications that no engine of the target avoids: a fast convolution saves most of them, and
/// for it the bound is one on what it multiplies.
inline double least_multiplications(const Target &t, const Workload &w, const Layer &layer) {
    const auto useful = static_cast<double>(macs(layer).count());
    const std::string key = "winograd_outputs_" + to_string(w.precision);
    if (!t.has(key) || !winograd_applies(layer)) {
        return useful;
    }
    const double m = t.constant(key);
    return useful * (m + 2) * (m + 2) / (9 * m * m); // arXiv:1509.09308
}

/// Bytes per second of the level a layer's tensors move through.
inline double layer_bandwidth(const Target &t, const Workload &w) {
    return t.kind == TargetKind::cpu
               ? t.constant("l2_bytes_per_cycle") * t.constant("clock_ghz") * 1e9 * w.threads
               : t.constant("memory_gb_per_s") * 1e9;
}

/// A reshape without an epilogue is the same bytes under another name.
inline bool moves_nothing(const Layer &l) {
    return l.op == Op::reshape && !l.residual && l.activation == Activation::none;
}

/// Rows or columns of the input that windows touch: strides may step over some.
inline int touched(int inputs, int outputs, const Layer &l, int pad) {
    std::vector<bool> seen(static_cast<std::size_t>(inputs));
    for (int o = 0; o < outputs; o++) {
        for (int k = 0; k < l.kernel; k++) {
            const int at = o * l.stride - pad + k * l.dilation;
            if (at >= 0 && at < inputs) {
                seen[static_cast<std::size_t>(at)] = true;
            }
        }
    }
    return static_cast<int>(std::count(seen.begin(), seen.end(), true));
}

/// What a layer cannot do without reading and writing.
inline Bytes unique_bytes(const Layer &l) {
    if (moves_nothing(l)) {
        return {};
    }
    Layer read = l;
    if (l.has_window()) {
        read.input.height = touched(l.input.height, l.output.height, l, l.pad_top);
        read.input.width = touched(l.input.width, l.output.width, l, l.pad_left);
    }
    if (l.op == Op::slice) {
        read.input = l.output;
    }
    if (l.op == Op::resize_bilinear) { // a smaller output may step over rows and columns
        read.input.height = std::min(l.input.height, l.output.height);
        read.input.width = std::min(l.input.width, l.output.width);
    }
    return input_bytes(read) + weight_bytes(l) + output_bytes(l);
}

/// A legal layer of any operator; its epilogue too may be anything.
inline Layer random_layer(Random &random) {
    const auto up_to = [&](int n) { return 1 + static_cast<int>(random.below(n)); };
    Layer l;
    l.op = static_cast<Op>(random.below(op_names().size()));
    l.activation = static_cast<Activation>(random.below(activation_names().size()));
    const int parts = up_to(6); // groups, heads
    const int each = up_to(40); // channels of a part
    const int columns = up_to(40);
    l.input = {up_to(40), columns, parts * each};
    l.output = l.input;
    switch (l.op) {
    case Op::conv2d:
        l.groups = parts;
        l.output.channels = parts * up_to(60);
        [[fallthrough]];
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool:
        l.kernel = up_to(7);
        l.stride = up_to(2);
        l.dilation = l.has_weights() ? up_to(3) : 1;
        l.count_padding = l.op == Op::average_pool && random.below(2) == 0;
        l.pad_top = l.pad_left = l.reach() / 2;
        l.output.height = (l.input.height + l.stride - 1) / l.stride;
        l.output.width = (l.input.width + l.stride - 1) / l.stride;
        break;
    case Op::fully_connected:
        l.input = {1, 1, parts * each};
        l.output = {1, 1, up_to(2000)};
        break;
    case Op::global_average_pool: l.output = {1, 1, l.input.channels}; break;
    case Op::channel_scale:
        l.others = {{random.below(2) == 0 ? 1 : l.input.height, 1, l.input.channels}};
        break;
    case Op::softmax:
    case Op::channel_shuffle: l.groups = parts; break;
    case Op::attention_scores: {
        const int keys = up_to(200);
        l.groups = parts;
        l.others = {{l.input.height, keys, random.below(2) == 0 ? each : parts * each}};
        l.output.channels = parts * keys;
        break;
    }
    case Op::attention_context: {
        const int values = up_to(200);
        l.groups = parts;
        l.others = {{l.input.height, values, random.below(2) == 0 ? each : parts * each}};
        l.input.channels = parts * values;
        break;
    }
    case Op::concat: {
        const bool rows = random.below(2) == 0;
        for (int i = up_to(4); i > 0; i--) {
            Shape other = l.input;
            (rows ? other.height : other.channels) = up_to(50);
            (rows ? l.output.height : l.output.channels) += rows ? other.height : other.channels;
            l.others.push_back(other);
        }
        break;
    }
    case Op::slice:
        l.output.channels = up_to(l.input.channels);
        l.first_channel = up_to(l.input.channels - l.output.channels + 1) - 1;
        break;
    case Op::reshape: l.output = {1, l.input.height * columns, parts * each}; break;
    case Op::unfold:
    case Op::fold: {
        l.kernel = up_to(4);
        const Shape image = {l.kernel * up_to(12), l.kernel * up_to(12), parts * each};
        const int patch = l.kernel * l.kernel;
        const Shape rows = {patch, image.height * image.width / patch, image.channels};
        l.input = l.op == Op::unfold ? image : rows;
        l.output = l.op == Op::unfold ? rows : image;
        break;
    }
    case Op::resize_bilinear:
        l.output.height = up_to(80);
        l.output.width = up_to(80);
        break;
    case Op::elementwise:
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm: break;
    }
    l.bias = l.has_weights() && random.below(2) == 0;
    l.residual = random.below(4) == 0;
    return l;
}

/// The first thing about the price of `layer` that cannot be, or "".
inline std::string impossible(const Target &target, const Workload &w, const Layer &layer,
                              const Cost &cost) {
    const double seconds = cost.latency.count();
    const double bound = cost.lower_bound.count();
    const Bytes unique = unique_bytes(layer);
    const bool something = !moves_nothing(layer);
    if (!std::isfinite(seconds) || seconds < 0 || (something && seconds == 0)) {
        return "a latency of " + std::to_string(seconds) + " s";
    }
    if (!std::isfinite(cost.energy.count()) || cost.energy.count() < 0) {
        return "an energy of " + std::to_string(cost.energy.count()) + " pJ";
    }
    if (bound < least_multiplications(target, w, layer) / peak_macs(target, w) * rounding) {
        return "a lower bound below the multiply-adds on all multipliers";
    }
    if (bound < static_cast<double>(unique.count()) / layer_bandwidth(target, w) * rounding) {
        return "a lower bound below the unique bytes at the memory's rate";
    }
    if (seconds < bound * rounding) {
        return "a latency below its lower bound";
    }
    Seconds parts;
    for (const Seconds part : cost.spent) {
        parts += part;
        if (part < Seconds(0)) {
            return "an activity that takes less than no time";
        }
    }
    for (const LevelTraffic &level : cost.traffic) {
        parts += level.waiting;
        if (level.waiting < Seconds(0)) {
            return "waiting less than no time for " + level.level;
        }
        if (level.bytes < level.least || level.least < Bytes(0)) {
            return "fewer bytes than needed on " + level.level;
        }
        if (seconds < level.least_time.count() * rounding) {
            return "a latency below the bytes of " + level.level + " at its rate";
        }
    }
    if (std::abs(parts.count() - seconds) > 1e-12 * seconds) {
        return "shares that do not add up to the latency";
    }
    if (cost.traffic.empty() || cost.traffic.front().bytes < unique) {
        return "fewer bytes than the layer's tensors have";
    }
    if (!(cost.utilisation >= 0 && cost.utilisation <= 1 / rounding)) {
        return "a utilisation of " + std::to_string(cost.utilisation);
    }
    return cost.kind == CostKind::modelled ? "" : "another kind of number";
}

} // namespace edgefront
