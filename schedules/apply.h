// Schedule -> Halide: orders an algorithm's loops, blocks its registers and fixes its shapes.
#pragma once

#include "dsl/algorithms.h"
#include "schedules/schedule_space.h"

namespace edgefront {

/// The layer's algorithm, scheduled, with every extent and stride compiled in. Weights are read in
/// the packed form of packing.h. The schedule has to be in the layer's space.
/// A dense layer whose vectors hold half as many channels as the machine's hold two neighbouring
/// pixels, where the tile is an even number of pixels.
Algorithm scheduled_algorithm(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

} // namespace edgefront
