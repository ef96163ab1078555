// A DSP with wide vectors (Hexagon HVX): activations padded to whole vectors, requantisation beside
// the multiply-adds, tensors through on-chip memory, a fixed time per layer and per inference.
#pragma once

#include "hwmodels/cost_model.h"
#include "hwmodels/roofline.h"

namespace edgefront {

class DspModel : public CostModel {
public:
    explicit DspModel(Target target);
    static const std::vector<ConstantSpec> &specs();

    const Target &target() const override { return target_; }
    Plan mapping(const Layer &layer, const Workload &workload) const override;
    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

private:
    /// Bytes of the layer's tensors, activations as they are stored: whole vectors.
    Bytes padded_footprint(const Layer &layer, const LoopNest &nest) const;

    Target target_;
    CommonConstants common_;
    LevelLoad memory_; ///< rate and price of a byte; the bytes are a layer's
    LevelLoad dram_;
    int vector_channels_;
    int vector_pixels_;
    Bytes memory_size_;
};

} // namespace edgefront
