#include "search/effects_model.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

EffectsModel::EffectsModel(const std::vector<std::size_t> &values, std::size_t outputs)
    : values_(values), outputs_(outputs) {
    std::size_t effects = 1;
    for (const std::size_t n : values) {
        first_.push_back(effects);
        effects += n + 1;
    }
    effects_.assign(effects * outputs, 0);
}

template <typename Visit>
void EffectsModel::visit(const std::vector<int> &choices, const Visit &effects_of) const {
    effects_of(0);
    for (std::size_t a = 0; a < choices.size(); a++) {
        const std::size_t value =
            choices[a] < 0 ? values_[a] : static_cast<std::size_t>(choices[a]);
        effects_of((first_[a] + value) * outputs_);
    }
}

std::vector<double> EffectsModel::predict(const std::vector<int> &choices) const {
    std::vector<double> sums(outputs_, 0);
    visit(choices, [&](std::size_t first) {
        for (std::size_t o = 0; o < outputs_; o++) {
            sums[o] += effects_[first + o];
        }
    });
    return sums;
}

void EffectsModel::learn(const std::vector<int> &choices, const std::vector<double> &outputs) {
    if (blank_) {
        std::copy(outputs.begin(), outputs.end(), effects_.begin());
        blank_ = false;
    }
    const std::vector<double> predicted = predict(choices);
    const double share = 0.5 / static_cast<double>(choices.size() + 1);
    visit(choices, [&](std::size_t first) {
        for (std::size_t o = 0; o < outputs_; o++) {
            effects_[first + o] += share * (outputs[o] - predicted[o]);
        }
    });
}

void EffectsModel::restore(const JsonReader &state) {
    std::vector<double> effects = state.numbers(-1e300, 1e300);
    if (effects.size() != effects_.size()) {
        throw state.error(fmt::format("expected {} numbers", effects_.size()));
    }
    effects_ = std::move(effects);
    blank_ = std::all_of(effects_.begin(), effects_.end(), [](double e) { return e == 0; });
}

} // namespace edgefront
