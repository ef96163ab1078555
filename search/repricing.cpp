#include "search/repricing.h"

#include <cmath>

namespace edgefront {

namespace {

/// What `map` has under `key`, or what `find` finds, which then is kept there. Two threads may both
/// find it: they find the same.
template <typename Choice, typename Find>
Choice remembered(std::map<std::string, Choice> &map, std::mutex &mutex, const std::string &key,
                  const Find &find) {
    {
        const std::lock_guard<std::mutex> lock(mutex);
        if (const auto known = map.find(key); known != map.end()) {
            return known->second;
        }
    }
    Choice choice = find();
    const std::lock_guard<std::mutex> lock(mutex);
    return map.emplace(key, std::move(choice)).first->second;
}

} // namespace

std::optional<PlanChoice> ThoroughModel::search(const Layer &layer, const Workload &workload,
                                                std::int64_t) const {
    return remembered(layers_, mutex_, key(layer),
                      [&] { return *model_.search(layer, workload, most_priced_); });
}

std::optional<FusedPlanChoice> ThoroughModel::search_fused(const std::vector<Layer> &layers,
                                                           const Workload &workload,
                                                           std::int64_t) const {
    return remembered(groups_, mutex_, key(layers),
                      [&] { return *model_.search_fused(layers, workload, most_priced_); });
}

Repriced reprice(const ThoroughModel &model, const Network &network, const Workload &workload) {
    const Estimate e =
        estimate(model, network, workload, model.fuses() ? Fuse::where_cheaper : Fuse::never);
    if (!e.supported()) {
        throw UserError(model.target().name + " cannot run " + e.unsupported.front());
    }
    Repriced r;
    r.latency_ps = std::llround(e.total.latency.count() * 1e12);
    r.energy_pj = std::llround(e.total.energy.count());
    r.peak_bytes = e.peak.count();
    r.layers = static_cast<int>(e.layers.size());
    r.fused = static_cast<int>(e.groups.size());
    for (const EstimatePart &part : parts(e)) {
        const bool proven =
            part.group != nullptr
                ? part.group->proven
                : model.search(e.layers[part.first].layer, workload, refined_most_priced)->proven;
        r.unproven += proven ? 0 : 1;
    }
    return r;
}

} // namespace edgefront
