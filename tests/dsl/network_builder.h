// Networks made node by node, for tests of what no network file has in that form.
#pragma once

#include "dsl/network.h"

#include <functional>
#include <string>
#include <vector>

namespace edgefront {

/// A network under construction; tensors are indices of nodes.
class Builder {
public:
    explicit Builder(Shape input) {
        network_.input = input;
        network_.batch_norm_epsilon = 1e-5;
    }

    const Shape &shape(int tensor) const {
        return tensor < 0 ? network_.input
                          : network_.nodes[static_cast<std::size_t>(tensor)].layer.output;
    }

    /// An operator on `inputs`, of the first one's shape unless `change` says otherwise.
    int add(
        Op op, const std::vector<int> &inputs,
        const std::function<void(Node &)> &change = [](Node &) {}) {
        Node node;
        node.name = to_string(op) + std::to_string(network_.nodes.size());
        node.inputs = inputs;
        node.layer.op = op;
        node.layer.input = node.layer.output = shape(inputs[0]);
        change(node);
        const std::size_t others = inputs.size() - 1 - (node.layer.residual ? 1 : 0);
        for (std::size_t i = 1; i <= others; i++) {
            node.layer.others.push_back(shape(inputs[i]));
        }
        node.layer.bias = node.offset != Offset::none;
        network_.nodes.push_back(node);
        return static_cast<int>(network_.nodes.size()) - 1;
    }

    /// A pointwise convolution.
    int linear(int tensor, int channels, Offset offset = Offset::none,
               Activation activation = Activation::none) {
        return add(Op::conv2d, {tensor}, [&](Node &n) {
            n.layer.output.channels = channels;
            n.offset = offset;
            n.layer.activation = activation;
        });
    }

    const Network &network() const { return network_; }

private:
    Network network_;
};

} // namespace edgefront
