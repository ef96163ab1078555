// A Layer through the naive reference (naive.h), the yardstick of every kernel. Tensors NHWC fp32,
// weights in the layout of layer.h, all dense.
#pragma once

#include "dsl/layer.h"
#include "dsl/naive.h"

#include <vector>

namespace edgefront {

/// What a layer reads; pointers that the layer has no use for may be null.
struct LayerOperands {
    const float *input = nullptr;
    std::vector<const float *> others;
    const float *residual = nullptr; ///< layers with `residual`
    const float *weights = nullptr;
    const float *bias = nullptr; ///< layers with `bias`
};

/// The layer as the reference's plain C description.
edgefront_layer to_plain(const Layer &layer);

/// The layer's output, `layer.output.elements()` values.
std::vector<float> run_reference(const Layer &layer, const LayerOperands &operands);

} // namespace edgefront
