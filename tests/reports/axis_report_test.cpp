#include "reports/axis_report.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

TEST(AxisReport, a_point_without_a_value_has_no_rank_and_does_not_count) {
    RunResult result;
    result.objectives = {
        {"latency_ms:host", "latency_ms", "host", Sense::minimise, CostKind::modelled}};
    for (int i = 0; i < 5; i++) {
        result.points.push_back({std::to_string(i), {}, {1.0 + i}});
    }
    // Were the missing value 0, the ranks would not agree.
    const QualityAxis top1{"top1", "given", {70.0, std::nullopt, 72.0, 73.0, 71.0}, "of a table"};
    const QualityAxis hint{"rank hint", "rank hint", {10.0, 99.0, 12.0, 13.0, 11.0}};
    const Json json = hint_json(result.points, {top1}, hint, {});
    EXPECT_NEAR(json["spearman_top1"].get<double>(), 1, 1e-12);
    EXPECT_TRUE(json["points"][1]["top1"].is_null());
    EXPECT_TRUE(json["points"][1]["rank_by_top1"].is_null());
    EXPECT_EQ(json["points"][1]["rank_by_hint"], 1);
    EXPECT_EQ(json["points"][3]["rank_by_top1"], 1);
    EXPECT_EQ(json["points"][0]["rank_by_top1"], 4) << "last of four";

    const Table table = hint_table(result, result.points, {top1}, hint, {});
    EXPECT_EQ(table.rows[0][0], "1") << "the best hint";
    EXPECT_TRUE(table.rows[0][3].is_null());
    EXPECT_TRUE(table.rows[0][4].is_null());
    const std::string notes = join(table.notes, "\n");
    EXPECT_NE(notes.find("Spearman 1.000"), std::string::npos) << notes;
    EXPECT_NE(notes.find("1 of them have no top1"), std::string::npos) << notes;
    EXPECT_NE(notes.find("top1 is of a table"), std::string::npos) << notes;
}

} // namespace
} // namespace edgefront
