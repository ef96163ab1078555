// The parts of a mapped loop nest, each counted once: a loop cut into tiles, and what follows from
// the cut alone. `analyse(layer, mapping)` puts one set of parts together; a mapping search keeps
// tables of them and puts millions together.
#pragma once

#include "dsl/layer.h"
#include "schedules/mapping.h"

#include <cstdint>

namespace edgefront {

/// A layer with multiply-adds as `groups` products of [pixels x reduction] and [reduction x
/// channels]. Attention is that too: rows (and heads with keys of their own) are groups; heads that
/// share keys are further pixels. Extents in elements.
struct ArrayProblem {
    std::int64_t groups = 1;
    std::int64_t rows = 1;      ///< output rows
    std::int64_t columns = 1;   ///< output columns
    std::int64_t channels = 1;  ///< output channels of a group
    std::int64_t reduction = 1; ///< input channels of a group
    std::int64_t taps = 1;      ///< of the window
    int stride = 1;
    int reach = 1; ///< first to last tap of the window
    int pad_top = 0;
    int pad_left = 0;
    std::int64_t input_rows = 1;
    std::int64_t input_columns = 1;
    std::int64_t element = 4;             ///< bytes of an element
    bool bias = false;                    ///< 4 bytes per output channel
    bool residual = false;                ///< a tensor of the output's size is read too
    bool weights_are_activations = false; ///< attention: keys or values
    // Of data laid out in whole vectors: extents (but for the reduction) and tiles are multiples.
    int group_unit = 1;
    int column_unit = 1;
    int channel_unit = 1;
    int reduction_unit = 1; ///< of input channels as they are stored; padding is not multiplied

    std::int64_t macs() const { return groups * rows * columns * channels * reduction * taps; }
    std::int64_t outputs() const { return groups * rows * columns * channels; }
    std::int64_t weights() const { return groups * channels * reduction * taps; }
    std::int64_t bias_bytes() const { return bias ? 4 * groups * channels : 0; }
    bool grouped() const { return groups > 1; }
    std::int64_t stored_reduction(std::int64_t tile) const {
        return (tile + reduction_unit - 1) / reduction_unit * reduction_unit;
    }
};

/// Whether the layer has multiply-adds, so that an array can work on it.
bool runs_on_array(const Layer &layer);
ArrayProblem array_problem(const Layer &layer);
/// The layer laid out in vectors of so many channels and pixels of a row, filled up to whole ones.
/// Groups of one channel each lie side by side in a vector, others have vectors of their own.
ArrayProblem array_problem(const Layer &layer, int vector_channels, int vector_pixels);
/// Lanes that the columns of an array in use take: whole vectors.
std::int64_t lanes_in_use(const Mapping &m);

/// Bytes that cross the array's border under any mapping: every weight and output once, and the
/// pixels that windows touch (of strided or dilated windows one for each output, at least).
std::int64_t least_border_bytes(const ArrayProblem &p);
/// Bytes that tiles move under any mapping: as above, with the pixels that windows step over, but
/// without those that lie before the first or behind the last window.
std::int64_t least_tile_bytes(const ArrayProblem &p);

/// Bytes of a partial sum.
constexpr std::int64_t sum_bytes = 4;

struct GroupPart {
    std::int64_t tile;
    std::int64_t trips;
    std::int64_t folds; ///< passes of the array over the groups
};

struct ChannelPart {
    std::int64_t tile;
    std::int64_t trips;
    std::int64_t folds;        ///< passes of all arrays' columns over the channels
    std::int64_t column_folds; ///< times inputs go through an array: folds, in every array
    std::int64_t stream;       ///< input stationary: cycles that weights take to pass
    std::int64_t wait;         ///< of these passes, cycles for which the next fold's load is late
    std::int64_t first_wait;   ///< of the first pass
};

struct ReductionPart {
    std::int64_t tile;
    std::int64_t trips;
    std::int64_t folds;      ///< passes of the array's rows over the reduction
    std::int64_t tile_folds; ///< of the first tile
    std::int64_t wait;       ///< output stationary: cycles for which the previous fold's sums wait
    std::int64_t first_wait;
    std::int64_t stored;      ///< input channels as all tiles store them
    std::int64_t tile_stored; ///< and the largest one
};

struct PixelPart {
    std::int64_t tile_rows;
    std::int64_t tile_columns;
    std::int64_t row_trips;
    std::int64_t column_trips;
    std::int64_t stream; ///< weight stationary: cycles that inputs take to pass, all tiles
    std::int64_t folds;  ///< output and input stationary: passes over the pixels
    std::int64_t wait;   ///< weight stationary: cycles for which the next fold's load is late
    std::int64_t first_wait;
    std::int64_t inputs;      ///< pixels read by all tiles, halos included
    std::int64_t tile_inputs; ///< by the largest one
};

GroupPart group_part(const ArrayProblem &p, const Mapping &m, std::int64_t tile);
ChannelPart channel_part(const ArrayProblem &p, const Mapping &m, std::int64_t tile);
ReductionPart reduction_part(const ArrayProblem &p, const Mapping &m, std::int64_t tile);
PixelPart pixel_part(const ArrayProblem &p, const Mapping &m, std::int64_t rows,
                     std::int64_t columns);

/// Of a mapping but for the order of its tiles.
struct ArrayCounts {
    std::int64_t stream = 0; ///< cycles in which operands pass the array
    std::int64_t fill = 0;   ///< cycles of loading, skew and draining that nothing hides
    // Elements that cross the arrays' border.
    std::int64_t input_reads = 0;
    std::int64_t weight_reads = 0;
    std::int64_t sum_writes = 0; ///< the last one of every output is the output itself
    // Bytes of the largest tile in the scratchpad, both buffers if there are two.
    std::int64_t input_buffer = 0;
    std::int64_t weight_buffer = 0;
    std::int64_t output_buffer = 0;
    std::int64_t residual_buffer = 0;
    std::int64_t exposed = 0; ///< bytes moved before the first and after the last work

    std::int64_t buffers() const {
        return input_buffer + weight_buffer + output_buffer + residual_buffer;
    }
};

ArrayCounts count(const ArrayProblem &p, const Mapping &m, const GroupPart &g, const ChannelPart &n,
                  const ReductionPart &k, const PixelPart &pixels);

/// Bytes across the array's border, as `analyse` counts them.
inline std::int64_t border_bytes(const ArrayProblem &p, const ArrayCounts &c) {
    const std::int64_t partial = c.sum_writes - p.outputs();
    return (c.input_reads + c.weight_reads + p.outputs() * (p.residual ? 2 : 1)) * p.element +
           2 * partial * sum_bytes + p.bias_bytes();
}

/// What an order of tiles makes of the tensors: how often each one is moved, as sets of loops whose
/// trips multiply.
struct Refetches {
    bool input_per_channel_tile = false;
    bool weights_per_row_tile = false;
    bool weights_per_column_tile = false;
    bool sums_per_reduction_tile = false;

    bool operator==(const Refetches &o) const {
        return input_per_channel_tile == o.input_per_channel_tile &&
               weights_per_row_tile == o.weights_per_row_tile &&
               weights_per_column_tile == o.weights_per_column_tile &&
               sums_per_reduction_tile == o.sums_per_reduction_tile;
    }
};

/// Of an order, for loops with more than one trip (bit i: Loop i). A tensor is moved anew whenever
/// a loop at or outside the innermost one that indexes it goes on.
Refetches refetches(const LoopOrderOfTiles &order, unsigned tiled);
unsigned tiled_loops(const ChannelPart &n, const ReductionPart &k, const PixelPart &pixels);

/// Bytes between the scratchpad and the memory behind it.
struct TileTraffic {
    std::int64_t input = 0;
    std::int64_t weights = 0;
    std::int64_t output_writes = 0;
    std::int64_t output_reads = 0; ///< partial sums that come back
    std::int64_t residual = 0;

    std::int64_t total() const { return input + weights + output_writes + output_reads + residual; }
};

TileTraffic tile_traffic(const ArrayProblem &p, const ChannelPart &n, const ReductionPart &k,
                         const PixelPart &pixels, const Refetches &again);

} // namespace edgefront
