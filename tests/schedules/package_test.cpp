// Packages on disk: names, weights, manifest, replacement, and what happens when tools fail.
#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "dsl/zoo.h"
#include "schedules/package.h"
#include "schedules/packing.h"
#include "schedules/toolchain.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

namespace edgefront {
namespace {

namespace fs = std::filesystem;

TEST(PackageName, IsACIdentifierThatKeepsWidthAndResolution) {
    EXPECT_EQ(c_name("mobilenet_v2"), "mobilenet_v2");
    EXPECT_EQ(c_name("mobilenet_v2@0.5"), "mobilenet_v2_w0p5");
    EXPECT_EQ(c_name("mobilenet_v2@0.5,160"), "mobilenet_v2_w0p5_r160");
    EXPECT_EQ(c_name("uib small#1a-2b/c"), "uib_small_1a_2b_c");
    EXPECT_EQ(c_name("3x3"), "network_3x3");
    EXPECT_EQ(c_name(""), "network_");
}

/// An environment variable for the length of a scope.
class Environment {
public:
    Environment(const std::string &name, const std::string &value) : name_(name) {
        if (const char *old = std::getenv(name.c_str())) {
            old_ = old;
        }
        ::setenv(name.c_str(), value.c_str(), 1);
    }
    ~Environment() {
        if (old_.empty()) {
            ::unsetenv(name_.c_str());
        } else {
            ::setenv(name_.c_str(), old_.c_str(), 1);
        }
    }

private:
    std::string name_, old_;
};

class Package : public ::testing::Test {
protected:
    Package()
        : folder_(::testing::TempDir() + "/edgefront-package"),
          network_(Zoo().network("mobilenet_v3_small@0.35,48")) {
        const KernelTarget target = host_kernel_target();
        plan_ = plan_package(network_, default_kernels(network_, target), target);
        weights_ = random_weights(network_, 1);
        context_.cache = EDGEFRONT_TEST_CACHE;
        context_.tool_version = "1.2.3";
    }

    void write(const std::string &name) {
        write_package(plan_, weights_, notes_, context_, folder_.path() / name);
    }
    std::string refusal(const std::string &name) {
        try {
            write(name);
        } catch (const UserError &e) {
            return e.what();
        }
        return "";
    }
    /// Contents of every file below `name`, by path.
    std::map<std::string, std::string> files(const std::string &name) {
        std::map<std::string, std::string> result;
        for (const auto &entry : fs::recursive_directory_iterator(folder_.path() / name)) {
            if (entry.is_regular_file()) {
                const fs::path path = fs::relative(entry.path(), folder_.path() / name);
                result[path.string()] = read_file(entry.path());
            }
        }
        return result;
    }
    std::vector<std::string> entries() {
        std::vector<std::string> names;
        for (const auto &entry : fs::directory_iterator(folder_.path())) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }

    TemporaryFolder folder_;
    Network network_;
    PackagePlan plan_;
    NetworkWeights weights_;
    PackageNotes notes_;
    BuildContext context_;
};

TEST_F(Package, EqualLayersShareAKernelAndNumbersStandOnCacheLines) {
    std::map<std::string, std::string> key_of;
    std::int64_t at = 0;
    for (const PackageStep &step : plan_.steps) {
        const std::string k = kernel_key(layers_of(plan_, step), step.plan, plan_.target);
        EXPECT_EQ(key_of.emplace(step.symbol, k).first->second, k);
        for (const PackedLayer &l : step.layers) {
            EXPECT_EQ(l.weights_at % 16, 0);
            EXPECT_EQ(l.bias_at % 16, 0);
            EXPECT_GE(l.weights_at, at);
            EXPECT_GE(l.bias_at, l.weights_at + l.weights_count);
            at = l.bias_at + l.bias_count;
        }
    }
    EXPECT_LE(at, plan_.floats);
    EXPECT_LT(key_of.size(), plan_.steps.size());
}

TEST_F(Package, ANetworkThatIsNotFp32IsRefused) {
    const Network half = with_type(network_, DataType::fp16);
    EXPECT_THROW(plan_package(half, default_kernels(network_, plan_.target), plan_.target),
                 UserError);
}

TEST_F(Package, TheSameInputGivesTheSameBytesAndTheManifestTellsTheirHashes) {
    notes_.predicted = {{{"latency_ms", 7}},
                        std::vector<Json>(plan_.steps.size(), {{"latency_ms", 0.5}})};
    write("a");
    write("b/deeper/b");
    const auto a = files("a");
    EXPECT_EQ(a, files("b/deeper/b"));

    const Json manifest = Json::parse(a.at("manifest.json"));
    EXPECT_EQ(manifest["name"], "mobilenet_v3_small_w0p35_r48");
    EXPECT_EQ(manifest["tool"]["edgefront"], "1.2.3");
    EXPECT_EQ(manifest["weights"]["source"], "seed 1");
    EXPECT_EQ(manifest["predicted"]["latency_ms"], 7);
    EXPECT_FALSE(manifest.contains("measured"));
    for (const char *part : {"library", "weights"}) {
        const std::string &bytes = a.at(manifest[part]["file"].get<std::string>());
        EXPECT_EQ(manifest[part]["size_bytes"], bytes.size());
        EXPECT_EQ(manifest[part]["xxh64"], stable_hash_hex(bytes));
    }
    ASSERT_EQ(manifest["layers"].size(), network_.nodes.size());
    std::set<std::string> names = {"input"};
    for (const Json &layer : manifest["layers"]) {
        for (const Json &input : layer["inputs"]) {
            EXPECT_EQ(names.count(input.get<std::string>()), 1u) << input;
        }
        names.insert(layer["name"].get<std::string>());
        EXPECT_NO_THROW(parse_schedule(layer["schedule"].get<std::string>()));
        EXPECT_EQ(layer["predicted"]["latency_ms"], 0.5);
        EXPECT_FALSE(layer.contains("measured"));
    }
    EXPECT_EQ(static_cast<std::int64_t>(a.at("weights.bin").size()), 64 + 4 * plan_.floats);
}

TEST_F(Package, OtherWeightsChangeTheWeightsAndTheManifestOnly) {
    write("a");
    weights_ = random_weights(network_, 2);
    write("b");
    const auto a = files("a"), b = files("b");
    for (const auto &[name, bytes] : a) {
        EXPECT_EQ(bytes == b.at(name), name != "weights.bin" && name != "manifest.json") << name;
    }
}

TEST_F(Package, AFolderWithOtherThingsAndAFileAreRefusedAndStayAsTheyAre) {
    make_directory(folder_.path() / "mine");
    write_file(folder_.path() / "mine/thesis.txt", "years of work");
    EXPECT_NE(refusal("mine").find("mine: is a folder with other things in it"), std::string::npos);
    write_file(folder_.path() / "mine/manifest.json", R"({"kind": "something else"})");
    EXPECT_NE(refusal("mine").find("no kernel package"), std::string::npos);
    EXPECT_EQ(files("mine").size(), 2u);
    EXPECT_NE(refusal("mine/thesis.txt").find("exists and is no folder"), std::string::npos);
    EXPECT_EQ(read_file(folder_.path() / "mine/thesis.txt"), "years of work");
    EXPECT_EQ(entries().size(), 1u);
}

TEST_F(Package, AnEmptyFolderIsFilledAndAPackageIsReplaced) {
    make_directory(folder_.path() / "out");
    write("out/");
    const auto first = files("out");
    weights_ = random_weights(network_, 9);
    write("out");
    EXPECT_NE(files("out").at("weights.bin"), first.at("weights.bin"));
    EXPECT_EQ(files("out").size(), first.size());
    EXPECT_EQ(entries(), std::vector<std::string>{"out"});
}

TEST_F(Package, WithoutACCompilerTheErrorSaysSoAndNothingIsLeft) {
    const Environment none("CC", "edgefront-no-such-compiler");
    const std::string text = refusal("out");
    EXPECT_NE(text.find("no C compiler: 'edgefront-no-such-compiler'"), std::string::npos) << text;
    EXPECT_NE(text.find("$CC"), std::string::npos) << text;
    EXPECT_TRUE(entries().empty());
}

TEST_F(Package, WithoutACrossCompilerTheErrorNamesItsPackageAndNothingIsLeft) {
    const Environment none("CROSS_COMPILE", "edgefront-no-such-");
    const Environment here("CC", "cc"); // which is for this machine only
    const KernelTarget other = toolchain_for("arm-64-linux").is_cross()
                                   ? KernelTarget{"arm-64-linux"}
                                   : KernelTarget{"x86-64-linux-sse41"};
    plan_ = plan_package(network_, default_kernels(network_, other), other);
    context_.cache = folder_.path() / "cache";
    const std::string text = refusal("out");
    EXPECT_NE(text.find("'edgefront-no-such-objcopy' is not on the PATH"), std::string::npos)
        << text;
    EXPECT_NE(text.find("apt install gcc-"), std::string::npos) << text;
    EXPECT_NE(text.find("name its prefix with $CROSS_COMPILE"), std::string::npos) << text;
    EXPECT_EQ(entries(), std::vector<std::string>{"cache"});
}

TEST(Toolchain, IsThisMachinesOrThatOfTheTarget) {
    const Toolchain here = toolchain_for(host_kernel_target().text);
    EXPECT_FALSE(here.is_cross());
    EXPECT_EQ(here.emulator, "");
    int cross = 0;
    for (const char *target : {"arm-64-linux", "x86-64-linux-avx-avx2"}) {
        const Toolchain there = toolchain_for(target);
        cross += there.is_cross();
        EXPECT_EQ(there.is_cross(), !there.emulator.empty()) << target;
    }
    EXPECT_GE(cross, 1);
    EXPECT_THROW(toolchain_for("arm-64-android"), UserError);
    EXPECT_THROW(toolchain_for("arm-64"), UserError);
}

TEST_F(Package, ACompilerOrArchiverThatFailsIsQuotedAndNothingIsLeft) {
    {
        const Environment broken("CC", "cc --no-such-flag");
        EXPECT_NE(refusal("out").find("no-such-flag"), std::string::npos);
    }
    {
        const Environment broken("AR", "false");
        EXPECT_NE(refusal("out").find("the archiver 'false' failed"), std::string::npos);
    }
    EXPECT_TRUE(entries().empty());
}

TEST_F(Package, TheGeneratedSourcesCompileWithoutWarnings) {
    const Environment strict("CC", "cc -Wall -Wextra -Wpedantic -Wshadow -Werror");
    plan_.network.name = "mine */ #error \"quoted\"";
    write("out");
    EXPECT_EQ(entries(), std::vector<std::string>{"out"});
}

TEST_F(Package, KernelsAreCompiledOnceAndThenTakenFromTheCache) {
    int reports = 0;
    context_.progress = [&](int, int, const std::string &) { reports++; };
    write("first");
    reports = 0;
    write("second");
    EXPECT_EQ(reports, 0);
    context_.cache = folder_.path() / "cache";
    write("third");
    EXPECT_GT(reports, 0);
    EXPECT_EQ(files("second"), files("third"));
}

TEST_F(Package, ACallbackThatThrowsStopsTheBuildAndNothingIsLeft) {
    struct Stop {};
    context_.cache = folder_.path() / "cache";
    context_.progress = [](int done, int, const std::string &) {
        if (done == 2) {
            throw Stop();
        }
    };
    EXPECT_THROW(write("out"), Stop);
    EXPECT_EQ(entries(), std::vector<std::string>{"cache"});
}

} // namespace
} // namespace edgefront
