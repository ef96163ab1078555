// How an accelerator computes a fused group: two or three layers in a chain, whose tensors in
// between never leave the scratchpad. The group goes through its output in strips of rows, each
// member as far as the next one needs it. Like a Mapping it prints as one line and parses back:
//
//   "fuse rows=4 channels=48 order=strips lines=keep weights=stream buffers=2 |
//        map dataflow=ws array=64x32 groups=1 arrays=4x4 preload=1 | map ... | map ..."
//
// In a pointwise-depthwise-pointwise group the middle tensors may be worked on a slice of channels
// at a time: the first member computes that many, the second convolves each, the third sums over
// them.
#pragma once

#include "dsl/network.h"
#include "schedules/mapping.h"

#include <cstdint>
#include <string>
#include <vector>

namespace edgefront {

/// Which loop is outside. With strips outside, sums of a strip wait in the scratchpad for all
/// slices; with slices outside, weights are fetched once, but the input again for every slice, and
/// sums leave as partial ones.
enum class FusionOrder { strips, slices };

struct Fusion {
    std::int64_t rows = 1;     ///< output rows of the last member in a strip
    std::int64_t channels = 0; ///< of the middle tensors at a time; 0: all
    FusionOrder order = FusionOrder::strips;
    /// Rows that the next strip needs too stay, in line buffers; else they are made (of the
    /// group's input: fetched) again.
    bool keep_lines = true;
    bool weights_stay = false;    ///< of all slices, in the scratchpad, over all strips
    bool double_buffered = false; ///< what crosses the group's border moves while the array works
    /// How each member uses the arrays. Tile, order and buffers follow from the fusion.
    std::vector<Mapping> members;

    bool operator==(const Fusion &o) const;
    bool operator!=(const Fusion &o) const { return !(*this == o); }
};

std::string to_string(const Fusion &plan);
/// Throws UserError on an unknown, repeated or malformed knob, on a member with a tile of its own,
/// and unless there are two or three members.
Fusion parse_fusion(const std::string &text);

/// Why layers, each the only consumer of the one before, are no group, as a sentence's end; empty
/// when they are one. Only the last may add a residual.
std::string fusion_obstacle(const std::vector<Layer> &layers);
/// Whether the middle tensors of a group can be cut into slices of channels.
bool can_slice(const std::vector<Layer> &layers);
/// The members' keys, with " + " between them: the workload key of a group.
std::string key(const std::vector<Layer> &layers);

using LayerTest = bool (*)(const Layer &);
using Obstacle = std::string (*)(const std::vector<Layer> &);

/// Chains of consecutive nodes, each the only consumer of the one before, none in two chains: those
/// of the first pattern (a test per member), of what is left those of the second, and so on, unless
/// there is an obstacle. In the order of the network.
std::vector<std::vector<int>> find_chains(const Network &network,
                                          const std::vector<std::vector<LayerTest>> &patterns,
                                          Obstacle obstacle);

/// Groups of the network, as indices of consecutive nodes, none in two of them:
/// pointwise-depthwise-pointwise wherever there is one, of what is left depthwise-pointwise, then
/// pointwise-depthwise. In the order of the network.
std::vector<std::vector<int>> fused_groups(const Network &network);

} // namespace edgefront
