#include "dsl/expand.h"

#include <stdexcept>

namespace edgefront {

namespace {

int output_channels(const Block &block, const RowInputs &in, const LayerBuilder &layers) {
    const WidthRule &rule = layers.family().width;
    const Variant &variant = layers.variant();
    const double w = layers.width();
    if (block.fixed_width || !in.scaled) {
        return block.channels;
    }
    const WidthRule::Stem stem = variant.stem_rule.value_or(rule.stem);
    if (layers.empty() && stem == WidthRule::Stem::fixed_below_one && w < 1) {
        return block.channels;
    }
    if (block.last) {
        const int channels = variant.last_channels.value_or(block.channels);
        switch (rule.last) {
        case WidthRule::Last::always: return rule.scale(channels, w);
        case WidthRule::Last::above_one: return w > 1 ? rule.scale(channels, w) : channels;
        case WidthRule::Last::never: return channels;
        }
    }
    return rule.scale(block.channels, w);
}

ConvOptions window(int kernel, int stride, Activation activation = Activation::none,
                   int dilation = 1) {
    ConvOptions options;
    options.kernel = kernel;
    options.stride = stride;
    options.activation = activation;
    options.dilation = dilation;
    return options;
}

/// The rows that are one convolution.
ConvOptions own_window(const Block &block, const RowInputs &in, Activation activation) {
    ConvOptions options = window(block.kernel, block.stride, activation, block.dilation);
    options.offset = block.batch_norm                 ? Offset::batch_norm
                     : block.with_bias.value_or(true) ? Offset::bias
                                                      : Offset::none;
    options.groups = block.groups;
    options.padding = block.padding;
    options.start = block.start;
    options.residual = in.added ? &*in.added : nullptr;
    options.layer_scale = block.layer_scale;
    options.count_padding = block.count_padding;
    return options;
}

/// The activation where the row names none: the family's after layers with weights, none elsewhere.
Activation activation_of(const Block &block, const Family &family) {
    switch (block.kind) {
    case BlockKind::conv:
    case BlockKind::depthwise_separable:
    case BlockKind::inverted_bottleneck:
    case BlockKind::fused_bottleneck:
    case BlockKind::residual_bottleneck:
    case BlockKind::uib:
    case BlockKind::fully_connected:
    case BlockKind::depthwise:
    case BlockKind::activation: return block.activation.value_or(family.activation);
    case BlockKind::max_pool:
    case BlockKind::global_pool:
    case BlockKind::classifier:
    case BlockKind::average_pool:
    case BlockKind::squeeze_excite:
    case BlockKind::add:
    case BlockKind::batch_norm:
    case BlockKind::layer_norm:
    case BlockKind::group_norm:
    case BlockKind::softmax:
    case BlockKind::attention_scores:
    case BlockKind::attention_context:
    case BlockKind::channel_scale:
    case BlockKind::concat:
    case BlockKind::slice:
    case BlockKind::channel_shuffle:
    case BlockKind::reshape:
    case BlockKind::unfold:
    case BlockKind::fold:
    case BlockKind::resize:
    case BlockKind::defined: break;
    }
    return block.activation.value_or(Activation::none);
}

} // namespace

Tensor expand(const Block &block, const RowInputs &inputs, LayerBuilder &layers) {
    const Family &family = layers.family();
    const Tensor &in = inputs.from[0];
    const Shape &shape = in.shape;
    const Activation act = activation_of(block, family);
    const int out = output_channels(block, inputs, layers);
    const auto scaled = [&](int channels) {
        return inputs.scaled ? family.width.scale(channels, layers.width()) : channels;
    };
    // Hidden width: always a multiple of 8, from the scaled input (slim, timm).
    const int expanded = block.expansion_of > 0 ? scaled(block.expansion_of) : shape.channels;
    const int hidden = make_divisible(expanded * block.expansion);
    const bool shortcut = block.residual && block.stride == 1 && shape.channels == out;
    const auto project = [&](const Tensor &x, bool layer_scale = false) {
        ConvOptions linear = window(1, 1);
        linear.residual = shortcut ? &in : nullptr;
        linear.layer_scale = layer_scale;
        return layers.convolution("project", x, out, linear);
    };
    // Rows of one operator without a window: the output has the shape of the first input unless
    // told otherwise.
    Layer plain;
    plain.input = plain.output = shape;
    plain.groups = block.groups;
    plain.activation = act;
    const auto one = [&](Op op, Offset offset = Offset::none) {
        plain.op = op;
        return layers.add(to_string(block.kind), plain, inputs.from, offset);
    };
    const auto with_others = [&] {
        for (std::size_t i = 1; i < inputs.from.size(); i++) {
            plain.others.push_back(inputs.from[i].shape);
        }
    };
    switch (block.kind) {
    case BlockKind::conv:
        return layers.convolution("conv", in, out, own_window(block, inputs, act));
    case BlockKind::depthwise:
        return layers.depthwise("depthwise", in, own_window(block, inputs, act));
    case BlockKind::depthwise_separable: {
        const Tensor x =
            layers.depthwise("dw", in, window(block.kernel, block.stride, act, block.dilation));
        return layers.convolution("pw", x, out, window(1, 1, act));
    }
    case BlockKind::inverted_bottleneck: {
        Tensor x = in;
        if (hidden != shape.channels) {
            x = layers.convolution("expand", x, hidden, window(1, 1, act));
        }
        x = layers.depthwise("dw", x, window(block.kernel, block.stride, act, block.dilation));
        if (block.se) {
            x = layers.squeeze_excite("se.", x, shape.channels, *block.se);
        }
        return project(x);
    }
    case BlockKind::fused_bottleneck: {
        Tensor x = in;
        if (block.expansion != 1 || block.stride != 1) {
            ConvOptions options = window(block.kernel, block.stride, act);
            options.groups = block.group_size > 0 ? hidden / block.group_size : 1;
            x = layers.convolution("expand", x, hidden, options);
        }
        return project(x);
    }
    case BlockKind::residual_bottleneck: {
        const int inner = scaled(block.inner);
        Tensor around = in;
        if (block.stride != 1 || shape.channels != out) {
            around = layers.convolution("shortcut", in, out, window(1, block.stride));
        }
        Tensor x = layers.convolution("reduce", in, inner, window(1, 1, act));
        x = layers.convolution("conv", x, inner, window(block.kernel, block.stride, act));
        ConvOptions options = window(1, 1, act);
        options.residual = &around;
        return layers.convolution("expand", x, out, options);
    }
    case BlockKind::uib: {
        const bool stride_inside = block.mid_kernel > 0;
        Tensor x = in;
        if (block.start_kernel > 0) {
            x = layers.depthwise("start_dw", x,
                                 window(block.start_kernel, stride_inside ? 1 : block.stride,
                                        Activation::none, block.dilation));
        }
        x = layers.convolution("expand", x, hidden, window(1, 1, act));
        if (block.mid_kernel > 0) {
            x = layers.depthwise("mid_dw", x,
                                 window(block.mid_kernel, block.stride, act, block.dilation));
        }
        return project(x, family.layer_scale);
    }
    case BlockKind::max_pool:
        return layers.pool("pool", Op::max_pool, in, own_window(block, inputs, act));
    case BlockKind::average_pool:
        return layers.pool("pool", Op::average_pool, in, own_window(block, inputs, act));
    case BlockKind::global_pool: return layers.global_pool("pool", in);
    case BlockKind::fully_connected:
        return layers.connected("fc", in, block.channels, act, block.with_bias.value_or(true));
    case BlockKind::classifier:
        return layers.connected("classifier", in, layers.network().classes, act,
                                block.with_bias.value_or(true));
    case BlockKind::squeeze_excite:
        return layers.squeeze_excite("", in, inputs.list_channels,
                                     block.se.value_or(family.squeeze_excite));
    case BlockKind::add: plain.residual = true; return one(Op::elementwise);
    case BlockKind::activation: return one(Op::elementwise);
    case BlockKind::batch_norm: return one(Op::affine, Offset::batch_norm);
    case BlockKind::layer_norm: return one(Op::layer_norm, Offset::bias);
    case BlockKind::group_norm: return one(Op::group_norm, Offset::bias);
    case BlockKind::softmax: return one(Op::softmax);
    case BlockKind::channel_shuffle: return one(Op::channel_shuffle);
    case BlockKind::channel_scale: with_others(); return one(Op::channel_scale);
    case BlockKind::attention_scores:
        with_others();
        plain.output.channels = block.groups * plain.others[0].width;
        return one(Op::attention_scores);
    case BlockKind::attention_context:
        with_others();
        plain.output.channels = (block.shared ? block.groups : 1) * plain.others[0].channels;
        return one(Op::attention_context);
    case BlockKind::concat:
        with_others();
        for (const Shape &other : plain.others) {
            (block.rows ? plain.output.height : plain.output.channels) +=
                block.rows ? other.height : other.channels;
        }
        return one(Op::concat);
    case BlockKind::slice:
        plain.output.channels = block.channels;
        plain.first_channel = block.first;
        return one(Op::slice);
    case BlockKind::reshape:
        plain.output = {block.height, block.width, block.channels};
        return one(Op::reshape);
    case BlockKind::unfold: {
        const int pixels = block.kernel * block.kernel;
        plain.kernel = block.kernel;
        plain.output = {pixels, shape.height * shape.width / pixels, shape.channels};
        return one(Op::unfold);
    }
    case BlockKind::fold:
        plain.kernel = block.kernel;
        plain.output = {block.height, block.width, shape.channels};
        return one(Op::fold);
    case BlockKind::resize:
        plain.output = {block.height, block.width, shape.channels};
        return one(Op::resize_bilinear);
    case BlockKind::defined: break;
    }
    throw std::logic_error("a defined row has no layers of its own");
}

} // namespace edgefront
