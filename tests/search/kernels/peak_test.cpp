// What is measured of the machine: only what holds on every one, since no test asserts a time.
#include "search/kernels/peak.h"

#include <gtest/gtest.h>

#include <utility>

namespace edgefront {
namespace {

TEST(Peak, IsPositiveAndFinite) {
    const double peak = measure_peak_flops(1);
    EXPECT_GT(peak, 1e8);
    EXPECT_LT(peak, 1e13);
}

TEST(CacheSizes, GrowWithTheDistance) {
    const CacheSizes caches = cache_sizes();
    for (const auto &[near, far] :
         {std::pair(caches.l1, caches.l2), std::pair(caches.l2, caches.l3)}) {
        EXPECT_GE(near, Bytes(0));
        EXPECT_TRUE(far == Bytes(0) || near < far) << near.count() << " and " << far.count();
    }
    EXPECT_LT(caches.l1, Bytes(1 << 20));
}

TEST(Bandwidth, LevelsAreInOrderAndHoldTheirWorkingSets) {
    const std::vector<LevelBandwidth> levels = measure_bandwidth(1);
    ASSERT_FALSE(levels.empty());
    EXPECT_EQ(levels.back().level, "DRAM");
    EXPECT_EQ(levels.back().size, Bytes(0));
    for (std::size_t i = 0; i + 1 < levels.size(); i++) {
        EXPECT_LT(levels[i].working_set, levels[i].size) << levels[i].level;
        EXPECT_GT(levels[i + 1].working_set, levels[i].size) << levels[i + 1].level;
    }
    for (const LevelBandwidth &level : levels) {
        for (const double rate : {level.read_bytes_per_second, level.triad_bytes_per_second}) {
            EXPECT_GT(rate, 1e8) << level.level;
            EXPECT_LT(rate, 1e13) << level.level;
            EXPECT_LE(rate, level.best()) << level.level;
        }
    }
}

} // namespace
} // namespace edgefront
