#include "base/random.h"
#include "search/pareto.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace edgefront {
namespace {

const std::vector<Sense> senses = {Sense::minimise, Sense::maximise, Sense::minimise};

std::vector<Member> random_points(std::uint64_t seed, int n) {
    Random random(seed);
    std::vector<Member> points;
    for (int i = 0; i < n; i++) {
        Member point{{i}, {}};
        for (std::size_t o = 0; o < senses.size(); o++) {
            point.values.push_back(static_cast<double>(random.below(12)));
        }
        points.push_back(point);
    }
    return points;
}

TEST(Pareto, a_point_dominates_when_it_is_as_good_everywhere_and_better_once) {
    EXPECT_TRUE(dominates({1, 5, 2}, {1, 4, 2}, senses));
    EXPECT_FALSE(dominates({1, 4, 2}, {1, 5, 2}, senses));
    EXPECT_FALSE(dominates({1, 5, 2}, {1, 5, 2}, senses));
    EXPECT_FALSE(dominates({1, 5, 3}, {2, 4, 2}, senses));
}

TEST(Pareto, the_front_is_the_set_that_pairwise_comparison_finds) {
    for (std::uint64_t seed = 0; seed < 20; seed++) {
        const auto points = random_points(seed, 300);
        ParetoFront front(senses);
        for (const auto &point : points) {
            front.admit(point);
        }
        std::vector<int> expected, found;
        for (const auto &p : points) {
            const bool beaten = std::any_of(points.begin(), points.end(), [&](const Member &q) {
                return dominates(q.values, p.values, senses) ||
                       (q.values == p.values && q.choices < p.choices);
            });
            if (!beaten) {
                expected.push_back(p.choices[0]);
            }
        }
        for (const auto &member : front.members()) {
            found.push_back(member.choices[0]);
        }
        std::sort(found.begin(), found.end());
        EXPECT_EQ(found, expected) << "seed " << seed;
    }
}

TEST(Pareto, the_order_in_which_points_are_offered_does_not_matter) {
    auto points = random_points(7, 400);
    ParetoFront forward(senses), backward(senses);
    for (const auto &point : points) {
        forward.admit(point);
    }
    std::reverse(points.begin(), points.end());
    for (const auto &point : points) {
        backward.admit(point);
    }
    ASSERT_EQ(forward.size(), backward.size());
    for (std::size_t i = 0; i < forward.size(); i++) {
        EXPECT_EQ(forward.members()[i].choices, backward.members()[i].choices);
    }
}

TEST(Pareto, admit_says_whether_the_point_stands_and_dominators_say_who_beats_it) {
    ParetoFront front({Sense::minimise, Sense::minimise});
    EXPECT_TRUE(front.admit({{0}, {2, 2}}));
    EXPECT_FALSE(front.admit({{1}, {3, 2}}));
    EXPECT_TRUE(front.admit({{2}, {1, 3}}));
    EXPECT_EQ(front.dominators({3, 3}).size(), 2u);
    EXPECT_EQ(front.dominators({2, 2}).size(), 0u);
    EXPECT_TRUE(front.contains({2, 2}));
    EXPECT_FALSE(front.contains({3, 2}));
}

} // namespace
} // namespace edgefront
