#include "search/naswot.h"

#include "base/error.h"
#include "base/random.h"
#include "dsl/reference.h"
#include "dsl/weights.h"
#include "search/parallel.h"

#include <Eigen/Dense>

#include <bitset>
#include <cmath>
#include <limits>

namespace edgefront {

namespace {

using Tensor = std::vector<float>;
using Code = std::vector<std::uint64_t>;

bool switches(Activation activation) {
    switch (activation) {
    case Activation::relu:
    case Activation::relu6:
    case Activation::hard_swish:
    case Activation::swish:
    case Activation::gelu: return true;
    case Activation::none:
    case Activation::hard_sigmoid:
    case Activation::sigmoid: return false;
    }
    return false;
}

Code code_of(const Tensor &output) {
    Code code((output.size() + 63) / 64, 0);
    for (std::size_t i = 0; i < output.size(); i++) {
        code[i / 64] |= std::uint64_t{output[i] > 0} << (i % 64);
    }
    return code;
}

std::size_t differing(const Code &a, const Code &b) {
    std::size_t bits = 0;
    for (std::size_t i = 0; i < a.size(); i++) {
        bits += std::bitset<64>(a[i] ^ b[i]).count();
    }
    return bits;
}

/// The node's output for one image, from what its producers have made of it.
Tensor run(const Node &node, const LayerWeights &weights, const std::vector<const Tensor *> &in) {
    LayerOperands operands;
    operands.input = in[0]->data();
    for (std::size_t i = 0; i < node.layer.others.size(); i++) {
        operands.others.push_back(in[1 + i]->data());
    }
    operands.residual = node.layer.residual ? in.back()->data() : nullptr;
    operands.weights = weights.weights.data();
    operands.bias = weights.bias.data();
    return run_reference(node.layer, operands);
}

} // namespace

double naswot(const Network &network, const NaswotOptions &options) {
    const auto images = static_cast<std::size_t>(options.images);
    const NetworkWeights weights =
        random_weights(network, derive_seed(options.seed, "naswot weights"));
    std::vector<std::size_t> last_use(network.nodes.size(), 0);
    for (std::size_t n = 0; n < network.nodes.size(); n++) {
        for (const int from : network.nodes[n].inputs) {
            if (from >= 0) {
                last_use[static_cast<std::size_t>(from)] = n;
            }
        }
    }
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < images; i++) {
        inputs.push_back(
            random_input(network, derive_seed(options.seed, "naswot image " + std::to_string(i))));
    }
    std::vector<std::vector<Tensor>> outputs(network.nodes.size(), std::vector<Tensor>(images));
    Eigen::MatrixXd kernel = Eigen::MatrixXd::Zero(options.images, options.images);
    bool any = false;
    for (std::size_t n = 0; n < network.nodes.size(); n++) {
        const Node &node = network.nodes[n];
        if (options.stop && options.stop()) {
            throw NaswotInterrupted();
        }
        std::vector<Code> codes(images);
        const bool counts = switches(node.layer.activation);
        any = any || counts;
        parallel_for(images, options.threads, 1, [&](std::size_t i) {
            std::vector<const Tensor *> in;
            for (const int from : node.inputs) {
                in.push_back(from < 0 ? &inputs[i] : &outputs[static_cast<std::size_t>(from)][i]);
            }
            outputs[n][i] = run(node, weights.layers[n], in);
            if (counts) {
                codes[i] = code_of(outputs[n][i]);
            }
        });
        for (std::size_t i = 0; counts && i < images; i++) {
            for (std::size_t j = 0; j < images; j++) {
                kernel(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) +=
                    static_cast<double>(outputs[n][i].size() - differing(codes[i], codes[j]));
            }
        }
        for (std::size_t from = 0; from <= n; from++) {
            if (last_use[from] == n) {
                outputs[from] = std::vector<Tensor>(images);
            }
        }
    }
    if (!any) {
        throw UserError(network.name + " has no layer that switches on and off: no relu, relu6, "
                                       "hard_swish, swish or gelu");
    }
    const Eigen::VectorXd diagonal = kernel.ldlt().vectorD();
    double score = 0;
    for (const double d : diagonal) {
        score += d > 1e-9 * kernel(0, 0) ? std::log(d) : -std::numeric_limits<double>::infinity();
    }
    return score;
}

} // namespace edgefront
