// Every network of the zoo, every layer against the reference; what comes out is left for ONNX
// Runtime to compare with the exported model. EDGEFRONT_FULL_SIZE chooses between all at their own
// resolution (label slow) and large ones reduced.
#include "dsl/zoo.h"
#include "search/kernels/runner.h"
#include "tests/onnx/write_case.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace edgefront {
namespace {

std::vector<std::string> family_names() {
    std::vector<std::string> names;
    const Zoo zoo;
    for (const auto &family : zoo.families()) {
        names.push_back(family.first);
    }
    return names;
}

/// The network, at a smaller resolution where the naive loops would take long.
Network sized(const std::string &name) {
    const Network network = Zoo().network(name);
    constexpr Macs large(1'000'000'000);
    if (EDGEFRONT_FULL_SIZE || macs(network) <= large) {
        return network;
    }
    Variant reduced;
    reduced.resolution = 96;
    return Zoo().network(name, reduced);
}

/// A random checkpoint whose residual branches add little, as those of trained networks do. With
/// random weights as they are, some deep networks (EfficientNet-B2) enlarge the rounding of one
/// float a thousandfold, and no two ways of computing them agree.
TensorMap calm_checkpoint(const Network &network) {
    TensorMap checkpoint = random_checkpoint(network, 1);
    for (const Node &node : network.nodes) {
        if (!node.layer.residual || node.offset == Offset::none) {
            continue;
        }
        const std::string part = node.offset == Offset::batch_norm ? ".bn" : "";
        for (const char *tensor : {".weight", ".bias"}) {
            for (float &value : checkpoint.at(node.name + part + tensor).values) {
                value *= 0.25f;
            }
        }
    }
    return checkpoint;
}

class WholeNetwork : public ::testing::TestWithParam<std::string> {};

TEST_P(WholeNetwork, EqualsTheReferenceInEveryLayer) {
    const Network network = sized(GetParam());
    const KernelTarget target = host_kernel_target();
    const TensorMap checkpoint = calm_checkpoint(network);
    BuildContext context;
    context.cache = EDGEFRONT_TEST_CACHE;
    context.tool_version = "test";
    Runner runner(plan_package(network, default_kernels(network, target), target),
                  fold(network, checkpoint), context, 2);
    const std::vector<float> input = random_input(network, 1);
    const auto checks = check_layers(runner, input);
    ASSERT_EQ(checks.size(), network.nodes.size());
    for (std::size_t i = 0; i < checks.size(); i++) {
        EXPECT_TRUE(checks[i].passed)
            << checks[i].name << " " << key(network.nodes[i].layer) << ": error "
            << checks[i].relative_error() << ", variance " << checks[i].difference.variance;
    }
    const bool small = params(network) < Params(5'000'000);
    write_onnx_case(EDGEFRONT_ONNX_CASES, GetParam(), network, checkpoint, input, runner.run(input),
                    small);
}

INSTANTIATE_TEST_SUITE_P(Zoo, WholeNetwork, ::testing::ValuesIn(family_names()),
                         [](const auto &name) {
                             std::string text = name.param;
                             std::replace(text.begin(), text.end(), '.', '_');
                             return text;
                         });

} // namespace
} // namespace edgefront
