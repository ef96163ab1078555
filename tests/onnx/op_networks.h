// Small networks around one operator each, with every attribute an exporter could get wrong.
#pragma once

#include "dsl/network.h"

#include <functional>
#include <string>
#include <vector>

namespace edgefront {

/// Builds a network node by node.
class NetworkBuilder {
public:
    NetworkBuilder(const std::string &name, const Shape &input) {
        network_.name = network_.family = name;
        network_.input = input;
        network_.batch_norm_epsilon = 1e-3;
    }

    /// `from`: data, others, and where `change` sets `residual` that too; -1 is the image.
    int add(const std::string &name, Op op, const std::vector<int> &from, const Shape &output,
            Offset offset = Offset::none, const std::function<void(Node &)> &change = {}) {
        Node node;
        node.name = name;
        node.layer.op = op;
        node.layer.input = shape(from[0]);
        node.layer.output = output;
        node.layer.bias = offset != Offset::none;
        node.offset = offset;
        node.inputs = from;
        if (change) {
            change(node);
        }
        for (std::size_t i = 1; i + (node.layer.residual ? 1 : 0) < from.size(); i++) {
            node.layer.others.push_back(shape(from[i]));
        }
        network_.nodes.push_back(std::move(node));
        return static_cast<int>(network_.nodes.size()) - 1;
    }

    /// A 1x1 convolution without anything, to make a second input of what is there.
    int pointwise(const std::string &name, int from, int channels) {
        const Shape in = shape(from);
        return add(name, Op::conv2d, {from}, {in.height, in.width, channels});
    }

    Network network() const {
        validate(network_);
        return network_;
    }

private:
    const Shape &shape(int node) const {
        return node < 0 ? network_.input
                        : network_.nodes[static_cast<std::size_t>(node)].layer.output;
    }

    Network network_;
};

/// One network per operator and attribute, named after what it is about.
std::vector<Network> op_networks();

} // namespace edgefront
