// How an accelerator computes one layer: what stays in its multiplier array, which tile of the
// layer its scratchpad holds, in which order tiles follow each other. Like a Schedule it knows no
// layer and no target, prints as one line and parses back:
//
//   "map dataflow=ws array=64x32 groups=1 arrays=4x4 preload=1 tile=1x14x14x96x24
//        order=channels,rows,columns,reduction buffers=2"
//
// A layer is G independent groups, each a product of [pixels x reduction] and [reduction x
// channels]; the reduction is input channels times taps of the window. Depthwise layers have one
// group per channel.
//
// The register file of a vector processor is such an array too: what stays is the register tile,
// the vectors' lanes lie along its columns. There `vector` says what whole vectors the data is laid
// out in; what fills them up is computed and moved like the rest.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace edgefront {

/// What an array keeps while the other two operands stream through it.
enum class Dataflow { weight_stationary, output_stationary, input_stationary };
/// "ws", "os", "is", in enum order.
const std::vector<std::string> &dataflow_names();

/// The loops over tiles inside a group; those over groups are always outside of them, because every
/// tensor is indexed by the group.
enum class Loop { rows, columns, channels, reduction };
using LoopOrderOfTiles = std::array<Loop, 4>; ///< outermost first
/// All 24.
const std::vector<LoopOrderOfTiles> &loop_orders();

/// What the scratchpad holds at a time, in elements of the loops; the last tile may be smaller.
struct Tile {
    std::int64_t groups = 1;
    std::int64_t rows = 1;      ///< output rows
    std::int64_t columns = 1;   ///< output columns
    std::int64_t channels = 1;  ///< output channels of a group
    std::int64_t reduction = 1; ///< input channels of a group; all taps belong to a tile

    bool operator==(const Tile &o) const {
        return groups == o.groups && rows == o.rows && columns == o.columns &&
               channels == o.channels && reduction == o.reduction;
    }
};

/// Of rows, columns, groups and numbers of arrays.
constexpr int widest_array = 1 << 16;

struct Mapping {
    Dataflow dataflow = Dataflow::weight_stationary;
    /// The part of each array in use. Rows hold the reduction (output stationary: pixels), columns
    /// hold output channels (input stationary: pixels).
    int array_rows = 1;
    int array_columns = 1;  ///< of one group
    int groups_at_once = 1; ///< groups side by side: array_columns * groups_at_once are in use
    int pixel_arrays = 1;   ///< arrays that share the pixels of a tile among them...
    int channel_arrays = 1; ///< ...times arrays that share its channels (or groups, if several)
    bool preload = false;   ///< what stays is loaded behind the previous fold's back
    Tile tile;
    LoopOrderOfTiles order = {Loop::channels, Loop::rows, Loop::columns, Loop::reduction};
    bool double_buffered = false; ///< tiles move while the array works
    /// Channels (or groups of one channel) and pixels of a row that a vector holds; 1 x 1: data has
    /// no such layout.
    int vector_channels = 1;
    int vector_pixels = 1;

    bool operator==(const Mapping &o) const;
    bool operator!=(const Mapping &o) const { return !(*this == o); }
};

std::string to_string(const Mapping &mapping);
/// The knobs that say how the arrays are used, without tile, order and buffers.
std::string array_text(const Mapping &mapping);
/// Knobs may stand in any order, those left out keep their default. Throws UserError on an unknown,
/// repeated or malformed knob.
Mapping parse_mapping(const std::string &text);

} // namespace edgefront
