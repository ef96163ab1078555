#include "base/files.h"
#include "reports/refinement_view.h"
#include "reports/report_writers.h"
#include "search/design_space_json.h"
#include "search/refine.h"
#include "search/sweep.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

/// The sweep of data/spaces/tiny.json, five of whose points have made-up second figures of the
/// latency: the last one of a constraint's breach, the one before a failure.
RunResult refined_run() {
    static const RunResult swept = [] {
        const TemporaryFolder folder(::testing::TempDir() + "edgefront-refinement");
        const Zoo zoo;
        const DesignSpace space = read_space_file(data_directory() / "spaces" / "tiny.json", zoo);
        run_sweep(resolve(space, price_targets(space), {}, "test"), folder.path(), zoo, {});
        return read_run(folder.path());
    }();
    RunResult result = swept;
    const double factors[] = {1.5, 1.0, 2000.0, 1.0, 1.0};
    for (std::size_t i = 0; i < 5; i++) {
        RunPoint &point = result.points[i * result.points.size() / 5];
        RefinedPoint refined;
        refined.by = RefineBy::measure;
        refined.predicted = point.values;
        refined.kinds = {CostKind::measured, {}, {}};
        refined.time = MeasuredTime{point.values[0], point.values[0], 1.25 * point.values[0], 9};
        point.values[0] *= factors[i];
        if (i == 3) {
            refined.failure = "no compiler";
            refined.kinds[0].reset();
            refined.time.reset();
        } else if (i == 4) {
            refined.breaks = {"latency_ms:pixel6-cpu <= 1 (2)"};
        }
        point.refined = refined;
    }
    rank(result);
    return result;
}

TEST(RefinementView, the_table_has_both_figures_by_rank_and_what_became_of_each_point) {
    const RunResult result = refined_run();
    const Table table = refinement_table(result);
    ASSERT_EQ(table.rows.size(), 4u) << "one failed";
    std::vector<std::string> keys;
    for (const auto &column : table.columns) {
        keys.push_back(column.key);
    }
    const std::vector<std::string> expected = {
        "id",          "objective", "predicted", "refined",        "ratio",
        "rank_before", "rank",      "kind",      "jitter_percent", "standing"};
    ASSERT_EQ(keys, expected);
    for (std::size_t r = 0; r < 4; r++) {
        const auto &row = table.rows[r];
        EXPECT_EQ(row[6], r + 1);
        EXPECT_EQ(row[7], "measured");
        EXPECT_DOUBLE_EQ(row[8].get<double>(), 25);
    }
    const auto &slow = table.rows.back();
    EXPECT_DOUBLE_EQ(slow[4].get<double>(), 2000);
    EXPECT_EQ(slow[5], 3) << "of four by first figures";
    std::string text = render(table, Format::table);
    for (const char *part :
         {"5 of ", "points refined by measure: ", "1 infeasible", "1 failed", "(Spearman) 0.600",
          "no compiler", "infeasible: latency_ms:pixel6-cpu <= 1 (2)"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
}

TEST(RefinementView, reports_show_the_table_and_leave_beaten_points_out_of_the_roles) {
    const RunResult result = refined_run();
    const RunReport report = collect(result, Zoo(), {});
    ASSERT_TRUE(report.refined());
    std::size_t refined = 0;
    for (const auto &point : report.points) {
        const RunPoint &from = result.point(point.id);
        EXPECT_EQ(point.standing, to_string(from.standing()));
        EXPECT_TRUE(point.roles.empty() || from.stands());
        refined += from.refined ? 1 : 0;
    }
    EXPECT_EQ(refined, 5u) << "all of them are shown";
    for (const std::string &text : {write_html(report), write_markdown(report)}) {
        EXPECT_NE(text.find("Refined points"), std::string::npos);
        EXPECT_NE(text.find("refined: infeasible"), std::string::npos);
        EXPECT_NE(text.find("no compiler"), std::string::npos);
    }
    RunResult plain = result;
    for (auto &point : plain.points) {
        point.values = point.first_values();
        point.refined.reset();
    }
    EXPECT_EQ(write_html(collect(plain, Zoo(), {})).find("Refined"), std::string::npos);
}

} // namespace
} // namespace edgefront
