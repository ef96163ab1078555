#include "base/files.h"
#include "base/random.h"
#include "dsl/reference.h"
#include "dsl/weights.h"
#include "search/axis_swap.h"
#include "search/sweep.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <cmath>

namespace edgefront {
namespace {

/// Points of given latencies; one objective.
RunResult result_of(const std::vector<double> &latencies) {
    RunResult result;
    result.objectives = {
        {"latency_ms:host", "latency_ms", "host", Sense::minimise, CostKind::modelled}};
    for (const double ms : latencies) {
        result.points.push_back({std::to_string(result.points.size()), {}, {ms}});
    }
    return result;
}

TEST(AxisSwap, says_which_points_stay_by_each_quality) {
    const RunResult result = result_of({1, 2, 3, 4});
    // By a all grow; by b the third is beaten by the second, the last has no value.
    const AxisSwap swap = swap_axes(result, result.points,
                                    {{"a", "counted", {10.0, 20.0, 30.0, 40.0}},
                                     {"b", "given", {5.0, 9.0, 8.0, std::nullopt}}});
    EXPECT_EQ(swap.costs, (std::vector<std::string>{"latency_ms:host"}));
    EXPECT_EQ(swap.stay[0], (std::vector<std::size_t>{0, 1, 2, 3}));
    EXPECT_EQ(swap.stay[1], (std::vector<std::size_t>{0, 1}));
    EXPECT_EQ(swap.everywhere, (std::vector<std::size_t>{0, 1}));
    EXPECT_EQ(swap.common(0, 1), 2u);
    EXPECT_EQ(swap.common(0, 0), 4u);
}

TEST(AxisSwap, second_figures_of_some_points_do_not_beat_first_ones_of_others) {
    RunResult result = result_of({1, 2, 3});
    const std::vector<QualityAxis> axes = {{"a", "", {1.0, 2.0, 3.0}}, {"b", "", {5.0, 6.0, 7.0}}};
    RunPoint &last = result.points[2];
    last.refined.emplace();
    last.refined->predicted = last.values;
    last.refined->kinds = {CostKind::measured};
    last.values = {0.5};
    const AxisSwap swap = swap_axes(result, result.points, axes);
    EXPECT_EQ(swap.everywhere, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(AxisSwap, points_that_are_equal_all_stay) {
    const RunResult result = result_of({1, 1, 2});
    const AxisSwap swap = swap_axes(
        result, result.points, {{"a", "counted", {7.0, 7.0, 7.0}}, {"b", "", {1.0, 2.0, 3.0}}});
    EXPECT_EQ(swap.stay[0], (std::vector<std::size_t>{0, 1}));
    EXPECT_EQ(swap.everywhere, (std::vector<std::size_t>{1}));
}

TEST(AxisSwap, needs_a_cost_and_two_qualities) {
    RunResult result = result_of({1, 2});
    EXPECT_THROW(swap_axes(result, result.points, {{"a", "", {1.0, 2.0}}}), UserError);
    result.objectives[0].sense = Sense::maximise;
    EXPECT_THROW(swap_axes(result, result.points, {{"a", "", {1.0, 2.0}}, {"b", "", {1.0, 2.0}}}),
                 UserError);
}

/// A finished run of tiny.json.
RunResult tiny_run() {
    const TemporaryFolder folder(::testing::TempDir() + "edgefront-axes");
    const DesignSpace space = shipped_space("tiny");
    return run_sweep(resolve(space, price_targets(space), {}, "0.0.test"), folder.path(), Zoo(), {})
        .result;
}

TEST(AxisSwap, a_runs_own_axes_are_what_its_networks_count) {
    const RunResult run = tiny_run();
    const Zoo zoo;
    const auto axes = own_axes(run, run.points, zoo);
    ASSERT_EQ(axes.size(), 2u);
    for (std::size_t i = 0; i < run.points.size(); i++) {
        const Network network = network_of(run, run.points[i], zoo);
        EXPECT_EQ(axes[0].values[i], static_cast<double>(macs(network).count()));
        EXPECT_EQ(axes[1].values[i], static_cast<double>(params(network).count()));
    }
    const QualityAxis anchored =
        accuracy_axis(run, run.points, zoo, anchored_spec("mobilenet_v1:slim"), {});
    for (const auto &value : anchored.values) {
        EXPECT_FALSE(value.has_value()) << "no point is a MobileNetV1";
    }
    const QualityAxis hint = rank_hint_axis(run, {run.points[0], run.points[1]}, zoo,
                                            {NaswotOptions{4, 1, 1, {}}, 32, {}});
    EXPECT_TRUE(std::isfinite(*hint.values[0]));
    EXPECT_NE(hint.values[0], hint.values[1]);
}

/// A network of one layer with 8 * 8 * 6 units.
Network one_layer(Activation activation) {
    Network network = Zoo().network("mobilenet_v2@0.35,32");
    network.nodes.resize(1);
    network.nodes[0].layer.activation = activation;
    return network;
}

TEST(Naswot, of_two_images_is_the_determinant_of_what_their_codes_share) {
    const Network network = one_layer(Activation::relu6);
    const NaswotOptions options{2, 5, 1, {}};
    const auto weights = random_weights(network, derive_seed(5, "naswot weights"));
    std::vector<std::vector<float>> outputs;
    for (const char *image : {"naswot image 0", "naswot image 1"}) {
        const auto input = random_input(network, derive_seed(5, image));
        LayerOperands operands;
        operands.input = input.data();
        operands.weights = weights.layers[0].weights.data();
        operands.bias = weights.layers[0].bias.data();
        outputs.push_back(run_reference(network.nodes[0].layer, operands));
    }
    double units = 0, shared = 0;
    for (std::size_t i = 0; i < outputs[0].size(); i++) {
        units++;
        shared += (outputs[0][i] > 0) == (outputs[1][i] > 0) ? 1 : 0;
    }
    EXPECT_GT(shared, units / 10);
    EXPECT_LT(shared, units);
    EXPECT_NEAR(naswot(network, options), std::log(units * units - shared * shared), 1e-9);
    // Activations with the same sign switch alike.
    EXPECT_EQ(naswot(one_layer(Activation::hard_swish), options), naswot(network, options));
}

TEST(Naswot, depends_on_the_seed_and_not_on_threads) {
    const Network network = Zoo().network("mobilenet_v4_conv_small@0.5,32");
    const double score = naswot(network, {6, 1, 1, {}});
    EXPECT_TRUE(std::isfinite(score));
    EXPECT_EQ(score, naswot(network, {6, 1, 3, {}}));
    EXPECT_NE(score, naswot(network, {6, 2, 1, {}}));
    EXPECT_GT(naswot(Zoo().network("mobilenet_v4_conv_small@1,32"), {6, 1, 1, {}}), score);
}

TEST(Naswot, needs_something_that_switches) {
    EXPECT_THROW(naswot(one_layer(Activation::none), {}), UserError);
    const NaswotOptions stopped{2, 1, 1, [] { return true; }};
    EXPECT_THROW(naswot(one_layer(Activation::relu), stopped), NaswotInterrupted);
}

} // namespace
} // namespace edgefront
