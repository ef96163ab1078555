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
    Macs macs;        ///< useful multiply-adds; independent of the schedule
    Macs issued;      ///< with the lanes and pixels that padding to full tiles wastes
    double lane_use;  ///< macs / issued; 1 when nothing is wasted or there are no MACs
    std::int64_t elementwise = 0; ///< element operations without MACs (pooling, scaling, activation)
    TensorTraffic input;          ///< all data inputs except the residual
    TensorTraffic weights;        ///< weights and bias
    TensorTraffic output;
    TensorTraffic residual;

    Bytes footprint() const {
        return input.footprint + weights.footprint + output.footprint + residual.footprint;
    }
    Bytes traffic() const {
        return input.reads + weights.reads + output.writes + output.reads + residual.reads;
    }
};

LoopNest analyse(const Layer &layer, const Schedule &schedule);

} // namespace edgefront
