// A GPU or NPU whose insides are not published: a calibrated roofline. A layer takes the longer of
// its multiply-adds, at a share of the peak that differs for depthwise ones, and of its tensors'
// bytes at an effective bandwidth; layers and inferences have fixed times. Nothing is padded.
#pragma once

#include "hwmodels/cost_model.h"
#include "hwmodels/roofline.h"

namespace edgefront {

class AcceleratorModel : public CostModel {
public:
    explicit AcceleratorModel(Target target);
    static const std::vector<ConstantSpec> &specs();

    const Target &target() const override { return target_; }
    Plan mapping(const Layer &layer, const Workload &workload) const override;
    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

private:
    Target target_;
    CommonConstants common_;
    LevelLoad memory_; ///< rate and price of a byte; the bytes are a layer's
};

} // namespace edgefront
