// Packages for an Arm core, run by qemu-aarch64 (Debian: qemu-user): every operator against the
// naive reference. tests/install has whole networks for more cores.
#include "base/files.h"
#include "hwmodels/target.h"
#include "schedules/package.h"
#include "schedules/toolchain.h"
#include "tests/onnx/op_networks.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace edgefront {
namespace {

class ArmPackage : public ::testing::Test {
protected:
    ArmPackage() : folder_(::testing::TempDir() + "/edgefront-arm-package") {
        context_.cache = EDGEFRONT_TEST_CACHE;
        context_.tool_version = "1.2.3";
    }

    /// Exit status of the self-check; what it says goes into `said`.
    int check(const Network &network, const Target &core, std::string &said) {
        const KernelTarget target = parse_kernel_target(core.kernels->halide_target);
        const auto kernels = default_kernels(network, target, core_info(core));
        write_package(plan_package(network, kernels, target), random_weights(network, 1), {},
                      context_, folder_.path() / network.name);
        const std::string output = (folder_.path() / "said").string();
        const std::string program = (folder_.path() / network.name / "bin/selfcheck").string();
        const std::string emulator = toolchain_for(target.text).emulator;
        const int status =
            std::system((emulator + " " + program + " >" + output + " 2>&1").c_str());
        said = read_file(output);
        return status;
    }

    TemporaryFolder folder_;
    BuildContext context_;
};

TEST_F(ArmPackage, EveryOperatorEqualsTheReferenceUnderTheEmulator) {
    const Target core = find_target("cortex-a55");
    std::set<Op> seen;
    for (const Network &network : op_networks()) {
        std::string said;
        EXPECT_EQ(check(network, core, said), 0) << network.name << "\n" << said;
        for (const Node &node : network.nodes) {
            seen.insert(node.layer.op);
        }
    }
    EXPECT_EQ(seen.size(), op_names().size());
}

} // namespace
} // namespace edgefront
