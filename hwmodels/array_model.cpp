#include "hwmodels/array_model.h"

namespace edgefront {

std::optional<PlanChoice> ArrayModel::search(const Layer &layer, const Workload &workload,
                                             std::int64_t most_priced) const {
    if (!runs_on_array(layer) || refusal(target_, layer)) {
        return PlanChoice{Mapping(), true, 1}; // the only one
    }
    const MappingChoice best = best_mapping(layer, limits_, prices(layer, workload), most_priced);
    return PlanChoice{best.mapping, best.proven, best.priced};
}

Plan ArrayModel::mapping(const Layer &layer, const Workload &workload) const {
    return search(layer, workload, default_most_priced)->plan;
}

} // namespace edgefront
