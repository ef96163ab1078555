// What a whole network costs on targets whose mappings are searched, with more effort than the
// tables of a sweep can afford: layers fused where that is faster, and a larger budget for every
// mapping.
#pragma once

#include "search/cost_tables.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace edgefront {

/// Ten times what the tables' mappings had, which leaves few of them unproven.
constexpr std::int64_t refined_most_priced = 200'000'000;

/// A model whose search has a budget of its own, whatever is asked for, and remembers what it
/// found. Safe to call from many threads.
class ThoroughModel : public CostModel {
public:
    /// `model` must outlive it, searches, and is always asked with one workload.
    ThoroughModel(const CostModel &model, std::int64_t most_priced)
        : model_(model), most_priced_(most_priced) {}

    const Target &target() const override { return model_.target(); }
    Plan mapping(const Layer &layer, const Workload &workload) const override {
        return search(layer, workload, most_priced_)->plan;
    }
    bool searches() const override { return true; }
    bool takes(const Layer &layer, const Plan &plan) const override {
        return model_.takes(layer, plan);
    }
    std::optional<PlanChoice> search(const Layer &layer, const Workload &workload,
                                     std::int64_t most_priced) const override;
    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override {
        return model_.price(layer, nest, workload);
    }
    Bytes stored_weights(const Layer &layer, const Workload &workload) const override {
        return model_.stored_weights(layer, workload);
    }
    bool fuses() const override { return model_.fuses(); }
    std::optional<FusedPlanChoice> search_fused(const std::vector<Layer> &layers,
                                                const Workload &workload,
                                                std::int64_t most_priced) const override;
    Verdict price_fused(const std::vector<Layer> &layers, const FusedNest &nest,
                        const Workload &workload) const override {
        return model_.price_fused(layers, nest, workload);
    }
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override {
        return model_.network_cost(totals, workload);
    }

private:
    const CostModel &model_;
    std::int64_t most_priced_;
    mutable std::mutex mutex_;
    mutable std::map<std::string, PlanChoice> layers_;
    mutable std::map<std::string, FusedPlanChoice> groups_;
};

/// The second figures of a network on one target.
struct Repriced {
    std::int64_t latency_ps = 0;
    std::int64_t energy_pj = 0;
    std::int64_t peak_bytes = 0;
    int layers = 0;   ///< of the network
    int fused = 0;    ///< groups that are faster in one piece
    int unproven = 0; ///< mappings and fusions not proven best
};

/// `estimate` with the thorough model, fused where the model fuses. Throws UserError when the
/// target cannot run a layer.
Repriced reprice(const ThoroughModel &model, const Network &network, const Workload &workload);

} // namespace edgefront
