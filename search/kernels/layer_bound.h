// How fast a layer can be at most on this machine: its own roofline, from measured peaks.
#pragma once

#include "dsl/network.h"
#include "search/kernels/peak.h"

#include <string>
#include <vector>

namespace edgefront {

/// What was measured of the machine, for a number of threads together.
struct MachinePeak {
    double flops = 0; ///< fp32 operations per second
    std::vector<LevelBandwidth> levels;
};
MachinePeak measure_peak(int threads);

/// The time below which a layer cannot be computed as it is written, and why.
struct LayerBound {
    Seconds time;
    std::string level; ///< that holds its operands, whose bandwidth counts
    bool by_memory = false;
};

/// The longer of two times: multiply-adds (none are saved, as a Winograd kernel would) at the
/// peak; and what the layer must move at least, its weights and all inputs once in and its output
/// once out, at the bandwidth of the nearest level that holds all of it at once. That is the bound
/// of a layer alone and warm: in a network operands may come from farther.
LayerBound layer_bound(const Layer &layer, const MachinePeak &peak);

/// The same of one kernel that computes a chain of layers: nothing between them has to be moved,
/// nor has a residual, which may be the chain's own input.
LayerBound kernel_bound(const std::vector<Layer> &layers, const MachinePeak &peak);

/// Sum over the layers, each for itself.
Seconds layers_bound(const Network &network, const MachinePeak &peak);

} // namespace edgefront
