#include "dsl/flops.h"

namespace edgefront {

namespace {

/// Operations per element of the formulas in `activate`.
std::int64_t per_element(Activation activation) {
    switch (activation) {
    case Activation::none: return 0;
    case Activation::relu: return 1;         // max
    case Activation::relu6: return 2;        // max, min
    case Activation::hard_sigmoid: return 4; // add, max, min, divide
    case Activation::hard_swish: return 5;   // and multiply
    case Activation::sigmoid:                // negate, exponential, add, divide
    case Activation::swish: return 4;
    case Activation::gelu: return 5; // multiply, error function, add, multiply, halve
    }
    return 0;
}

/// Mean, variance, scaling and weight of `groups` normalised parts.
std::int64_t norm(std::int64_t elements, std::int64_t groups) {
    // Per element: sum, subtract, square, sum, times 1 / deviation, times weight. Per part: both
    // quotients, epsilon, root, reciprocal.
    return 6 * elements + 5 * groups;
}

/// What the operator itself computes: no bias, residual, activation.
std::int64_t of_operator(const Layer &l) {
    const std::int64_t in = l.input.elements();
    const std::int64_t out = l.output.elements();
    const std::int64_t products = 2 * macs(l).count();
    switch (l.op) {
    case Op::conv2d:
    case Op::depthwise_conv2d:
    case Op::fully_connected:
    case Op::attention_context: return products;
    case Op::attention_scores: return products + out;
    case Op::global_average_pool: return in;
    case Op::channel_scale:
    case Op::affine: return out;
    case Op::max_pool:
    case Op::average_pool: return out * l.kernel * l.kernel;
    case Op::layer_norm: return norm(in, in / l.input.channels);
    case Op::group_norm: return norm(in, 1);
    case Op::softmax: return 5 * in;
    case Op::resize_bilinear: return 7 * out; // four products, three additions
    case Op::elementwise:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold: return 0;
    }
    return 0;
}

} // namespace

Flops flops(const Layer &layer) {
    const std::int64_t per_output =
        (layer.bias ? 1 : 0) + (layer.residual ? 1 : 0) + per_element(layer.activation);
    return Flops(of_operator(layer) + per_output * layer.output.elements());
}

} // namespace edgefront
