// What each part of a CPU or DSP costs, on devices with round numbers at 1 GHz: a cycle is a
// nanosecond.
#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/kernel_prices.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace edgefront {
namespace {

/// 1x1 convolution 4x4x6 -> 4x4x10: 1152 issued multiply-adds in tiles of 4 channels x 2 pixels.
Layer pointwise() {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::int8;
    l.input = {4, 4, 6};
    l.output = {4, 4, 10};
    return l;
}

Layer conv3x3() {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::int8;
    l.kernel = 3;
    l.pad_top = l.pad_left = 1;
    l.input = l.output = {6, 6, 16};
    return l;
}

Json with(Json json, const Values &values) {
    for (const auto &[key, value] : values) {
        json["constants"][key] = {
            {"value", value}, {"source", "made up"}, {"confidence", "assumed"}};
    }
    return json;
}

Cost cost(const Json &json, const Layer &layer, int threads = 1) {
    const auto model = make_cost_model(target_from(json));
    return std::get<Cost>(price_layer(*model, layer, {DataType::int8, threads}));
}

double nanoseconds(const Json &json, const Layer &layer, int threads = 1) {
    return cost(json, layer, threads).latency.count() * 1e9;
}

Json threaded(const Values &values) {
    Json json = with(tiny_cpu_json(), values);
    json["max_threads"] = 4;
    return json;
}

TEST(CpuPorts, MultiplyLoadOrIssueWhicheverIsBusiest) {
    // 3 tiles of channels x 8 of pixels x 6 steps: 4 bytes of weights and 2 of input each.
    // Multiply: 1152 / 8 = 144 cycles, 288 instructions. Loads: 864 bytes.
    EXPECT_NEAR(nanoseconds(tiny_cpu_json(), pointwise()), 100 + 144 / 0.5, 1e-6);
    // Registers of 2 bytes: 432 loads on 2 ports are 216 cycles.
    const Json narrow = with(tiny_cpu_json(), {{"vector_bytes", 2}});
    EXPECT_NEAR(nanoseconds(narrow, pointwise()), 100 + 216 / 0.5, 1e-6);
    EXPECT_NEAR(nanoseconds(with(narrow, {{"load_ports", 3}}), pointwise()), 100 + 144 / 0.5, 1e-6);
    // Two instructions a cycle for 288 multiplies and 54 loads.
    const Json slow = with(tiny_cpu_json(), {{"issue_width", 2}});
    EXPECT_NEAR(nanoseconds(slow, pointwise()), 100 + 171 / 0.5, 1e-6);
    // One multiply port of the same rate needs half as many instructions.
    EXPECT_NEAR(nanoseconds(with(slow, {{"mac_ports", 1}}), pointwise()), 100 + 144 / 0.5, 1e-6);
}

TEST(CpuOutputs, TakeTheirTimeBesideTheMultiplies) {
    const Json json = with(tiny_cpu_json(), {{"outputs_per_cycle_int8", 0.5}});
    EXPECT_NEAR(nanoseconds(json, pointwise()), 100 + 288 + 160 / 0.5, 1e-6);
    Layer reshape;
    reshape.op = Op::reshape;
    reshape.input = {4, 4, 10};
    reshape.output = {1, 16, 10};
    EXPECT_NEAR(nanoseconds(json, reshape), 100, 1e-6); // another name for the same bytes
}

TEST(CpuCaches, FetchAgainWhatTheFirstOneLoses) {
    Layer l = pointwise();
    l.input = {4, 64, 64};
    l.output = {4, 64, 64};
    // 16384 bytes in and out, 4096 of weights. Under pixels_outer a tile of 2 pixels needs 128
    // bytes and all weights: they stay in 8 KiB, and pass for each of 128 tiles in 4 KiB. Under
    // channels_outer the input passes for each of 16 tiles of channels: that is less.
    EXPECT_EQ(cost(with(tiny_cpu_json(), {{"l1_kib", 8}}), l).traffic[0].bytes,
              Bytes(16384 + 4096 + 16384));
    EXPECT_EQ(cost(with(tiny_cpu_json(), {{"l1_kib", 4}}), l).traffic[0].bytes,
              Bytes(16 * 16384 + 4096 + 16384));
    // 282624 bytes at 1 byte per cycle against 262144 cycles of computing.
    const Json slow = with(tiny_cpu_json(), {{"l1_kib", 4}, {"l2_bytes_per_cycle", 1}});
    const Cost c = cost(slow, l);
    EXPECT_NEAR(c.latency.count() * 1e9, 100 + 282624, 1e-6);
    EXPECT_EQ(c.bound_by, BoundBy::memory);
    EXPECT_NEAR(c.lower_bound.count() * 1e9, 131072, 1e-6); // 1048576 at 8; bytes once are less
}

TEST(CpuCaches, KeepActivationsButNotWeightsInTheSecondOne) {
    Layer l = pointwise();
    l.input = {4, 64, 64};
    l.output = {4, 64, 64};
    EXPECT_EQ(cost(with(tiny_cpu_json(), {{"l2_kib", 32}}), l).traffic[1].bytes, Bytes(4096));
    EXPECT_EQ(cost(with(tiny_cpu_json(), {{"l2_kib", 24}}), l).traffic[1].bytes,
              Bytes(8192 + 4096));
}

TEST(CpuMapping, SharesARowOutEvenlyAmongTiles) {
    const auto model =
        make_cost_model(target_from(with(tiny_cpu_json(), {{"register_pixels", 12}})));
    const auto pixels = [&](int width) {
        Layer l = pointwise();
        l.input.width = l.output.width = width;
        return std::get<Schedule>(model->mapping(l, {DataType::int8, 1})).pixels;
    };
    EXPECT_EQ(pixels(7), 7);
    EXPECT_EQ(pixels(12), 12);
    EXPECT_EQ(pixels(14), 7);
    EXPECT_EQ(pixels(28), 10);
}

TEST(CpuThreads, GoAtThePaceOfTheSlowestCore) {
    const Json json = threaded({{"parallel_fraction", 1}, {"thread_clock_ghz", 0.75}});
    EXPECT_NEAR(nanoseconds(json, pointwise(), 1), 100 + 288, 1e-6);
    EXPECT_NEAR(nanoseconds(json, pointwise(), 2), 100 + 288 / 1.5, 1e-6);
    EXPECT_NEAR(nanoseconds(json, pointwise(), 4), 100 + 288 / 3.0, 1e-6);
}

TEST(CpuThreads, CostTimeEachAndShareOneDram) {
    const Json json = threaded({{"parallel_fraction", 1}, {"thread_overhead_us", 0.02}});
    EXPECT_NEAR(nanoseconds(json, pointwise(), 1), 100 + 288, 1e-6);
    EXPECT_NEAR(nanoseconds(json, pointwise(), 3), 100 + 2 * 20 + 288 / 3.0, 1e-6);
    Layer l = pointwise();
    l.input = {256, 256, 8};
    l.output = {256, 256, 16};
    // 2097152 cycles of computing; 524288 bytes beyond the cache at 2 GB/s, however many threads.
    EXPECT_NEAR(nanoseconds(json, l, 4), 100 + 3 * 20 + 524288 + 262144, 1e-3);
}

TEST(CpuWinograd, MultipliesLessAndTransformsMore) {
    const Json json = with(tiny_cpu_json(), {{"winograd_outputs_int8", 2}});
    // 36 x 16 x 16 x 9 = 82944 multiply-adds at 4 per cycle directly.
    EXPECT_NEAR(nanoseconds(tiny_cpu_json(), conv3x3()), 100 + 20736, 1e-6);
    // 16 of 36 are left: 9216 cycles. 9 tiles x 16 values x 32 channels are transformed at 2 per
    // cycle: 2304. 9 weights become 16: 1792 bytes more.
    const Cost c = cost(json, conv3x3());
    EXPECT_NEAR(c.latency.count() * 1e9, 100 + 9216 + 2304, 1e-6);
    // The bound is on what is multiplied: 36864 at 8 per cycle, below what 82944 would take.
    EXPECT_NEAR(c.lower_bound.count() * 1e9, 4608, 1e-6);
    EXPECT_NEAR(c.utilisation, 36864 / (8 * c.cycles.count()), 1e-12);
    // Weights come through the cache; what it cannot hold of them is the network's matter.
    const Cost direct = cost(tiny_cpu_json(), conv3x3());
    EXPECT_EQ(c.traffic[1].level, "cache");
    EXPECT_EQ(c.traffic[1].bytes, direct.traffic[1].bytes + Bytes(1792));
    EXPECT_EQ(c.traffic[2].bytes, direct.traffic[2].bytes);
    EXPECT_EQ(c.registers, Bytes(direct.registers.count() * 16 / 36));
    // Other kernels are as they were.
    EXPECT_NEAR(nanoseconds(json, pointwise()), 100 + 288, 1e-6);
}

TEST(CpuWinograd, WeightsAreStoredTransformedAndLeaveTheCacheWithAllOthers) {
    const Workload w{DataType::int8, 1};
    const auto direct = make_cost_model(target_from(tiny_cpu_json()));
    const auto fast =
        make_cost_model(target_from(with(tiny_cpu_json(), {{"winograd_outputs_int8", 2}})));
    EXPECT_EQ(direct->stored_weights(conv3x3(), w), Bytes(16 * 16 * 9));
    EXPECT_EQ(fast->stored_weights(conv3x3(), w), Bytes(16 * 16 * 16));
    EXPECT_EQ(fast->stored_weights(pointwise(), w), direct->stored_weights(pointwise(), w));
    // A network whose weights fit keeps those of its convolution too; a larger one streams them.
    const Network small = Zoo().network("mobilenet_v1@0.25,128");
    const Network large = Zoo().network("vgg16");
    EXPECT_EQ(estimate(*fast, small, w).network.latency.count(),
              estimate(*direct, small, w).network.latency.count());
    const Bytes more = totals(*fast, large, w).weights - totals(*direct, large, w).weights;
    EXPECT_GT(more, Bytes(0));
    EXPECT_NEAR(
        (estimate(*fast, large, w).network.latency - estimate(*direct, large, w).network.latency)
            .count(),
        static_cast<double>(more.count()) / 2e9, 1e-9);
}

TEST(DspSlots, LoadsCountWhenTheyFillThePackets) {
    // 4x4x10 outputs fill 2 x 8 channels and 4 pixels: 1536 multiply-adds, 96 cycles at 2 x 16 x
    // 0.5, and 16 for the outputs. Tiles of 4 pixels and 8 channels load 2 x 96 bytes of inputs,
    // 4 x 96 of weights and store 256.
    const Plan plan = parse_plan("map dataflow=os array=4x8 arrays=2x1 tile=1x4x4x16x6 vector=8x4");
    const auto latency = [&](const Values &values) {
        const auto model = make_cost_model(target_from(with(tiny_dsp_json(), values)));
        const Verdict v =
            model->price(pointwise(), analyse(pointwise(), plan), {DataType::int8, 1});
        return std::get<Cost>(v).latency.count() * 1e9;
    };
    const double rest = 100 + (128 + 256 + 60) / 2.0;
    EXPECT_NEAR(latency({}), rest + 96 + 16, 1e-6);
    // Two units with one load of 2 bytes a cycle.
    const Values narrow = {{"vector_bytes", 2}, {"vector_registers", 66}};
    EXPECT_NEAR(latency(narrow), rest + 832 / 4.0, 1e-6);
    EXPECT_NEAR(latency({narrow[0], narrow[1], {"load_slots", 2}}), rest + 96 + 16, 1e-6);
}

TEST(DspOutputs, AreRequantisedByAllUnitsPaddingToo) {
    // 256 outputs with padding: 16 ns at 2 x 8, 64 at 2 x 2.
    const Json slow = with(tiny_dsp_json(), {{"outputs_per_cycle_int8", 2}});
    EXPECT_NEAR(nanoseconds(slow, pointwise()) - nanoseconds(tiny_dsp_json(), pointwise()), 48,
                1e-6);
}

/// Latency and energy of two networks.
std::vector<double> prices(const Target &target, int threads) {
    static const Zoo zoo;
    const auto model = make_cost_model(target);
    std::vector<double> all;
    for (const char *name : {"mobilenet_v3_large", "vgg16"}) {
        const Estimate e = estimate(*model, zoo.network(name), {DataType::int8, threads});
        all.push_back(e.total.latency.count());
        all.push_back(e.total.energy.count());
    }
    return all;
}

/// Every constant of a kind moves a price of at least one of these devices.
void expect_every_constant_counts(const std::vector<Json> &devices, int threads) {
    std::map<const Json *, std::vector<double>> before;
    for (const Json &json : devices) {
        before[&json] = prices(target_from(json), threads);
    }
    const std::vector<ConstantSpec> of_kernels = KernelPrices::specs(); // see kernel_fit_test.cpp
    for (const ConstantSpec &spec : constant_specs(target_from(devices.front()))) {
        if (std::any_of(of_kernels.begin(), of_kernels.end(),
                        [&](const ConstantSpec &other) { return other.key == spec.key; })) {
            continue;
        }
        const bool counts = std::any_of(devices.begin(), devices.end(), [&](const Json &json) {
            const Target target = target_from(json);
            const double value = target.constant(spec.key);
            const bool whole = spec.is(ConstantSpec::whole);
            const double other = whole ? (value == 1 ? 2 : std::floor(value / 2)) : value * 0.9;
            return prices(with_constant(target, spec.key, other), threads) != before[&json];
        });
        EXPECT_TRUE(counts) << spec.key;
    }
}

TEST(CpuConstants, AllCount) {
    const Json device = threaded({{"outputs_per_cycle_int8", 2},
                                  {"winograd_outputs_int8", 4},
                                  {"register_pj_per_byte", 1},
                                  {"l1_kib", 2},
                                  {"l2_kib", 128},
                                  {"parallel_fraction", 0.9},
                                  {"thread_overhead_us", 2},
                                  {"thread_clock_ghz", 0.8}});
    const Json loads = with(device, {{"vector_bytes", 2}});
    const Json issues = with(device, {{"issue_width", 2}});
    const Json moves = with(device, {{"l2_bytes_per_cycle", 1}});
    const Json moves_far = with(device, {{"cache_gb_per_s", 0.5}});
    expect_every_constant_counts({device, loads, issues, moves, moves_far}, 2);
}

TEST(DspConstants, AllCount) {
    const Json device = with(tiny_dsp_json(), {{"register_pj_per_byte", 1}});
    const Json loads = with(device, {{"vector_bytes", 2}});
    expect_every_constant_counts({device, loads}, 1);
}

} // namespace
} // namespace edgefront
