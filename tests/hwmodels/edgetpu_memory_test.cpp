// What an Edge-TPU-like device does with weights and activations that its memories cannot hold.
#include "hwmodels/cost_model.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

const Workload int8_workload{DataType::int8, 1};

/// 1x1 convolution of 1024 x 1024 inputs: 3 MiB in, 8 MiB out.
Layer large() {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::int8;
    l.input = {1024, 1024, 3};
    l.output = {1024, 1024, 8};
    return l;
}

Cost cost(const Json &json) {
    const auto model = make_cost_model(target_from(json));
    return std::get<Cost>(price_layer(*model, large(), int8_workload));
}

Json with_activation_memory(double kib) {
    Json json = tiny_edgetpu_json();
    json["constants"]["activation_memory_kib"] = {
        {"value", kib}, {"source", "made up"}, {"confidence", "assumed"}};
    return json;
}

TEST(EdgeTpuModel, StreamsActivationsThatItsMemoryCannotHold) {
    const Cost holds = cost(with_activation_memory(11264));
    ASSERT_EQ(holds.traffic.size(), 2u);
    const Cost c = cost(with_activation_memory(8192));
    ASSERT_EQ(c.traffic.size(), 3u);
    EXPECT_EQ(c.traffic[2].level, "host_link");
    EXPECT_EQ(c.traffic[2].bytes, Bytes(3 << 20));
    EXPECT_EQ(c.traffic[2].least, Bytes(3 << 20));
    // Nothing hides them, at 0.5 GB/s.
    const double excess = (3 << 20) / 0.5e9;
    EXPECT_NEAR((c.latency - holds.latency).count(), excess, 1e-12);
    EXPECT_NEAR(c.traffic[2].waiting.count(), excess, 1e-12);
    EXPECT_NEAR(c.energy.count() - holds.energy.count(), (3 << 20) * 5.0, 1e-3);
    EXPECT_GE(c.lower_bound.count(), excess);
}

TEST(EdgeTpuModel, HasAsMuchMemoryForActivationsAsForWeightsUnlessItsFileSaysMore) {
    EXPECT_EQ(cost(tiny_edgetpu_json()).traffic[2].bytes, Bytes(10 << 20)); // of 11 MiB
}

} // namespace
} // namespace edgefront
