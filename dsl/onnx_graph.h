// A thin hand on ONNX's protocol buffers: nodes, initializers and the shapes of all that lies
// between them. Only dsl/onnx_*.cpp include this.
#pragma once

#include "dsl/safetensors.h"

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace edgefront {

class OnnxGraph {
public:
    using Dims = std::vector<std::int64_t>;

    /// A tensor of the graph.
    struct Value {
        std::string name;
        Dims dims;
    };
    struct Attribute {
        std::string name;
        std::variant<std::int64_t, float, std::string, Dims> value;
    };

    /// Opset 17, IR version 8: what ONNX 1.12 brought, and ONNX Runtime reads from 1.12 on.
    explicit OnnxGraph(const std::string &name);

    Value input(const std::string &name, const Dims &dims);
    /// A learned tensor; row-major, as many values as `dims` say.
    Value parameter(const std::string &name, const Dims &dims, const std::vector<float> &values);

    /// What is added from now on belongs to this layer: nodes are called "/block3/expand/Conv",
    /// further ones of the same type "/block3/expand/Conv_1".
    void enter_layer(const std::string &name);

    Value add(const std::string &type, const std::vector<Value> &inputs, const Dims &output,
              const std::vector<Attribute> &attributes = {});
    Value reshape(const Value &value, const Dims &dims);
    Value transpose(const Value &value, const Dims &permutation);
    /// `first` and `last` (not included) along `axis`.
    Value slice(const Value &value, std::int64_t axis, std::int64_t first, std::int64_t last);

    /// Inputs that are not learned, of the node of `type` that is added next.
    Value integers(const std::string &type, const std::string &what, const Dims &values);
    Value number(const std::string &type, const std::string &what, float value);

    /// The model with `value` as its only output, renamed to `name`. Throws std::logic_error when
    /// ONNX's own checker or its shape inference finds something wrong. Once only.
    onnx::ModelProto finish(const Value &value, const std::string &name);

private:
    std::string next_node(const std::string &type) const;

    onnx::ModelProto model_;
    std::string path_;                 ///< "/block3/expand/"
    std::map<std::string, int> nodes_; ///< of the layer, by type
};

} // namespace edgefront
