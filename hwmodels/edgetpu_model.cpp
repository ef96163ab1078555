#include "hwmodels/edgetpu_model.h"

#include "hwmodels/roofline.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

const std::vector<ConstantSpec> &EdgeTpuModel::specs() {
    using Form = ConstantSpec::Form;
    static const std::vector<ConstantSpec> list = {
        {"clock_ghz", 0.01, 20, "clock of the array"},
        {"array_channels", 1, 4096, "output channels the array works on at once"},
        {"array_reduction", 1, 4096, "products summed per output and cycle"},
        {"array_rows", 1, 256, "output rows the array works on at once"},
        {"array_columns", 1, 256, "output columns the array works on at once"},
        {"dense_efficiency", 1e-3, 1, "share of the peak on whole tiles", true, true, Form::rate},
        {"depthwise_efficiency", 1e-4, 1, "share of the peak on whole tiles, depthwise", true, true,
         Form::rate},
        {"elements_per_cycle", 1e-3, 1e5, "element-wise operations per cycle", true, true,
         Form::rate},
        {"memory_gb_per_s", 1e-2, 1e5, "effective bandwidth of a layer's tensors on the chip", true,
         false, Form::rate},
        {"weight_memory_mib", 0, 1e4, "weights beyond it are streamed every inference"},
        {"stream_gb_per_s", 1e-3, 1e5, "rate of streamed weights"},
        {"host_in_gb_per_s", 1e-3, 1e5, "host to device; absent: memory is shared", false},
        {"host_out_gb_per_s", 1e-3, 1e5, "device to host; absent: memory is shared", false},
        {"layer_overhead_us", 0, 1e5, "fixed time of a layer", true, false, Form::time},
        {"inference_overhead_us", 0, 1e7, "fixed time of an inference", true, false, Form::time},
        {"pj_per_mac", 0, 1e4, "energy of a multiply-add", true, true},
        {"memory_pj_per_byte", 0, 1e4, "energy of a byte of on-chip memory"},
        {"stream_pj_per_byte", 0, 1e5, "energy of a streamed or transferred byte"},
    };
    return list;
}

Schedule EdgeTpuModel::mapping(const Layer &, const Workload &) const {
    Schedule s;
    s.lanes = static_cast<int>(target_.constant("array_channels"));
    s.unroll = static_cast<int>(target_.constant("array_reduction"));
    s.rows = static_cast<int>(target_.constant("array_rows"));
    s.pixels = static_cast<int>(target_.constant("array_columns"));
    s.order = LoopOrder::channels_outer;
    return s;
}

Verdict EdgeTpuModel::price(const Layer &layer, const LoopNest &nest,
                            const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    const double peak = target_.constant("array_channels") * target_.constant("array_reduction") *
                        target_.constant("array_rows") * target_.constant("array_columns");
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

Cost EdgeTpuModel::network_cost(const NetworkTotals &totals, const Workload &) const {
    const auto memory = Bytes(std::llround(target_.constant("weight_memory_mib") * 1024 * 1024));
    const Bytes streamed = std::max(Bytes(0), totals.weights - memory);
    const double price = target_.constant("stream_pj_per_byte");
    const bool linked = target_.has("host_in_gb_per_s");
    const BoundBy bound = linked ? BoundBy::host_link : BoundBy::memory;

    Work work;
    work.clock_ghz = target_.constant("clock_ghz");
    work.overhead = Seconds(target_.constant("inference_overhead_us") * 1e-6);
    work.overlapped = false; // one link, one transfer after another
    work.loads = {{linked ? "host_link" : "dram", streamed, target_.constant("stream_gb_per_s"),
                   price, bound}};
    if (linked) {
        work.loads.push_back(
            {"host_in", totals.input, target_.constant("host_in_gb_per_s"), price, bound});
        work.loads.push_back(
            {"host_out", totals.output, target_.constant("host_out_gb_per_s"), price, bound});
    }
    return roofline(work);
}

} // namespace edgefront
