// Which activations live when, and where they stand in one arena.
#pragma once

#include "dsl/network.h"

#include <vector>

namespace edgefront {

struct MemoryPlan {
    static constexpr int alignment = 64; ///< of every offset, in bytes: one cache line

    /// Offset of each node's output in the arena, in bytes.
    std::vector<std::int64_t> offsets;
    std::int64_t input_offset = 0;
    Bytes arena; ///< size of the arena, at least `peak`

    /// Activations that live while each layer runs, the network's input and output included; an
    /// output is live from its producer to its last reader.
    std::vector<Bytes> live;
    Bytes peak;        ///< the largest of `live`, a lower bound of every arena
    int peak_node = 0; ///< the layer during which it is reached
};

/// Places every activation in one arena (best fit, largest first, the order improved by a
/// seeded search). With `external_io` the
/// network's input and output are the caller's buffers and take no room in it; `peak` always counts
/// them.
/// Consecutive nodes in one of `chains` are computed together: outputs of all but the last take no
/// room, and what any of them reads lives as long as the last one runs.
MemoryPlan plan_memory(const Network &network, bool external_io = false,
                       const std::vector<std::vector<int>> &chains = {});

} // namespace edgefront
