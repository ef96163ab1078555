// Nest analysis: what a layer does under a schedule, counted once. It knows no target and no price;
// cost models only price these counts.
#pragma once

#include "dsl/layer.h"
#include "schedules/mapping.h"
#include "schedules/schedule.h"

#include <variant>

namespace edgefront {

struct ArrayProblem;
struct ArrayCounts;

/// One tensor's share: its size, and the bytes that cross the register file's border.
struct TensorTraffic {
    Bytes footprint;
    Bytes reads;
    Bytes writes;
};

/// The level behind the multipliers: tiles that a scratchpad holds, moved from and to a memory.
/// Only a Mapping has it.
struct TileLevel {
    TensorTraffic
        input; ///< footprint: what the scratchpad keeps of it, both buffers if there are two
    TensorTraffic weights;
    TensorTraffic output; ///< reads: partial sums that come back
    TensorTraffic residual;
    Bytes exposed; ///< the first tile's operands and the last one's results: nothing hides them
    bool double_buffered = false;

    Bytes footprint() const {
        return input.footprint + weights.footprint + output.footprint + residual.footprint;
    }
    Bytes traffic() const {
        return input.reads + weights.reads + output.writes + output.reads + residual.reads;
    }
};

/// Cycles of a multiplier array, when nothing stalls it.
struct ArrayCycles {
    std::int64_t stream = 0; ///< operands pass
    std::int64_t fill = 0;   ///< loading, skew and draining that nothing hides
};

/// The two ways to say how a layer is computed.
using Plan = std::variant<Schedule, Mapping>;

struct LoopNest {
    Macs macs;       ///< useful multiply-adds; independent of the schedule
    Macs issued;     ///< with the lanes and pixels that padding to full tiles wastes
    double lane_use; ///< macs / issued; 1 when nothing is wasted or there are no MACs
    std::int64_t elementwise =
        0;                 ///< element operations without MACs (pooling, scaling, activation)
    TensorTraffic input;   ///< all data inputs except the residual; of a slice what it keeps
    TensorTraffic weights; ///< weights and bias
    TensorTraffic output;
    TensorTraffic residual;
    Bytes registers;   ///< read from and written to the multipliers' registers; see `analyse`
    Plan plan;         ///< what was counted
    TileLevel tiles;   ///< of a Mapping
    ArrayCycles array; ///< of a Mapping

    Bytes footprint() const {
        return input.footprint + weights.footprint + output.footprint + residual.footprint;
    }
    Bytes traffic() const {
        return input.reads + weights.reads + output.writes + output.reads + residual.reads;
    }
};

/// Counts for any knob values from 1 up, whatever the layer, as if `depth` were 0. The counted
/// kernel keeps the sums of a register tile (lanes * vectors channels x pixels x rows) in registers
/// for the whole reduction and fetches that tile's weights and inputs anew for every tile; padding
/// counts as if it were read. A reduction that is straight code (depthwise, or no longer than
/// `unroll`) also keeps what the inner tile loop does not index: weights under channels_outer, a
/// dense layer's input under pixels_outer. Attention products are dense layers whose weights are
/// keys or values. Moving data takes no operations, only bytes, and a reshape without an epilogue
/// not even these.
///
/// Registers, under a schedule or a mapping: every issued multiply-add reads both operands and its
/// sum and writes the sum (Sze et al., Proc. IEEE 105(12), 2017). Each of the four takes an
/// operand's bytes: vectors of operands and of sums are equally wide, and where a sum is wider
/// (four bytes for int8), as many products are added to it at once.
LoopNest analyse(const Layer &layer, const Schedule &schedule);

/// Counts for a layer on an array and its scratchpad; any knob values from 1 up. Array cycles are
/// those of one array R x C, all arrays working alike: with one tile, one array, no preload they
/// are SCALE-Sim's for a product M x K x N (arXiv:1811.02883; folds x cycles - 1):
///   weight stationary  ceil(K/R) ceil(N/C) (2R + C + M - 2) - 1
///   output stationary  ceil(M/R) ceil(N/C) (R + C + K - 2) - 1
///   input stationary   ceil(K/R) ceil(M/C) (2R + C + N - 2) - 1
/// A layer without multiply-adds passes the scratchpad once and has no array cycles.
LoopNest analyse(const Layer &layer, const Mapping &mapping);

/// Puts what an array does into a nest that knows its layer's MACs: cycles, issued MACs and lane
/// use, bytes across the array's border.
void set_array_counts(LoopNest &nest, const ArrayProblem &p, const Mapping &mapping,
                      const ArrayCounts &counts);

LoopNest analyse(const Layer &layer, const Plan &plan);
std::string to_string(const Plan &plan);
/// Throws UserError when it is neither a Schedule nor a Mapping.
Plan parse_plan(const std::string &text);

} // namespace edgefront
