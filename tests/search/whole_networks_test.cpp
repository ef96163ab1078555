// Every network of the zoo, every layer against the reference. EDGEFRONT_FULL_SIZE chooses between
// all at their own resolution (label slow) and large ones reduced.
#include "dsl/zoo.h"
#include "search/runner.h"

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

class WholeNetwork : public ::testing::TestWithParam<std::string> {};

TEST_P(WholeNetwork, EqualsTheReferenceInEveryLayer) {
    const Network network = sized(GetParam());
    const KernelTarget target = host_kernel_target();
    BuildContext context;
    context.cache = EDGEFRONT_TEST_CACHE;
    context.tool_version = "test";
    Runner runner(plan_package(network, default_schedules(network, target), target),
                  random_weights(network, 1), context, 2);
    const auto checks = check_layers(runner, random_input(network, 1));
    ASSERT_EQ(checks.size(), network.nodes.size());
    for (std::size_t i = 0; i < checks.size(); i++) {
        EXPECT_TRUE(checks[i].passed)
            << checks[i].name << " " << key(network.nodes[i].layer) << ": error "
            << checks[i].relative_error() << ", variance " << checks[i].difference.variance;
    }
}

INSTANTIATE_TEST_SUITE_P(Zoo, WholeNetwork, ::testing::ValuesIn(family_names()),
                         [](const auto &name) {
                             std::string text = name.param;
                             std::replace(text.begin(), text.end(), '.', '_');
                             return text;
                         });

} // namespace
} // namespace edgefront
