// What a cache has to fetch and write back while one kernel runs under a schedule: how often the
// loops around the register tile come back to a tensor, and whether it is still there then.
#pragma once

#include "dsl/layer.h"
#include "schedules/loop_nest.h"

namespace edgefront {

/// Bytes between a cache of `capacity` and the level behind it, for a layer whose tensors all start
/// there. Every tensor passes once at least. A product's input passes again for every tile of
/// channels, its weights (or keys and values) for every tile of pixels, unless what is used in
/// between leaves them in the cache. The window of a depthwise convolution or pooling shares its
/// rows with the next one as long as the rows fit. Under `channels_outer` the inner loop runs over
/// pixels, under `pixels_outer` over channels.
/// `nest` is that of `analyse(layer, Schedule)`.
Bytes cache_traffic(const Layer &layer, const LoopNest &nest, Bytes capacity);

} // namespace edgefront
