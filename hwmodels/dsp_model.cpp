#include "hwmodels/dsp_model.h"

#include <algorithm>
#include <cmath>

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
        {"vector_registers", 3, 4096, "vector registers of a unit: what stays, and an operand each",
         C::whole},
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
         "it comes from DRAM; it holds the tiles of a layer"},
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
    : ArrayModel(std::move(target)),
      memory_(level_load(target_, "on_chip", "memory_gb_per_s", "memory_pj_per_byte")),
      dram_(level_load(target_, "dram", "dram_gb_per_s", "dram_pj_per_byte")) {
    const auto whole = [&](const char *key) { return static_cast<int>(target_.constant(key)); };
    limits_.arrays = whole("vector_units");
    limits_.registers = whole("vector_registers");
    limits_.register_bytes = whole("vector_bytes");
    limits_.vector_channels = whole("vector_channels");
    limits_.vector_pixels = whole("vector_pixels");
    limits_.scratchpad = mebibytes(target_.constant("memory_mib"));
    for (const DataType precision : target_.precisions) {
        const auto i = static_cast<std::size_t>(precision);
        macs_per_cycle_[i] = target_.constant("mac_per_cycle", precision);
        common_.set_macs_per_cycle(precision, macs_per_cycle_[i] * limits_.arrays);
        outputs_per_cycle_[i] = target_.constant("outputs_per_cycle", precision) * limits_.arrays;
    }
    // The energy of on-chip bytes is that of a layer's tensors, below.
    loads_.level = "vector_loads";
    loads_.gb_per_s =
        target_.constant("load_slots") * limits_.register_bytes * target_.constant("clock_ghz");
}

ArrayPrices DspModel::prices(const Layer &layer, const Workload &workload) const {
    const double hertz = target_.constant("clock_ghz") * 1e9;
    const LoopNest nest = analyse(layer, Schedule());
    ArrayPrices p;
    p.mac_s = 1 / (hertz * macs_per_cycle_[static_cast<std::size_t>(workload.precision)] *
                   common_.efficiency(layer, workload.precision));
    p.unit_byte_s = 1 / (loads_.gb_per_s * 1e9);
    p.elementwise_s = elementwise(layer, nest, workload).count() / hertz;
    p.afterwards_s =
        static_cast<double>((padded_activations(layer) + nest.weights.footprint).count()) /
        (memory_.gb_per_s * 1e9);
    p.tile_byte_s = 1 / (dram_.gb_per_s * 1e9);
    p.keeps = limits_.scratchpad;
    return p;
}

Cycles DspModel::elementwise(const Layer &layer, const LoopNest &nest,
                             const Workload &workload) const {
    const auto outputs =
        static_cast<double>(padded(layer.output, layer.type).count()) / size_of(layer.type);
    return common_.layer_work(layer, nest, workload).elementwise +
           Cycles(outputs / outputs_per_cycle_[static_cast<std::size_t>(workload.precision)]);
}

Bytes DspModel::padded(const Shape &s, DataType type) const {
    const auto up = [](std::int64_t value, int step) { return ceil_div(value, step) * step; };
    return Bytes(s.height * up(s.width, limits_.vector_pixels) *
                 up(s.channels, limits_.vector_channels) * size_of(type));
}

Bytes DspModel::padded_activations(const Layer &layer) const {
    const Bytes output = padded(layer.output, layer.type);
    // A slice reads what it keeps. A reshape moves its data: whole vectors are laid out by shape.
    Bytes bytes = padded(layer.op == Op::slice ? layer.output : layer.input, layer.type) + output;
    if (layer.residual) {
        bytes += output;
    }
    for (const Shape &other : layer.others) {
        bytes += padded(other, layer.type);
    }
    return bytes;
}

LevelLoad DspModel::dram_load(const Layer &layer, const LoopNest &nest) const {
    const Bytes unique =
        runs_on_array(layer) ? Bytes(least_tile_bytes(array_problem(layer))) : nest.footprint();
    const Bytes least = spill(dram_, unique - nest.weights.footprint, limits_.scratchpad).bytes;
    LevelLoad load = dram_;
    if (runs_on_array(layer)) {
        const TileLevel &tiles = nest.tiles;
        load.bytes = Bytes(moved_bytes(
            array_problem(layer, limits_.vector_channels, limits_.vector_pixels),
            tiles.weights.footprint.count(), tiles.traffic().count(), limits_.scratchpad));
        load.exposed = tiles.double_buffered ? Bytes(0) : load.bytes;
    } else {
        load = spill(dram_, padded_activations(layer), limits_.scratchpad);
        load.exposed = load.bytes;
    }
    load.least = std::min(least, load.bytes);
    return load;
}

Verdict DspModel::price(const Layer &layer, const LoopNest &nest, const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    const auto &mapping = std::get<Mapping>(nest.plan);
    const bool multiplies = runs_on_array(layer);
    if (multiplies && (nest.tiles.footprint() > limits_.scratchpad ||
                       !too_large(layer, mapping, limits_).empty())) {
        return Infeasible{mapping_problem(layer, mapping, limits_)};
    }
    Work work = common_.layer_work(layer, nest, workload);
    work.elementwise = elementwise(layer, nest, workload);
    work.loads = {loads_, memory_, dram_load(layer, nest)};
    work.loads[0].bytes = nest.traffic();
    const double units =
        multiplies ? 1.0 * mapping.pixel_arrays * mapping.channel_arrays : limits_.arrays;
    work.loads[0].least_gb_per_s = loads_.gb_per_s * limits_.arrays;
    work.loads[0].gb_per_s *= units;
    work.loads[0].least =
        multiplies ? Bytes(least_border_bytes(array_problem(layer))) : nest.footprint();
    // The other units wait.
    const double issued = static_cast<double>(nest.issued.count()) * limits_.arrays / units;
    work.compute = work.compute * (limits_.arrays / units);
    work.issued = Macs(std::llround(std::min(issued, 0x1p62)));
    work.loads[1].bytes = work.loads[1].exposed =
        padded_activations(layer) + nest.weights.footprint;
    work.loads[1].least = nest.footprint();
    return roofline(work);
}

Cost DspModel::network_cost(const NetworkTotals &totals, const Workload &) const {
    Work work = common_.inference_work();
    work.loads = {spill(dram_, totals.weights, limits_.scratchpad)};
    return roofline(work);
}

} // namespace edgefront
