// Targets that leave out what another target or their technology says.
#include "base/error.h"
#include "base/files.h"
#include "dsl/zoo.h"
#include "hwmodels/technology.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace edgefront {
namespace {

Json value(double v) {
    return {{"value", v}, {"source", "made up"}, {"confidence", "assumed"}};
}

Json tiny_technology() {
    const auto sized = [](double kib, double price) {
        Json json = {{"size_kib", kib}};
        json.update(value(price));
        return json;
    };
    Json dram = {{"least", 50}, {"most", 200}};
    dram.update(value(100));
    return {{"schema", "edgefront/technology/1"},
            {"name", "3nm"},
            {"description", "a test's"},
            {"pj_per_mac", {{"int8", value(0.5)}, {"fp16", value(2)}}},
            {"register_pj_per_byte", value(0.25)},
            {"sram_pj_per_byte", {sized(16, 1), sized(1024, 8)}},
            {"dram_pj_per_byte", dram}};
}

Technology technology_from(const Json &json) {
    return Technology(JsonReader::parse(json.dump(), "3nm.json"));
}

class TargetBase : public ::testing::Test {
protected:
    std::filesystem::path write(const std::string &name, const Json &json) const {
        const auto path = temporary_.path() / name;
        std::filesystem::create_directories(path.parent_path());
        write_file(path, json.dump(2) + "\n");
        return path;
    }
    std::string complaint(const std::filesystem::path &path) const {
        try {
            read_target_file(path);
        } catch (const UserError &e) {
            return e.what();
        }
        return "";
    }
    static Json child(const std::string &name, const std::string &base) {
        return {{"schema", "edgefront/target/1"}, {"name", name}, {"based_on", base}};
    }

    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-targets"};
};

TEST_F(TargetBase, SaysWhatAFileLeavesOut) {
    Json tiny = tiny_cpu_json();
    tiny["unsupported"]["gelu"] = {{"reason", "no"}, {"source", "s"}, {"confidence", "assumed"}};
    tiny["calibration"] = {{"fitted", {"clock_ghz"}}, {"rows", Json::array()}};
    write("tiny.json", tiny);
    Json json = child("other", "./tiny.json");
    json["constants"]["cache_mib"] = value(2);
    json["unsupported"]["swish"] = {{"reason", "no"}, {"source", "s"}, {"confidence", "assumed"}};
    const Target base = read_target_file(temporary_.path() / "tiny.json");
    const Target other = read_target_file(write("other.json", json));
    EXPECT_EQ(other.name, "other");
    EXPECT_EQ(other.device, base.device);
    EXPECT_EQ(other.constant("cache_mib"), 2);
    EXPECT_EQ(other.constant("dram_gb_per_s"), base.constant("dram_gb_per_s"));
    EXPECT_EQ(other.unsupported.size(), 2U);
    EXPECT_FALSE(other.calibration) << "rows of another device";
    EXPECT_EQ(set_constant(other, "cache_mib", 1).hash, set_constant(other, "cache_mib", 1.0).hash);
    EXPECT_NE(other.hash, base.hash);
    EXPECT_EQ(write_target(other), json);
}

TEST_F(TargetBase, IsFoundByNameOrByAPathFromTheFilesFolder) {
    const Target coral = find_target("coral-usb");
    const Target named = read_target_file(write("named.json", child("named", "coral-usb")));
    EXPECT_EQ(named.hash, coral.hash);
    write("base.json", tiny_cpu_json());
    EXPECT_EQ(read_target_file(write("deep/er.json", child("er", "../base.json"))).hash,
              target_from(tiny_cpu_json()).hash);
}

TEST_F(TargetBase, IsFoundFromWhereAFileMoves) {
    Target target = target_from(tiny_cpu_json());
    target.based_on = "./base.json";
    target.technology_name = "3nm";
    EXPECT_EQ(moved(target, "", "").based_on, "base.json") << "files named without a folder";
    EXPECT_EQ(moved(target, "", "deeper").based_on, "../base.json");
    EXPECT_EQ(moved(target, "deeper", "").based_on, "deeper/base.json");
    EXPECT_EQ(moved(target, "deeper", "").technology_name, "3nm");
}

TEST_F(TargetBase, MayBeBasedOnAnotherItself) {
    write("a.json", tiny_cpu_json());
    Json b = child("b", "a.json");
    b["constants"]["cache_mib"] = value(2);
    write("b.json", b);
    Json c = child("c", "b.json");
    c["constants"]["clock_ghz"] = value(3);
    const Target target = read_target_file(write("c.json", c));
    EXPECT_EQ(target.constant("cache_mib"), 2);
    EXPECT_EQ(target.constant("clock_ghz"), 3);
    EXPECT_EQ(target.constant("cache_gb_per_s"), 10);
    EXPECT_EQ(write_target(target), c);
}

TEST_F(TargetBase, NeverIsTheTargetItself) {
    const auto own = write("own.json", child("own", "./own.json"));
    EXPECT_NE(complaint(own).find("own.json:/based_on: "), std::string::npos) << complaint(own);
    write("a.json", child("a", "./b.json"));
    write("b.json", child("b", "./c.json"));
    const auto c = write("c.json", child("c", "./a.json"));
    const std::string text = complaint(c);
    EXPECT_NE(text.find("b.json:/based_on: "), std::string::npos) << text;
    EXPECT_NE(text.find("c.json is based on a.json is based on b.json is based on c.json"),
              std::string::npos)
        << text;
}

TEST_F(TargetBase, ThatDoesNotExistIsAnErrorWithTheNearestName) {
    const std::string text = complaint(write("x.json", child("x", "coral-usc")));
    EXPECT_NE(text.find("x.json:/based_on: "), std::string::npos) << text;
    EXPECT_NE(text.find("did you mean 'coral-usb'"), std::string::npos) << text;
    EXPECT_NE(complaint(write("x.json", child("x", "./y.json"))).find("/based_on: there is no"),
              std::string::npos);
    Json json = child("x", "coral-usb");
    json["based_on"] = 7;
    EXPECT_NE(complaint(write("x.json", json)).find("x.json:/based_on: "), std::string::npos);
}

TEST_F(TargetBase, MistakesAreShownInTheFileTheyAreIn) {
    Json tiny = tiny_cpu_json();
    tiny["constants"]["dram_gb_per_s"]["value"] = -1;
    write("tiny.json", tiny);
    const auto path = write("x.json", child("x", "tiny.json"));
    EXPECT_NE(complaint(path).find("tiny.json:/constants/dram_gb_per_s/value"), std::string::npos);
}

TEST_F(TargetBase, IsOfTheSameKind) {
    write("tiny.json", tiny_cpu_json());
    Json json = child("x", "tiny.json");
    json["kind"] = "dsp";
    EXPECT_NE(complaint(write("x.json", json)).find("x.json:/kind: is dsp, expected cpu"),
              std::string::npos);
    json["kind"] = "cpu";
    EXPECT_EQ(complaint(write("x.json", json)), "");
}

TEST_F(TargetBase, NeedsConstantsOfAPrecisionTheBaseLacks) {
    write("tiny.json", tiny_cpu_json());
    Json json = child("x", "tiny.json");
    json["precisions"] = {"fp16"};
    EXPECT_NE(complaint(write("x.json", json)).find("mac_per_cycle_fp16"), std::string::npos);
}

TEST_F(TargetBase, PricesComeFromTheFileElseTheBasesFileElseTheTechnology) {
    write("3nm.json", tiny_technology());
    Json base = tiny_cpu_json();
    base["technology"] = "./3nm.json";
    for (const char *key : {"pj_per_mac_int8", "cache_pj_per_byte"}) {
        base["constants"].erase(key);
    }
    const Target target = read_target_file(write("tiny.json", base));
    EXPECT_EQ(target.constant("pj_per_mac_int8"), 0.5);
    EXPECT_EQ(target.constant("cache_pj_per_byte"), 8) << "cache_mib is 1";
    EXPECT_EQ(target.constant("dram_pj_per_byte"), 5) << "the file's own";
    EXPECT_EQ(target.constants.at("pj_per_mac_int8").provenance.source, "3nm: made up");
    EXPECT_EQ(write_target(target)["constants"], base["constants"]);
    EXPECT_EQ(write_target(target)["technology"], base["technology"]);

    Json cheaper = tiny_technology();
    cheaper["name"] = "2nm";
    cheaper["pj_per_mac"]["int8"] = value(0.25);
    write("2nm.json", cheaper);
    Json json = child("x", "tiny.json");
    json["technology"] = "2nm.json";
    const Target next = read_target_file(write("x.json", json));
    EXPECT_EQ(next.constant("pj_per_mac_int8"), 0.25);
    EXPECT_EQ(next.constant("dram_pj_per_byte"), 5);
    EXPECT_EQ(write_target(next), json);
}

TEST_F(TargetBase, APriceThatNobodySaysIsMissing) {
    Json technology = tiny_technology();
    technology.erase("dram_pj_per_byte");
    write("3nm.json", technology);
    Json json = tiny_cpu_json();
    json["technology"] = "3nm.json";
    json["constants"].erase("dram_pj_per_byte");
    const std::string text = complaint(write("x.json", json));
    EXPECT_NE(text.find("x.json:/constants: \"dram_pj_per_byte\" is missing"), std::string::npos)
        << text;
    json["technology"] = "77nm";
    const std::string far = complaint(write("x.json", json));
    EXPECT_NE(far.find("x.json:/technology: "), std::string::npos) << far;
    EXPECT_NE(far.find("did you mean '7nm'"), std::string::npos) << far;
}

TEST_F(TargetBase, ALargerMemoryTakesMorePerByteWhenTheTechnologySaysSo) {
    write("3nm.json", tiny_technology());
    Json json = tiny_cpu_json();
    json["technology"] = "3nm.json";
    json["constants"].erase("cache_pj_per_byte");
    const Target target = read_target_file(write("x.json", json));
    EXPECT_EQ(set_constant(target, "cache_mib", 0.015625).constant("cache_pj_per_byte"), 1);
    const Target own = set_constant(target, "cache_pj_per_byte", 3);
    EXPECT_EQ(set_constant(own, "cache_mib", 0.015625).constant("cache_pj_per_byte"), 3);
}

TEST(Technology, InterpolatesTheEnergyOfAnSramBetweenListedSizes) {
    const Technology t = technology_from(tiny_technology());
    EXPECT_EQ(t.sram_byte(16)->value, 1);
    EXPECT_EQ(t.sram_byte(1024)->value, 8);
    EXPECT_EQ(t.sram_byte(std::nullopt)->value, 8);
    // A power of the size: 8 times the energy for 64 times the size is the square root.
    EXPECT_NEAR(t.sram_byte(64)->value, 2, 1e-12);
    EXPECT_EQ(t.sram_byte(64)->provenance.confidence, "derived");
    EXPECT_EQ(t.sram_byte(1)->value, 1);
    EXPECT_EQ(t.sram_byte(1e6)->value, 8);
    EXPECT_EQ(t.sram_byte(1e6)->provenance.source, "3nm: made up, taken for 1000000 KiB");
}

TEST(Technology, SaysNothingWhereItHasNoFigure) {
    Json json = tiny_technology();
    EXPECT_FALSE(technology_from(json).mac(DataType::fp32));
    EXPECT_EQ(technology_from(json).register_byte()->value, 0.25);
    json.erase("register_pj_per_byte");
    json.erase("sram_pj_per_byte");
    EXPECT_FALSE(technology_from(json).register_byte());
    EXPECT_FALSE(technology_from(json).sram_byte(8));
}

TEST(Technology, GivesTheBandOfADramPrice) {
    EXPECT_EQ(technology_from(tiny_technology()).dram_byte()->provenance.source,
              "3nm: made up; published figures are between 50 and 200");
    Json json = tiny_technology();
    json["dram_pj_per_byte"]["value"] = 300;
    EXPECT_THROW(technology_from(json), UserError);
}

TEST(Technology, IsReadStrictly) {
    const auto complaint = [](const Json &json) {
        try {
            technology_from(json);
        } catch (const UserError &e) {
            return std::string(e.what());
        }
        return std::string();
    };
    Json json = tiny_technology();
    json["pj_per_mac"]["int7"] = value(1);
    EXPECT_NE(complaint(json).find("3nm.json:/pj_per_mac: unknown key \"int7\""),
              std::string::npos);
    json = tiny_technology();
    json["pj_per_mac"]["int8"] = 0.5;
    EXPECT_NE(complaint(json).find("/pj_per_mac/int8: expected an object like"), std::string::npos);
    json = tiny_technology();
    std::swap(json["sram_pj_per_byte"][0], json["sram_pj_per_byte"][1]);
    EXPECT_NE(complaint(json).find("/sram_pj_per_byte/1/size_kib"), std::string::npos);
    json = tiny_technology();
    json["sram_pj_per_byte"][0]["value"] = -1;
    EXPECT_NE(complaint(json).find("/sram_pj_per_byte/0/value"), std::string::npos);
}

TEST(Technology, EveryShippedOneHasAllPricesAndTheNameOfItsFile) {
    int files = 0;
    for (const auto &entry :
         std::filesystem::directory_iterator(data_directory() / "technologies")) {
        const Technology t(JsonReader::parse_file(entry.path()));
        EXPECT_EQ(t.name(), entry.path().stem());
        for (const DataType type : {DataType::fp32, DataType::fp16, DataType::int8}) {
            EXPECT_TRUE(t.mac(type)) << t.name();
        }
        EXPECT_TRUE(t.register_byte() && t.sram_byte(64) && t.dram_byte()) << t.name();
        files++;
    }
    EXPECT_GE(files, 2);
}

} // namespace
} // namespace edgefront
