#include "base/error.h"
#include "hwmodels/calibrate.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace edgefront {
namespace {

/// What the fit is refused with; "" when it is not.
std::string complaint(const std::vector<CalibrationTask> &tasks,
                      const std::vector<std::string> &shared = {}) {
    try {
        calibrate(tasks, shared);
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

/// Latencies that `truth` itself has: a fit has to find its constants again.
std::vector<TimedNetwork>
rows_of(const Target &truth, const std::vector<std::string> &names = {
                                 "mobilenet_v1@0.25,128", "mobilenet_v1", "mobilenet_v2@0.5",
                                 "mobilenet_v2", "mobilenet_v4_conv_small", "mobilenet_v2@1.4"}) {
    const Zoo zoo;
    const auto model = make_cost_model(truth);
    std::vector<TimedNetwork> rows;
    for (const std::string &name : names) {
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

TEST(Calibrate, FindsNumbersThatTargetsShareAndThoseOfTheirOwn) {
    Target a = with_constant(target_from(tiny_cpu_json()), "cache_gb_per_s", 0.3);
    Target b = with_constant(a, "cache_gb_per_s", 0.4);
    a.name = "a";
    b.name = "b";
    const std::vector<TimedNetwork> rows_of_a = rows_of(a);
    const std::vector<TimedNetwork> rows_of_b = rows_of(b);
    a = with_constant(with_constant(a, "cache_gb_per_s", 77), "dense_efficiency_int8", 0.01);
    const auto found =
        calibrate({{a, rows_of_a, {"cache_gb_per_s"}}, {b, rows_of_b, {"cache_gb_per_s"}}},
                  {"dense_efficiency_int8"});
    ASSERT_EQ(found.size(), 2u);
    EXPECT_NEAR(found[0].constant("cache_gb_per_s"), 0.3, 1e-5);
    EXPECT_NEAR(found[1].constant("cache_gb_per_s"), 0.4, 1e-5);
    EXPECT_NEAR(found[0].constant("dense_efficiency_int8"), 0.5, 1e-5);
    EXPECT_EQ(found[1].constant("dense_efficiency_int8"),
              found[0].constant("dense_efficiency_int8"));
    const Calibration &c = *found[0].calibration;
    EXPECT_EQ(c.fitted, (std::vector<std::string>{"cache_gb_per_s", "dense_efficiency_int8"}));
    EXPECT_EQ(c.shared, std::vector<std::string>{"dense_efficiency_int8"});
    EXPECT_EQ(c.together_with, std::vector<std::string>{"b"});
    EXPECT_EQ(c.rows.size(), rows_of_a.size());
    EXPECT_EQ(found[1].calibration->rows.size(), rows_of_b.size());
}

TEST(Calibrate, CountsSharedNumbersAgainstTheRowsOfAllTargets) {
    const Target target = target_from(tiny_cpu_json());
    std::vector<TimedNetwork> rows = rows_of(target);
    rows.resize(2);
    const std::vector<std::string> both = {"cache_gb_per_s", "dense_efficiency_int8"};
    const CalibrationTask alone = {target, rows, {}};
    CalibrationTask other = alone;
    other.target.name = "other";
    EXPECT_EQ(complaint({alone, other}, {"dense_efficiency_int8"}), "");
    other.own = {"layer_overhead_us"};
    EXPECT_NE(complaint({alone, other}, both).find("takes at least 6 rows"), std::string::npos);
}

TEST(Calibrate, RefusesWhatIsThereTwice) {
    const Target target = target_from(tiny_cpu_json());
    const CalibrationTask task = {target, rows_of(target), {"cache_gb_per_s"}};
    CalibrationTask other = task;
    EXPECT_EQ(complaint({task, other}), "target tiny is to be fitted twice");
    other.target.name = "other";
    EXPECT_EQ(complaint({task, other}, {"cache_gb_per_s"}),
              "'cache_gb_per_s' of tiny is to be fitted twice");
    other.own = {"dense_efficiency_int8", "dense_efficiency_int8"};
    EXPECT_EQ(complaint({task, other}), "'dense_efficiency_int8' of other is to be fitted twice");
    EXPECT_EQ(complaint({task, other}, {"layer_overhead_us", "layer_overhead_us"}),
              "'layer_overhead_us' of tiny is to be fitted twice");
}

TEST(Calibrate, RefusesToShareWithNobody) {
    const Target target = target_from(tiny_cpu_json());
    EXPECT_NE(complaint({{target, rows_of(target), {}}}, {"cache_gb_per_s"})
                  .find("'cache_gb_per_s' cannot be shared: tiny is the only target"),
              std::string::npos);
}

TEST(Calibrate, RefusesAnOptionalConstantThatTheTargetLacks) {
    const Target target = target_from(tiny_cpu_json());
    EXPECT_EQ(complaint({{target, rows_of(target), {"outputs_per_cycle_int8"}}}),
              "'outputs_per_cycle_int8' cannot be fitted: tiny does not have it");
}

TEST(Calibrate, RefusesToShareAConstantThatATargetLacks) {
    const Target cpu = target_from(tiny_cpu_json());
    const Target dsp = target_from(tiny_dsp_json());
    EXPECT_THROW(calibrate({{cpu, rows_of(cpu), {}}, {dsp, rows_of(dsp), {}}}, {"cache_gb_per_s"}),
                 UserError);
}

TEST(Calibrate, FindsTheConstantsBehindMappingsThatChangeWithThem) {
    // The faster the memory is beside the arrays, the smaller the tiles that are best.
    Json json = tiny_edgetpu_json();
    json["constants"]["scratchpad_kib"]["value"] = 64;
    const Target truth = with_constant(target_from(json), "memory_gb_per_s", 4);
    const std::vector<std::string> keys = {"memory_gb_per_s", "dense_efficiency_int8"};
    const std::vector<TimedNetwork> rows =
        rows_of(truth, {"mobilenet_v1@0.25,128", "mobilenet_v2@0.35,96", "mobilenet_v1@0.25,96",
                        "mobilenet_v2@0.35,64"});
    const Target found = calibrate(with_constant(truth, "memory_gb_per_s", 1e4), keys, rows);
    EXPECT_NEAR(found.constant("memory_gb_per_s"), 4, 0.04);
    const auto model = make_cost_model(found);
    for (std::size_t i = 0; i < rows.size(); i++) { // what is stored is what an estimate says
        EXPECT_NEAR(
            milliseconds(estimate(*model, rows[i].network, rows[i].workload).total.latency) /
                found.calibration->rows[i].predicted_ms,
            1, 1e-3);
    }
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
    // With a cache this large nothing comes from DRAM.
    const Target target = with_constant(target_from(tiny_cpu_json()), "cache_mib", 1e4);
    EXPECT_THROW(calibrate(target, {"dram_gb_per_s", "dense_efficiency_int8"}, rows_of(target)),
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

void expect_same_calibration(const Target &now, const Target &then) {
    ASSERT_EQ(now.calibration->rows.size(), then.calibration->rows.size());
    for (const std::string &key : then.calibration->fitted) {
        EXPECT_NEAR(now.constant(key) / then.constant(key), 1, 2e-5) << key;
    }
    for (std::size_t i = 0; i < now.calibration->rows.size(); i++) {
        const CalibrationRow &a = now.calibration->rows[i];
        const CalibrationRow &b = then.calibration->rows[i];
        EXPECT_EQ(a.network, b.network);
        EXPECT_EQ(a.published_ms, b.published_ms);
        EXPECT_NEAR(a.predicted_ms / b.predicted_ms, 1, 1e-3) << a.network;
        EXPECT_NEAR(a.held_out_ms / b.held_out_ms, 1, 1e-3) << a.network;
    }
}

/// Fitted to published rows, which stand in a file; timings of this machine do not.
bool is_fitted_to_rows(const Target &target) {
    return target.calibration && target.calibration->measured.empty();
}

TEST(ShippedTargets, AreWhatCalibrateWrites) {
    const Zoo zoo;
    const std::vector<LatencyRow> rows = read_latency_rows();
    const std::map<std::string, Target> targets = read_targets();
    std::set<std::string> calibrated;
    for (const auto &[name, target] : targets) {
        if (!is_fitted_to_rows(target) || calibrated.count(name) > 0) {
            continue;
        }
        SCOPED_TRACE("edgefront calibrate --target " + name + " -o data/targets");
        for (const Target &again :
             calibrate(calibration_tasks(target, rows, zoo), target.calibration->shared)) {
            expect_same_calibration(again, targets.at(again.name));
            calibrated.insert(again.name);
        }
    }
    EXPECT_GE(calibrated.size(), 4u);
}

TEST(ShippedTargets, NeverSawAValidateRow) {
    const std::vector<LatencyRow> rows = read_latency_rows();
    for (const auto &[name, target] : read_targets()) {
        std::size_t calibrate_rows = 0;
        for (const LatencyRow &row : rows) {
            calibrate_rows += row.target == name && row.split == Split::calibrate;
        }
        if (is_fitted_to_rows(target)) {
            EXPECT_LE(target.calibration->rows.size(), calibrate_rows) << name;
        }
        // A fitted constant was fitted here, or on the rows of the target this one is based on.
        for (const auto &[key, constant] : target.constants) {
            if (constant.provenance.confidence != "fitted") {
                continue;
            }
            const auto &keys =
                target.calibration ? target.calibration->fitted : std::vector<std::string>();
            const bool here = std::find(keys.begin(), keys.end(), key) != keys.end();
            EXPECT_TRUE(here || (target.base && target.base->constants.at(key) == constant))
                << name << " " << key;
        }
    }
}

TEST(ShippedTargets, HaveTwoRowsForEveryFittedNumber) {
    const std::map<std::string, Target> targets = read_targets();
    for (const auto &[name, target] : targets) {
        if (!is_fitted_to_rows(target)) {
            continue;
        }
        std::size_t numbers = target.calibration->fitted.size();
        std::size_t rows = target.calibration->rows.size();
        for (const std::string &other : target.calibration->together_with) {
            const Calibration &c = *targets.at(other).calibration;
            EXPECT_EQ(c.shared, target.calibration->shared) << name << " and " << other;
            numbers += c.fitted.size() - c.shared.size();
            rows += c.rows.size();
            for (const std::string &key : c.shared) {
                EXPECT_EQ(targets.at(other).constant(key), target.constant(key)) << key;
            }
        }
        EXPECT_LE(2 * numbers, rows) << name;
    }
}

} // namespace
} // namespace edgefront
