#include "search/front_filter.h"
#include "search/front_summary.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

RunResult small_result() {
    RunResult result;
    result.finished = true;
    result.choice_names = {"resolution", "activation", "s1_b1", "s1_b2", "s2_b1"};
    result.objectives = {
        {"latency_ms:host", "latency_ms", "host", Sense::minimise, CostKind::modelled},
        {"macs", "macs", "", Sense::maximise, CostKind::counted}};
    result.points = {{"aaaa0001", {"96", "relu", "a3_k3_e2", "", "a0_k0_e4"}, {1.0, 10}},
                     {"aaaa0002", {"128", "relu6", "a0_k5_e2", "a3_k0_e4", "a0_k0_e4"}, {2.0, 30}},
                     {"bbbb0003", {"1024", "relu", "a5_k5_e2", "a0_k0_e2", "a5_k0_e4"}, {3.0, 40}}};
    return result;
}

std::vector<std::string> ids(const std::vector<RunPoint> &points) {
    std::vector<std::string> result;
    for (const auto &point : points) {
        result.push_back(point.id);
    }
    return result;
}

TEST(FrontFilter, conditions_on_choices_and_objectives_all_hold) {
    const RunResult r = small_result();
    using Ids = std::vector<std::string>;
    EXPECT_EQ(ids(filter(r, {})), (Ids{"aaaa0001", "aaaa0002", "bbbb0003"}));
    EXPECT_EQ(ids(filter(r, {"latency_ms:host<3"})), (Ids{"aaaa0001", "aaaa0002"}));
    EXPECT_EQ(ids(filter(r, {"latency_ms:host<=3", "macs>10"})), (Ids{"aaaa0002", "bbbb0003"}));
    EXPECT_EQ(ids(filter(r, {"resolution>=128"})), (Ids{"aaaa0002", "bbbb0003"}));
    EXPECT_EQ(ids(filter(r, {"resolution=128"})), (Ids{"aaaa0002"}));
    EXPECT_EQ(ids(filter(r, {"activation!=relu"})), (Ids{"aaaa0002"}));
    EXPECT_EQ(ids(filter(r, {"s1_b2="})), (Ids{"aaaa0001"}));
}

TEST(FrontFilter, bad_conditions_are_refused) {
    const RunResult r = small_result();
    for (const char *bad : {"macs", "<3", "latency_ms:hots<3", "macs<many", "activation<relu",
                            "macs<nan", "macs!3", "macs=", ""}) {
        EXPECT_THROW(filter(r, {bad}), UserError) << bad;
    }
}

TEST(FrontFilter, sorts_by_the_best_value_first) {
    const RunResult r = small_result();
    auto points = r.points;
    sort_by(points, r, "macs");
    EXPECT_EQ(ids(points), (std::vector<std::string>{"bbbb0003", "aaaa0002", "aaaa0001"}));
    sort_by(points, r, "latency_ms:host");
    EXPECT_EQ(points.front().id, "aaaa0001");
    sort_by(points, r, "resolution"); // as numbers: 96 before 1024
    EXPECT_EQ(points.back().id, "bbbb0003");
    EXPECT_THROW(sort_by(points, r, "mac"), UserError);
}

TEST(FrontSummary, counts_block_types_by_stage) {
    const auto mix = block_mix(small_result());
    ASSERT_EQ(mix.size(), 3u);
    EXPECT_EQ(mix[0].stage, "s1");
    EXPECT_EQ(mix[0].blocks, (std::vector<std::int64_t>{2, 1, 1, 1}));
    EXPECT_EQ(mix[1].blocks, (std::vector<std::int64_t>{0, 0, 1, 2}));
    EXPECT_EQ(mix[2].stage, "all");
    EXPECT_EQ(mix[2].total(), 8);
    EXPECT_DOUBLE_EQ(mix[2].share(0), 0.25);
}

TEST(RunResult, an_id_may_be_shortened_while_it_is_unambiguous) {
    const RunResult r = small_result();
    EXPECT_EQ(r.point("b").id, "bbbb0003");
    EXPECT_EQ(r.point("aaaa0001").id, "aaaa0001");
    EXPECT_THROW(r.point("aaaa"), UserError);
    EXPECT_EQ(r.objective("macs"), 1u);
    EXPECT_THROW(r.objective("mac"), UserError);
}

TEST(RunResult, two_points_that_share_an_id_are_ambiguous_and_told_apart_by_their_choices) {
    RunResult r = small_result();
    r.points[1].id = r.points[0].id;
    try {
        r.point("aaaa0001");
        ADD_FAILURE() << "accepted";
    } catch (const UserError &e) {
        const std::string text = e.what();
        EXPECT_NE(text.find("ambiguous: 96;relu;a3_k3_e2;;a0_k0_e4, 128;"), std::string::npos)
            << text;
    }
    r.points[1] = r.points[0]; // one network that stands twice, as a step of a path does
    EXPECT_EQ(r.point("aaaa0001").choices, r.points[0].choices);
}

} // namespace
} // namespace edgefront
