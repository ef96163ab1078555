#include "dsl/reference.h"

#include <algorithm>
#include <stdexcept>

namespace edgefront {

static_assert(static_cast<int>(Op::conv2d) == edgefront_conv2d &&
                  static_cast<int>(Op::depthwise_conv2d) == edgefront_depthwise_conv2d &&
                  static_cast<int>(Op::fully_connected) == edgefront_fully_connected &&
                  static_cast<int>(Op::global_average_pool) == edgefront_global_average_pool &&
                  static_cast<int>(Op::channel_scale) == edgefront_channel_scale &&
                  static_cast<int>(Op::max_pool) == edgefront_max_pool &&
                  static_cast<int>(Op::average_pool) == edgefront_average_pool &&
                  static_cast<int>(Op::elementwise) == edgefront_elementwise &&
                  static_cast<int>(Op::affine) == edgefront_affine &&
                  static_cast<int>(Op::layer_norm) == edgefront_layer_norm &&
                  static_cast<int>(Op::group_norm) == edgefront_group_norm &&
                  static_cast<int>(Op::softmax) == edgefront_softmax &&
                  static_cast<int>(Op::attention_scores) == edgefront_attention_scores &&
                  static_cast<int>(Op::attention_context) == edgefront_attention_context &&
                  static_cast<int>(Op::concat) == edgefront_concat &&
                  static_cast<int>(Op::slice) == edgefront_slice &&
                  static_cast<int>(Op::channel_shuffle) == edgefront_channel_shuffle &&
                  static_cast<int>(Op::reshape) == edgefront_reshape &&
                  static_cast<int>(Op::unfold) == edgefront_unfold &&
                  static_cast<int>(Op::fold) == edgefront_fold &&
                  static_cast<int>(Op::resize_bilinear) == edgefront_resize_bilinear,
              "edgefront_op repeats Op");
static_assert(static_cast<int>(Activation::none) == edgefront_none &&
                  static_cast<int>(Activation::relu) == edgefront_relu &&
                  static_cast<int>(Activation::relu6) == edgefront_relu6 &&
                  static_cast<int>(Activation::hard_swish) == edgefront_hard_swish &&
                  static_cast<int>(Activation::hard_sigmoid) == edgefront_hard_sigmoid &&
                  static_cast<int>(Activation::swish) == edgefront_swish &&
                  static_cast<int>(Activation::sigmoid) == edgefront_sigmoid &&
                  static_cast<int>(Activation::gelu) == edgefront_gelu,
              "edgefront_activation repeats Activation");

static_assert(norm_epsilon == EDGEFRONT_NORM_EPSILON, "norms agree");

edgefront_layer to_plain(const Layer &layer) {
    edgefront_layer l{};
    l.op = static_cast<int>(layer.op);
    l.activation = static_cast<int>(layer.activation);
    l.input = {layer.input.height, layer.input.width, layer.input.channels};
    l.output = {layer.output.height, layer.output.width, layer.output.channels};
    l.kernel = layer.kernel;
    l.stride = layer.stride;
    l.dilation = layer.dilation;
    l.groups = layer.groups;
    l.first_channel = layer.first_channel;
    l.count_padding = layer.count_padding ? 1 : 0;
    if (layer.others.size() > edgefront_most_others) {
        throw std::logic_error("too many inputs: " + key(layer));
    }
    for (const Shape &other : layer.others) {
        l.others[l.other_count++] = {other.height, other.width, other.channels};
    }
    l.pad_top = layer.pad_top;
    l.pad_left = layer.pad_left;
    return l;
}

std::vector<float> run_reference(const Layer &layer, const LayerOperands &operands) {
    std::vector<float> output(static_cast<std::size_t>(layer.output.elements()));
    naive_operands data{};
    data.input = operands.input;
    std::copy(operands.others.begin(), operands.others.end(), data.others);
    data.residual = layer.residual ? operands.residual : nullptr;
    data.weights = operands.weights;
    data.bias = layer.bias ? operands.bias : nullptr;
    data.output = output.data();
    const edgefront_layer plain = to_plain(layer);
    naive_run(&plain, &data);
    return output;
}

} // namespace edgefront
