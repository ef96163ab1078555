// What a network is made of and what it counts to, layer by layer or in groups: no device involved.
#pragma once

#include "dsl/network.h"
#include "reports/table.h"

#include <string>
#include <vector>

namespace edgefront {

/// What one row of a description stands for.
enum class Grouping {
    layer,
    block, ///< a row of the network's table, each repeat on its own
    stage, ///< consecutive blocks whose outputs have the same height and width
    op,    ///< all layers with the same operator and kernel, in order of appearance
};
const std::vector<std::string> &grouping_names();

/// Which work is counted: `macs(Layer)` or `flops(Layer)`.
enum class Counting { macs, flops };
const std::vector<std::string> &counting_names();

/// Counts of one or several layers. Bytes are in the network's element type, biases in four bytes.
struct Counts {
    Macs macs;
    Flops flops;
    Params params;
    /// Every layer reads its inputs and weights and writes its output once: what is left when
    /// nothing stays in a cache and no layers are fused.
    Bytes moved;
    Bytes peak;        ///< largest sum of activations that live during one of the layers
    int peak_node = 0; ///< that layer

    std::int64_t work(Counting counting) const;
    /// Arithmetic intensity: work per byte moved.
    double intensity(Counting counting) const;
};

/// One row.
struct LayerGroup {
    std::string name;       ///< "block3.expand", "block3", "stage2", "conv2d"
    std::vector<int> nodes; ///< of the network, in order
    Counts counts;
};

struct Description {
    Network network;
    Grouping grouping = Grouping::layer;
    std::vector<LayerGroup> layers; ///< one per node
    std::vector<LayerGroup> groups; ///< as `grouping` says
    Counts total;
    Bytes arena; ///< of the memory plan
};

Description describe(Network network, Grouping grouping = Grouping::layer);

/// A row per group; the work is counted as `counting` says.
Table description_table(const Description &description, Counting counting);
/// Everything: totals, every layer, and the groups unless they are the layers; all counts.
Json description_json(const Description &description);

} // namespace edgefront
