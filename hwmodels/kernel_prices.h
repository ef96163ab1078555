// What the kernels that `generate` emits take on a core: prices of the instructions of their tiles
// and of the bytes they wait for. A CPU target whose file says how many vector registers its
// kernels use (`kernel_registers`) is priced this way in fp32, with the schedules that its kernels
// have; all other targets stand for engines whose schedules nobody knows.
#pragma once

#include "hwmodels/roofline.h"
#include "hwmodels/target.h"
#include "schedules/kernel_counts.h"

#include <optional>

namespace edgefront {

class KernelPrices {
public:
    /// Nothing for a target without `kernel_registers` or fp32.
    static std::optional<KernelPrices> of(const Target &target);
    /// The optional constants this adds to those of a CPU.
    static std::vector<ConstantSpec> specs();
    /// Of these, what `edgefront calibrate` fits to timings of kernels, besides the efficiencies.
    static const std::vector<std::string> &fitted_keys();

    /// The schedule of the layer's kernel.
    Schedule schedule(const Layer &layer, int threads) const;
    /// Replaces computing and fixed time of `work`, priced for another engine's kernels, by ours.
    void set_computing(const Layer &layer, const LoopNest &nest, Work &work) const;
    /// What kernels wait for, at the rates at which they get it; the bytes themselves are counted
    /// where the level is: input activations that the first cache has lost...
    LevelLoad awaited_input(const LoopNest &nest, Bytes l1) const;
    /// ...weights, which the last inference has left in the last cache...
    LevelLoad awaited_weights(const LoopNest &nest) const;
    /// ...and activations that the second cache has lost.
    LevelLoad awaited_spill(Bytes spilt) const;
    /// Of the network's weights, those that come from DRAM, as the last cache has lost them since
    /// the last inference: a share that grows with what passes through it meanwhile.
    Bytes lost_weights(const NetworkTotals &totals) const;

private:
    explicit KernelPrices(const Target &target);

    IsaInfo isa_;
    double mac_ports_;
    double load_ports_;
    double dense_efficiency_;
    double depthwise_efficiency_;
    double elements_per_cycle_;
    double exp_elements_per_cycle_;
    double step_cycles_;
    double tap_cycles_;
    double window_load_cycles_;
    double edge_factor_;
    double input_gb_per_s_;
    double weight_gb_per_s_;
    double spill_gb_per_s_;
    double turnover_;
    Seconds overhead_;
    Bytes kept_;
    Bytes cache_;
};

} // namespace edgefront
