// An accelerator like the Edge TPU: arrays of multipliers with the best of three dataflows, a
// scratchpad that holds tiles, memory on the chip behind it, weights kept there over the whole
// network as far as they fit and the rest streamed every inference, as is what of a layer's
// activations the memory cannot hold, a vector unit for element-wise work, and a host link for
// input and output where the chip stands behind one.
#pragma once

#include "hwmodels/array_model.h"

namespace edgefront {

class EdgeTpuModel : public ArrayModel {
public:
    explicit EdgeTpuModel(Target target);
    static const std::vector<ConstantSpec> &specs();

    Verdict price(const Layer &layer, const LoopNest &nest,
                  const Workload &workload) const override;
    bool fuses() const override { return true; }
    std::optional<FusedPlanChoice> search_fused(const std::vector<Layer> &layers,
                                                const Workload &workload,
                                                std::int64_t most_priced) const override;
    /// Members take the arrays in turns and keep their fixed times each: nothing is known of a
    /// runtime that would save them.
    Verdict price_fused(const std::vector<Layer> &layers, const FusedNest &nest,
                        const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

    ArrayPrices prices(const Layer &layer, const Workload &workload) const override;

private:
    /// What the arrays and the vector unit do; nothing moved.
    Work array_work(const Layer &layer, const LoopNest &nest, const Workload &workload) const;
    /// Streams what of the activations the memory for them cannot hold.
    void add_excess(Bytes activations, Work &work) const;

    double macs_per_cycle_;
    LevelLoad scratchpad_;              ///< rate and price of a byte; the bytes are a layer's
    LevelLoad memory_;                  ///< likewise
    LevelLoad streamed_;                ///< what goes beyond the memories
    std::optional<LevelLoad> host_in_;  ///< absent: memory is shared with the host
    std::optional<LevelLoad> host_out_; ///< both or none
    Bytes weight_memory_;
    Bytes activation_memory_;
};

} // namespace edgefront
