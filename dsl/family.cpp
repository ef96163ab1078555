#include "dsl/family.h"

#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

int make_divisible(double value, int divisor, int minimum) {
    int n =
        std::max(minimum, static_cast<int>(std::floor(value + divisor / 2.0)) / divisor * divisor);
    if (n < 0.9 * value) {
        n += divisor;
    }
    return n;
}

int WidthRule::scale(double channels, double width) const {
    switch (rounding) {
    case Rounding::divisible: return make_divisible(channels * width, divisor, minimum);
    case Rounding::truncate: return std::max(static_cast<int>(channels * width), minimum);
    }
    return 0;
}

std::string variant_name(const Family &family, const Variant &variant) {
    const int resolution = variant.resolution > 0 ? variant.resolution : family.resolution;
    std::string name = family.name;
    if (variant.width != 1.0 || resolution != family.resolution) {
        name += fmt::format("@{}", variant.width);
    }
    if (resolution != family.resolution) {
        name += fmt::format(",{}", resolution);
    }
    return name;
}

namespace {

/// A tensor on the way: which node made it (-1: the input) and its shape.
struct Tensor {
    int node = -1;
    Shape shape;
};

/// Appends layers. Each member makes one layer out of the tensor it is given.
class Builder {
public:
    Builder(const Family &family, const Variant &variant)
        : family_(family), variant_(variant), width_(family.base_width * variant.width) {
        network_.family = family.name;
        network_.name = variant_name(family, variant);
        network_.width = variant.width;
        network_.resolution = variant.resolution > 0 ? variant.resolution : family.resolution;
        network_.classes = variant.classes.value_or(family.classes);
        network_.batch_norm_epsilon = family.batch_norm_epsilon;
        network_.input = {network_.resolution, network_.resolution, 3};
        current_ = {-1, network_.input};
    }

    void append(const Block &block) {
        const bool stage = !block.fixed_depth && (block.kind == BlockKind::inverted_bottleneck ||
                                                  block.kind == BlockKind::fused_bottleneck ||
                                                  block.kind == BlockKind::residual_bottleneck ||
                                                  block.kind == BlockKind::uib);
        const double depth = stage ? family_.depth : 1;
        const int repeats = static_cast<int>(std::ceil(depth * block.repeat));
        for (int i = 0; i < repeats; i++) {
            Block one = block;
            one.repeat = 1;
            one.stride = i == 0 ? block.stride : 1;
            block_name_ = one.kind == BlockKind::uib ? to_block_string(one) : to_string(one.kind);
            current_ = expand(one);
            block_++;
        }
    }

    Network take() {
        validate(network_);
        return std::move(network_);
    }

private:
    Tensor add(const std::string &role, Layer layer, std::vector<int> inputs, Offset offset) {
        Node node;
        node.name = fmt::format("block{}.{}", block_, role);
        layer.bias = offset != Offset::none;
        node.layer = layer;
        node.inputs = std::move(inputs);
        node.offset = offset;
        node.block = block_;
        node.block_name = block_name_;
        network_.nodes.push_back(std::move(node));
        return {static_cast<int>(network_.nodes.size()) - 1, layer.output};
    }

    struct ConvOptions {
        int kernel = 1;
        int stride = 1;
        Activation activation = Activation::none;
        Offset offset = Offset::batch_norm;
        const Tensor *residual = nullptr;
        int groups = 1;
    };

    /// Padded so that out = ceil(in / stride): the spatial rule of all families here.
    Tensor windowed(const std::string &role, Op op, const Tensor &in, int channels,
                    const ConvOptions &o) {
        Layer layer;
        layer.op = op;
        layer.input = in.shape;
        layer.output = {(in.shape.height + o.stride - 1) / o.stride,
                        (in.shape.width + o.stride - 1) / o.stride, channels};
        layer.kernel = o.kernel;
        layer.stride = o.stride;
        layer.groups = o.groups;
        layer.pad_top = pad(in.shape.height, layer.output.height, o);
        layer.pad_left = pad(in.shape.width, layer.output.width, o);
        layer.activation = o.activation;
        layer.residual = o.residual != nullptr;
        std::vector<int> inputs = {in.node};
        if (o.residual != nullptr) {
            inputs.push_back(o.residual->node);
        }
        return add(role, layer, std::move(inputs), o.offset);
    }

    int pad(int in, int out, const ConvOptions &o) const {
        switch (family_.padding) {
        case Padding::symmetric: return (o.kernel - 1) / 2;
        case Padding::same: return std::max((out - 1) * o.stride + o.kernel - in, 0) / 2;
        }
        return 0;
    }

    Tensor convolution(const std::string &role, const Tensor &in, int channels,
                       const ConvOptions &o) {
        return windowed(role, Op::conv2d, in, channels, o);
    }
    Tensor depthwise(const std::string &role, const Tensor &in, const ConvOptions &o) {
        return windowed(role, Op::depthwise_conv2d, in, in.shape.channels, o);
    }

    Tensor pool(const Tensor &in, const std::string &role) {
        Layer layer;
        layer.op = Op::global_average_pool;
        layer.input = in.shape;
        layer.output = {1, 1, in.shape.channels};
        return add(role, layer, {in.node}, Offset::none);
    }

    /// Over everything there is: a map that still has pixels takes a convolution of its own size,
    /// which is what a fully connected layer on the flattened map computes.
    Tensor connected(const std::string &role, const Tensor &in, int channels, Activation act) {
        const bool pixels = in.shape.height > 1 || in.shape.width > 1;
        Layer layer;
        layer.op = pixels ? Op::conv2d : Op::fully_connected;
        layer.kernel = in.shape.height;
        layer.input = in.shape;
        layer.output = {1, 1, channels};
        layer.activation = act;
        return add(role, layer, {in.node}, Offset::bias);
    }

    /// Pool, squeeze, excite, scale; both 1x1 convolutions have a bias and no batch norm.
    Tensor squeeze_excite(const Tensor &in, int block_input, const SqueezeExcite &se) {
        const double wanted =
            se.ratio * (se.of == SqueezeExcite::Of::input ? block_input : in.shape.channels);
        const int squeezed = se.rounding == SqueezeExcite::Rounding::divisible
                                 ? make_divisible(wanted)
                                 : std::max(1, static_cast<int>(wanted));
        const Tensor pooled = pool(in, "se.pool");
        const Tensor low = convolution("se.reduce", pooled, squeezed,
                                       {1, 1, se.activation, Offset::bias, nullptr, 1});
        const Tensor gate = convolution("se.expand", low, in.shape.channels,
                                        {1, 1, se.gate, Offset::bias, nullptr, 1});
        Layer scale;
        scale.op = Op::channel_scale;
        scale.input = scale.output = in.shape;
        scale.others = {gate.shape};
        return add("se.scale", scale, {in.node, gate.node}, Offset::none);
    }

    int output_channels(const Block &block) const {
        const double w = width_;
        if (block.fixed_width) {
            return block.channels;
        }
        const bool first = network_.nodes.empty();
        const WidthRule::Stem stem = variant_.stem_rule.value_or(family_.width.stem);
        if (first && stem == WidthRule::Stem::fixed_below_one && w < 1) {
            return block.channels;
        }
        if (block.last) {
            const int channels = variant_.last_channels.value_or(block.channels);
            switch (family_.width.last) {
            case WidthRule::Last::always: return family_.width.scale(channels, w);
            case WidthRule::Last::above_one:
                return w > 1 ? family_.width.scale(channels, w) : channels;
            case WidthRule::Last::never: return channels;
            }
        }
        return family_.width.scale(block.channels, w);
    }

    Tensor expand(const Block &block) {
        const Tensor in = current_;
        const Activation act = block.activation.value_or(family_.activation);
        const int out = output_channels(block);
        // Hidden width: always a multiple of 8, from the scaled input (slim, timm).
        const int expanded = block.expansion_of > 0
                                 ? family_.width.scale(block.expansion_of, width_)
                                 : in.shape.channels;
        const int hidden = make_divisible(expanded * block.expansion);
        const Tensor *shortcut =
            block.residual && block.stride == 1 && in.shape.channels == out ? &in : nullptr;
        const ConvOptions linear = {1, 1, Activation::none, Offset::batch_norm, shortcut, 1};
        switch (block.kind) {
        case BlockKind::conv:
            return convolution("conv", in, out,
                               {block.kernel, block.stride, act,
                                block.batch_norm ? Offset::batch_norm : Offset::bias, nullptr, 1});
        case BlockKind::depthwise_separable: {
            const Tensor x = depthwise(
                "dw", in, {block.kernel, block.stride, act, Offset::batch_norm, nullptr, 1});
            return convolution("pw", x, out, {1, 1, act, Offset::batch_norm, nullptr, 1});
        }
        case BlockKind::inverted_bottleneck: {
            Tensor x = in;
            if (hidden != in.shape.channels) {
                x = convolution("expand", x, hidden, {1, 1, act, Offset::batch_norm, nullptr, 1});
            }
            x = depthwise("dw", x,
                          {block.kernel, block.stride, act, Offset::batch_norm, nullptr, 1});
            if (block.se) {
                x = squeeze_excite(x, in.shape.channels, *block.se);
            }
            return convolution("project", x, out, linear);
        }
        case BlockKind::fused_bottleneck: {
            Tensor x = in;
            if (block.expansion != 1 || block.stride != 1) {
                const int groups = block.group_size > 0 ? hidden / block.group_size : 1;
                if (groups < 1 || in.shape.channels % groups != 0 || hidden % groups != 0) {
                    throw UserError(
                        fmt::format("{}: {} input and {} expanded channels do not fall into groups "
                                    "of {}",
                                    network_.name, in.shape.channels, hidden, block.group_size));
                }
                x = convolution(
                    "expand", x, hidden,
                    {block.kernel, block.stride, act, Offset::batch_norm, nullptr, groups});
            }
            return convolution("project", x, out, linear);
        }
        case BlockKind::residual_bottleneck: {
            const int inner = family_.width.scale(block.inner, width_);
            Tensor around = in;
            if (block.stride != 1 || in.shape.channels != out) {
                around = convolution(
                    "shortcut", in, out,
                    {1, block.stride, Activation::none, Offset::batch_norm, nullptr, 1});
            }
            Tensor x =
                convolution("reduce", in, inner, {1, 1, act, Offset::batch_norm, nullptr, 1});
            x = convolution("conv", x, inner,
                            {block.kernel, block.stride, act, Offset::batch_norm, nullptr, 1});
            return convolution("expand", x, out, {1, 1, act, Offset::batch_norm, &around, 1});
        }
        case BlockKind::uib: {
            const bool stride_inside = block.mid_kernel > 0;
            Tensor x = in;
            if (block.start_kernel > 0) {
                x = depthwise("start_dw", x,
                              {block.start_kernel, stride_inside ? 1 : block.stride,
                               Activation::none, Offset::batch_norm, nullptr, 1});
            }
            x = convolution("expand", x, hidden, {1, 1, act, Offset::batch_norm, nullptr, 1});
            if (block.mid_kernel > 0) {
                x = depthwise(
                    "mid_dw", x,
                    {block.mid_kernel, block.stride, act, Offset::batch_norm, nullptr, 1});
            }
            return convolution("project", x, out, linear);
        }
        case BlockKind::max_pool:
            return windowed(
                "pool", Op::max_pool, in, in.shape.channels,
                {block.kernel, block.stride, Activation::none, Offset::none, nullptr, 1});
        case BlockKind::global_pool: return pool(in, "pool");
        case BlockKind::fully_connected: return connected("fc", in, block.channels, act);
        case BlockKind::classifier:
            return connected("classifier", in, network_.classes, Activation::none);
        }
        return in;
    }

    const Family &family_;
    const Variant &variant_;
    double width_; ///< the multiplier that all rules see
    Network network_;
    Tensor current_;
    int block_ = 0;
    std::string block_name_;
};

} // namespace

Network build(const Family &family, const Variant &variant) {
    if (!(variant.width >= 0.01 && variant.width <= 16)) {
        throw UserError(
            fmt::format("{}: width {} is outside 0.01 to 16", family.name, variant.width));
    }
    const int resolution = variant.resolution > 0 ? variant.resolution : family.resolution;
    if (resolution < 16 || resolution > 4096) {
        throw UserError(
            fmt::format("{}: resolution {} is outside 16 to 4096", family.name, resolution));
    }
    Builder builder(family, variant);
    for (const auto &block : family.blocks) {
        builder.append(block);
    }
    return builder.take();
}

} // namespace edgefront
