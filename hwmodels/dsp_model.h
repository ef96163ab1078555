// A DSP with wide vectors (Hexagon HVX). Its vector units are arrays of the size of their register
// files: a mapping says which operand stays in registers and how large the register tile is. A
// packet of instructions has slots for vector multiplies and for vector loads; the fuller ones
// count. Requantising every output takes packets of its own, and activations, padded to whole
// vectors, pass the on-chip memory, which vector units read without a cache in between: these times
// add up. A layer whose tensors the memory cannot hold is cut into tiles: what of them does not
// stay there from layer to layer comes from DRAM, beside the work if there are two buffers. A fixed
// time per layer and per inference stands for the runtime.
#pragma once

#include "hwmodels/cost_model.h"
#include "hwmodels/mapping_search.h"
#include "hwmodels/roofline.h"

#include <array>

namespace edgefront {

class DspModel : public CostModel {
public:
    explicit DspModel(Target target);
    static const std::vector<ConstantSpec> &specs();

    const Target &target() const override { return target_; }
    /// The best one there is, as far as the default budget of the search goes.
    Plan mapping(const Layer &layer, const Workload &workload) const override;
    bool searches() const override { return true; }
    bool takes(const Layer &layer, const Plan &plan) const override {
        return fits_arrays(layer, plan, limits_);
    }
    std::optional<PlanChoice> search(const Layer &layer, const Workload &workload,
                                     std::int64_t most_priced) const override;
    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

    const ArrayLimits &limits() const { return limits_; }
    /// What `price` asks for the counts of a nest that a mapping changes.
    ArrayPrices prices(const Layer &layer, const Workload &workload) const;

private:
    /// Requantising its outputs included.
    Cycles elementwise(const Layer &layer, const LoopNest &nest, const Workload &workload) const;
    /// Bytes of the layer's activations as they are stored: whole vectors.
    Bytes padded_activations(const Layer &layer) const;
    /// Bytes of a map stored in whole vectors.
    Bytes padded(const Shape &shape, DataType type) const;
    /// What of the layer's bytes passes the DRAM.
    LevelLoad dram_load(const Layer &layer, const LoopNest &nest) const;

    Target target_;
    CommonConstants common_;
    ArrayLimits limits_; ///< registers of a unit, and the on-chip memory
    /// By DataType.
    std::array<double, 3> outputs_per_cycle_{}; ///< of all units
    std::array<double, 3> macs_per_cycle_{};    ///< of a unit
    LevelLoad loads_;  ///< between registers and on-chip memory, of one unit
    LevelLoad memory_; ///< rate and price of a byte; the bytes are a layer's
    LevelLoad dram_;
};

} // namespace edgefront
