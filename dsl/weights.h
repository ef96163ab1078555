// The numbers of a network: from a checkpoint with PyTorch's names and layouts, or random. Batch
// normalisation is folded into weights and bias; what kernels see is `LayerWeights`.
//
// A checkpoint holds, for every layer with weights:
//   <layer>.weight      conv2d [co, ci / groups, k, k], depthwise [c, 1, k, k],
//                       fully connected [out, in], norms and affine [c]; not a batch norm alone
//   <layer>.bias        [co], when the layer has a learned bias
//   <layer>.bn.weight, .bn.bias, .bn.running_mean, .bn.running_var
//                       [co], when batch-normalised
//   <layer>.layer_scale [co], when the layer has one: multiplies what comes out of the above
//
// PyTorch's <layer>.bn.num_batches_tracked may be there and is not read; anything else is an error.
#pragma once

#include "dsl/network.h"
#include "dsl/safetensors.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

/// One layer, folded: weights in the layout of layer.h, one bias per output channel when the layer
/// has one; both empty for layers without weights.
struct LayerWeights {
    std::vector<float> weights;
    std::vector<float> bias;
};

struct NetworkWeights {
    std::vector<LayerWeights> layers; ///< one per node
    std::string source;               ///< for manifests: "seed 1", "file checkpoint.safetensors"
    std::string hash;                 ///< of all folded values, in order
};

/// A tensor a checkpoint must have.
struct TensorSpec {
    std::string name;
    std::vector<std::int64_t> shape;
};
std::vector<TensorSpec> checkpoint_tensors(const Node &node);

/// Seeded random checkpoint. Every tensor's numbers depend on the seed and its own name; the scale
/// of a layer's weights is chosen so that its output has about unit variance before the activation,
/// with mean and variance followed through every operator. Batch-norm
/// statistics are random too, so that folding matters.
TensorMap random_checkpoint(const Network &network, std::uint64_t seed);

/// Folds a checkpoint that has exactly the tensors the network needs.
NetworkWeights fold(const Network &network, const TensorMap &checkpoint);

NetworkWeights random_weights(const Network &network, std::uint64_t seed);

/// Reads a safetensors file. Throws UserError naming file, tensor and what was expected.
TensorMap load_checkpoint(const Network &network, const std::filesystem::path &path);
/// The same, folded.
NetworkWeights load_weights(const Network &network, const std::filesystem::path &path);

/// Folded numbers in a checkpoint's names and layouts: a weight for every layer that has them (a
/// batch norm alone too), a bias where there was an offset, no batch norms, no layer scales.
TensorMap folded_checkpoint(const Network &network, NetworkWeights weights);

/// `count` standard normal numbers for the network's input.
std::vector<float> random_input(const Network &network, std::uint64_t seed);

} // namespace edgefront
