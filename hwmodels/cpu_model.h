// A core with SIMD units and caches. Multiplying keeps the most loaded of three kinds of ports busy
// (multiply, load, issue); what the first caches exchange hides behind that, as cores prefetch it.
// Not hidden: the end of every output (bias, requantisation, clamp, store), element-wise work, and
// bytes from DRAM. Threads divide everything but DRAM and the fixed times.
//
// Targets that run the kernels of `generate` (kernel_prices.h) know more: their schedules, and what
// a tile of them takes.
#pragma once

#include "hwmodels/cost_model.h"
#include "hwmodels/kernel_prices.h"
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
    Bytes stored_weights(const Layer &layer, const Workload &workload) const override;
    Cost network_cost(const NetworkTotals &totals, const Workload &workload) const override;

private:
    struct Rates {
        double macs_per_cycle = 0;
        int lanes = 1;
        double outputs_per_cycle = 0; ///< 0: their time is part of the efficiencies
        double elements_per_cycle = 1;
        int winograd = 0; ///< outputs on a side of a tile; 0: no fast convolution
    };
    const Rates &rates(DataType precision) const {
        return rates_[static_cast<std::size_t>(precision)];
    }
    /// Whether the engine uses its fast convolution for the layer.
    static bool transforms(const Layer &layer, const Rates &rates);
    /// Amdahl's law (1967) on cores of a pace below 1 each: work is shared out evenly, so that the
    /// slowest one counts.
    double speedup(int threads, double pace) const;
    /// The prices of our own kernels, where these run.
    const KernelPrices *kernels(const Workload &workload) const {
        return kernels_ && workload.precision == DataType::fp32 ? &*kernels_ : nullptr;
    }
    /// How many of the workload's threads a layer is divided among: a kernel of ours whose schedule
    /// runs nothing in parallel keeps to one.
    int threads_for(const LoopNest &nest, const Workload &workload) const;
    /// How much longer the busiest kind of port works than the multiply ports do.
    double port_pressure(const LoopNest &nest, const Rates &rates) const;
    /// The bytes and rates of all levels, but for Winograd's weights.
    std::vector<LevelLoad> loads(const Layer &layer, const LoopNest &nest,
                                 const Workload &workload) const;

    Target target_;
    CommonConstants common_;
    std::optional<KernelPrices> kernels_;
    std::array<Rates, 3> rates_{}; ///< by DataType
    double vector_bytes_;
    double mac_ports_;
    double load_ports_;
    double issue_width_;
    double parallel_;    ///< share of the work that threads divide
    double pace_;        ///< of several cores, as a share of the first one's clock
    Seconds per_thread_; ///< of a layer, beyond the first
    LevelLoad l2_;       ///< rate and price of a byte; the bytes are a layer's
    LevelLoad cache_;
    LevelLoad dram_;
    Bytes l1_size_;
    Bytes l2_size_;
    Bytes cache_size_;
};

} // namespace edgefront
