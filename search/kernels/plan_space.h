// The plans that a piece of work (a layer, or a chain of layers in one kernel) may have on a CPU,
// ranked by the model, and which are next to one.
#pragma once

#include "base/random.h"
#include "base/units.h"
#include "schedules/kernel_plan.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// What nobody has tuned does: the default kernel (of a chain: `default_chain`), on one thread
/// without parallel loops.
KernelPlan usual_plan(const std::vector<Layer> &layers, const IsaInfo &isa, int threads);

class PlanSpace {
public:
    /// Plans for one thread have no parallel loops.
    PlanSpace(const std::vector<Layer> &layers, const IsaInfo &isa, int threads);

    const std::string &default_plan() const { return default_; }
    bool contains(const std::string &plan) const;
    /// By the model, of a plan of this space.
    Cycles predicted(const std::string &plan) const;

    /// Every plan of a layer but those that take tiles together or fetch ahead, which are only next
    /// to others; of a chain a sample, spread over strips and members' tiles.
    std::size_t size() const { return plans_.size(); }
    /// The i-th best of these by the model.
    const std::string &ranked(std::size_t i) const { return plans_[i].text; }
    /// What plans of one register tile share; they compute the same tile in another order.
    const std::string &tile(std::size_t i) const { return plans_[i].tile; }
    /// Plans that differ in one knob by one step of its values.
    std::vector<std::string> neighbours(const std::string &plan) const;
    /// A plan of a chain that is made of the members' own plans; nothing for strips that do not
    /// allow it. Members without one have their default.
    std::optional<std::string> of_members(int rows, const std::vector<std::string> &plans) const;
    /// Legal rows of a strip; none of a layer.
    std::vector<int> strips() const;

private:
    struct Plan {
        std::string text;
        std::string tile;
        double rank = 0;
    };
    bool contains(const KernelPlan &plan) const;
    Cycles predicted(const KernelPlan &plan) const;
    double rank(const KernelPlan &plan) const;
    void list_layer();
    void sample_chain();
    void add(const KernelPlan &plan);
    /// That member `i` may have in strips of so many rows.
    ScheduleSpace member(std::size_t i, int rows) const;

    std::vector<Layer> layers_;
    IsaInfo isa_;
    int threads_;
    ChainSpace chain_;     ///< of several layers
    ScheduleSpace single_; ///< of one
    KernelPlan usual_;
    std::string default_;
    std::vector<Plan> plans_;
};

} // namespace edgefront
