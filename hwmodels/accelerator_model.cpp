#include "hwmodels/accelerator_model.h"

namespace edgefront {

const std::vector<ConstantSpec> &AcceleratorModel::specs() {
    using C = ConstantSpec;
    static const std::vector<ConstantSpec> list = {
        {"clock_ghz", 0.01, 20, "clock that the figures per cycle belong to"},
        {"mac_per_cycle", 0.01, 1e6, "multiply-adds all units can start per cycle",
         C::per_precision},
        {"dense_efficiency", 1e-3, 1, "share of the peak that dense kernels reach",
         C::per_precision | C::rate},
        {"depthwise_efficiency", 1e-4, 1, "share of the peak that depthwise kernels reach",
         C::per_precision | C::rate},
        {"elements_per_cycle", 1e-3, 1e6, "element-wise operations per cycle, all units",
         C::per_precision | C::rate},
        {"memory_gb_per_s", 1e-2, 1e5, "effective bandwidth of a layer's tensors", C::rate},
        {"layer_overhead_us", 0, 1e5, "fixed time of a layer", C::time},
        {"inference_overhead_us", 0, 1e7, "fixed time of an inference", C::time},
        {"pj_per_mac", 0, 1e4, "energy of a multiply-add", C::per_precision | C::mac_price},
        {"register_pj_per_byte", 0, 1e4, "energy of a byte of the multipliers' registers",
         C::optional | C::register_price},
        {"memory_pj_per_byte", 0, 1e5, "energy of a byte of a layer's tensors", C::dram_price},
    };
    return list;
}

AcceleratorModel::AcceleratorModel(Target target)
    : target_(std::move(target)), common_(target_),
      memory_(level_load(target_, "memory", "memory_gb_per_s", "memory_pj_per_byte")) {
    for (const DataType precision : target_.precisions) {
        common_.set_macs_per_cycle(precision, target_.constant("mac_per_cycle", precision));
    }
}

Plan AcceleratorModel::mapping(const Layer &, const Workload &) const {
    return Schedule();
}

Verdict AcceleratorModel::price(const Layer &layer, const LoopNest &nest,
                                const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    Work work = common_.layer_work(layer, nest, workload);
    work.loads = {memory_};
    work.loads[0].bytes = work.loads[0].least = nest.footprint();
    return roofline(work);
}

Cost AcceleratorModel::network_cost(const NetworkTotals &, const Workload &) const {
    return roofline(common_.inference_work());
}

} // namespace edgefront
