// A core with SIMD units and caches: multiply-adds at the engine's share of the vector peak, bytes
// at an effective cache bandwidth, whichever takes longer, plus a fixed time per layer.
#pragma once

#include "hwmodels/cost_model.h"

namespace edgefront {

class CpuModel : public CostModel {
public:
    explicit CpuModel(Target target) : target_(std::move(target)) {}
    static const std::vector<ConstantSpec> &specs();

    const Target &target() const override { return target_; }
    Schedule mapping(const Layer &layer, const Workload &workload) const override;
    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

private:
    /// Amdahl's law (1967) with the target's parallel fraction.
    double speedup(int threads) const;

    Target target_;
};

} // namespace edgefront
