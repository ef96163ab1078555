// What the code of a generated kernel does, counted from its layer and schedule: the instructions
// of its register tiles. `analyse` counts the loop nest of any device; this knows how our kernels
// are written (apply.cpp). It knows no target and no price.
#pragma once

#include "schedules/schedule_space.h"

namespace edgefront {

/// Numbers of vector instructions, over the whole layer.
struct KernelCounts {
    double tiles = 0; ///< register tiles
    double steps = 0; ///< of the reductions of all tiles of a product
    double adds = 0;  ///< multiply-adds, padded lanes and pixels included
    double loads = 0; ///< operands fetched for them
    double taps = 0;  ///< tiles of a dense convolution with a window, times its taps
    double edge = 0; ///< share of the tiles of a window in the first or last row or column of tiles
    bool window = false; ///< depthwise or pooling, else a product or neither
};

/// All zero for layers that are neither a product nor have a window.
KernelCounts kernel_counts(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

} // namespace edgefront
