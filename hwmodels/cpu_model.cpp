#include "hwmodels/cpu_model.h"

#include <algorithm>

namespace edgefront {

const std::vector<ConstantSpec> &CpuModel::specs() {
    using C = ConstantSpec;
    static const std::vector<ConstantSpec> list = {
        {"clock_ghz", 0.01, 20, "clock of the core"},
        {"mac_per_cycle", 0.01, 1e5, "multiply-adds a core can start per cycle", C::per_precision},
        {"lanes", 1, 1024, "accumulators of one vector register", C::per_precision | C::whole},
        {"register_vectors", 1, 32, "vectors of output channels in a register tile", C::whole},
        {"register_pixels", 1, 64, "output pixels in a register tile", C::whole},
        {"dense_efficiency", 1e-3, 1, "share of the peak that dense kernels reach",
         C::per_precision | C::rate},
        {"depthwise_efficiency", 1e-4, 1, "share of the peak that depthwise kernels reach",
         C::per_precision | C::rate},
        {"elements_per_cycle", 1e-3, 1e4, "element-wise operations per cycle",
         C::per_precision | C::rate},
        {"cache_gb_per_s", 1e-2, 1e5, "effective bandwidth of a layer's tensors, one core",
         C::rate},
        {"cache_mib", 1e-3, 1e4,
         "last-level cache: what of a layer's activations and of the network's weights goes beyond "
         "it comes from DRAM"},
        {"dram_gb_per_s", 1e-2, 1e5, "DRAM bandwidth"},
        {"layer_overhead_us", 0, 1e5, "fixed time of a layer", C::time},
        {"inference_overhead_us", 0, 1e7, "fixed time of an inference", C::time},
        {"parallel_fraction", 0, 1, "share of a layer's time that threads divide", C::optional},
        {"pj_per_mac", 0, 1e4, "energy of a multiply-add", C::per_precision | C::mac_price},
        {"cache_pj_per_byte", 0, 1e4, "energy of a byte of the cache", C::sram_price},
        {"dram_pj_per_byte", 0, 1e5, "energy of a byte of DRAM", C::dram_price},
    };
    return list;
}

CpuModel::CpuModel(Target target)
    : target_(std::move(target)), common_(target_),
      parallel_(target_.has("parallel_fraction") ? target_.constant("parallel_fraction") : 0),
      cache_(level_load(target_, "cache", "cache_gb_per_s", "cache_pj_per_byte")),
      dram_(level_load(target_, "dram", "dram_gb_per_s", "dram_pj_per_byte")),
      cache_size_(mebibytes(target_.constant("cache_mib"))) {
    for (const DataType precision : target_.precisions) {
        const auto i = static_cast<std::size_t>(precision);
        common_.set_macs_per_cycle(precision, target_.constant("mac_per_cycle", precision));
        lanes_[i] = static_cast<int>(target_.constant("lanes", precision));
    }
}

Plan CpuModel::mapping(const Layer &layer, const Workload &workload) const {
    Schedule s;
    s.lanes = lanes_[static_cast<std::size_t>(workload.precision)];
    s.order = LoopOrder::channels_outer;
    s.parallel = workload.threads > 1 ? ParallelOver::rows : ParallelOver::none;
    const bool attention = layer.op == Op::attention_scores || layer.op == Op::attention_context;
    if (layer.op == Op::conv2d || layer.op == Op::fully_connected || attention) {
        s.vectors = static_cast<int>(target_.constant("register_vectors"));
        if (layer.groups > 1) { // nor wider than a group or head
            const int channels = layer.output.channels / layer.groups;
            s.vectors = std::min(s.vectors, (channels + s.lanes - 1) / s.lanes);
        }
        // A tile is never wider than the row it works on.
        s.pixels =
            std::min(static_cast<int>(target_.constant("register_pixels")), layer.output.width);
    }
    return s;
}

Verdict CpuModel::price(const Layer &layer, const LoopNest &nest, const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    const double faster = speedup(workload.threads);
    Work work = common_.layer_work(layer, nest, workload);
    work.compute = work.compute * (1 / faster);
    work.elementwise = work.elementwise * (1 / faster);
    work.macs_per_cycle *= workload.threads;
    work.loads = {cache_, spill(dram_, nest.footprint() - nest.weights.footprint, cache_size_)};
    work.loads[0].bytes = nest.footprint();
    work.loads[0].least = nest.footprint();
    work.loads[0].gb_per_s *= faster;
    return roofline(work);
}

Cost CpuModel::network_cost(const NetworkTotals &totals, const Workload &) const {
    Work work = common_.inference_work();
    work.loads = {spill(dram_, totals.weights, cache_size_)};
    return roofline(work);
}

} // namespace edgefront
