// One operator with resolved shapes and its fused epilogue: the workload that is scheduled, priced,
// tuned and compiled. Two layers with equal keys are the same work.
//
//   out = activation(op(input, weights) + bias + residual)        shapes NHWC, weights see below
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
};

enum class Activation { none, relu, relu6, hard_swish, hard_sigmoid, swish, sigmoid };

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
    int kernel = 1; ///< square window
    int stride = 1;
    int groups = 1;  ///< conv2d: input and output channels fall into so many independent parts
    int pad_top = 0; ///< zero rows above the input; those below follow from `output`
    int pad_left = 0;
    bool bias = false;
    bool residual = false; ///< a tensor of the output's shape is added before the activation
    Activation activation = Activation::none;

    bool operator==(const Layer &o) const;
    bool operator!=(const Layer &o) const { return !(*this == o); }

    bool is_pointwise() const { return op == Op::conv2d && kernel == 1; }
    bool has_window() const {
        return op == Op::conv2d || op == Op::depthwise_conv2d || op == Op::max_pool;
    }
    bool has_weights() const {
        return op == Op::conv2d || op == Op::depthwise_conv2d || op == Op::fully_connected;
    }
};

/// The workload key: readable, stable, equal for equal layers, e.g.
/// "conv2d-fp32-56x56x24-56x56x144-k1s1p0.0-bias-relu6".
std::string key(const Layer &layer);

/// Multiply-adds; element-wise work and pooling count none.
Macs macs(const Layer &layer);
/// Weights without bias.
Params weight_count(const Layer &layer);
/// Weights in `type` plus the bias (fp32, or int32 for int8).
Bytes weight_bytes(const Layer &layer);
Bytes input_bytes(const Layer &layer); ///< all inputs: data, gate, residual
Bytes output_bytes(const Layer &layer);

/// The value of an activation at `x` (MobileNetV3, arXiv:1905.02244, section 5.2 for the hard
/// ones).
float activate(Activation activation, float x);

} // namespace edgefront
