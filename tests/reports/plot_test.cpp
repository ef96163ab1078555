#include "reports/numbers.h"
#include "reports/plot.h"
#include "search/front_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace edgefront {
namespace {

TEST(Numbers, HaveFourSignificantDigitsAndNoExponent) {
    EXPECT_EQ(significant(0.653081067), "0.6531");
    EXPECT_EQ(significant(12.3456), "12.35");
    EXPECT_EQ(significant(14695), "14695");
    EXPECT_EQ(significant(0), "0");
    EXPECT_EQ(significant(-0.001108), "-0.001108");
    EXPECT_EQ(significant(12.3456, 2), "12");
}

TEST(Numbers, AreGroupedByThousands) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(14695), "14,695");
    EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(NiceTicks, AreRoundNumbersThatCoverTheRange) {
    const Ticks ticks = nice_ticks(0.65, 8.6, 5);
    EXPECT_EQ(ticks.values, (std::vector<double>{0, 2, 4, 6, 8, 10}));
    EXPECT_EQ(ticks.decimals, 0);
    const Ticks fine = nice_ticks(0.63, 0.94, 4);
    ASSERT_EQ(fine.values.size(), 5u);
    EXPECT_DOUBLE_EQ(fine.values.front(), 0.6);
    EXPECT_DOUBLE_EQ(fine.values.back(), 1.0);
    EXPECT_EQ(fine.decimals, 1);
}

TEST(NiceTicks, CoverASingleValue) {
    const Ticks ticks = nice_ticks(3, 3, 4);
    EXPECT_LE(ticks.values.front(), 3);
    EXPECT_GE(ticks.values.back(), 3);
    EXPECT_GT(ticks.values.size(), 1u);
}

std::vector<PlotPoint> points(const std::vector<std::pair<double, double>> &places) {
    std::vector<PlotPoint> result;
    for (const auto &[x, y] : places) {
        result.push_back({x, y, "#123456", "", ""});
    }
    return result;
}

TEST(BestTradeOff, KeepsWhatNothingBeatsInBothQuantities) {
    const auto four = points({{1, 1}, {2, 3}, {3, 2}, {4, 4}});
    EXPECT_EQ(best_trade_off(four, Sense::minimise, Sense::maximise),
              (std::vector<std::size_t>{0, 1, 3}));
    EXPECT_EQ(best_trade_off(four, Sense::minimise, Sense::minimise),
              (std::vector<std::size_t>{0}));
    EXPECT_EQ(best_trade_off(four, Sense::maximise, Sense::minimise),
              (std::vector<std::size_t>{3, 2, 0}));
}

TEST(Draw, HasADotATooltipAndALinkForEveryPoint) {
    Plot plot;
    plot.x.title = "latency (ms)";
    plot.points = points({{1, 10}, {2, 20}});
    plot.points[1].link = "#p-2";
    plot.points[1].tooltip = "a < b & \"c\"";
    plot.marks = {{1.5, 15, true, "published", ""}};
    const std::string svg = draw(plot);
    std::size_t dots = 0;
    for (auto at = svg.find("class=\"dot\""); at != std::string::npos;
         at = svg.find("class=\"dot\"", at + 1)) {
        dots++;
    }
    EXPECT_EQ(dots, 2u);
    EXPECT_NE(svg.find("<a href=\"#p-2\">"), std::string::npos);
    EXPECT_NE(svg.find("<title>a &lt; b &amp; &quot;c&quot;</title>"), std::string::npos);
    EXPECT_NE(svg.find("class=\"published\""), std::string::npos);
    EXPECT_NE(svg.find(">latency (ms)<"), std::string::npos);
}

TEST(Draw, CopesWithOnePointAndWithNone) {
    Plot plot;
    EXPECT_EQ(draw(plot).find("nan"), std::string::npos);
    plot.points = points({{0, 0}});
    EXPECT_EQ(draw(plot).find("nan"), std::string::npos);
    EXPECT_NE(draw(plot).find("class=\"dot\""), std::string::npos);
}

TEST(OrderedColours, AreDifferentAndBeginAlike) {
    const auto five = ordered_colours(5);
    EXPECT_EQ(std::set<std::string>(five.begin(), five.end()).size(), 5u);
    EXPECT_EQ(ordered_colours(1).front(), five.front());
    EXPECT_EQ(ordered_colours(2).back(), five.back());
}

TEST(Thin, KeepsEverythingWhereThereIsRoom) {
    EXPECT_EQ(thin({{1.0}, {2.0}, {3.0}}, {Sense::minimise}, 3),
              (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Thin, KeepsTheExtremesAndEvenGaps) {
    Rows line;
    for (int i = 0; i <= 8; i++) {
        line.push_back({static_cast<double>(i), -static_cast<double>(i)});
    }
    const std::vector<Sense> both = {Sense::minimise, Sense::minimise};
    EXPECT_EQ(thin(line, both, 3), (std::vector<std::size_t>{0, 4, 8}));
    EXPECT_EQ(thin(line, both, 5), (std::vector<std::size_t>{0, 2, 4, 6, 8}));
}

TEST(Thin, KeepsWhatIsAskedFor) {
    Rows line;
    for (int i = 0; i <= 100; i++) {
        line.push_back({static_cast<double>(i)});
    }
    const auto kept = thin(line, {Sense::maximise}, 4, {41, 42});
    EXPECT_EQ(kept, (std::vector<std::size_t>{0, 41, 42, 100}));
}

TEST(Thin, KeepsTheBestOfEveryObjectiveEvenWhereThereIsNoRoomForMore) {
    const Rows values = {{1, 50, 5}, {2, 10, 5}, {3, 30, 9}, {9, 90, 1}};
    const std::vector<Sense> senses = {Sense::minimise, Sense::minimise, Sense::maximise};
    EXPECT_EQ(thin(values, senses, 3), (std::vector<std::size_t>{0, 1, 2}));
    EXPECT_EQ(thin(values, senses, 1), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Thin, LeavesNoPointFarFromAShownOne) {
    // A quarter of a circle, crowded at one end: 20 of 2000 points leave gaps that are nearly
    // those of 20 points placed evenly, though three quarters of the points are on a tenth of it.
    Rows arc;
    for (int i = 0; i < 2000; i++) {
        const double t = i < 1500 ? 0.1 * i / 1500 : 0.1 + 0.9 * (i - 1500) / 499;
        arc.push_back({1 - std::sin(t * M_PI / 2), 1 - std::cos(t * M_PI / 2)});
    }
    const auto kept = thin(arc, {Sense::minimise, Sense::minimise}, 20);
    ASSERT_EQ(kept.size(), 20u);
    double farthest = 0;
    for (const auto &row : arc) {
        double nearest = INFINITY;
        for (const std::size_t k : kept) {
            nearest = std::min(nearest, std::hypot(row[0] - arc[k][0], row[1] - arc[k][1]));
        }
        farthest = std::max(farthest, nearest);
    }
    const double even = M_PI / 2 / 19 / 2; // half a gap
    EXPECT_LT(farthest, 2 * even);
    EXPECT_GE(farthest, 0.99 * even);
}

TEST(Knee, IsNearestToTheBestOfEveryObjective) {
    // Scaled: (0, 1), (0.1, 0.25), (1, 0): squared distances 1, 0.0725, 1.
    EXPECT_EQ(knee({{1, 10}, {2, 4}, {11, 2}}, {Sense::minimise, Sense::minimise}), 1u);
    EXPECT_EQ(knee({{1, 10}, {2, 8}, {11, 12}}, {Sense::minimise, Sense::maximise}), 0u);
    EXPECT_EQ(knee({{5, 5}}, {Sense::minimise, Sense::maximise}), 0u);
}

} // namespace
} // namespace edgefront
