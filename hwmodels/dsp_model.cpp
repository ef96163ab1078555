#include "hwmodels/dsp_model.h"

#include <algorithm>

namespace edgefront {

const std::vector<ConstantSpec> &DspModel::specs() {
    using C = ConstantSpec;
    static const std::vector<ConstantSpec> list = {
        {"clock_ghz", 0.01, 20, "clock of the vector units"},
        {"vector_units", 1, 64, "vector units that work at the same time", C::whole},
        {"mac_per_cycle", 0.01, 1e5,
         "multiply-adds of one unit's packet with all its multiply slots; a packet per cycle",
         C::per_precision},
        {"vector_bytes", 1, 4096, "bytes of a vector register: what one load brings", C::whole},
        {"load_slots", 1, 8, "vector loads of a packet", C::whole},
        {"vector_channels", 1, 1024, "channels a vector holds; others are padding", C::whole},
        {"vector_pixels", 1, 1024, "pixels of a row a vector holds; others are padding", C::whole},
        {"dense_efficiency", 1e-3, 1, "share of the peak that dense kernels reach",
         C::per_precision | C::rate},
        {"depthwise_efficiency", 1e-4, 1, "share of the peak that depthwise kernels reach",
         C::per_precision | C::rate},
        {"outputs_per_cycle", 1e-3, 1e4, "outputs one unit requantises and stores per cycle",
         C::per_precision | C::rate},
        {"elements_per_cycle", 1e-3, 1e4, "element-wise operations per cycle, all units",
         C::per_precision | C::rate},
        {"memory_gb_per_s", 1e-2, 1e5, "effective bandwidth of a layer's tensors", C::rate},
        {"dram_gb_per_s", 1e-2, 1e5, "DRAM bandwidth", C::rate},
        {"memory_mib", 0, 1e4,
         "on-chip memory: what of a layer's activations and of the network's weights goes beyond "
         "it comes from DRAM"},
        {"layer_overhead_us", 0, 1e5, "fixed time of a layer", C::time},
        {"inference_overhead_us", 0, 1e7, "fixed time of an inference", C::time},
        {"pj_per_mac", 0, 1e4, "energy of a multiply-add", C::per_precision | C::mac_price},
        {"register_pj_per_byte", 0, 1e4, "energy of a byte of the multipliers' registers",
         C::optional | C::register_price},
        {"memory_pj_per_byte", 0, 1e4, "energy of a byte of on-chip memory", C::sram_price},
        {"dram_pj_per_byte", 0, 1e5, "energy of a byte of DRAM", C::dram_price},
    };
    return list;
}

DspModel::DspModel(Target target)
    : target_(std::move(target)), common_(target_),
      memory_(level_load(target_, "on_chip", "memory_gb_per_s", "memory_pj_per_byte")),
      dram_(level_load(target_, "dram", "dram_gb_per_s", "dram_pj_per_byte")),
      units_(target_.constant("vector_units")),
      load_bytes_(target_.constant("vector_bytes") * target_.constant("load_slots")),
      vector_channels_(static_cast<int>(target_.constant("vector_channels"))),
      vector_pixels_(static_cast<int>(target_.constant("vector_pixels"))),
      memory_size_(mebibytes(target_.constant("memory_mib"))) {
    for (const DataType precision : target_.precisions) {
        common_.set_macs_per_cycle(precision,
                                   target_.constant("mac_per_cycle", precision) * units_);
        outputs_per_cycle_[static_cast<std::size_t>(precision)] =
            target_.constant("outputs_per_cycle", precision) * units_;
    }
}

Plan DspModel::mapping(const Layer &, const Workload &) const {
    Schedule s;
    s.lanes = vector_channels_;
    s.pixels = vector_pixels_;
    s.order = LoopOrder::channels_outer;
    return s;
}

Bytes DspModel::padded(const Shape &s, DataType type) const {
    const auto up = [](std::int64_t value, int step) { return (value + step - 1) / step * step; };
    return Bytes(s.height * up(s.width, vector_pixels_) * up(s.channels, vector_channels_) *
                 size_of(type));
}

double DspModel::slot_pressure(const LoopNest &nest, double macs_per_cycle) const {
    const auto macs = static_cast<double>(nest.issued.count());
    if (macs == 0) {
        return 1;
    }
    const auto reads = static_cast<double>((nest.input.reads + nest.weights.reads).count());
    const double loads = reads / (load_bytes_ * units_);
    return std::max(1.0, loads / (macs / macs_per_cycle));
}

Bytes DspModel::padded_footprint(const Layer &layer, const LoopNest &nest) const {
    const Bytes output = padded(layer.output, layer.type);
    // A slice reads what it keeps. A reshape moves its data: whole vectors are laid out by shape.
    Bytes bytes = padded(layer.op == Op::slice ? layer.output : layer.input, layer.type) + output +
                  nest.weights.footprint;
    if (layer.residual) {
        bytes += output;
    }
    for (const Shape &other : layer.others) {
        bytes += padded(other, layer.type);
    }
    return bytes;
}

Verdict DspModel::price(const Layer &layer, const LoopNest &nest, const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    Work work = common_.layer_work(layer, nest, workload);
    work.compute = work.compute * slot_pressure(nest, work.macs_per_cycle);
    const auto outputs =
        static_cast<double>(padded(layer.output, layer.type).count()) / size_of(layer.type);
    work.elementwise +=
        Cycles(outputs / outputs_per_cycle_[static_cast<std::size_t>(workload.precision)]);
    const Bytes bytes = padded_footprint(layer, nest);
    work.loads = {memory_, spill(dram_, bytes - nest.weights.footprint, memory_size_)};
    work.loads[0].bytes = bytes;
    work.loads[0].least = nest.footprint();
    const Bytes activations = nest.footprint() - nest.weights.footprint;
    work.loads[1].least = spill(dram_, activations, memory_size_).bytes;
    for (LevelLoad &load : work.loads) {
        load.exposed = load.bytes;
    }
    return roofline(work);
}

Cost DspModel::network_cost(const NetworkTotals &totals, const Workload &) const {
    Work work = common_.inference_work();
    work.loads = {spill(dram_, totals.weights, memory_size_)};
    return roofline(work);
}

} // namespace edgefront
