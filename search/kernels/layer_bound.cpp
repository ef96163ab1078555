#include "search/kernels/layer_bound.h"

#include <algorithm>

namespace edgefront {

MachinePeak measure_peak(int threads) {
    return {measure_peak_flops(threads), measure_bandwidth(threads)};
}

LayerBound layer_bound(const Layer &layer, const MachinePeak &peak) {
    return kernel_bound({layer}, peak);
}

LayerBound kernel_bound(const std::vector<Layer> &layers, const MachinePeak &peak) {
    Bytes bytes = input_bytes(layers.front()) + output_bytes(layers.back());
    Macs work;
    for (const Layer &layer : layers) {
        bytes += weight_bytes(layer);
        work += macs(layer);
    }
    const auto holds = [&](const LevelBandwidth &level) {
        return level.size == Bytes(0) || bytes <= level.size;
    };
    const LevelBandwidth &level =
        *std::find_if(peak.levels.begin(), peak.levels.end() - 1, holds); // DRAM holds everything
    const Seconds computing(2.0 * static_cast<double>(work.count()) / peak.flops);
    const Seconds moving(static_cast<double>(bytes.count()) / level.best());
    return {std::max(computing, moving), level.level, moving > computing};
}

Seconds layers_bound(const Network &network, const MachinePeak &peak) {
    Seconds sum(0);
    for (const Node &node : network.nodes) {
        sum += layer_bound(node.layer, peak).time;
    }
    return sum;
}

} // namespace edgefront
