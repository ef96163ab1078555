#include "dsl/onnx_graph.h"

#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <stdexcept>

namespace edgefront {

namespace {

constexpr int opset = 17;
constexpr int ir_version = 8;

void describe(onnx::ValueInfoProto &info, const OnnxGraph::Value &value) {
    info.set_name(value.name);
    auto *type = info.mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : value.dims) {
        type->mutable_shape()->add_dim()->set_dim_value(extent);
    }
}

/// raw_data is little-endian, as every machine is that Halide generates kernels on.
template <typename T>
void fill(onnx::TensorProto &tensor, const OnnxGraph::Dims &dims, const std::vector<T> &values) {
    for (const std::int64_t extent : dims) {
        tensor.add_dims(extent);
    }
    tensor.set_raw_data(values.data(), values.size() * sizeof(T));
}

struct Setter {
    onnx::AttributeProto &attribute;

    void operator()(std::int64_t value) const {
        attribute.set_type(onnx::AttributeProto::INT);
        attribute.set_i(value);
    }
    void operator()(float value) const {
        attribute.set_type(onnx::AttributeProto::FLOAT);
        attribute.set_f(value);
    }
    void operator()(const std::string &value) const {
        attribute.set_type(onnx::AttributeProto::STRING);
        attribute.set_s(value);
    }
    void operator()(const OnnxGraph::Dims &values) const {
        attribute.set_type(onnx::AttributeProto::INTS);
        for (const std::int64_t value : values) {
            attribute.add_ints(value);
        }
    }
};

} // namespace

OnnxGraph::OnnxGraph(const std::string &name) {
    model_.set_ir_version(ir_version);
    auto *operators = model_.add_opset_import();
    operators->set_domain("");
    operators->set_version(opset);
    model_.mutable_graph()->set_name(name);
}

OnnxGraph::Value OnnxGraph::input(const std::string &name, const Dims &dims) {
    const Value value{name, dims};
    describe(*model_.mutable_graph()->add_input(), value);
    return value;
}

OnnxGraph::Value OnnxGraph::parameter(const std::string &name, const Dims &dims,
                                      const std::vector<float> &values) {
    onnx::TensorProto &tensor = *model_.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    fill(tensor, dims, values);
    return {name, dims};
}

void OnnxGraph::enter_layer(const std::string &name) {
    path_ = "/" + name + "/";
    std::replace(path_.begin(), path_.end(), '.', '/');
    nodes_.clear();
}

std::string OnnxGraph::next_node(const std::string &type) const {
    const auto seen = nodes_.find(type);
    return path_ + type + (seen == nodes_.end() ? "" : "_" + std::to_string(seen->second));
}

OnnxGraph::Value OnnxGraph::add(const std::string &type, const std::vector<Value> &inputs,
                                const Dims &output, const std::vector<Attribute> &attributes) {
    onnx::NodeProto &node = *model_.mutable_graph()->add_node();
    node.set_op_type(type);
    node.set_name(next_node(type));
    nodes_[type]++;
    for (const Value &input : inputs) {
        node.add_input(input.name);
    }
    const Value value{node.name() + "_output", output};
    node.add_output(value.name);
    for (const Attribute &attribute : attributes) {
        onnx::AttributeProto &proto = *node.add_attribute();
        proto.set_name(attribute.name);
        std::visit(Setter{proto}, attribute.value);
    }
    describe(*model_.mutable_graph()->add_value_info(), value);
    return value;
}

OnnxGraph::Value OnnxGraph::integers(const std::string &type, const std::string &what,
                                     const Dims &values) {
    onnx::TensorProto &tensor = *model_.mutable_graph()->add_initializer();
    tensor.set_name(next_node(type) + "_" + what);
    tensor.set_data_type(onnx::TensorProto::INT64);
    const auto count = static_cast<std::int64_t>(values.size());
    fill(tensor, {count}, values);
    return {tensor.name(), {count}};
}

OnnxGraph::Value OnnxGraph::number(const std::string &type, const std::string &what, float value) {
    return parameter(next_node(type) + "_" + what, {}, {value});
}

OnnxGraph::Value OnnxGraph::reshape(const Value &value, const Dims &dims) {
    return value.dims == dims ? value
                              : add("Reshape", {value, integers("Reshape", "shape", dims)}, dims);
}

OnnxGraph::Value OnnxGraph::transpose(const Value &value, const Dims &permutation) {
    Dims dims;
    for (const std::int64_t axis : permutation) {
        dims.push_back(value.dims[static_cast<std::size_t>(axis)]);
    }
    return add("Transpose", {value}, dims, {{"perm", permutation}});
}

OnnxGraph::Value OnnxGraph::slice(const Value &value, std::int64_t axis, std::int64_t first,
                                  std::int64_t last) {
    Dims dims = value.dims;
    std::int64_t &extent = dims[static_cast<std::size_t>(axis)];
    if (first == 0 && last == extent) {
        return value;
    }
    extent = last - first;
    return add("Slice",
               {value, integers("Slice", "starts", {first}), integers("Slice", "ends", {last}),
                integers("Slice", "axes", {axis})},
               dims);
}

onnx::ModelProto OnnxGraph::finish(const Value &value, const std::string &name) {
    onnx::GraphProto &graph = *model_.mutable_graph();
    const bool is_last =
        graph.node_size() > 0 && graph.node(graph.node_size() - 1).output(0) == value.name;
    if (!is_last) {
        enter_layer("output");
        add("Identity", {value}, value.dims);
    }
    // The last node's output is nobody's input yet.
    graph.mutable_node(graph.node_size() - 1)->set_output(0, name);
    graph.mutable_value_info()->RemoveLast();
    describe(*graph.add_output(), {name, value.dims});
    try {
        onnx::checker::check_model(model_);
        // Compares the shapes it finds with those that are written beside every value.
        onnx::shape_inference::InferShapes(model_, onnx::OpSchemaRegistry::Instance(),
                                           {true, 1, true});
    } catch (const std::exception &e) {
        throw std::logic_error("the ONNX model of " + graph.name() + " is wrong: " + e.what());
    }
    return std::move(model_);
}

} // namespace edgefront
