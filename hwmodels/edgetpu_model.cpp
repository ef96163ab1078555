#include "hwmodels/edgetpu_model.h"

#include <limits>

namespace edgefront {

const std::vector<ConstantSpec> &EdgeTpuModel::specs() {
    using C = ConstantSpec;
    static const std::vector<ConstantSpec> list = {
        {"clock_ghz", 0.01, 20, "clock of the array"},
        {"array_channels", 1, 4096, "output channels the array works on at once", C::whole},
        {"array_reduction", 1, 4096, "products summed per output and cycle", C::whole},
        {"array_rows", 1, 256, "output rows the array works on at once", C::whole},
        {"array_columns", 1, 256, "output columns the array works on at once", C::whole},
        {"dense_efficiency", 1e-3, 1, "share of the peak on whole tiles",
         C::per_precision | C::rate},
        {"depthwise_efficiency", 1e-4, 1, "share of the peak on whole tiles, depthwise",
         C::per_precision | C::rate},
        {"elements_per_cycle", 1e-3, 1e5, "element-wise operations per cycle",
         C::per_precision | C::rate},
        {"memory_gb_per_s", 1e-2, 1e5, "effective bandwidth of a layer's tensors on the chip",
         C::rate},
        {"weight_memory_mib", 0, 1e4, "weights beyond it are streamed every inference"},
        {"stream_gb_per_s", 1e-3, 1e5, "rate of streamed weights", C::rate},
        {"host_in_gb_per_s", 1e-3, 1e5, "host to device; absent: memory is shared",
         C::optional | C::rate},
        {"host_out_gb_per_s", 1e-3, 1e5, "device to host; absent: memory is shared",
         C::optional | C::rate},
        {"layer_overhead_us", 0, 1e5, "fixed time of a layer", C::time},
        {"inference_overhead_us", 0, 1e7, "fixed time of an inference", C::time},
        {"pj_per_mac", 0, 1e4, "energy of a multiply-add", C::per_precision},
        {"memory_pj_per_byte", 0, 1e4, "energy of a byte of on-chip memory"},
        {"stream_pj_per_byte", 0, 1e5, "energy of a streamed or transferred byte"},
    };
    return list;
}

EdgeTpuModel::EdgeTpuModel(Target target)
    : target_(std::move(target)), common_(target_),
      memory_(level_load(target_, "on_chip", "memory_gb_per_s", "memory_pj_per_byte")),
      weight_memory_(mebibytes(target_.constant("weight_memory_mib"))) {
    const double array = target_.constant("array_channels") * target_.constant("array_reduction") *
                         target_.constant("array_rows") * target_.constant("array_columns");
    for (const DataType precision : target_.precisions) {
        common_.set_macs_per_cycle(precision, array);
    }
    const bool linked = target_.has("host_in_gb_per_s");
    const std::string price = "stream_pj_per_byte";
    streamed_ = level_load(target_, linked ? "host_link" : "dram", "stream_gb_per_s", price);
    if (linked) {
        host_in_ = level_load(target_, "host_link", "host_in_gb_per_s", price);
        host_out_ = level_load(target_, "host_link", "host_out_gb_per_s", price);
    }
}

Schedule EdgeTpuModel::mapping(const Layer &layer, const Workload &) const {
    const int rows = static_cast<int>(target_.constant("array_rows"));
    const int columns = static_cast<int>(target_.constant("array_columns"));
    Schedule s;
    s.lanes = static_cast<int>(target_.constant("array_channels"));
    s.unroll = static_cast<int>(target_.constant("array_reduction"));
    s.order = LoopOrder::channels_outer;
    // A fully connected layer has one pixel: the elements that others give to pixels then work on
    // further groups of channels. Of all divisions the one with the least padding.
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    Schedule best;
    for (s.rows = rows; s.rows >= 1; s.rows--) {
        for (s.pixels = columns; s.pixels >= 1; s.pixels--) {
            if (rows % s.rows != 0 || columns % s.pixels != 0) {
                continue;
            }
            s.vectors = rows / s.rows * (columns / s.pixels);
            const std::int64_t issued = analyse(layer, s).issued.count();
            if (issued < least) {
                least = issued;
                best = s;
            }
        }
    }
    return best;
}

Verdict EdgeTpuModel::price(const Layer &layer, const LoopNest &nest,
                            const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    Work work = common_.layer_work(layer, nest, workload);
    work.loads = {memory_};
    work.loads[0].bytes = nest.footprint();
    work.loads[0].least = nest.footprint();
    return roofline(work);
}

Cost EdgeTpuModel::network_cost(const NetworkTotals &totals, const Workload &) const {
    Work work = common_.inference_work();
    work.overlapped = false; // one link, one transfer after another
    work.loads = {spill(streamed_, totals.weights, weight_memory_)};
    if (host_in_ && host_out_) {
        work.loads.push_back(*host_in_);
        work.loads.back().bytes = work.loads.back().least = totals.input;
        work.loads.push_back(*host_out_);
        work.loads.back().bytes = work.loads.back().least = totals.output;
    }
    return roofline(work);
}

} // namespace edgefront
