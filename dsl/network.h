// A network with resolved shapes: layers in execution order and the edges between them.
#pragma once

#include "dsl/layer.h"

#include <string>
#include <vector>

namespace edgefront {

/// How the per-channel offset of a layer was learned; kernels always see a folded bias.
enum class Offset { none, bias, batch_norm };

struct Node {
    /// Unique within the network: "stem.conv", "block3.expand"...; weight tensors are
    /// "<name>.weight".
    std::string name;
    Layer layer;
    /// Producers, in the order data, others, residual; -1 is the network's input.
    std::vector<int> inputs;
    Offset offset = Offset::none;
    /// A learned factor per output channel on top of everything but the residual
    /// (arXiv:2103.17239); folded into the weights as batch norms are.
    bool layer_scale = false;
    int block = 0;          ///< index of the block (repeats counted) this layer belongs to
    std::string block_name; ///< "block3 inverted_bottleneck", or a timm string for UIB
};

struct Network {
    std::string name;   ///< as resolved, "mobilenet_v2@0.5,160"
    std::string family; ///< "mobilenet_v2"
    double width = 1.0;
    int resolution = 0;
    int classes = 0;
    double batch_norm_epsilon = 1e-5;
    Shape input;
    std::vector<Node> nodes; ///< in execution order; the last one is the output

    const Shape &output() const { return nodes.back().layer.output; }
};

Macs macs(const Network &network);
/// Learned parameters of one layer: weights, bias, batch-norm gamma and beta, layer scale; never
/// moving averages.
Params params(const Node &node);
Params params(const Network &network);
/// Gamma and beta of all batch normalisations, for conventions that leave them out.
Params batch_norm_params(const Network &network);
/// Output elements of all batch-normalised layers (timm's GMAC figures add 2 for each).
std::int64_t batch_norm_elements(const Network &network);

/// The same network with every layer in `type`.
Network with_type(Network network, DataType type);

/// Throws std::logic_error when edges, shapes or names are inconsistent: a bug in a builder.
void validate(const Network &network);

} // namespace edgefront
