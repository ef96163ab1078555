#include "base/error.h"
#include "base/files.h"
#include "dsl/zoo.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

namespace edgefront {
namespace {

/// What the reader says about `json`; "" when it takes it.
std::string complaint(const Json &json) {
    try {
        target_from(json);
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

/// What `set_constants` says about `values`; "" when it takes them.
std::string refusal_of(const Target &target, const Values &values) {
    try {
        set_constants(target, values);
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

TEST(Target, IsReadAsWritten) {
    for (const Json &json : {tiny_cpu_json(), tiny_dsp_json(), tiny_edgetpu_json()}) {
        EXPECT_EQ(write_target(target_from(json)), json);
    }
}

TEST(Target, EveryShippedFileIsWhatItsReaderWrites) {
    const auto directory = data_directory() / "targets";
    int files = 0;
    for (const auto &entry : std::filesystem::directory_iterator(directory)) {
        const Target target = read_target_file(entry.path());
        EXPECT_TRUE(write_target(target).dump(2) + "\n" == read_file(entry.path()))
            << entry.path() << " is formatted differently";
        files++;
    }
    EXPECT_GE(files, 5);
}

TEST(Target, RefusesAnUnknownKeyWithItsPlaceAndTheNearestName) {
    Json json = tiny_cpu_json();
    json["constants"]["clok_ghz"] = json["constants"]["clock_ghz"];
    const std::string text = complaint(json);
    EXPECT_NE(text.find("tiny.json:/constants: unknown key \"clok_ghz\""), std::string::npos)
        << text;
    EXPECT_NE(text.find("did you mean 'clock_ghz'?"), std::string::npos) << text;
    json = tiny_cpu_json();
    json["colour"] = "blue";
    EXPECT_NE(complaint(json).find("unknown key \"colour\""), std::string::npos);
    json = tiny_cpu_json();
    json["constants"]["clock_ghz"]["unit"] = "GHz";
    EXPECT_NE(complaint(json).find("/constants/clock_ghz: unknown key \"unit\""),
              std::string::npos);
}

TEST(Target, RefusesAKeyWithoutItsUnitAndNamesTheWholeKey) {
    Json json = tiny_cpu_json();
    json["constants"]["clock"] = json["constants"]["clock_ghz"];
    json["constants"].erase("clock_ghz");
    const std::string text = complaint(json);
    EXPECT_NE(text.find("tiny.json:/constants: unknown key \"clock\", keys end in their unit"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("did you mean 'clock_ghz'?"), std::string::npos) << text;
}

TEST(Target, RefusesAMissingConstantAndNamesIt) {
    Json json = tiny_dsp_json();
    json["constants"].erase("memory_gb_per_s");
    const std::string text = complaint(json);
    EXPECT_NE(text.find("/constants"), std::string::npos) << text;
    EXPECT_NE(text.find("memory_gb_per_s"), std::string::npos) << text;
}

TEST(Target, NeedsEveryConstantOfEachPrecision) {
    Json json = tiny_cpu_json();
    json["precisions"] = {"int8", "fp32"};
    EXPECT_NE(complaint(json).find("mac_per_cycle_fp32"), std::string::npos);
}

TEST(Target, RefusesConstantsOfAPrecisionItDoesNotHave) {
    Json json = tiny_cpu_json();
    json["constants"]["lanes_fp16"] = json["constants"]["lanes_int8"];
    EXPECT_NE(complaint(json).find("unknown key \"lanes_fp16\""), std::string::npos);
}

TEST(Target, RefusesValuesThatNoDeviceHas) {
    const auto with = [](const std::string &key, const Json &value) {
        Json json = tiny_cpu_json();
        json["constants"][key]["value"] = value;
        return complaint(json);
    };
    EXPECT_NE(with("dram_gb_per_s", -1).find("/constants/dram_gb_per_s/value"), std::string::npos);
    EXPECT_NE(with("lanes_int8", 0).find("/constants/lanes_int8/value"), std::string::npos);
    EXPECT_NE(with("lanes_int8", 2.5).find("whole number"), std::string::npos);
    EXPECT_NE(with("dense_efficiency_int8", 1.01).find("/value"), std::string::npos);
    EXPECT_NE(with("clock_ghz", "fast").find("/constants/clock_ghz/value"), std::string::npos);
    EXPECT_NE(with("clock_ghz", nullptr).find("/constants/clock_ghz/value"), std::string::npos);
}

TEST(Target, RefusesAConstantWithoutProvenance) {
    Json json = tiny_cpu_json();
    json["constants"]["clock_ghz"].erase("source");
    EXPECT_NE(complaint(json).find("source"), std::string::npos);
    json = tiny_cpu_json();
    json["constants"]["clock_ghz"]["source"] = "";
    EXPECT_NE(complaint(json).find("where the value comes from"), std::string::npos);
    json = tiny_cpu_json();
    json["constants"]["clock_ghz"]["confidence"] = "documnted";
    EXPECT_NE(complaint(json).find("documented"), std::string::npos);
    json = tiny_cpu_json();
    json["constants"]["clock_ghz"] = 1.0;
    EXPECT_NE(complaint(json).find("/constants/clock_ghz: expected an object like {\"value\""),
              std::string::npos);
}

TEST(Target, RefusesAnUnknownKindPrecisionOrSchema) {
    Json json = tiny_cpu_json();
    json["kind"] = "fpga";
    EXPECT_NE(complaint(json).find("/kind"), std::string::npos);
    json = tiny_cpu_json();
    json["precisions"] = {"int7"};
    EXPECT_NE(complaint(json).find("/precisions/0"), std::string::npos);
    json = tiny_cpu_json();
    json["precisions"] = Json::array();
    EXPECT_NE(complaint(json).find("/precisions"), std::string::npos);
    json = tiny_cpu_json();
    json["precisions"] = {"int8", "int8"};
    EXPECT_NE(complaint(json).find("/precisions/1"), std::string::npos);
    json = tiny_cpu_json();
    json["schema"] = "edgefront/network/1";
    EXPECT_NE(complaint(json).find("/schema"), std::string::npos);
}

TEST(Target, RefusesThreadsItCannotPrice) {
    Json json = tiny_cpu_json();
    json["max_threads"] = 2;
    EXPECT_NE(complaint(json).find("parallel_fraction"), std::string::npos);
    json["constants"]["parallel_fraction"] = {
        {"value", 0.9}, {"source", "made up"}, {"confidence", "assumed"}};
    EXPECT_EQ(complaint(json), "");
    json = tiny_dsp_json();
    json["max_threads"] = 2;
    EXPECT_NE(complaint(json).find("parallel_fraction"), std::string::npos);
}

TEST(Target, RefusesHalfAHostLink) {
    Json json = tiny_edgetpu_json();
    json["constants"].erase("host_out_gb_per_s");
    EXPECT_NE(complaint(json).find("host_out_gb_per_s"), std::string::npos);
}

TEST(Target, RefusesARefusalWithoutReasonOrOfNoOperator) {
    Json json = tiny_cpu_json();
    json["unsupported"]["chanel_scale"] = {
        {"reason", "no"}, {"source", "s"}, {"confidence", "documented"}};
    EXPECT_NE(complaint(json).find("did you mean 'channel_scale'"), std::string::npos);
    json = tiny_cpu_json();
    json["unsupported"]["channel_scale"] = {
        {"reason", ""}, {"source", "s"}, {"confidence", "documented"}};
    EXPECT_NE(complaint(json).find("/unsupported/channel_scale/reason"), std::string::npos);
}

Json with_kernels(Json json, const Json &kernels) {
    for (const char *key : {"mac_per_cycle", "lanes", "dense_efficiency", "depthwise_efficiency",
                            "elements_per_cycle", "pj_per_mac"}) {
        Json &constants = json["constants"];
        constants[std::string(key) + "_fp32"] = constants[std::string(key) + "_int8"];
    }
    json["precisions"] = {"int8", "fp32"};
    json["kernels"] = kernels;
    return json;
}

Json whole_constant(double value) {
    return {{"value", value}, {"source", "made up"}, {"confidence", "assumed"}};
}

TEST(TargetKernels, SayWhatSchedulesAreChosenBy) {
    Json kernels = {{"halide_target", "arm-64-linux"}};
    CoreInfo core = core_info(target_from(with_kernels(tiny_cpu_json(), kernels)));
    EXPECT_EQ(core.multiplies, 2);
    EXPECT_EQ(core.loads, 2);
    EXPECT_EQ(core.issue, 8);
    EXPECT_EQ(core.l1_bytes, 65536);
    EXPECT_EQ(core.latency, CoreInfo().latency);
    EXPECT_FALSE(core.in_order);
    kernels["mac_latency_cycles"] = whole_constant(7);
    kernels["in_order"] = whole_constant(1);
    const Target target = target_from(with_kernels(tiny_cpu_json(), kernels));
    EXPECT_EQ(write_target(target)["kernels"], kernels);
    core = core_info(target);
    EXPECT_EQ(core.latency, 7);
    EXPECT_TRUE(core.in_order);
    kernels["halide_target"] = "host"; // whose defaults were measured
    EXPECT_EQ(core_info(target_from(with_kernels(tiny_cpu_json(), kernels))), CoreInfo());
}

TEST(TargetKernels, AreRefusedWhereNoneCanBeMade) {
    const Json arm = {{"halide_target", "arm-64-linux"}};
    Json json = tiny_cpu_json();
    json["kernels"] = arm;
    EXPECT_NE(complaint(json).find("tiny.json:/kernels: kernels are generated for CPUs in fp32"),
              std::string::npos);
    json = tiny_dsp_json();
    json["kernels"] = arm;
    EXPECT_NE(complaint(json).find("expected a target of kind cpu"), std::string::npos);
    const auto refusal = [](const Json &kernels) {
        return complaint(with_kernels(tiny_cpu_json(), kernels));
    };
    EXPECT_NE(refusal({{"halide_target", "riscv-64-linux"}})
                  .find("tiny.json:/kernels/halide_target: no schedules for the Halide target"),
              std::string::npos);
    EXPECT_NE(refusal(Json::object()).find("halide_target"), std::string::npos);
    Json kernels = arm;
    kernels["in_order"] = whole_constant(0.5);
    EXPECT_NE(refusal(kernels).find("/kernels/in_order/value: expected a whole number"),
              std::string::npos);
    kernels = arm;
    kernels["inorder"] = whole_constant(1);
    EXPECT_NE(refusal(kernels).find("unknown key \"inorder\""), std::string::npos);
}

TEST(TargetKernels, OfArmCoresComeFromTheirFiles) {
    const CoreInfo a55 = core_info(find_target("cortex-a55"));
    const CoreInfo a76 = core_info(find_target("cortex-a76"));
    const CoreInfo x1 = core_info(find_target("cortex-x1"));
    EXPECT_TRUE(a55.in_order);
    EXPECT_FALSE(a76.in_order);
    EXPECT_LT(a55.multiplies, a76.multiplies);
    EXPECT_LT(a76.multiplies, x1.multiplies);
    EXPECT_LT(a76.issue, x1.issue);
    EXPECT_EQ(core_info(find_target("host")), CoreInfo());
    EXPECT_FALSE(find_target("rpi5-cpu").kernels); // which cortex-a76 is based on: no fp32
}

TEST(Target, RefusesACalibrationOfNoConstant) {
    Json json = tiny_cpu_json();
    json["calibration"] = {{"fitted", {"clock_mhz"}}, {"rows", Json::array()}};
    EXPECT_NE(complaint(json).find("/calibration/fitted/0"), std::string::npos);
}

TEST(Target, HashNamesThePricesAndNotTheirSources) {
    const Target target = target_from(tiny_cpu_json());
    Json json = tiny_cpu_json();
    json["constants"]["clock_ghz"]["source"] = "elsewhere";
    EXPECT_EQ(target_from(json).hash, target.hash);
    json["constants"]["clock_ghz"]["value"] = 1.5;
    EXPECT_NE(target_from(json).hash, target.hash);
    EXPECT_EQ(target_from(json).hash, with_constant(target, "clock_ghz", 1.5).hash);
    json = tiny_cpu_json();
    json["unsupported"]["hard_swish"] = {
        {"reason", "no"}, {"source", "s"}, {"confidence", "documented"}};
    EXPECT_NE(target_from(json).hash, target.hash);
}

TEST(SetConstant, GivesANewDeviceThatSaysTheValueIsAssumed) {
    const Target before = target_from(tiny_cpu_json());
    const Target after = set_constant(before, "cache_mib", 2.5);
    EXPECT_EQ(after.constant("cache_mib"), 2.5);
    EXPECT_EQ(after.constants.at("cache_mib").provenance.confidence, "assumed");
    EXPECT_EQ(after.constants.at("cache_mib").provenance.source, "set on the command line");
    EXPECT_NE(after.hash, before.hash);
    EXPECT_EQ(after.hash, price_hash(after));
    EXPECT_EQ(set_constant(after, "cache_mib", before.constant("cache_mib")).hash, before.hash);
    EXPECT_EQ(before.constant("cache_mib"), 1);
}

TEST(SetConstant, MaySetAnOptionalConstantThatIsAbsent) {
    const Target cpu = target_from(tiny_cpu_json());
    ASSERT_FALSE(cpu.has("parallel_fraction"));
    EXPECT_EQ(set_constant(cpu, "parallel_fraction", 0.5).constant("parallel_fraction"), 0.5);
}

TEST(SetConstant, RefusesAKeyTheModelDoesNotHaveAndNamesTheNearest) {
    const Target cpu = target_from(tiny_cpu_json());
    EXPECT_EQ(refusal_of(cpu, {{"cache_mb", 1}}),
              "target tiny has no constant 'cache_mb'; did you mean 'cache_mib'?");
    EXPECT_EQ(refusal_of(cpu, {{"lanes_fp16", 4}}),
              "target tiny has no constant 'lanes_fp16'; did you mean 'lanes_int8'?");
    const std::string far = refusal_of(cpu, {{"colour", 4}});
    EXPECT_NE(far.find("expected one of clock_ghz, mac_per_cycle_int8"), std::string::npos) << far;
}

TEST(SetConstant, RefusesAValueOutOfRangeAndSaysTheRange) {
    const Target cpu = target_from(tiny_cpu_json());
    EXPECT_EQ(refusal_of(cpu, {{"dram_gb_per_s", -1}}),
              "dram_gb_per_s of target tiny cannot be -1, expected a number from 0.01 to 100000");
    EXPECT_EQ(refusal_of(cpu, {{"lanes_int8", 2.5}}),
              "lanes_int8 of target tiny cannot be 2.5, expected a whole number from 1 to 1024");
    EXPECT_NE(refusal_of(cpu, {{"dram_gb_per_s", NAN}}), "");
    EXPECT_NE(refusal_of(cpu, {{"dram_gb_per_s", INFINITY}}), "");
    EXPECT_EQ(refusal_of(cpu, {{"dram_gb_per_s", 0.01}}), "");
    EXPECT_EQ(refusal_of(cpu, {{"dram_gb_per_s", 1e5}}), "");
}

TEST(SetConstant, AddsAHostLinkAsAWhole) {
    Json json = tiny_edgetpu_json();
    json["constants"].erase("host_in_gb_per_s");
    json["constants"].erase("host_out_gb_per_s");
    const Target shared = target_from(json);
    EXPECT_NE(refusal_of(shared, {{"host_in_gb_per_s", 1}}).find("host_out_gb_per_s"),
              std::string::npos);
    EXPECT_EQ(refusal_of(shared, {{"host_in_gb_per_s", 1}, {"host_out_gb_per_s", 1}}), "");
}

TEST(Target, IsFoundByNameOrFile) {
    EXPECT_EQ(find_target("pixel6-cpu").name, "pixel6-cpu");
    const auto path = data_directory() / "targets" / "coral-usb.json";
    EXPECT_EQ(find_target(path.string()).name, "coral-usb");
    try {
        find_target("pixel6cpu");
        FAIL() << "an unknown target was found";
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find("did you mean 'pixel6-cpu'"), std::string::npos);
    }
    EXPECT_THROW(find_target("nowhere.json"), UserError);
}

} // namespace
} // namespace edgefront
