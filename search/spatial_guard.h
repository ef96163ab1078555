// Does a network mix pixels at all? Capacity alone (MACs, parameters) rewards blocks without any
// spatial convolution, so a space refuses networks whose last feature map cannot see the whole
// input or that have a stage of 1x1 convolutions only.
#pragma once

#include "dsl/network.h"

#include <vector>

namespace edgefront {

/// What each block contributes, index = Node::block.
struct SpatialMixing {
    /// Input pixels (along one side) by which the block widens the view. Means over whole maps
    /// count nothing, attention counts the whole input, of several inputs the widest view counts.
    std::vector<int> reach;
    /// Convolutions with a window above 1x1, depthwise or dense, and attention.
    std::vector<int> mixing_layers;
};

SpatialMixing spatial_mixing(const Network &network);

/// Side of the square of input pixels that the last feature map sees: 1 + all reaches.
int receptive_field(const SpatialMixing &mixing);

/// Blocks of one stage, first and one past the last.
struct BlockRange {
    int first = 0;
    int end = 0;
};

/// The guard: a receptive field of at least `resolution`, and in every stage at least one mixing
/// layer.
bool mixes_space(const SpatialMixing &mixing, int resolution,
                 const std::vector<BlockRange> &stages);

} // namespace edgefront
