// A DSP with wide vectors (Hexagon HVX). Its vector units are arrays of the size of their register
// files: a mapping says which operand stays in registers and how large the register tile is. A
// packet of instructions has slots for vector multiplies and for vector loads; the fuller ones
// count. Requantising every output takes packets of its own, and activations, padded to whole
// vectors, pass the on-chip memory, which vector units read without a cache in between: these times
// add up. A layer whose tensors the memory cannot hold is cut into tiles: what of them does not
// stay there from layer to layer comes from DRAM, beside the work if there are two buffers. A fixed
// time per layer and per inference stands for the runtime.
#pragma once

#include "hwmodels/array_model.h"

#include <array>

namespace edgefront {

class DspModel : public ArrayModel {
public:
    explicit DspModel(Target target);
    static const std::vector<ConstantSpec> &specs();

    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

    ArrayPrices prices(const Layer &layer, const Workload &workload) const override;

private:
    /// Requantising its outputs included.
    Cycles elementwise(const Layer &layer, const LoopNest &nest, const Workload &workload) const;
    /// Bytes of the layer's activations as they are stored: whole vectors.
    Bytes padded_activations(const Layer &layer) const;
    /// Bytes of a map stored in whole vectors.
    Bytes padded(const Shape &shape, DataType type) const;
    /// What of the layer's bytes passes the DRAM.
    LevelLoad dram_load(const Layer &layer, const LoopNest &nest) const;

    /// By DataType.
    std::array<double, 3> outputs_per_cycle_{}; ///< of all units
    std::array<double, 3> macs_per_cycle_{};    ///< of a unit
    LevelLoad loads_;  ///< between registers and on-chip memory, of one unit
    LevelLoad memory_; ///< rate and price of a byte; the bytes are a layer's
    LevelLoad dram_;
};

} // namespace edgefront
