#include "search/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace edgefront {
namespace {

TEST(Percentile, InterpolatesBetweenNeighbours) {
    EXPECT_DOUBLE_EQ(*percentile({3, 1, 2}, 0.5), 2);
    EXPECT_DOUBLE_EQ(*percentile({4, 1, 2, 3}, 0.5), 2.5);
    // Places 0 to 10: the 90th percentile is the tenth of eleven values.
    EXPECT_DOUBLE_EQ(*percentile({0, 1, 2, 3, 4, 5, 6, 7, 8, 90, 100}, 0.9), 90);
    EXPECT_DOUBLE_EQ(*percentile({10, 20}, 0.9), 19);
    EXPECT_DOUBLE_EQ(*percentile({7}, 0.9), 7);
    EXPECT_FALSE(percentile({}, 0.5).has_value());
}

TEST(Spearman, IsOneForAnyIncreasingAndMinusOneForAnyDecreasingRelation) {
    EXPECT_DOUBLE_EQ(*spearman({1, 2, 3, 4}, {1, 10, 100, 1000}), 1);
    EXPECT_DOUBLE_EQ(*spearman({1, 2, 3, 4}, {8, 4, 2, 1}), -1);
}

TEST(Spearman, AgreesWithTheFormulaOfRankDifferences) {
    // Ranks 1..5 against 2 1 4 3 5: differences 1 1 1 1 0, so 1 - 6 * 4 / (5 * 24) = 0.8.
    EXPECT_NEAR(*spearman({10, 20, 30, 40, 50}, {2, 1, 4, 3, 5}), 0.8, 1e-12);
}

TEST(Spearman, GivesEqualValuesTheMeanOfTheirRanks) {
    // Ranks 1 2.5 2.5 4 against 1 2 3 4: covariance 4.5, variances 4.5 and 5.
    EXPECT_NEAR(*spearman({1, 2, 2, 3}, {1, 2, 3, 4}), 4.5 / std::sqrt(4.5 * 5), 1e-12);
}

TEST(Spearman, IsNothingWhereRanksSayNothing) {
    EXPECT_FALSE(spearman({1, 2}, {1, 2}).has_value());
    EXPECT_FALSE(spearman({5, 5, 5}, {1, 2, 3}).has_value());
}

TEST(LeastSquares, FindsUnknownsOfVeryDifferentMagnitude) {
    const auto x = least_squares({{1, 0}, {0, 1e9}, {1, 1e9}}, {2, 3, 5});
    EXPECT_NEAR(x[0], 2, 1e-12);
    EXPECT_NEAR(x[1], 3e-9, 1e-21);
}

TEST(LeastSquares, BalancesWhatNoSolutionMeets) {
    // 1 and 2 for x: their mean; a slope below zero is as good as any.
    EXPECT_NEAR(least_squares({{1}, {1}}, {1, 2})[0], 1.5, 1e-12);
    EXPECT_NEAR(least_squares({{1, 0}, {1, 1}, {1, 2}}, {2, 1, 0})[1], -1, 1e-12);
}

TEST(LeastSquares, TakesTheShortestSolutionOfMany) {
    const auto x = least_squares({{1, 1}, {2, 2}}, {1, 2});
    EXPECT_NEAR(x[0], 0.5, 1e-12);
    EXPECT_NEAR(x[1], 0.5, 1e-12);
}

} // namespace
} // namespace edgefront
