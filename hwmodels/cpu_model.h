// A core with SIMD units and caches: multiply-adds at the engine's share of the vector peak, bytes
// at an effective cache bandwidth, whichever takes longer, plus a fixed time per layer.
#pragma once

#include "hwmodels/cost_model.h"
#include "hwmodels/roofline.h"

#include <array>

namespace edgefront {

class CpuModel : public CostModel {
public:
    explicit CpuModel(Target target);
    static const std::vector<ConstantSpec> &specs();

    const Target &target() const override { return target_; }
    Plan mapping(const Layer &layer, const Workload &workload) const override;
    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

private:
    /// Amdahl's law (1967) with the target's parallel fraction.
    double speedup(int threads) const { return 1 / (1 - parallel_ + parallel_ / threads); }

    Target target_;
    CommonConstants common_;
    std::array<int, 3> lanes_{}; ///< by DataType
    double parallel_;
    LevelLoad cache_; ///< rate and price of a byte; the bytes are a layer's
    LevelLoad dram_;
    Bytes cache_size_;
};

} // namespace edgefront
