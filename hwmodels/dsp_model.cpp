#include "hwmodels/dsp_model.h"

#include "hwmodels/roofline.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

const std::vector<ConstantSpec> &DspModel::specs() {
    using Form = ConstantSpec::Form;
    static const std::vector<ConstantSpec> list = {
        {"clock_ghz", 0.01, 20, "clock of the vector units"},
        {"vector_units", 1, 64, "vector units that work at the same time"},
        {"mac_per_cycle", 0.01, 1e5, "multiply-adds one unit can start per cycle", true, true},
        {"vector_channels", 1, 1024, "channels a vector holds; others are padding"},
        {"vector_pixels", 1, 1024, "pixels of a row a vector holds; others are padding"},
        {"dense_efficiency", 1e-3, 1, "share of the peak that dense kernels reach", true, true,
         Form::rate},
        {"depthwise_efficiency", 1e-4, 1, "share of the peak that depthwise kernels reach", true,
         true, Form::rate},
        {"elements_per_cycle", 1e-3, 1e4, "element-wise operations per cycle, all units", true,
         true, Form::rate},
        {"memory_gb_per_s", 1e-2, 1e5, "effective bandwidth of a layer's tensors", true, false,
         Form::rate},
        {"dram_gb_per_s", 1e-2, 1e5, "DRAM bandwidth"},
        {"weight_memory_mib", 0, 1e4, "weights beyond it are streamed every inference"},
        {"layer_overhead_us", 0, 1e5, "fixed time of a layer", true, false, Form::time},
        {"inference_overhead_us", 0, 1e7, "fixed time of an inference", true, false, Form::time},
        {"pj_per_mac", 0, 1e4, "energy of a multiply-add", true, true},
        {"memory_pj_per_byte", 0, 1e4, "energy of a byte of on-chip memory"},
        {"dram_pj_per_byte", 0, 1e5, "energy of a byte of DRAM"},
    };
    return list;
}

Schedule DspModel::mapping(const Layer &, const Workload &) const {
    Schedule s;
    s.lanes = static_cast<int>(target_.constant("vector_channels"));
    s.pixels = static_cast<int>(target_.constant("vector_pixels"));
    s.order = LoopOrder::channels_outer;
    return s;
}

Verdict DspModel::price(const Layer &layer, const LoopNest &nest, const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    const double peak =
        target_.constant("mac_per_cycle", workload.precision) * target_.constant("vector_units");
    const double efficiency = target_.constant(
        layer.op == Op::depthwise_conv2d ? "depthwise_efficiency" : "dense_efficiency",
        workload.precision);

    Work work;
    work.clock_ghz = target_.constant("clock_ghz");
    work.compute = Cycles(static_cast<double>(nest.issued.count()) / (peak * efficiency) +
                          priced_elements(layer, nest) /
                              target_.constant("elements_per_cycle", workload.precision));
    work.loads = {{"on_chip", nest.footprint(), target_.constant("memory_gb_per_s"),
                   target_.constant("memory_pj_per_byte")}};
    work.overhead = Seconds(target_.constant("layer_overhead_us") * 1e-6);
    work.macs = nest.macs;
    work.macs_per_cycle = peak;
    work.pj_per_mac = target_.constant("pj_per_mac", workload.precision);
    return roofline(work);
}

Cost DspModel::network_cost(const NetworkTotals &totals, const Workload &) const {
    const auto memory = Bytes(std::llround(target_.constant("weight_memory_mib") * 1024 * 1024));
    Work work;
    work.clock_ghz = target_.constant("clock_ghz");
    work.overhead = Seconds(target_.constant("inference_overhead_us") * 1e-6);
    work.loads = {{"dram", std::max(Bytes(0), totals.weights - memory),
                   target_.constant("dram_gb_per_s"), target_.constant("dram_pj_per_byte")}};
    return roofline(work);
}

} // namespace edgefront
