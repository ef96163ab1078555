// GPUs and NPUs, priced by hand on devices with round numbers.
#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

const Workload int8_workload{DataType::int8, 1};

Json tiny_accelerator_json(const std::string &kind) {
    return tiny_target_json(kind, {{"clock_ghz", 1},
                                   {"mac_per_cycle_int8", 100},
                                   {"dense_efficiency_int8", 0.5},
                                   {"depthwise_efficiency_int8", 0.25},
                                   {"elements_per_cycle_int8", 10},
                                   {"memory_gb_per_s", 20},
                                   {"layer_overhead_us", 0.1},
                                   {"inference_overhead_us", 7},
                                   {"pj_per_mac_int8", 2},
                                   {"memory_pj_per_byte", 3}});
}

/// 1x1 convolution 4x4x64 -> 4x4x100: 102,400 MACs; 1024 bytes in, 1600 out, 6400 weights.
Layer pointwise() {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::int8;
    l.input = {4, 4, 64};
    l.output = {4, 4, 100};
    l.activation = Activation::relu;
    return l;
}

Layer depthwise() {
    Layer l = pointwise();
    l.op = Op::depthwise_conv2d;
    l.output = l.input;
    l.kernel = 3;
    l.pad_top = l.pad_left = 1;
    return l;
}

Cost cost(const Target &target, const Layer &layer) {
    return std::get<Cost>(price_layer(*make_cost_model(target), layer, int8_workload));
}

TEST(AcceleratorModel, TakesTheLongerOfMultiplyingAndMoving) {
    const Target target = target_from(tiny_accelerator_json("gpu"));
    const Cost compute = cost(target, pointwise());
    // 102,400 at 100 x 0.5 per cycle; nothing is padded.
    EXPECT_NEAR(compute.latency.count() * 1e9, 100 + 2048, 1e-6);
    EXPECT_EQ(compute.bound_by, BoundBy::compute);
    EXPECT_NEAR(compute.energy.count(), 102400 * 2 + 9024 * 3, 1e-6);
    const Cost memory = cost(with_constant(target, "memory_gb_per_s", 2), pointwise());
    EXPECT_NEAR(memory.latency.count() * 1e9, 100 + 9024 / 2.0, 1e-6);
    EXPECT_EQ(memory.bound_by, BoundBy::memory);
    ASSERT_EQ(memory.traffic.size(), 1u);
    EXPECT_EQ(memory.traffic[0].level, "memory");
    EXPECT_EQ(memory.traffic[0].bytes, Bytes(9024));
}

TEST(AcceleratorModel, RunsDepthwiseLayersAtAShareOfTheirOwn) {
    const Target target = target_from(tiny_accelerator_json("npu"));
    // 4 x 4 x 64 x 9 = 9216 MACs at 100 x 0.25 per cycle
    EXPECT_NEAR(cost(target, depthwise()).latency.count() * 1e9, 100 + 368.64, 1e-6);
}

TEST(AcceleratorModel, AddsAFixedTimePerInferenceAndNothingElse) {
    const Target target = target_from(tiny_accelerator_json("gpu"));
    NetworkTotals totals;
    totals.weights = Bytes(1 << 30);
    const Cost c = make_cost_model(target)->network_cost(totals, int8_workload);
    EXPECT_NEAR(c.latency.count() * 1e6, 7, 1e-9);
    EXPECT_EQ(c.energy.count(), 0);
}

TEST(AcceleratorModel, RefusesWhatItsFileRefuses) {
    Json json = tiny_accelerator_json("npu");
    json["unsupported"]["relu"] = {{"reason", "no"}, {"source", "s"}, {"confidence", "assumed"}};
    const auto model = make_cost_model(target_from(json));
    EXPECT_TRUE(
        std::holds_alternative<Unsupported>(price_layer(*model, pointwise(), int8_workload)));
    Layer linear = pointwise();
    linear.activation = Activation::none;
    EXPECT_TRUE(std::holds_alternative<Cost>(price_layer(*model, linear, int8_workload)));
}

TEST(AcceleratorModel, IsTheSameForBothKindsButForTheName) {
    const Network network = Zoo().network("mobilenet_v2");
    const auto total = [&](const std::string &kind) {
        const Target target = target_from(tiny_accelerator_json(kind));
        EXPECT_EQ(to_string(target.kind), kind);
        return estimate(*make_cost_model(target), network, int8_workload).total.latency;
    };
    EXPECT_EQ(total("gpu"), total("npu"));
}

} // namespace
} // namespace edgefront
