// One operator with resolved shapes and its fused epilogue: the workload that is scheduled, priced,
// tuned and compiled. Two layers with equal keys are the same work.
//
//   out = activation(op(input, others, weights) + bias + residual)  shapes NHWC, weights see below
//
// A sequence of tokens is a row of pixels: R independent sequences of N tokens with C channels have
// the shape RxNxC, and linear layers over tokens are pointwise convolutions.
#pragma once

#include "dsl/tensor.h"

#include <string>
#include <vector>

namespace edgefront {

enum class Op {
    conv2d, ///< convolution; pointwise when kernel is 1; weights [ky][kx][ci / groups][co]
    depthwise_conv2d,    ///< one filter per channel; weights [ky][kx][c]
    fully_connected,     ///< 1x1xK to 1x1xN; weights [k][n]
    global_average_pool, ///< mean over height and width, output 1x1xC
    channel_scale,       ///< input * gate, gate 1x1xC is the second input (squeeze-excite)
    max_pool,            ///< largest value of a window; what lies outside the input does not count
    average_pool,      ///< mean of a window; what lies outside counts when `count_padding` says so
    elementwise,       ///< the input itself, for its epilogue: a sum of two tensors, an activation
    affine,            ///< input * weights + bias per channel (a batch norm alone); weights [c]
    layer_norm,        ///< over the channels of each pixel, then weights and bias per channel; [c]
    group_norm,        ///< as layer_norm, over all pixels and channels at once (one group); [c]
    softmax,           ///< over channels, in `groups` equal parts
    attention_scores,  ///< per row, query and head: dot products with all keys, see below
    attention_context, ///< per row, query and head: sum of all values, weighted by the scores
    concat,            ///< inputs behind each other: channels, or rows where those stay the same
    slice,             ///< channels `first_channel` onwards, as many as the output has
    channel_shuffle,   ///< channel g * (C / groups) + i goes to i * groups + g
    reshape,           ///< the same elements in the same order
    unfold, ///< HxWxC to (k*k)x(HW/k^2)xC: row ky * k + kx holds pixel (ky, kx) of every kxk patch
    fold,   ///< the inverse of unfold
    resize_bilinear, ///< half-pixel centres, edges repeated (PyTorch align_corners=False)
};
//
// Attention with `groups` heads of d channels, keys and values either per head or shared by all
// (multi-query): queries RxNx(heads*d), keys and values RxMx(heads*d) or RxMxd, scores
// RxNx(heads*M) with channel head * M + j for key j. Scores are scaled by 1 / sqrt(d).

enum class Activation { none, relu, relu6, hard_swish, hard_sigmoid, swish, sigmoid, gelu };

std::string to_string(Op op);
std::string to_string(Activation activation);
/// Names as in `to_string`, in enum order, for readers and help texts.
const std::vector<std::string> &op_names();
const std::vector<std::string> &activation_names();

struct Layer {
    Op op = Op::conv2d;
    DataType type = DataType::fp32;
    Shape input;
    Shape output;
    /// Inputs after the first one: the gate of channel_scale (1x1xC, or Hx1xC: one per row), keys
    /// or values of attention, the further parts of concat.
    std::vector<Shape> others;
    int kernel = 1; ///< square window; of unfold and fold the patch
    int stride = 1;
    int dilation = 1; ///< distance of a window's taps (convolutions)
    /// conv2d: input and output channels fall into so many independent parts; heads of attention
    int groups = 1;
    int first_channel = 0;      ///< slice
    bool count_padding = false; ///< average_pool: always divide by kernel * kernel
    int pad_top = 0;            ///< zero rows above the input; those below follow from `output`
    int pad_left = 0;
    bool bias = false;
    bool residual = false; ///< a tensor of the output's shape is added before the activation
    Activation activation = Activation::none;

    bool operator==(const Layer &o) const;
    bool operator!=(const Layer &o) const { return !(*this == o); }

    bool is_pointwise() const { return op == Op::conv2d && kernel == 1; }
    bool has_window() const {
        return op == Op::conv2d || op == Op::depthwise_conv2d || op == Op::max_pool ||
               op == Op::average_pool;
    }
    bool has_weights() const {
        return op == Op::conv2d || op == Op::depthwise_conv2d || op == Op::fully_connected ||
               per_channel_weights();
    }
    /// One weight and one bias per channel.
    bool per_channel_weights() const {
        return op == Op::affine || op == Op::layer_norm || op == Op::group_norm;
    }
    /// First to last tap of the window.
    int reach() const { return (kernel - 1) * dilation + 1; }
    /// Tensors it reads: the first one, others, residual.
    int inputs() const { return 1 + static_cast<int>(others.size()) + (residual ? 1 : 0); }
};

/// The workload key: readable, stable, equal for equal layers, e.g.
/// "conv2d-fp32-56x56x24-56x56x144-k1s1p0.0-bias-relu6".
std::string key(const Layer &layer);

/// What is wrong with the shapes and numbers of a layer, as a sentence's end ("its groups do not
/// divide the channels"); empty when they fit each other.
std::string shape_problem(const Layer &layer);

/// Multiply-adds of convolutions, fully connected layers and attention products; element-wise work,
/// norms and pooling count none.
Macs macs(const Layer &layer);
/// Weights without bias.
Params weight_count(const Layer &layer);
/// Weights in `type` plus the bias (fp32, or int32 for int8).
Bytes weight_bytes(const Layer &layer);
Bytes input_bytes(const Layer &layer); ///< all inputs: data, others, residual
Bytes output_bytes(const Layer &layer);

/// Added to the variance by layer_norm and group_norm, as PyTorch does.
constexpr float norm_epsilon = 1e-5f;

/// The value of an activation at `x` (MobileNetV3, arXiv:1905.02244, section 5.2 for the hard
/// ones; gelu is x * Phi(x), arXiv:1606.08415).
float activate(Activation activation, float x);

} // namespace edgefront
