// Schedule -> Halide: orders an algorithm's loops, blocks its registers and fixes its shapes.
#pragma once

#include "dsl/algorithms.h"
#include "schedules/kernel_plan.h"

#include <vector>

namespace edgefront {

/// The algorithms of a kernel's layers, scheduled, with every extent and stride compiled in; each
/// but the first reads the one before. Weights are read in the packed form of packing.h. The plan
/// has to be legal. A dense layer whose vectors hold half as many channels as the machine's hold
/// two neighbouring pixels, where the tile is an even number of pixels.
std::vector<Algorithm> scheduled_kernel(const std::vector<Layer> &layers, const KernelPlan &plan,
                                        const IsaInfo &isa);

/// In the order of the kernel's C function (emit.h), without the output.
std::vector<Halide::ImageParam> parameters(const std::vector<Algorithm> &kernel);

} // namespace edgefront
