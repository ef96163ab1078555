// Fitting to timings of a machine that was made up, so that its constants are known.
#include "base/error.h"
#include "base/files.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/kernel_fit.h"
#include "hwmodels/kernel_prices.h"

#include <gtest/gtest.h>

#include <cmath>

namespace edgefront {
namespace {

const std::string kernels = "x86-64-linux-avx-avx2-avx512-avx512_skylake-f16c-fma-sse41";

Target made_up(const std::map<std::string, double> &values) {
    Target target = find_target("host");
    for (const auto &[key, value] : values) {
        target.constants[key] = {value, {"made up", "assumed"}};
    }
    return target;
}

const std::map<std::string, double> &truth() {
    static const std::map<std::string, double> values = {
        {"clock_ghz", 4},
        {"l2_bytes_per_cycle", 60},
        {"cache_gb_per_s", 120},
        {"dram_gb_per_s", 40},
        {"kernel_registers", 32},
        {"step_cycles", 6},
        {"dense_efficiency_fp32", 0.93},
        {"depthwise_efficiency_fp32", 0.7},
        {"elements_per_cycle_fp32", 8},
        {"exp_elements_per_cycle", 1.5},
        {"tap_cycles", 3},
        {"window_load_cycles", 0.4},
        {"edge_factor", 1.2},
        {"input_gb_per_s", 100},
        {"weight_gb_per_s", 200},
        {"spill_gb_per_s", 300},
        {"turnover", 2},
        {"kept_mib",
         7}, // between the networks: with all beyond, weight_gb_per_s could stand for it
        {"kernel_overhead_us", 0.4},
    };
    return values;
}

Family small_network(int index) {
    Family family;
    family.name = "small_" + std::to_string(index);
    family.paper = family.source = "made up";
    family.resolution = 64 + 32 * (index % 4);
    family.activation = index % 3 == 0 ? Activation::swish : Activation::relu;
    family.width.values = {1};
    family.blocks = {conv(16 + 8 * index).k(3).s(2),
                     conv(24 + 8 * index).k(3).s(2),
                     inverted_bottleneck(24 + 8 * index).k(3).s(1).e(4),
                     inverted_bottleneck(40 + 16 * index).k(5).s(2).e(6).squeeze_excite(),
                     uib(64 + 16 * index).start_dw(3).mid_dw(3).s(2).e(4),
                     conv(320 + 64 * index).k(1),
                     global_pool(),
                     conv(640 + 128 * index).k(1).act(Activation::hard_swish),
                     classifier()};
    return family;
}

/// What the machine of `target` would be timed with.
KernelTimings timings_of(const Target &target, int networks) {
    const auto model = make_cost_model(target);
    const auto prices = KernelPrices::of(target);
    KernelTimings timings;
    timings.machine = "made up";
    timings.when = "2026-01-01";
    timings.kernels = kernels;
    timings.rates = {2 * target.constant("mac_per_cycle_fp32") * target.constant("clock_ghz"), 0,
                     target.constant("l2_bytes_per_cycle") * target.constant("clock_ghz"),
                     target.constant("cache_gb_per_s"), target.constant("dram_gb_per_s")};
    for (int i = 0; i < networks; i++) {
        TimedKernels timed;
        timed.family = small_network(i);
        timed.network = build(timed.family);
        const Workload w{DataType::fp32, 1};
        const NetworkTotals sums = totals(*model, timed.network, w);
        const double once = model->network_cost(sums, w).latency.count();
        double whole = once;
        for (const Node &node : timed.network.nodes) {
            timed.schedules.push_back(prices->schedule(node.layer, 1));
            const auto cost = std::get<Cost>(price_layer(*model, node.layer, w));
            const double share = static_cast<double>(weight_bytes(node.layer).count()) /
                                 static_cast<double>(sums.weights.count());
            timed.layers.push_back(cost.latency + Seconds(once * share));
            whole += cost.latency.count();
        }
        timed.whole = Seconds(whole);
        timings.networks.push_back(timed);
    }
    return timings;
}

const Target &fitted() {
    static const Target result = fit_kernels(find_target("host"), timings_of(made_up(truth()), 8));
    return result;
}

TEST(KernelFit, FindsTheConstantsOfAMadeUpMachine) {
    for (const auto &[key, value] : truth()) {
        EXPECT_NEAR(fitted().constant(key), value, 0.02 * value) << key;
    }
}

TEST(KernelFit, PredictsANetworkItHasNotSeen) {
    const Target machine = made_up(truth());
    const Network network = build(small_network(20));
    const Workload w{DataType::fp32, 1};
    const double real = estimate(*make_cost_model(machine), network, w).total.latency.count();
    const double said = estimate(*make_cost_model(fitted()), network, w).total.latency.count();
    EXPECT_NEAR(said / real, 1, 0.02);
}

TEST(KernelFit, SaysWhereEveryConstantIsFrom) {
    const Target &target = fitted();
    EXPECT_EQ(target.constants.at("clock_ghz").provenance.confidence, "measured");
    EXPECT_NE(target.constants.at("clock_ghz").provenance.source.find("256 GFLOP/s"),
              std::string::npos);
    ASSERT_TRUE(target.calibration);
    EXPECT_EQ(target.calibration->rows.size(), 8);
    EXPECT_NE(target.calibration->measured.find("8 random networks"), std::string::npos);
    for (const std::string &key : target.calibration->fitted) {
        EXPECT_EQ(target.constants.at(key).provenance.confidence, "fitted") << key;
    }
    for (const CalibrationRow &row : target.calibration->rows) {
        EXPECT_NEAR(row.held_out_ms / row.published_ms, 1, 0.03) << row.network;
    }
}

TEST(KernelFit, TakesWidthOfVectorsFromTheInstructionSet) {
    std::map<std::string, double> avx2 = truth(); // the file it starts from has AVX-512
    const std::map<std::string, double> vectors = {{"lanes_fp32", 8},
                                                   {"mac_per_cycle_fp32", 16},
                                                   {"vector_bytes", 32},
                                                   {"kernel_registers", 16}};
    for (const auto &[key, value] : vectors) {
        avx2[key] = value;
    }
    KernelTimings timings = timings_of(made_up(avx2), 2);
    timings.kernels = "x86-64-linux-avx-avx2-f16c-fma-sse41";
    const Target target = fit_kernels(find_target("host"), timings);
    for (const auto &[key, value] : vectors) {
        EXPECT_EQ(target.constant(key), value) << key;
        EXPECT_NE(target.constants.at(key).provenance.source.find(timings.kernels),
                  std::string::npos)
            << key;
        EXPECT_EQ(target.constants.at(key).provenance.confidence, "derived") << key;
    }
    EXPECT_EQ(target.constant("clock_ghz"), 4);
    EXPECT_LT(kernel_errors(target, timings).network_rms, 0.02);
}

TEST(KernelFit, KeepsRatesOfPrecisionsThatNobodyTimed) {
    const Target before = find_target("host");
    const double clock = before.constant("clock_ghz");
    for (const char *key :
         {"dense_efficiency_int8", "depthwise_efficiency_int8", "elements_per_cycle_int8"}) {
        EXPECT_NEAR(fitted().constant(key) * 4, before.constant(key) * clock,
                    1e-3 * before.constant(key) * clock)
            << key;
        const std::string source = fitted().constants.at(key).provenance.source;
        EXPECT_NE(source.find("restated from a clock of 3.83 GHz"), std::string::npos) << source;
        EXPECT_EQ(source.find("restated"), source.rfind("restated")) << source;
    }
    Target slow = before; // no efficiency is above 1, however much the clock falls
    slow.constants["clock_ghz"].value = 40;
    const Target capped = fit_kernels(slow, timings_of(made_up(truth()), 2));
    EXPECT_EQ(capped.constant("dense_efficiency_int8"), 1);
    // At the same clock nothing is left to restate.
    const Target again = fit_kernels(capped, timings_of(made_up(truth()), 2));
    EXPECT_EQ(write_target(again), write_target(capped));
}

TEST(KernelFit, WritesATargetThatReadsBack) {
    const Json json = write_target(fitted());
    const Target again = read_target(JsonReader::of(json, {"again.json", "/"}));
    EXPECT_EQ(again.hash, fitted().hash);
    EXPECT_EQ(write_target(again), json);
    EXPECT_TRUE(json["calibration"]["rows"][0].contains("measured_ms"));
}

TEST(KernelFit, ErrorsAreSmallOnItsOwnTimings) {
    const KernelErrors errors = kernel_errors(fitted(), timings_of(made_up(truth()), 8));
    EXPECT_LT(errors.median, 0.02);
    EXPECT_LT(errors.network_rms, 0.01);
    EXPECT_GT(errors.layers, 100);
    // A machine of half the clock is another one.
    Target slow = made_up(truth());
    slow.constants["clock_ghz"].value /= 2;
    EXPECT_GT(kernel_errors(slow, timings_of(made_up(truth()), 8)).network_rms, 0.3);
}

TEST(KernelFit, RefusesWhatItCannotFit) {
    const KernelTimings timings = timings_of(made_up(truth()), 2);
    EXPECT_THROW(fit_kernels(find_target("hexagon690"), timings), UserError);
    EXPECT_THROW(fit_kernels(find_target("cortex-a76"), timings), UserError);
    Target unknown = find_target("host");
    unknown.kernels.reset();
    EXPECT_THROW(fit_kernels(unknown, timings), UserError);
    KernelTimings one = timings;
    one.networks.pop_back();
    EXPECT_THROW(fit_kernels(find_target("host"), one), UserError);
}

TEST(KernelTimings, ReadWhatTheyWrite) {
    const KernelTimings timings = timings_of(made_up(truth()), 2);
    const TemporaryFolder folder("timings");
    const auto path = folder.path() / "t.json";
    write_file(path, write_kernel_timings(timings).dump());
    const KernelTimings again = read_kernel_timings(path);
    EXPECT_EQ(write_kernel_timings(again), write_kernel_timings(timings));
    ASSERT_EQ(again.networks.size(), 2);
    EXPECT_EQ(again.layer_count(), timings.layer_count());
    EXPECT_EQ(again.networks[1].schedules, timings.networks[1].schedules);
}

/// Of a file of timings, at the place that the message has to name.
void refuses_timings(const Json &json, const std::string &place) {
    const TemporaryFolder folder("timings");
    write_file(folder.path() / "t.json", json.dump());
    try {
        read_kernel_timings(folder.path() / "t.json");
        FAIL() << "accepted";
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find(place), std::string::npos) << e.what();
    }
}

TEST(KernelTimings, RefuseAnotherLayerThanTheNetworks) {
    Json json = write_kernel_timings(timings_of(made_up(truth()), 2));
    json["networks"][0]["layers"][1]["layer"] = "conv2d-fp32-1x1x1";
    refuses_timings(json, "/networks/0/layers/1/layer");
}

TEST(KernelTimings, RefuseANetworkThatTookNoTime) {
    Json json = write_kernel_timings(timings_of(made_up(truth()), 2));
    json["networks"][1]["whole_us"] = 0;
    refuses_timings(json, "/networks/1/whole_us");
}

TEST(KernelPrices, KernelsThatRunNothingInParallelKeepToOneThread) {
    Target target = made_up(truth());
    target.constants["thread_overhead_us"] = {5, {"made up", "assumed"}};
    const auto model = make_cost_model(target);
    Layer layer;
    layer.op = Op::conv2d;
    const auto latency = [&](int size, int channels, int threads) {
        layer.input = layer.output = {size, size, channels};
        return std::get<Cost>(price_layer(*model, layer, {DataType::fp32, threads}))
            .latency.count();
    };
    const auto parallel = [&] {
        return std::get<Schedule>(model->mapping(layer, {DataType::fp32, 2})).parallel;
    };
    EXPECT_EQ(latency(2, 32, 2), latency(2, 32, 1));
    EXPECT_EQ(parallel(), ParallelOver::none);
    EXPECT_LT(latency(56, 128, 2), 0.7 * latency(56, 128, 1));
    EXPECT_NE(parallel(), ParallelOver::none);
}

TEST(KernelPrices, NoLatencyIsBelowItsLowerBound) {
    const auto model = make_cost_model(made_up(truth()));
    for (int i = 0; i < 8; i++) {
        for (const LayerEstimate &l :
             estimate(*model, build(small_network(i)), {DataType::fp32, 1}).layers) {
            const Cost &cost = std::get<Cost>(l.verdict);
            EXPECT_GE(cost.latency.count(), cost.lower_bound.count() * (1 - 1e-12)) << l.name;
        }
    }
}

TEST(KernelPrices, EveryConstantMovesAPrice) {
    const auto prices = [](const Target &target) {
        const auto model = make_cost_model(target);
        std::vector<double> all;
        for (int i = 0; i < 8; i++) {
            all.push_back(estimate(*model, build(small_network(i)), {DataType::fp32, 1})
                              .total.latency.count());
        }
        return all;
    };
    const std::vector<double> before = prices(made_up(truth()));
    for (const ConstantSpec &spec : KernelPrices::specs()) {
        Target other = made_up(truth());
        other.constants.at(spec.key).value *= 0.5;
        EXPECT_NE(prices(other), before) << spec.key;
    }
}

TEST(KernelPrices, OtherPrecisionsStayAsTheyWere) {
    Target with = made_up({});
    for (const ConstantSpec &spec : KernelPrices::specs()) {
        with.constants.erase(spec.key);
    }
    const Target without = with;
    with.constants["kernel_registers"] = {32, {"made up", "assumed"}};
    const Network network = build(small_network(1));
    const auto latency = [&](const Target &target, DataType precision) {
        return estimate(*make_cost_model(target), network, {precision, 1}).total.latency;
    };
    EXPECT_EQ(latency(with, DataType::int8), latency(without, DataType::int8));
    EXPECT_NE(latency(with, DataType::fp32), latency(without, DataType::fp32));
}

} // namespace
} // namespace edgefront
