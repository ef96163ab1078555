// The best mapping of a layer on an array with a scratchpad: branch and bound over MappingSpace,
// exact for the spaces it can finish, sampled beyond that.
#pragma once

#include "schedules/loop_nest.h"
#include "schedules/mapping_space.h"

#include <cstdint>

namespace edgefront {

/// What the counts of a mapping cost: the part of a price that a mapping can change.
struct ArrayPrices {
    double cycle_s = 0;       ///< seconds of an array cycle, efficiency included
    double elementwise_s = 0; ///< seconds beside the array's, the same for every mapping
    double border_byte_s = 0; ///< of a byte between array and scratchpad
    double tile_byte_s = 0;   ///< of a byte between scratchpad and memory
};

/// Array and elements one after another, beside them what crosses the array's border; tiles move
/// meanwhile, but for those nothing hides:
///   max(max(array + elementwise, border) + exposed, tiles)
/// with everything exposed when there is one buffer.
Seconds array_seconds(const LoopNest &nest, const ArrayPrices &prices);

struct MappingChoice {
    Mapping mapping;
    Seconds time;            ///< `array_seconds` of it
    bool fits = false;       ///< false: no mapping does; `mapping` is the smallest one
    bool proven = false;     ///< nothing in the space is faster (or as fast and moves less)
    std::int64_t priced = 0; ///< mappings that were priced on the way
};

/// Enough for every layer of the zoo on the shipped targets.
constexpr std::int64_t default_most_priced = 20'000'000;

/// Of mappings equally fast the one that moves fewer bytes. `most_priced` bounds the exact search;
/// what is left then is sampled, which prices about 400,000 more. Deterministic. The layer has
/// multiply-adds (`runs_on_array`).
MappingChoice best_mapping(const Layer &layer, const ArrayLimits &limits, const ArrayPrices &prices,
                           std::int64_t most_priced = default_most_priced);

} // namespace edgefront
