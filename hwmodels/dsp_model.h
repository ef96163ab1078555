// A DSP with wide vectors (Hexagon HVX). A packet of instructions has slots for vector multiplies
// and for vector loads; the fuller ones count. Requantising every output takes packets of its own,
// and activations, padded to whole vectors, pass the on-chip memory, which vector units read
// without a cache in between: these times add up. What the memory cannot hold comes from DRAM; a
// fixed time per layer and per inference stands for the runtime.
#pragma once

#include "hwmodels/cost_model.h"
#include "hwmodels/roofline.h"

#include <array>

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
    /// Bytes of a map stored in whole vectors.
    Bytes padded(const Shape &shape, DataType type) const;
    /// How many packets the loads take for each one that the multiply-adds take, 1 at least.
    double slot_pressure(const LoopNest &nest, double macs_per_cycle) const;

    Target target_;
    CommonConstants common_;
    std::array<double, 3> outputs_per_cycle_{}; ///< of all units, by DataType
    LevelLoad memory_; ///< rate and price of a byte; the bytes are a layer's
    LevelLoad dram_;
    double units_;
    double load_bytes_; ///< of a packet
    int vector_channels_;
    int vector_pixels_;
    Bytes memory_size_;
};

} // namespace edgefront
