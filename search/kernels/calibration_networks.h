// Networks drawn at random from everything mobile networks are made of, for timing kernels where
// they run: behind the layer that made their input, with weights that the last inference left.
#pragma once

#include "dsl/family.h"

#include <cstdint>

namespace edgefront {

/// Network `index` of a seed: stem, four stages of bottlenecks of all kinds (V1 to V4,
/// with and without squeeze-excite, kernels 3 to 7), head. Channels are multiples of 8. Its default
/// variant is meant.
Family calibration_network(std::uint64_t seed, int index);

} // namespace edgefront
