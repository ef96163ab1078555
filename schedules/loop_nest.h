// Nest analysis: what a layer does under a schedule, counted once. It knows no target and no price;
// cost models only price these counts.
#pragma once

#include "dsl/layer.h"
#include "schedules/schedule.h"

namespace edgefront {

/// One tensor's share: its size, and the bytes that cross the register file's border.
struct TensorTraffic {
    Bytes footprint;
    Bytes reads;
    Bytes writes;
};

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

    Bytes footprint() const {
        return input.footprint + weights.footprint + output.footprint + residual.footprint;
    }
    Bytes traffic() const {
        return input.reads + weights.reads + output.writes + output.reads + residual.reads;
    }
};

/// Counts for any knob values from 1 up, whatever the layer. The counted kernel keeps the sums of a
/// register tile (lanes * vectors channels x pixels x rows) in registers for the whole reduction
/// and fetches that tile's weights and inputs anew for every tile; padding counts as if it were
/// read. A reduction that is straight code (depthwise, or no longer than `unroll`) also keeps what
/// the inner tile loop does not index: weights under channels_outer, a dense layer's input under
/// pixels_outer. Attention products are dense layers whose weights are keys or values. Moving data
/// takes no operations, only bytes, and a reshape without an epilogue not even these.
LoopNest analyse(const Layer &layer, const Schedule &schedule);

} // namespace edgefront
