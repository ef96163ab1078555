#include "dsl/reference.h"

namespace edgefront {

static_assert(static_cast<int>(Op::conv2d) == naive_conv2d &&
                  static_cast<int>(Op::depthwise_conv2d) == naive_depthwise_conv2d &&
                  static_cast<int>(Op::fully_connected) == naive_fully_connected &&
                  static_cast<int>(Op::global_average_pool) == naive_global_average_pool &&
                  static_cast<int>(Op::channel_scale) == naive_channel_scale,
              "naive_op repeats Op");
static_assert(static_cast<int>(Activation::none) == naive_none &&
                  static_cast<int>(Activation::relu) == naive_relu &&
                  static_cast<int>(Activation::relu6) == naive_relu6 &&
                  static_cast<int>(Activation::hard_swish) == naive_hard_swish &&
                  static_cast<int>(Activation::hard_sigmoid) == naive_hard_sigmoid,
              "naive_activation repeats Activation");

naive_layer to_naive(const Layer &layer) {
    naive_layer l{};
    l.op = static_cast<int>(layer.op);
    l.activation = static_cast<int>(layer.activation);
    l.input_height = layer.input.height;
    l.input_width = layer.input.width;
    l.input_channels = layer.input.channels;
    l.output_height = layer.output.height;
    l.output_width = layer.output.width;
    l.output_channels = layer.output.channels;
    l.kernel = layer.kernel;
    l.stride = layer.stride;
    l.pad_top = layer.pad_top;
    l.pad_left = layer.pad_left;
    return l;
}

std::vector<float> run_reference(const Layer &layer, const LayerOperands &operands) {
    std::vector<float> output(static_cast<std::size_t>(layer.output.elements()));
    naive_operands data{};
    data.input = operands.input;
    data.gate = operands.gate;
    data.residual = layer.residual ? operands.residual : nullptr;
    data.weights = operands.weights;
    data.bias = layer.bias ? operands.bias : nullptr;
    data.output = output.data();
    const naive_layer plain = to_naive(layer);
    naive_run(&plain, &data);
    return output;
}

} // namespace edgefront
