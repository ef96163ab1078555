// The best mapping of a layer on an array (or the register file of a vector unit) with a
// scratchpad: branch and bound over MappingSpace, exact for the spaces it can finish, sampled
// beyond that.
#pragma once

#include "schedules/loop_nest.h"
#include "schedules/mapping_space.h"

#include <cstdint>
#include <optional>

namespace edgefront {

/// What the counts of a mapping cost: the part of a price that a mapping can change.
struct ArrayPrices {
    double cycle_s = 0;       ///< seconds of an array cycle, efficiency included
    double elementwise_s = 0; ///< seconds beside the array's, the same for every mapping
    double border_byte_s = 0; ///< of a byte between array and scratchpad
    double tile_byte_s = 0;   ///< of a byte between scratchpad and memory
    // Of a vector processor: a cycle lasts as long as its multiply-adds take one unit, a byte at
    // the border occupies one unit, and an array has neither to be filled nor drained.
    double mac_s = 0;        ///< seconds of a multiply-add of one unit, efficiency included
    double unit_byte_s = 0;  ///< of a byte between a unit's registers and the scratchpad
    double afterwards_s = 0; ///< seconds behind all that, the same for every mapping
    /// Of a scratchpad where tensors stay from layer to layer: its size. See `moved_bytes`.
    std::optional<Bytes> keeps = {};
};

/// Of what the tiles of a mapping move, `tiles` bytes in all, how much comes from or goes to the
/// memory behind the scratchpad. Where tensors stay, as many bytes of activations as there is room
/// for beside the weights do not, and of weights only those fetched again (that they are fetched
/// at all is a matter of the whole network).
std::int64_t moved_bytes(const ArrayProblem &p, std::int64_t weight_buffer, std::int64_t tiles,
                         const std::optional<Bytes> &keeps);

/// Array and elements one after another, beside them what crosses the array's border; tiles move
/// meanwhile, but for those nothing hides:
///   max(max(array + elementwise, border) + afterwards + exposed, tiles)
/// with everything exposed when there is one buffer. With two it is the first tile's operands and
/// the last one's results, unless tensors stay: then these are among what does.
Seconds array_seconds(const Layer &layer, const LoopNest &nest, const ArrayPrices &prices);

struct MappingChoice {
    Mapping mapping;
    Seconds time;            ///< `array_seconds` of it
    bool fits = false;       ///< false: no mapping does; `mapping` is the smallest one
    bool proven = false;     ///< nothing in the space is faster, or as fast and moves less
    std::int64_t priced = 0; ///< mappings that were priced on the way
};

/// Enough for every layer of the zoo on the shipped targets.
constexpr std::int64_t default_most_priced = 20'000'000;

/// Of mappings equally fast the one whose tiles move fewer bytes; of a vector processor then the
/// one with less between registers and scratchpad. `most_priced` bounds the exact search; what is
/// left then is sampled, which prices about 400,000 more. Deterministic. The layer has
/// multiply-adds (`runs_on_array`).
MappingChoice best_mapping(const Layer &layer, const ArrayLimits &limits, const ArrayPrices &prices,
                           std::int64_t most_priced = default_most_priced);

} // namespace edgefront
