#include "hwmodels/kernel_timings.h"
#include "search/kernels/calibration_networks.h"
#include "search/kernels/measure_kernels.h"
#include "search/kernels/time_networks.h"

#include <gtest/gtest.h>

#include <set>

namespace edgefront {
namespace {

std::vector<Seconds> run(double whole, double layer) {
    return {Seconds(whole), Seconds(layer)};
}

TEST(TimeNetworks, KeepsTheFastestRunsWithTheirOwnLayers) {
    // The layer that was fastest belongs to a run that was not.
    EXPECT_EQ(mean_of_fastest({run(3, 2), run(2, 1.5), run(4, 0.1)}), run(2, 1.5));
    std::vector<std::vector<Seconds>> many(60, run(9, 9));
    many[7] = run(1, 0.25);
    many[40] = run(2, 0.75);
    EXPECT_EQ(mean_of_fastest(many), run(1.5, 0.5)); // two of sixty
}

TEST(CalibrationNetworks, AreDrawnFromTheirSeedAlone) {
    EXPECT_EQ(build(calibration_network(3, 5)).nodes.size(),
              build(calibration_network(3, 5)).nodes.size());
    std::set<std::int64_t> sizes;
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ(macs(build(calibration_network(3, i))), macs(build(calibration_network(3, i))));
        sizes.insert(macs(build(calibration_network(3, i))).count());
        sizes.insert(macs(build(calibration_network(4, i))).count());
    }
    EXPECT_EQ(sizes.size(), 20);
}

TEST(CalibrationNetworks, HaveEveryKindOfLayer) {
    std::set<std::string> seen;
    for (int i = 0; i < 30; i++) {
        for (const Node &node : build(calibration_network(1, i)).nodes) {
            seen.insert(to_string(node.layer.op));
            seen.insert(to_string(node.layer.activation));
            seen.insert("k" + std::to_string(node.layer.kernel));
        }
    }
    for (const char *what : {"conv2d", "depthwise_conv2d", "fully_connected", "channel_scale",
                             "global_average_pool", "max_pool", "relu", "relu6", "hard_swish",
                             "swish", "sigmoid", "hard_sigmoid", "k1", "k3", "k5", "k7"}) {
        EXPECT_TRUE(seen.count(what)) << what;
    }
}

TEST(MeasureKernels, TimesEveryLayerAndStopsWhenAsked) {
    MeasureKernelsOptions options;
    options.networks = 2;
    options.rounds = 1;
    options.budget = Seconds(300.0);
    options.build.cache = cache_directory();
    options.build.tool_version = "test";
    double last = 0;
    options.progress = [&](double share, const std::string &) {
        EXPECT_GE(share, last);
        EXPECT_LE(share, 1);
        last = share;
    };
    const KernelTimings timings = measure_kernels(options);
    ASSERT_EQ(timings.networks.size(), 2);
    EXPECT_GT(timings.rates.peak_gflops, 0);
    EXPECT_GT(timings.rates.dram_gb_per_s, 0);
    for (const TimedKernels &network : timings.networks) {
        ASSERT_EQ(network.layers.size(), network.network.nodes.size());
        for (const Seconds layer : network.layers) {
            EXPECT_GT(layer.count(), 0);
        }
        EXPECT_GT(network.whole.count(), 0);
    }
    struct Stop {};
    options.progress = [](double, const std::string &) { throw Stop(); };
    EXPECT_THROW(measure_kernels(options), Stop);
}

} // namespace
} // namespace edgefront
