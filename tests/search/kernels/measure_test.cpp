// A network timed like any that `bench` gets, and what stops that.
#include "base/files.h"
#include "dsl/zoo.h"
#include "search/kernels/measure.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

MeasureOptions options() {
    MeasureOptions o;
    o.bench.repeats = 5;
    o.build.cache = EDGEFRONT_TEST_CACHE;
    o.build.tool_version = "test";
    return o;
}

TEST(Measure, a_network_has_the_median_of_as_many_runs_as_asked_for) {
    MeasureOptions o = options();
    double last = 0;
    o.progress = [&](double share, const std::string &) {
        EXPECT_GE(share, last);
        last = share;
    };
    const Measurement m = measure(Zoo().network("mobilenet_v3_small@0.75,160"), o);
    ASSERT_TRUE(m.time) << m.failure;
    EXPECT_EQ(m.time->runs, 5);
    EXPECT_GT(m.time->least, Seconds(0));
    EXPECT_LE(m.time->least, m.time->median);
    EXPECT_LE(m.time->median, m.time->p90);
    EXPECT_DOUBLE_EQ(last, 1);
}

TEST(Measure, what_fails_or_is_stopped_has_no_time) {
    const Network network = Zoo().network("mobilenet_v3_small@0.75,160");
    MeasureOptions o = options();
    o.stop = [] { return true; };
    const Measurement stopped = measure(network, o);
    EXPECT_TRUE(stopped.interrupted);
    EXPECT_FALSE(stopped.time);
    const TemporaryFolder folder(::testing::TempDir() + "edgefront-measure");
    write_file(folder.path() / "file", "no folder");
    o = options();
    o.build.cache = folder.path() / "file";
    const Measurement failed = measure(network, o);
    EXPECT_FALSE(failed.time);
    EXPECT_FALSE(failed.interrupted);
    EXPECT_NE(failed.failure.find("file"), std::string::npos) << failed.failure;
}

} // namespace
} // namespace edgefront
