// The plans that a piece of work may have on a CPU, ranked by the model, and who is next to whom.
#pragma once

#include "base/random.h"
#include "base/units.h"
#include "schedules/schedule_space.h"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace edgefront {

class PlanSpace {
public:
    /// Plans for one thread have no parallel loops.
    PlanSpace(const std::vector<Layer> &layers, const IsaInfo &isa, int threads);

    std::size_t size() const { return plans_.size(); }
    const std::string &default_plan() const { return default_; }
    bool contains(const std::string &plan) const { return places_.count(plan) > 0; }
    /// By the model, of a plan of this space.
    Cycles predicted(const std::string &plan) const;
    /// The i-th best by the model.
    const std::string &ranked(std::size_t i) const { return plans_[i].text; }
    /// What plans of one register tile share; they compute the same tile in another order.
    const std::string &tile(std::size_t i) const { return plans_[i].tile; }
    /// Plans that differ in one knob by one step of its values.
    std::vector<std::string> neighbours(const std::string &plan) const;

private:
    struct Plan {
        std::string text;
        std::string tile;
        Schedule schedule;
        Cycles predicted;
        double rank = 0;
    };
    ScheduleSpace space_;
    std::string default_;
    std::vector<Plan> plans_;
    std::map<std::string, std::size_t> places_; ///< by text
};

} // namespace edgefront
