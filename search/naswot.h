// NASWOT (Mellor, Turner, Storkey, Crowley, "Neural Architecture Search without Training", ICML
// 2021, arXiv:2006.04647): how differently an untrained network's activations switch on and off for
// different inputs. A hint for ranking networks, no accuracy, and never called one.
#pragma once

#include "dsl/network.h"

#include <cstdint>
#include <functional>
#include <string>

namespace edgefront {

struct NaswotOptions {
    int images = 16;        ///< of seeded standard normal noise
    std::uint64_t seed = 1; ///< of images and weights
    int threads = 1;        ///< never changes the score
    std::function<bool()> stop;
};

/// `NaswotOptions::stop` said so.
struct NaswotInterrupted {};

/// log |det K|; K(i, j) counts the units whose codes for images i and j agree. A unit is an element
/// of the output of a layer with relu, relu6, hard_swish, swish or gelu, its code whether that is
/// positive: for all of them the sign of what goes into the activation. Minus infinity when two
/// images have the same codes. Runs the naive reference on random weights (weights.h). Throws
/// UserError for a network without any such layer.
double naswot(const Network &network, const NaswotOptions &options);

} // namespace edgefront
