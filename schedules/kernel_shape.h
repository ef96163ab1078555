// How kernels see a layer: the same work on the same memory in a shape with long vectors and with
// rows to share out among threads.
#pragma once

#include "dsl/layer.h"

namespace edgefront {

/// `layer`, or an equivalent one over the same memory. What works on single elements sees a row of
/// pixels as channels; what works on single pixels sees a map of one row as several.
Layer kernel_shape(const Layer &layer);

/// How far the loops of a kernel reach (of a `kernel_shape`).
struct LoopExtents {
    int channels; ///< neighbours that one vector may hold: those of a head, a group, a part
    int columns;
    int rows;
    int parts; ///< how often all that: heads, parts of a softmax, positions in a patch
};
LoopExtents loop_extents(const Layer &layer);

/// Length of the reduction of a product: taps and channels, steps of attention; 1 without.
int product_depth(const Layer &layer);

/// Convolutions (not depthwise) and fully connected layers: their packed weights fill up the last
/// vector.
bool is_dense(const Layer &layer);

/// Products of two activations.
bool is_attention(const Layer &layer);

/// Either of them: blocked in registers over output channels and pixels, with a reduction inside.
bool is_product(const Layer &layer);

/// Depthwise convolutions and pooling: every channel has a window of its own.
bool has_channel_window(const Layer &layer);

} // namespace edgefront
