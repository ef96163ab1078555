// How one kernel is computed: the knobs of a schedule (host, Arm, HVX) or mapping (accelerators).
// A Schedule knows no layer and no target; `schedule_space` says which values are legal for a
// layer. It prints as one line and parses back:
//
//   "tile lanes=16 vectors=2 pixels=7 rows=1 unroll=4 order=channels_outer parallel=rows"
//
// with " block=2", " prefetch=4" and " depth=96" behind it where these knobs are used.
#pragma once

#include <string>
#include <vector>

namespace edgefront {

enum class LoopOrder {
    pixels_outer,   ///< for pixel tiles: for channel tiles (weights streamed, input rows stay)
    channels_outer, ///< for channel tiles: for pixel tiles (weight tile stays, input streamed)
};

/// Tiles of which loop run in parallel; that loop moves outermost.
enum class ParallelOver { none, rows, channels };

struct Schedule {
    int lanes = 1;   ///< SIMD lanes (or array columns) given to output channels
    int vectors = 1; ///< register blocking: vectors of output channels held at once
    int pixels = 1;  ///< register blocking: output pixels of a row held at once
    int rows = 1;    ///< register blocking: output rows held at once (depthwise)
    int unroll = 1;  ///< unrolling of the reduction
    LoopOrder order = LoopOrder::pixels_outer;
    ParallelOver parallel = ParallelOver::none;
    /// Turns of the outer loop over tiles that are taken together, innermost: with pixels_outer so
    /// many pixel tiles share a channel tile's weights, with channels_outer so many channel tiles
    /// an input row.
    int block = 1;
    /// Weights are fetched into the first cache so many turns of the reduction ahead; 0: by the
    /// hardware alone.
    int prefetch = 0;
    /// Reduction blocking: so many input channels are summed up for all pixels of a channel tile
    /// before the next so many, so that their weights stay in the first cache; 0: all at once.
    int depth = 0;

    bool operator==(const Schedule &o) const;
    bool operator!=(const Schedule &o) const { return !(*this == o); }
};

std::string to_string(const Schedule &schedule);
/// Knobs may stand in any order, those left out keep their default. Throws UserError on an unknown,
/// repeated or malformed knob.
Schedule parse_schedule(const std::string &text);

} // namespace edgefront
