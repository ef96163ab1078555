// A whole network through the naive reference.
#pragma once

#include "dsl/reference.h"
#include "dsl/weights.h"

namespace edgefront {

/// Outputs of every node by the naive reference.
inline std::vector<std::vector<float>> run_network(const Network &network,
                                                   const NetworkWeights &weights,
                                                   const std::vector<float> &input) {
    std::vector<std::vector<float>> outputs;
    for (std::size_t i = 0; i < network.nodes.size(); i++) {
        const Node &node = network.nodes[i];
        const auto tensor = [&](std::size_t k) {
            const int from = node.inputs.at(k);
            return from < 0 ? input.data() : outputs[static_cast<std::size_t>(from)].data();
        };
        LayerOperands operands;
        operands.input = tensor(0);
        for (std::size_t k = 0; k < node.layer.others.size(); k++) {
            operands.others.push_back(tensor(k + 1));
        }
        operands.residual = node.layer.residual ? tensor(node.inputs.size() - 1) : nullptr;
        operands.weights = weights.layers[i].weights.data();
        operands.bias = weights.layers[i].bias.data();
        outputs.push_back(run_reference(node.layer, operands));
    }
    return outputs;
}

} // namespace edgefront
