// An accelerator like the Edge TPU: an array of multipliers (channels x reduction x pixels),
// weights kept on the chip over the whole network as far as they fit, the rest streamed every
// inference, and a host link for input and output where the chip stands behind one.
#pragma once

#include "hwmodels/cost_model.h"
#include "hwmodels/roofline.h"

namespace edgefront {

class EdgeTpuModel : public CostModel {
public:
    explicit EdgeTpuModel(Target target);
    static const std::vector<ConstantSpec> &specs();

    const Target &target() const override { return target_; }
    Schedule mapping(const Layer &layer, const Workload &workload) const override;
    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

private:
    Target target_;
    CommonConstants common_;
    LevelLoad memory_;                  ///< rate and price of a byte; the bytes are a layer's
    LevelLoad streamed_;                ///< weights beyond `weight_memory_`
    std::optional<LevelLoad> host_in_;  ///< absent: memory is shared with the host
    std::optional<LevelLoad> host_out_; ///< both or none
    Bytes weight_memory_;
};

} // namespace edgefront
