// A DSP with wide vectors (Hexagon HVX): activations padded to whole vectors, requantisation beside
// the multiply-adds, tensors through on-chip memory, a fixed time per layer and per inference.
#pragma once

#include "hwmodels/cost_model.h"

namespace edgefront {

class DspModel : public CostModel {
public:
    explicit DspModel(Target target) : target_(std::move(target)) {}
    static const std::vector<ConstantSpec> &specs();

    const Target &target() const override { return target_; }
    Schedule mapping(const Layer &layer, const Workload &workload) const override;
    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

private:
    Target target_;
};

} // namespace edgefront
