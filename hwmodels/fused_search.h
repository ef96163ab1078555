// The best fusion of a group on an array with a scratchpad: every strip, slice, order, kind of line
// buffer and number of buffers, with the best use of the arrays for every member.
#pragma once

#include "hwmodels/mapping_search.h"
#include "schedules/fused_nest.h"
#include "schedules/fusion_limits.h"

#include <vector>

namespace edgefront {

/// As `array_seconds`, of a group whose members take the arrays in turns:
///   max(max(sum of array + elementwise, sum of border) + exposed, tiles)
/// `prices` are those of the members; what is computed again costs its element-wise work again.
Seconds fused_seconds(const FusedNest &nest, const std::vector<ArrayPrices> &prices);

struct FusionChoice {
    Fusion plan;
    Seconds time;            ///< `fused_seconds` of it
    bool fits = false;       ///< false: no fusion does; `plan` is the smallest one
    bool proven = false;     ///< nothing in the space is faster (or as fast and moves less)
    std::int64_t priced = 0; ///< uses of the arrays, and plans, that were priced on the way
};

/// Of fusions equally fast the one that moves fewer bytes. Exact; when it has priced `most_priced`,
/// it leaves the least promising strips and slices aside. Deterministic.
/// `fusion_obstacle(layers)` is empty.
FusionChoice best_fusion(const std::vector<Layer> &layers, const ArrayLimits &limits,
                         const std::vector<ArrayPrices> &prices,
                         std::int64_t most_priced = default_most_priced);

} // namespace edgefront
