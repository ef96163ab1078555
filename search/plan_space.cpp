#include "search/plan_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace edgefront {

namespace {

/// Cycles until threads are awake and have met again, about 3 us.
constexpr double meeting = 12'000;

Cycles predict(const Layer &layer, const Schedule &s, const IsaInfo &isa, int threads) {
    const double alone = estimated_cycles(layer, s, isa);
    return Cycles(s.parallel == ParallelOver::none ? alone : alone / threads + meeting);
}

/// Steps between two values of one knob.
template <typename T>
int steps(const std::vector<T> &values, T a, T b) {
    const auto place = [&](T v) { return std::find(values.begin(), values.end(), v); };
    return static_cast<int>(std::abs(place(a) - place(b)));
}

/// Of names there is no order: any two are next to each other.
template <typename T>
int change(T a, T b) {
    return a == b ? 0 : 1;
}

int distance(const ScheduleSpace &space, const Schedule &a, const Schedule &b) {
    return steps(space.lanes, a.lanes, b.lanes) + steps(space.vectors, a.vectors, b.vectors) +
           steps(space.pixels, a.pixels, b.pixels) + steps(space.rows, a.rows, b.rows) +
           steps(space.unroll, a.unroll, b.unroll) + change(a.order, b.order) +
           change(a.parallel, b.parallel);
}

} // namespace

PlanSpace::PlanSpace(const std::vector<Layer> &layers, const IsaInfo &isa, int threads) {
    if (layers.size() != 1) {
        throw std::logic_error("PlanSpace: no plans over several layers");
    }
    const Layer &layer = layers[0];
    space_ = schedule_space(layer, isa);
    if (threads == 1) {
        space_.parallel = {ParallelOver::none};
    }
    const Schedule usual = default_schedule(layer, isa, threads);
    default_ = to_string(usual);
    for (const Schedule &s : space_.all()) {
        Plan plan;
        plan.schedule = s;
        plan.text = to_string(s);
        plan.tile = fmt::format("{} {} {} {}", s.lanes, s.vectors, s.pixels, s.rows);
        plan.predicted = predict(layer, s, isa, threads);
        // What the model does not see: first the loops as defaults have them, and the tiles.
        plan.rank = plan.predicted.count() * (has_modest_tile(layer, s, isa) ? 1 : 1.15) *
                    (s.order == usual.order ? 1 : 1.02) * (s.unroll == usual.unroll ? 1 : 1.01);
        plans_.push_back(plan);
    }
    std::stable_sort(plans_.begin(), plans_.end(),
                     [](const Plan &a, const Plan &b) { return a.rank < b.rank; });
    for (std::size_t i = 0; i < plans_.size(); i++) {
        places_[plans_[i].text] = i;
    }
}

Cycles PlanSpace::predicted(const std::string &plan) const {
    return plans_[places_.at(plan)].predicted;
}

std::vector<std::string> PlanSpace::neighbours(const std::string &plan) const {
    const Schedule &centre = plans_[places_.at(plan)].schedule;
    std::vector<std::string> result;
    for (const Plan &other : plans_) {
        if (distance(space_, centre, other.schedule) == 1) {
            result.push_back(other.text);
        }
    }
    return result;
}

} // namespace edgefront
