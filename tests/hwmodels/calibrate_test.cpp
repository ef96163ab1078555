#include "base/error.h"
#include "hwmodels/calibrate.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

#include <cmath>

namespace edgefront {
namespace {

/// Latencies that `truth` itself has: a fit has to find its constants again.
std::vector<TimedNetwork> rows_of(const Target &truth) {
    const Zoo zoo;
    const auto model = make_cost_model(truth);
    std::vector<TimedNetwork> rows;
    for (const char *name : {"mobilenet_v1@0.25,128", "mobilenet_v1", "mobilenet_v2@0.5",
                             "mobilenet_v2", "mobilenet_v4_conv_small", "mobilenet_v2@1.4"}) {
        const Network network = zoo.network(name);
        const Workload w = workload_for(truth);
        rows.push_back({network, w, estimate(*model, network, w).total.latency});
    }
    return rows;
}

TEST(Calibrate, FindsTheConstantsThatMadeTheRows) {
    const Target truth = with_constant(target_from(tiny_cpu_json()), "cache_gb_per_s", 0.3);
    Target start = with_constant(truth, "dense_efficiency_int8", 0.9);
    start = with_constant(start, "cache_gb_per_s", 500);
    start = with_constant(start, "layer_overhead_us", 77);
    const Target found = calibrate(
        start, {"dense_efficiency_int8", "cache_gb_per_s", "layer_overhead_us"}, rows_of(truth));
    EXPECT_NEAR(found.constant("dense_efficiency_int8"), 0.5, 1e-5);
    EXPECT_NEAR(found.constant("cache_gb_per_s"), 0.3, 1e-5);
    EXPECT_NEAR(found.constant("layer_overhead_us"), 0.1, 1e-3);
    for (const CalibrationRow &row : found.calibration->rows) {
        EXPECT_NEAR(row.predicted_ms / row.published_ms, 1, 1e-3) << row.network;
        EXPECT_NEAR(row.held_out_ms / row.published_ms, 1, 1e-3) << row.network;
    }
    EXPECT_EQ(found.constants.at("cache_gb_per_s").provenance.confidence, "fitted");
    EXPECT_NE(found.constants.at("cache_gb_per_s").provenance.source.find("6 calibrate rows"),
              std::string::npos);
    EXPECT_EQ(found.hash, price_hash(found));
}

TEST(Calibrate, NeverLeavesTheBoundsOfAConstant) {
    // Rows ten times faster than the multipliers allow: the efficiency stops at 1.
    const Target truth = target_from(tiny_cpu_json());
    std::vector<TimedNetwork> rows = rows_of(truth);
    for (TimedNetwork &row : rows) {
        row.latency = row.latency * 0.1;
    }
    const Target found = calibrate(truth, {"dense_efficiency_int8", "layer_overhead_us"}, rows);
    EXPECT_EQ(found.constant("dense_efficiency_int8"), 1);
    EXPECT_EQ(found.constant("layer_overhead_us"), 0);
}

TEST(Calibrate, RefusesAConstantThatTheRowsDoNotDetermine) {
    // With a cache this fast no layer waits for it.
    const Target target = with_constant(target_from(tiny_cpu_json()), "cache_gb_per_s", 1e4);
    EXPECT_THROW(calibrate(target, {"cache_gb_per_s", "dense_efficiency_int8"}, rows_of(target)),
                 UserError);
    EXPECT_NO_THROW(calibrate(target, {"dense_efficiency_int8"}, rows_of(target)));
}

TEST(Calibrate, DoesNotDependOnTheValuesInTheFile) {
    const Target truth = target_from(tiny_edgetpu_json());
    std::vector<TimedNetwork> rows = rows_of(truth);
    for (std::size_t i = 0; i < rows.size(); i++) { // rows no model hits exactly
        rows[i].latency = rows[i].latency * (1 + 0.05 * (static_cast<double>(i % 3) - 1));
    }
    const std::vector<std::string> keys = {"inference_overhead_us", "dense_efficiency_int8"};
    const Target a = calibrate(truth, keys, rows);
    const Target b = calibrate(with_constant(truth, "dense_efficiency_int8", 0.001), keys, rows);
    EXPECT_EQ(write_target(a), write_target(b));
}

TEST(Calibrate, RefusesMoreThanOneNumberForTwoRows) {
    const Target target = target_from(tiny_cpu_json());
    std::vector<TimedNetwork> rows = rows_of(target);
    rows.resize(3);
    EXPECT_NO_THROW(calibrate(target, {"dense_efficiency_int8"}, rows));
    EXPECT_THROW(calibrate(target, {"cache_gb_per_s", "layer_overhead_us"}, rows), UserError);
    EXPECT_THROW(calibrate(target, {}, rows), UserError);
}

TEST(Calibrate, RefusesConstantsThatAreNoRateOrTime) {
    const Target target = target_from(tiny_cpu_json());
    for (const char *key : {"lanes_int8", "clock_ghz", "cache_gb_per_sec"}) {
        EXPECT_THROW(calibrate(target, {key}, rows_of(target)), UserError) << key;
    }
}

TEST(Calibrate, RefusesRowsTheTargetCannotRun) {
    Json json = tiny_cpu_json();
    json["unsupported"]["relu6"] = {
        {"reason", "no"}, {"source", "s"}, {"confidence", "documented"}};
    EXPECT_THROW(
        calibrate(target_from(json), {"cache_gb_per_s"}, rows_of(target_from(tiny_cpu_json()))),
        UserError);
}

TEST(CalibrationSet, HoldsTheTargetsOwnCalibrateRowsOnly) {
    const Target target = find_target("pixel6-cpu");
    LatencyRow row;
    row.target = target.name;
    row.network = "mobilenet_v2";
    row.resolution = 224;
    row.precision = DataType::int8;
    row.latency = Seconds(5e-3);
    std::vector<LatencyRow> rows(4, row);
    rows[1].split = Split::validate;
    rows[2].target = "hexagon690";
    rows[3].network = "no_such_network";
    const CalibrationSet set = calibration_set(target, rows, Zoo());
    ASSERT_EQ(set.rows.size(), 1u);
    EXPECT_EQ(set.rows[0].network.name, "mobilenet_v2");
    EXPECT_EQ(set.rows[0].latency, row.latency);
    EXPECT_EQ(set.skipped, std::vector<std::string>{"no_such_network"});
}

TEST(ShippedTargets, AreWhatCalibrateWrites) {
    const Zoo zoo;
    const std::vector<LatencyRow> rows = read_latency_rows();
    int calibrated = 0;
    for (const auto &[name, target] : read_targets()) {
        if (!target.calibration) {
            continue;
        }
        SCOPED_TRACE("edgefront calibrate --target " + name + " -o data/targets/" + name + ".json");
        const CalibrationSet set = calibration_set(target, rows, zoo);
        const Target again = calibrate(target, target.calibration->fitted, set.rows);
        ASSERT_EQ(again.calibration->rows.size(), target.calibration->rows.size());
        for (const std::string &key : target.calibration->fitted) {
            EXPECT_NEAR(again.constant(key) / target.constant(key), 1, 2e-5) << key;
        }
        for (std::size_t i = 0; i < again.calibration->rows.size(); i++) {
            const CalibrationRow &now = again.calibration->rows[i];
            const CalibrationRow &then = target.calibration->rows[i];
            EXPECT_EQ(now.network, then.network);
            EXPECT_EQ(now.published_ms, then.published_ms);
            EXPECT_NEAR(now.predicted_ms / then.predicted_ms, 1, 1e-3) << now.network;
            EXPECT_NEAR(now.held_out_ms / then.held_out_ms, 1, 1e-3) << now.network;
        }
        calibrated++;
    }
    EXPECT_GE(calibrated, 4);
}

TEST(ShippedTargets, NeverSawAValidateRow) {
    const std::vector<LatencyRow> rows = read_latency_rows();
    for (const auto &[name, target] : read_targets()) {
        std::size_t calibrate_rows = 0;
        for (const LatencyRow &row : rows) {
            calibrate_rows += row.target == name && row.split == Split::calibrate;
        }
        std::size_t fitted = 0;
        for (const auto &entry : target.constants) {
            fitted += entry.second.provenance.confidence == "fitted";
        }
        EXPECT_LE(2 * fitted, calibrate_rows) << name;
        EXPECT_EQ(fitted, target.calibration ? target.calibration->fitted.size() : 0) << name;
        if (target.calibration) {
            EXPECT_LE(2 * fitted, target.calibration->rows.size()) << name;
            EXPECT_LE(target.calibration->rows.size(), calibrate_rows) << name;
        }
    }
}

} // namespace
} // namespace edgefront
