#include "dsl/layer_builder.h"

#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

LayerBuilder::LayerBuilder(const Family &family, const Variant &variant)
    : family_(family), variant_(variant), width_(family.base_width * variant.width) {
    network_.family = family.name;
    network_.name = variant_name(family, variant);
    network_.width = variant.width;
    network_.input = input_shape(family, variant);
    network_.resolution = network_.input.height;
    network_.classes = variant.classes.value_or(family.classes);
    network_.batch_norm_epsilon = family.batch_norm_epsilon;
}

UserError LayerBuilder::error(const std::string &what) const {
    return UserError(row_.where, fmt::format("{}, {}: {}", network_.name, row_.path, what));
}

Tensor LayerBuilder::add(const std::string &role, Layer layer, const std::vector<Tensor> &inputs,
                         Offset offset, bool layer_scale) {
    Node node;
    node.name = row_.bare ? row_.path : row_.path + "." + role;
    layer.bias = offset != Offset::none;
    if (layer.residual && inputs.back().shape != layer.output) {
        throw error(fmt::format("it adds {} to {}", to_string(inputs.back().shape),
                                to_string(layer.output)));
    }
    if (const std::string problem = shape_problem(layer); !problem.empty()) {
        std::string others;
        for (const Shape &other : layer.others) {
            others += " and " + to_string(other);
        }
        throw error(fmt::format("{} from {}{} to {}: {}", to_string(layer.op),
                                to_string(layer.input), others, to_string(layer.output), problem));
    }
    for (const Tensor &input : inputs) {
        node.inputs.push_back(input.node);
    }
    node.layer = std::move(layer);
    node.offset = offset;
    node.layer_scale = layer_scale;
    node.block = row_.block;
    node.block_name = row_.block_name;
    const Tensor made = {static_cast<int>(network_.nodes.size()), node.layer.output};
    layers_[node.name] = made;
    network_.nodes.push_back(std::move(node));
    return made;
}

Tensor LayerBuilder::windowed(const std::string &role, Op op, const Tensor &in, int channels,
                              const ConvOptions &o) {
    Layer layer;
    layer.op = op;
    layer.input = in.shape;
    layer.kernel = o.kernel;
    if (op == Op::conv2d && variant_.stem_kernel && !stem_kernel_used_) {
        layer.kernel = *variant_.stem_kernel;
        stem_kernel_used_ = true;
    }
    layer.stride = o.stride;
    layer.dilation = o.dilation;
    layer.groups = o.groups;
    layer.count_padding = o.count_padding;
    layer.activation = o.activation;
    layer.residual = o.residual != nullptr;
    const Padding padding = o.padding.value_or(family_.padding);
    const auto size = [&](int size) {
        return padding == Padding::valid ? (size - layer.reach()) / o.stride + 1
                                         : (size + o.stride - 1) / o.stride;
    };
    const auto pad = [&](int size, int out) {
        switch (padding) {
        case Padding::symmetric: return (layer.reach() - 1) / 2;
        case Padding::same: return std::max((out - 1) * o.stride + layer.reach() - size, 0) / 2;
        case Padding::valid: return 0;
        }
        return 0;
    };
    if (padding == Padding::valid && std::min(in.shape.height, in.shape.width) < layer.reach()) {
        throw error(fmt::format("a window of {} pixels without padding does not fit into {}",
                                layer.reach(), to_string(in.shape)));
    }
    layer.output = {size(in.shape.height), size(in.shape.width), channels};
    layer.pad_top = pad(in.shape.height, layer.output.height) - o.start;
    layer.pad_left = pad(in.shape.width, layer.output.width) - o.start;
    std::vector<Tensor> inputs = {in};
    if (o.residual != nullptr) {
        inputs.push_back(*o.residual);
    }
    return add(role, layer, inputs, o.offset, o.layer_scale);
}

Tensor LayerBuilder::convolution(const std::string &role, const Tensor &in, int channels,
                                 const ConvOptions &options) {
    return windowed(role, Op::conv2d, in, channels, options);
}

Tensor LayerBuilder::depthwise(const std::string &role, const Tensor &in,
                               const ConvOptions &options) {
    return windowed(role, Op::depthwise_conv2d, in, in.shape.channels, options);
}

Tensor LayerBuilder::pool(const std::string &role, Op op, const Tensor &in,
                          const ConvOptions &options) {
    ConvOptions plain = options;
    plain.offset = Offset::none;
    return windowed(role, op, in, in.shape.channels, plain);
}

Tensor LayerBuilder::global_pool(const std::string &role, const Tensor &in) {
    Layer layer;
    layer.op = Op::global_average_pool;
    layer.input = in.shape;
    layer.output = {1, 1, in.shape.channels};
    return add(role, layer, {in});
}

Tensor LayerBuilder::connected(const std::string &role, const Tensor &in, int channels,
                               Activation activation, bool bias) {
    const bool pixels = in.shape.height > 1 || in.shape.width > 1;
    Layer layer;
    layer.op = pixels ? Op::conv2d : Op::fully_connected;
    layer.kernel = in.shape.height;
    layer.input = in.shape;
    layer.output = {1, 1, channels};
    layer.activation = activation;
    if (in.shape.height != in.shape.width) {
        throw error(fmt::format("a fully connected layer on {} needs a square map; reshape it to "
                                "1x1 first",
                                to_string(in.shape)));
    }
    return add(role, layer, {in}, bias ? Offset::bias : Offset::none);
}

Tensor LayerBuilder::squeeze_excite(const std::string &prefix, const Tensor &in, int block_input,
                                    const SqueezeExcite &se) {
    const double wanted =
        se.ratio * (se.of == SqueezeExcite::Of::input ? block_input : in.shape.channels);
    const int squeezed = se.rounding == SqueezeExcite::Rounding::divisible
                             ? make_divisible(wanted)
                             : std::max(1, static_cast<int>(wanted));
    const auto pointwise = [](Activation activation) {
        ConvOptions options;
        options.activation = activation;
        options.offset = Offset::bias;
        return options;
    };
    const Tensor pooled = global_pool(prefix + "pool", in);
    const Tensor low = convolution(prefix + "reduce", pooled, squeezed, pointwise(se.activation));
    const Tensor gate = convolution(prefix + "expand", low, in.shape.channels, pointwise(se.gate));
    Layer scale;
    scale.op = Op::channel_scale;
    scale.input = scale.output = in.shape;
    scale.others = {gate.shape};
    return add(prefix + "scale", scale, {in, gate});
}

Network LayerBuilder::take() {
    if (network_.nodes.empty()) {
        throw UserError(network_.name + ": it has no layers");
    }
    if (variant_.stem_kernel && !stem_kernel_used_) {
        throw UserError(network_.name + ": it has no first convolution to give another kernel");
    }
    validate(network_);
    return std::move(network_);
}

} // namespace edgefront
