#include "hwmodels/cpu_model.h"

#include "hwmodels/roofline.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

const std::vector<ConstantSpec> &CpuModel::specs() {
    using Form = ConstantSpec::Form;
    static const std::vector<ConstantSpec> list = {
        {"clock_ghz", 0.01, 20, "clock of the core"},
        {"mac_per_cycle", 0.01, 1e5, "multiply-adds a core can start per cycle", true, true},
        {"lanes", 1, 1024, "accumulators of one vector register", true, true},
        {"register_vectors", 1, 32, "vectors of output channels in a register tile"},
        {"register_pixels", 1, 64, "output pixels in a register tile"},
        {"dense_efficiency", 1e-3, 1, "share of the peak that dense kernels reach", true, true,
         Form::rate},
        {"depthwise_efficiency", 1e-4, 1, "share of the peak that depthwise kernels reach", true,
         true, Form::rate},
        {"elements_per_cycle", 1e-3, 1e4, "element-wise operations per cycle", true, true,
         Form::rate},
        {"cache_gb_per_s", 1e-2, 1e5, "effective bandwidth of a layer's tensors, one core", true,
         false, Form::rate},
        {"cache_mib", 1e-3, 1e4, "last-level cache: weights beyond it come from DRAM"},
        {"dram_gb_per_s", 1e-2, 1e5, "DRAM bandwidth"},
        {"layer_overhead_us", 0, 1e5, "fixed time of a layer", true, false, Form::time},
        {"inference_overhead_us", 0, 1e7, "fixed time of an inference", true, false, Form::time},
        {"parallel_fraction", 0, 1, "share of a layer's time that threads divide", false},
        {"pj_per_mac", 0, 1e4, "energy of a multiply-add", true, true},
        {"cache_pj_per_byte", 0, 1e4, "energy of a byte of the cache"},
        {"dram_pj_per_byte", 0, 1e5, "energy of a byte of DRAM"},
    };
    return list;
}

double CpuModel::speedup(int threads) const {
    if (threads == 1) {
        return 1;
    }
    const double parallel = target_.constant("parallel_fraction");
    return 1 / (1 - parallel + parallel / threads);
}

Schedule CpuModel::mapping(const Layer &layer, const Workload &workload) const {
    Schedule s;
    s.lanes = static_cast<int>(target_.constant("lanes", workload.precision));
    s.order = LoopOrder::channels_outer;
    s.parallel = workload.threads > 1 ? ParallelOver::rows : ParallelOver::none;
    if (layer.op == Op::conv2d || layer.op == Op::fully_connected) {
        s.vectors = static_cast<int>(target_.constant("register_vectors"));
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
    const double peak = target_.constant("mac_per_cycle", workload.precision);
    const double efficiency = target_.constant(
        layer.op == Op::depthwise_conv2d ? "depthwise_efficiency" : "dense_efficiency",
        workload.precision);
    const double elements = target_.constant("elements_per_cycle", workload.precision);
    const double faster = speedup(workload.threads);

    Work work;
    work.clock_ghz = target_.constant("clock_ghz");
    work.compute = Cycles((static_cast<double>(nest.issued.count()) / (peak * efficiency) +
                           priced_elements(layer, nest) / elements) /
                          faster);
    work.loads = {{"cache", nest.footprint(), target_.constant("cache_gb_per_s") * faster,
                   target_.constant("cache_pj_per_byte")}};
    work.overhead = Seconds(target_.constant("layer_overhead_us") * 1e-6);
    work.macs = nest.macs;
    work.macs_per_cycle = peak * workload.threads;
    work.pj_per_mac = target_.constant("pj_per_mac", workload.precision);
    return roofline(work);
}

Cost CpuModel::network_cost(const NetworkTotals &totals, const Workload &) const {
    const auto cache = Bytes(std::llround(target_.constant("cache_mib") * 1024 * 1024));
    Work work;
    work.clock_ghz = target_.constant("clock_ghz");
    work.overhead = Seconds(target_.constant("inference_overhead_us") * 1e-6);
    work.loads = {{"dram", std::max(Bytes(0), totals.weights - cache),
                   target_.constant("dram_gb_per_s"), target_.constant("dram_pj_per_byte")}};
    return roofline(work);
}

} // namespace edgefront
