#include "base/error.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/target_changes.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

/// What `with_changes` complains about; "" when it does not.
std::string complaint(const Target &target, const std::vector<std::string> &texts) {
    try {
        with_changes(target, texts);
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

TEST(TargetChanges, AreReadOneByOneOrWithCommas) {
    const Target target = target_from(tiny_edgetpu_json());
    const Target one = with_changes(target, {"clock_ghz=1.5", "weight_memory_mib=16"});
    EXPECT_EQ(one.constant("clock_ghz"), 1.5);
    EXPECT_EQ(one.constant("weight_memory_mib"), 16);
    EXPECT_EQ(one.constants.at("clock_ghz").provenance.confidence, "assumed");
    EXPECT_NE(one.hash, target.hash);
    EXPECT_EQ(with_changes(target, {"clock_ghz=1.5,weight_memory_mib=16"}).hash, one.hash);
    EXPECT_EQ(with_changes(target, {}).hash, target.hash);
}

TEST(TargetChanges, TakeOtherUnitsOfTheSameQuantity) {
    const Target tpu = target_from(tiny_edgetpu_json());
    EXPECT_EQ(with_changes(tpu, {"weight_memory_kib=512"}).constant("weight_memory_mib"), 0.5);
    EXPECT_EQ(with_changes(tpu, {"clock_mhz=500"}).constant("clock_ghz"), 0.5);
    EXPECT_EQ(with_changes(tpu, {"stream_mb_per_s=250"}).constant("stream_gb_per_s"), 0.25);
    EXPECT_EQ(with_changes(tpu, {"inference_overhead_ms=2"}).constant("inference_overhead_us"),
              2000);
}

TEST(TargetChanges, KnowOtherWordsForArrayAndMemory) {
    const Target array = with_changes(target_from(tiny_edgetpu_json()), {"array=64x32"});
    EXPECT_EQ(array.constant("array_rows"), 64);
    EXPECT_EQ(array.constant("array_columns"), 32);
    EXPECT_EQ(with_changes(target_from(tiny_dsp_json()), {"sram_kib=2048"}).constant("memory_mib"),
              2);
}

TEST(TargetChanges, RefuseWhatIsNoChange) {
    const Target cpu = target_from(tiny_cpu_json());
    EXPECT_NE(complaint(cpu, {"clock_gz=2"}).find("did you mean 'clock_ghz'"), std::string::npos);
    EXPECT_NE(complaint(cpu, {"array=64x64"}).find("no constant 'array'"), std::string::npos);
    EXPECT_NE(complaint(cpu, {"clock_ghz=fast"}).find("expected a number, found 'fast'"),
              std::string::npos);
    EXPECT_NE(complaint(cpu, {"clock_ghz=1e999"}).find("expected a number"), std::string::npos);
    EXPECT_NE(complaint(cpu, {"clock_ghz=nan"}).find("expected a number"), std::string::npos);
    EXPECT_NE(complaint(cpu, {"clock_ghz=1 "}).find("expected a number"), std::string::npos);
    EXPECT_NE(complaint(cpu, {"clock_ghz=-1"}).find("from 0.01 to 20"), std::string::npos);
    EXPECT_NE(complaint(cpu, {"register_pixels=1.5"}).find("whole number"), std::string::npos);
    for (const char *text : {"clock_ghz", "clock_ghz=", "=3", "", "clock_ghz=1,", ",clock_ghz=1"}) {
        EXPECT_NE(complaint(cpu, {text}).find("expected KEY=VALUE"), std::string::npos) << text;
    }
    EXPECT_NE(complaint(cpu, {"clock_ghz=1", "clock_mhz=2000"}).find("clock_ghz is set twice"),
              std::string::npos);
    EXPECT_NE(complaint(target_from(tiny_edgetpu_json()), {"array=64"}).find("ROWSxCOLUMNS"),
              std::string::npos);
}

TEST(LatencyInterval, SpansTheRatiosOfTheHeldOutRows) {
    Target target = target_from(tiny_cpu_json());
    const Workload w{DataType::int8, 1};
    EXPECT_FALSE(latency_interval(target, w, Seconds(1)));
    Calibration calibration;
    const auto add = [&](double published, double held_out) {
        calibration.rows.push_back({"n", DataType::int8, 1, published, published, held_out});
    };
    add(10, 8); // 1.25
    add(10, 10);
    target.calibration = calibration;
    EXPECT_FALSE(latency_interval(target, w, Seconds(1))) << "two rows say nothing";
    add(6, 8); // 0.75
    target.calibration = calibration;
    const auto three = latency_interval(target, w, Seconds(2));
    ASSERT_TRUE(three);
    EXPECT_EQ(three->rows, 3);
    EXPECT_DOUBLE_EQ(three->low.count(), 1.5);
    EXPECT_DOUBLE_EQ(three->high.count(), 2.5);
    EXPECT_DOUBLE_EQ(three->coverage, 0.5);
    EXPECT_FALSE(latency_interval(target, {DataType::int8, 4}, Seconds(2)))
        << "rows of one thread say nothing about four";
    for (int i = 0; i < 16; i++) {
        add(10, 10);
    }
    target.calibration = calibration; // of 19 rows the outermost two are left out
    const auto many = latency_interval(target, w, Seconds(2));
    ASSERT_TRUE(many);
    EXPECT_DOUBLE_EQ(many->low.count(), 2);
    EXPECT_DOUBLE_EQ(many->high.count(), 2);
    EXPECT_DOUBLE_EQ(many->coverage, 0.8);
}

} // namespace
} // namespace edgefront
