#include "dsl/network.h"

#include <set>
#include <stdexcept>

namespace edgefront {

Macs macs(const Network &network) {
    Macs sum;
    for (const auto &node : network.nodes) {
        sum += macs(node.layer);
    }
    return sum;
}

Params params(const Node &node) {
    const std::int64_t channels = node.layer.output.channels;
    // A batch norm alone has no weights but its gamma.
    const bool alone = node.layer.op == Op::affine && node.offset == Offset::batch_norm;
    const Params weights =
        (alone ? Params(0) : weight_count(node.layer)) + Params(node.layer_scale ? channels : 0);
    switch (node.offset) {
    case Offset::none: return weights;
    case Offset::bias: return weights + Params(channels);
    case Offset::batch_norm: return weights + Params(2 * channels);
    }
    return {};
}

Params params(const Network &network) {
    Params sum;
    for (const auto &node : network.nodes) {
        sum += params(node);
    }
    return sum;
}

Params batch_norm_params(const Network &network) {
    Params sum;
    for (const auto &node : network.nodes) {
        if (node.offset == Offset::batch_norm) {
            sum += Params(2 * std::int64_t{node.layer.output.channels});
        }
    }
    return sum;
}

std::int64_t batch_norm_elements(const Network &network) {
    std::int64_t sum = 0;
    for (const auto &node : network.nodes) {
        if (node.offset == Offset::batch_norm) {
            sum += node.layer.output.elements();
        }
    }
    return sum;
}

Network with_type(Network network, DataType type) {
    for (auto &node : network.nodes) {
        node.layer.type = type;
    }
    return network;
}

void validate(const Network &network) {
    std::set<std::string> names;
    const auto shape_of = [&](int producer) {
        return producer < 0 ? network.input
                            : network.nodes[static_cast<std::size_t>(producer)].layer.output;
    };
    for (std::size_t i = 0; i < network.nodes.size(); i++) {
        const Node &node = network.nodes[i];
        const Layer &layer = node.layer;
        const auto check = [&](bool ok, const std::string &what) {
            if (!ok) {
                throw std::logic_error(network.name + ", layer " + node.name + ": " + what);
            }
        };
        check(names.insert(node.name).second, "its name stands twice");
        check(layer.output.elements() > 0, "its output is empty");
        check(static_cast<int>(node.inputs.size()) == layer.inputs(), "wrong number of inputs");
        for (const int producer : node.inputs) {
            check(producer >= -1 && producer < static_cast<int>(i), "an input comes later");
        }
        check(shape_of(node.inputs[0]) == layer.input, "its input has another shape");
        for (std::size_t other = 0; other < layer.others.size(); other++) {
            check(shape_of(node.inputs[other + 1]) == layer.others[other],
                  "input " + std::to_string(other + 1) + " has another shape");
        }
        if (layer.residual) {
            check(shape_of(node.inputs.back()) == layer.output, "its residual has another shape");
        }
        check(shape_problem(layer).empty(), shape_problem(layer));
        check(layer.has_weights() || !node.layer_scale, "a layer scale without weights");
        check(layer.bias == (node.offset != Offset::none), "bias and offset disagree");
    }
}

} // namespace edgefront
