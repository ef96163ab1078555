#include "dsl/onnx_export.h"

#include "base/error.h"
#include "dsl/onnx_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace edgefront {

namespace {

using Dims = OnnxGraph::Dims;
using Value = OnnxGraph::Value;

Dims dims_of(const Shape &shape) {
    return {1, shape.channels, shape.height, shape.width};
}

/// What windows see of one axis of the input, and the zeros around that.
struct Axis {
    int first = 0, last = 0;   ///< pixels of the input, the last one not included
    int before = 0, after = 0; ///< zeros
};

/// ONNX puts as many windows on an axis as fit. Pixels that would give one more than `out`, and
/// those above a negative pad, are cut off.
Axis axis_of(int in, int out, int pad, const Layer &layer) {
    const int end = (out - 1) * layer.stride - pad + layer.reach();
    Axis axis{std::max(-pad, 0), std::min(in, end), std::max(pad, 0), std::max(end - in, 0)};
    if (in - axis.last < layer.stride) {
        axis.last = in;
    }
    return axis;
}

class Exporter {
public:
    Exporter(const Network &network, TensorMap checkpoint)
        : network_(network), checkpoint_(std::move(checkpoint)), graph_(network.name) {
        const Value image = graph_.input("image", dims_of(network.input));
        values_.push_back({image, {}});
        for (const Node &node : network.nodes) {
            node_ = &node;
            graph_.enter_layer(node.name);
            const Value value = epilogue(scaled(normalised(operation(node.layer))));
            const bool is_map = value.dims.size() == 4;
            values_.push_back({is_map ? std::optional(value) : std::nullopt,
                               is_map ? std::nullopt : std::optional(value)});
        }
    }

    onnx::ModelProto finish() {
        const Shape &shape = network_.output();
        const auto last = static_cast<int>(network_.nodes.size()) - 1;
        const Value result = shape.height == 1 && shape.width == 1 ? row_of(last) : map_of(last);
        return graph_.finish(result, "logits");
    }

private:
    /// What a node computed: [1, C, H, W], or [1, C] where a fully connected layer works on it.
    struct Result {
        std::optional<Value> map;
        std::optional<Value> row;
    };

    Result &result(int node) { return values_[static_cast<std::size_t>(node + 1)]; }

    Value map_of(int node) {
        Result &r = result(node);
        if (!r.map) {
            r.map = graph_.reshape(*r.row, {1, r.row->dims[1], 1, 1});
        }
        return *r.map;
    }

    Value row_of(int node) {
        Result &r = result(node);
        if (!r.row) {
            r.row =
                graph_.add("Flatten", {*r.map}, {1, r.map->dims[1]}, {{"axis", std::int64_t{1}}});
        }
        return *r.row;
    }

    /// The i-th input of the current node.
    Value input(std::size_t i = 0) { return map_of(node_->inputs.at(i)); }

    bool has(const std::string &suffix) const {
        return checkpoint_.count(node_->name + suffix) > 0;
    }

    /// Moves a tensor of the current node into the graph; without `dims` in its own shape.
    Value parameter(const std::string &suffix, const Dims &dims = {}) {
        auto tensor = checkpoint_.extract(node_->name + suffix);
        if (tensor.empty()) {
            throw std::out_of_range(node_->name + suffix + " is missing");
        }
        const FloatTensor &values = tensor.mapped();
        return graph_.parameter(tensor.key(), dims.empty() ? values.shape : dims, values.values);
    }

    /// A factor or summand per channel, so shaped that it meets the channels of `value`.
    Value per_channel(const std::string &suffix, const Value &value) {
        const std::int64_t channels = value.dims[1];
        return parameter(suffix, value.dims.size() == 4 ? Dims{channels, 1, 1} : Dims{channels});
    }

    /// The operator with its weights and bias; batch norm, layer scale and epilogue come after it.
    Value operation(const Layer &layer) {
        switch (layer.op) {
        case Op::conv2d:
        case Op::depthwise_conv2d:
        case Op::max_pool:
        case Op::average_pool: return windowed(layer);
        case Op::fully_connected: return fully_connected();
        case Op::global_average_pool:
            return graph_.add("GlobalAveragePool", {input()}, dims_of(layer.output));
        case Op::channel_scale:
            return graph_.add("Mul", {input(), gate(layer)}, dims_of(layer.output));
        case Op::elementwise: return input();
        case Op::affine: return affine();
        case Op::layer_norm: return layer_norm();
        case Op::group_norm: return group_norm(layer);
        case Op::softmax: return softmax(layer);
        case Op::attention_scores: return attention_scores(layer);
        case Op::attention_context: return attention_context(layer);
        case Op::concat: return concat(layer);
        case Op::slice:
            return graph_.slice(input(), 1, layer.first_channel,
                                layer.first_channel + layer.output.channels);
        case Op::channel_shuffle: return channel_shuffle(layer);
        case Op::reshape: return reshape(layer);
        case Op::unfold: return unfold(layer);
        case Op::fold: return fold(layer);
        case Op::resize_bilinear: return resize(layer);
        }
        throw std::logic_error("no ONNX operator for " + key(layer));
    }

    Value windowed(const Layer &layer) {
        const Axis y = axis_of(layer.input.height, layer.output.height, layer.pad_top, layer);
        const Axis x = axis_of(layer.input.width, layer.output.width, layer.pad_left, layer);
        const Value in =
            graph_.slice(graph_.slice(input(), 2, y.first, y.last), 3, x.first, x.last);
        std::vector<Value> inputs = {in};
        std::vector<OnnxGraph::Attribute> attributes = {
            {"kernel_shape", Dims{layer.kernel, layer.kernel}},
            {"strides", Dims{layer.stride, layer.stride}},
            {"pads", Dims{y.before, x.before, y.after, x.after}}};
        std::string type = layer.op == Op::max_pool ? "MaxPool" : "AveragePool";
        if (layer.has_weights()) {
            type = "Conv";
            const bool depthwise = layer.op == Op::depthwise_conv2d;
            attributes.push_back({"dilations", Dims{layer.dilation, layer.dilation}});
            attributes.push_back(
                {"group", std::int64_t{depthwise ? layer.input.channels : layer.groups}});
            inputs.push_back(parameter(".weight"));
            if (has(".bias")) {
                inputs.push_back(parameter(".bias"));
            }
        } else if (layer.op == Op::average_pool) {
            attributes.push_back({"count_include_pad", std::int64_t{layer.count_padding}});
        }
        return graph_.add(type, inputs, dims_of(layer.output), attributes);
    }

    Value fully_connected() {
        const Value in = row_of(node_->inputs.at(0));
        const Value weight = parameter(".weight");
        const std::int64_t outputs = weight.dims[0];
        std::vector<Value> inputs = {in, weight};
        if (has(".bias")) {
            inputs.push_back(parameter(".bias"));
        }
        return graph_.add("Gemm", inputs, {1, outputs}, {{"transB", std::int64_t{1}}});
    }

    /// [1, C, 1, 1], or [1, C, H, 1] from a gate per row Hx1xC.
    Value gate(const Layer &layer) {
        const Value gate = input(1);
        return layer.others[0].height == 1
                   ? gate
                   : graph_.reshape(gate, {1, layer.input.channels, layer.input.height, 1});
    }

    /// A batch norm alone comes as such from a checkpoint, or folded.
    Value affine() { return has(".weight") ? per_channel_epilogue(input()) : input(); }

    /// Learned factor and summand per channel.
    Value per_channel_epilogue(const Value &value) {
        const Value product = graph_.add("Mul", {value, per_channel(".weight", value)}, value.dims);
        return has(".bias") ? graph_.add("Add", {product, per_channel(".bias", value)}, value.dims)
                            : product;
    }

    Value layer_norm() {
        const Value pixels = graph_.transpose(input(), {0, 2, 3, 1});
        const Value normal =
            graph_.add("LayerNormalization", {pixels, parameter(".weight"), parameter(".bias")},
                       pixels.dims, {{"axis", std::int64_t{-1}}, {"epsilon", norm_epsilon}});
        return graph_.transpose(normal, {0, 3, 1, 2});
    }

    /// One group: an instance normalisation of all elements as one channel (GroupNormalization is
    /// younger than opset 17).
    Value group_norm(const Layer &layer) {
        const Value all = graph_.reshape(input(), {1, 1, layer.input.elements()});
        const Value one = graph_.parameter(node_->name + ".instance_norm.weight", {1}, {1});
        const Value zero = graph_.parameter(node_->name + ".instance_norm.bias", {1}, {0});
        const Value normal = graph_.add("InstanceNormalization", {all, one, zero}, all.dims,
                                        {{"epsilon", norm_epsilon}});
        return per_channel_epilogue(graph_.reshape(normal, dims_of(layer.output)));
    }

    Value softmax(const Layer &layer) {
        const int parts = layer.input.channels / layer.groups;
        const Value groups =
            graph_.reshape(input(), {layer.groups, parts, layer.input.height, layer.input.width});
        const Value result =
            graph_.add("Softmax", {groups}, groups.dims, {{"axis", std::int64_t{1}}});
        return graph_.reshape(result, dims_of(layer.output));
    }

    /// [1, heads * channels, R, N] to [R, heads, channels, N].
    Value split_heads(const Value &value, std::int64_t heads) {
        const std::int64_t channels = value.dims[1] / heads, rows = value.dims[2];
        if (rows == 1) {
            return graph_.reshape(value, {1, heads, channels, value.dims[3]});
        }
        return graph_.transpose(graph_.reshape(value, {heads, channels, rows, value.dims[3]}),
                                {2, 0, 1, 3});
    }

    /// The inverse.
    Value join_heads(const Value &value, const Shape &shape) {
        const bool one_row = value.dims[0] == 1;
        return graph_.reshape(one_row ? value : graph_.transpose(value, {1, 2, 0, 3}),
                              dims_of(shape));
    }

    /// Keys or values have as many heads as the queries, or one for all of them.
    static std::int64_t heads_of(const Value &value, std::int64_t channels) {
        return value.dims[1] / channels;
    }

    /// transposed(keys) * queries: channel head * M + j is the score of key j. Both are [d,
    /// tokens].
    Value attention_scores(const Layer &layer) {
        const int d = layer.input.channels / layer.groups;
        const Value queries = split_heads(input(0), layer.groups);
        const Value keys = input(1);
        const Value split = split_heads(keys, heads_of(keys, d));
        const Value transposed = graph_.transpose(split, {0, 1, 3, 2});
        const Dims dims = {layer.input.height, layer.groups, keys.dims[3], layer.input.width};
        const Value products = graph_.add("MatMul", {transposed, queries}, dims);
        const auto factor = static_cast<float>(1 / std::sqrt(static_cast<double>(d)));
        return join_heads(number("Mul", products, factor), layer.output);
    }

    /// values * scores: [d, M] * [M, N].
    Value attention_context(const Layer &layer) {
        const int d = layer.output.channels / layer.groups;
        const Value scores = split_heads(input(0), layer.groups);
        const Value values = input(1);
        const Value split = split_heads(values, heads_of(values, d));
        const Dims dims = {layer.input.height, layer.groups, d, layer.input.width};
        return join_heads(graph_.add("MatMul", {split, scores}, dims), layer.output);
    }

    Value concat(const Layer &layer) {
        std::vector<Value> parts;
        for (std::size_t i = 0; i <= layer.others.size(); i++) {
            parts.push_back(input(i));
        }
        const bool rows = layer.input.channels == layer.output.channels;
        return graph_.add("Concat", parts, dims_of(layer.output),
                          {{"axis", std::int64_t{rows ? 2 : 1}}});
    }

    Value channel_shuffle(const Layer &layer) {
        const Shape &s = layer.input;
        const Value parts =
            graph_.reshape(input(), {layer.groups, s.channels / layer.groups, s.height, s.width});
        return graph_.reshape(graph_.transpose(parts, {1, 0, 2, 3}), dims_of(layer.output));
    }

    /// The elements keep their order with channels innermost.
    Value reshape(const Layer &layer) {
        const Shape &from = layer.input, &to = layer.output;
        if (from.channels == to.channels) {
            return graph_.reshape(input(), dims_of(to));
        }
        const Value pixels = graph_.transpose(input(), {0, 2, 3, 1});
        const Value reshaped = graph_.reshape(pixels, {1, to.height, to.width, to.channels});
        return graph_.transpose(reshaped, {0, 3, 1, 2});
    }

    Value unfold(const Layer &layer) {
        const Shape &s = layer.input;
        const int k = layer.kernel;
        const Value patches =
            graph_.reshape(input(), {s.channels, s.height / k, k, s.width / k, k});
        return graph_.reshape(graph_.transpose(patches, {0, 2, 4, 1, 3}), dims_of(layer.output));
    }

    Value fold(const Layer &layer) {
        const Shape &s = layer.output;
        const int k = layer.kernel;
        const Value patches =
            graph_.reshape(input(), {s.channels, k, k, s.height / k, s.width / k});
        return graph_.reshape(graph_.transpose(patches, {0, 3, 1, 4, 2}), dims_of(layer.output));
    }

    Value resize(const Layer &layer) {
        const Value left_out; // the region of interest, and scales
        const Dims sizes = dims_of(layer.output);
        return graph_.add("Resize",
                          {input(), left_out, left_out, graph_.integers("Resize", "sizes", sizes)},
                          sizes,
                          {{"mode", std::string("linear")},
                           {"coordinate_transformation_mode", std::string("half_pixel")}});
    }

    Value normalised(const Value &value) {
        if (!has(".bn.weight")) {
            return value;
        }
        return graph_.add("BatchNormalization",
                          {value, parameter(".bn.weight"), parameter(".bn.bias"),
                           parameter(".bn.running_mean"), parameter(".bn.running_var")},
                          value.dims,
                          {{"epsilon", static_cast<float>(network_.batch_norm_epsilon)}});
    }

    Value scaled(const Value &value) {
        return has(".layer_scale")
                   ? graph_.add("Mul", {value, per_channel(".layer_scale", value)}, value.dims)
                   : value;
    }

    Value epilogue(Value value) {
        if (node_->layer.residual) {
            const int from = node_->inputs.back();
            const Value residual = value.dims.size() == 4 ? map_of(from) : row_of(from);
            value = graph_.add("Add", {value, residual}, value.dims);
        }
        return activated(value);
    }

    Value activated(const Value &value) {
        switch (node_->layer.activation) {
        case Activation::none: return value;
        case Activation::relu: return graph_.add("Relu", {value}, value.dims);
        case Activation::relu6: {
            const Value low = graph_.number("Clip", "min", 0),
                        high = graph_.number("Clip", "max", 6);
            return graph_.add("Clip", {value, low, high}, value.dims);
        }
        case Activation::hard_swish: return graph_.add("HardSwish", {value}, value.dims);
        case Activation::hard_sigmoid:
            return graph_.add("HardSigmoid", {value}, value.dims,
                              {{"alpha", 1.0f / 6}, {"beta", 0.5f}});
        case Activation::sigmoid: return graph_.add("Sigmoid", {value}, value.dims);
        case Activation::swish:
            return graph_.add("Mul", {value, graph_.add("Sigmoid", {value}, value.dims)},
                              value.dims);
        case Activation::gelu: { // an operator of its own from opset 20 on
            const auto root = static_cast<float>(std::sqrt(2.0));
            const Value scaled = number("Div", value, root);
            const Value erf = graph_.add("Erf", {scaled}, value.dims);
            const Value doubled = number("Add", erf, 1);
            const Value product = graph_.add("Mul", {value, doubled}, value.dims);
            return number("Mul", product, 0.5f);
        }
        }
        throw std::logic_error("no ONNX operator for " + to_string(node_->layer.activation));
    }

    /// Type Mul, Add or Div with a number on the right.
    Value number(const std::string &type, const Value &value, float right) {
        return graph_.add(type, {value, graph_.number(type, "right", right)}, value.dims);
    }

    const Network &network_;
    TensorMap checkpoint_; ///< what is not in the graph yet
    OnnxGraph graph_;
    const Node *node_ = nullptr; ///< the current one
    std::vector<Result> values_; ///< the network's input, then every node
};

} // namespace

std::string onnx_model(const Network &network, TensorMap checkpoint, const OnnxNotes &notes) {
    onnx::ModelProto model = Exporter(network, std::move(checkpoint)).finish();
    model.set_producer_name("edgefront");
    model.set_producer_version(notes.tool_version);
    auto *weights = model.add_metadata_props();
    weights->set_key("weights");
    weights->set_value(notes.weights);
    if (model.ByteSizeLong() > std::numeric_limits<int>::max()) {
        throw UserError(network.name + " is larger than an ONNX file can be (2 GiB)");
    }
    return model.SerializeAsString();
}

} // namespace edgefront
