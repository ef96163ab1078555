#include "base/random.h"
#include "search/effects_model.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

/// Adds up; the second axis may be absent.
std::vector<double> truth(const std::vector<int> &choices) {
    const double a[] = {1, 5, 2}, b[] = {0.5, -3, 10};
    return {7 + a[choices[0]] + b[choices[1] + 1], 2 * a[choices[0]] - b[choices[1] + 1]};
}

std::vector<int> draw(Random &random) {
    return {static_cast<int>(random.below(3)), static_cast<int>(random.below(3)) - 1};
}

TEST(EffectsModel, learns_what_adds_up) {
    EffectsModel model({3, 2}, 2);
    Random random(1);
    for (int i = 0; i < 2000; i++) {
        const auto choices = draw(random);
        model.learn(choices, truth(choices));
    }
    for (int a = 0; a < 3; a++) {
        for (int b = -1; b < 2; b++) {
            const auto predicted = model.predict({a, b});
            EXPECT_NEAR(predicted[0], truth({a, b})[0], 1e-9);
            EXPECT_NEAR(predicted[1], truth({a, b})[1], 1e-9);
        }
    }
}

TEST(EffectsModel, predicts_differences_of_combinations_it_has_not_seen) {
    EffectsModel model({3, 2}, 2);
    Random random(1);
    for (int i = 0; i < 5000; i++) {
        const auto choices = draw(random);
        if (choices != std::vector<int>{1, 1}) {
            model.learn(choices, truth(choices));
        }
    }
    EXPECT_NEAR(model.predict({1, 1})[0], truth({1, 1})[0], 1e-6);
}

TEST(EffectsModel, goes_on_from_its_state) {
    EffectsModel model({3, 2}, 2), again({3, 2}, 2);
    model.learn({0, 1}, {3, 4});
    again.restore(JsonReader::parse(model.state().dump(), "state"));
    model.learn({2, -1}, {1, 9});
    again.learn({2, -1}, {1, 9});
    EXPECT_EQ(model.state(), again.state());
    EffectsModel other({3, 3}, 2);
    EXPECT_THROW(other.restore(JsonReader::parse(model.state().dump(), "state")), UserError);
}

} // namespace
} // namespace edgefront
