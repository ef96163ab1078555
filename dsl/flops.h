// Floating-point operations of a layer, for those who count more than products.
#pragma once

#include "dsl/layer.h"

namespace edgefront {

/// Operations of one layer as it runs, batch norms folded: every addition, multiplication,
/// division, comparison, exponential, error function and root counts one.
///
///   products                      2 per MAC (a convolution, a fully connected layer, attention)
///   bias, residual                1 per output element each
///   activation                    1 relu, 2 relu6, 4 hard_sigmoid, sigmoid and swish,
///                                 5 hard_swish and gelu per output element
///   channel_scale, affine         1 per element
///   max_pool, average_pool        window per output element
///   global_average_pool           1 per input element
///   layer_norm, group_norm        6 per element, 5 per mean and variance
///   softmax                       5 per element
///   attention_scores              1 per score, for the factor 1 / sqrt(d)
///   resize_bilinear               7 per output element
///   concat, slice, channel_shuffle, reshape, unfold, fold: none
///
/// That an element-wise operation counts one, and the figures of pooling and softmax, are
/// TensorFlow's (tensorflow/python/profiler/internal/flops_registry.py), which knows no
/// activations; theirs are the operations of the formulas in `activate`.
Flops flops(const Layer &layer);

} // namespace edgefront
