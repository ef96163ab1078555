#include "dsl/reference.h"

namespace edgefront {

static_assert(static_cast<int>(Op::conv2d) == edgefront_conv2d &&
                  static_cast<int>(Op::depthwise_conv2d) == edgefront_depthwise_conv2d &&
                  static_cast<int>(Op::fully_connected) == edgefront_fully_connected &&
                  static_cast<int>(Op::global_average_pool) == edgefront_global_average_pool &&
                  static_cast<int>(Op::channel_scale) == edgefront_channel_scale &&
                  static_cast<int>(Op::max_pool) == edgefront_max_pool,
              "edgefront_op repeats Op");
static_assert(static_cast<int>(Activation::none) == edgefront_none &&
                  static_cast<int>(Activation::relu) == edgefront_relu &&
                  static_cast<int>(Activation::relu6) == edgefront_relu6 &&
                  static_cast<int>(Activation::hard_swish) == edgefront_hard_swish &&
                  static_cast<int>(Activation::hard_sigmoid) == edgefront_hard_sigmoid &&
                  static_cast<int>(Activation::swish) == edgefront_swish &&
                  static_cast<int>(Activation::sigmoid) == edgefront_sigmoid,
              "edgefront_activation repeats Activation");

edgefront_layer to_plain(const Layer &layer) {
    edgefront_layer l{};
    l.op = static_cast<int>(layer.op);
    l.activation = static_cast<int>(layer.activation);
    l.input = {layer.input.height, layer.input.width, layer.input.channels};
    l.output = {layer.output.height, layer.output.width, layer.output.channels};
    l.kernel = layer.kernel;
    l.stride = layer.stride;
    l.groups = layer.groups;
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
    const edgefront_layer plain = to_plain(layer);
    naive_run(&plain, &data);
    return output;
}

} // namespace edgefront
