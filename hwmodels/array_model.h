// What models share whose mappings are searched: arrays of multipliers with a scratchpad, or vector
// units whose register files are the arrays.
#pragma once

#include "hwmodels/cost_model.h"
#include "hwmodels/mapping_search.h"
#include "hwmodels/roofline.h"

namespace edgefront {

class ArrayModel : public CostModel {
public:
    const Target &target() const override { return target_; }
    /// The best one there is, as far as the default budget of the search goes.
    Plan mapping(const Layer &layer, const Workload &workload) const override;
    bool searches() const override { return true; }
    bool takes(const Layer &layer, const Plan &plan) const override {
        return fits_arrays(layer, plan, limits_);
    }
    std::optional<PlanChoice> search(const Layer &layer, const Workload &workload,
                                     std::int64_t most_priced) const override;

    const ArrayLimits &limits() const { return limits_; }
    /// What `price` asks for the counts of a nest that a mapping changes.
    virtual ArrayPrices prices(const Layer &layer, const Workload &workload) const = 0;

protected:
    /// The limits are for the kind to fill in.
    explicit ArrayModel(Target target) : target_(std::move(target)), common_(target_) {}

    Target target_;
    CommonConstants common_;
    ArrayLimits limits_;
};

} // namespace edgefront
