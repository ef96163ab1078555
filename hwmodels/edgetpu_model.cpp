#include "hwmodels/edgetpu_model.h"

#include "hwmodels/fused_search.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

const std::vector<ConstantSpec> &EdgeTpuModel::specs() {
    using C = ConstantSpec;
    static const std::vector<ConstantSpec> list = {
        {"clock_ghz", 0.01, 20, "clock of the arrays"},
        {"array_rows", 1, 4096, "rows of an array: products summed, or pixels, at once", C::whole},
        {"array_columns", 1, 4096, "columns of an array: output channels, or pixels, at once",
         C::whole},
        {"arrays", 1, 4096, "arrays that work at the same time", C::whole},
        {"group_columns", 1, 4096,
         "columns that may work on channels of their own, as depthwise layers do (1: all columns "
         "of "
         "an array see the same inputs)",
         C::whole},
        {"preload", 0, 1, "1: what stays in an array is loaded while the last fold still runs",
         C::whole},
        {"dense_efficiency", 1e-3, 1, "share of the array's rate that dense layers reach",
         C::per_precision | C::rate},
        {"depthwise_efficiency", 1e-4, 1, "share of the array's rate that depthwise layers reach",
         C::per_precision | C::rate},
        {"elements_per_cycle", 1e-3, 1e5, "element-wise operations per cycle",
         C::per_precision | C::rate},
        {"scratchpad_kib", 1e-3, 1e6, "tiles that the arrays work on"},
        {"scratchpad_gb_per_s", 1e-2, 1e6, "bandwidth between arrays and scratchpad", C::rate},
        {"memory_gb_per_s", 1e-2, 1e5, "bandwidth between scratchpad and memory on the chip",
         C::rate},
        {"weight_memory_mib", 0, 1e4, "weights beyond it are streamed every inference"},
        {"activation_memory_kib", 0, 1e7,
         "what of a layer's activations goes beyond it is streamed; absent: as much again as "
         "weight_memory_mib",
         C::optional},
        {"stream_gb_per_s", 1e-3, 1e5, "rate of what is streamed", C::rate},
        {"host_in_gb_per_s", 1e-3, 1e5, "host to device; absent: memory is shared",
         C::optional | C::rate},
        {"host_out_gb_per_s", 1e-3, 1e5, "device to host; absent: memory is shared",
         C::optional | C::rate},
        {"layer_overhead_us", 0, 1e5, "fixed time of a layer", C::time},
        {"inference_overhead_us", 0, 1e7, "fixed time of an inference", C::time},
        {"pj_per_mac", 0, 1e4, "energy of a multiply-add", C::per_precision | C::mac_price},
        {"register_pj_per_byte", 0, 1e4, "energy of a byte of the multipliers' registers",
         C::optional | C::register_price},
        {"scratchpad_pj_per_byte", 0, 1e4, "energy of a byte of the scratchpad", C::sram_price},
        {"memory_pj_per_byte", 0, 1e4, "energy of a byte of on-chip memory", C::sram_price},
        {"stream_pj_per_byte", 0, 1e5, "energy of a streamed or transferred byte", C::dram_price},
    };
    return list;
}

EdgeTpuModel::EdgeTpuModel(Target target)
    : ArrayModel(std::move(target)),
      scratchpad_(
          level_load(target_, "scratchpad", "scratchpad_gb_per_s", "scratchpad_pj_per_byte")),
      memory_(level_load(target_, "on_chip", "memory_gb_per_s", "memory_pj_per_byte")),
      weight_memory_(mebibytes(target_.constant("weight_memory_mib"))) {
    activation_memory_ = target_.has("activation_memory_kib")
                             ? kibibytes(target_.constant("activation_memory_kib"))
                             : weight_memory_;
    limits_.rows = static_cast<int>(target_.constant("array_rows"));
    limits_.columns = static_cast<int>(target_.constant("array_columns"));
    limits_.arrays = static_cast<int>(target_.constant("arrays"));
    limits_.groups_at_once = static_cast<int>(target_.constant("group_columns"));
    limits_.preload = target_.constant("preload") == 1;
    limits_.scratchpad = kibibytes(target_.constant("scratchpad_kib"));
    macs_per_cycle_ = 1.0 * limits_.rows * limits_.columns * limits_.arrays;
    for (const DataType precision : target_.precisions) {
        common_.set_macs_per_cycle(precision, macs_per_cycle_);
    }
    const bool linked = target_.has("host_in_gb_per_s");
    const std::string price = "stream_pj_per_byte";
    streamed_ = level_load(target_, linked ? "host_link" : "dram", "stream_gb_per_s", price);
    if (linked) {
        host_in_ = level_load(target_, "host_link", "host_in_gb_per_s", price);
        host_out_ = level_load(target_, "host_link", "host_out_gb_per_s", price);
    }
}

ArrayPrices EdgeTpuModel::prices(const Layer &layer, const Workload &workload) const {
    const double hertz = target_.constant("clock_ghz") * 1e9;
    ArrayPrices p;
    p.cycle_s = 1 / (hertz * common_.efficiency(layer, workload.precision));
    p.elementwise_s =
        common_.layer_work(layer, analyse(layer, Schedule()), workload).elementwise.count() / hertz;
    p.border_byte_s = 1 / (scratchpad_.gb_per_s * 1e9);
    p.tile_byte_s = 1 / (memory_.gb_per_s * 1e9);
    return p;
}

Work EdgeTpuModel::array_work(const Layer &layer, const LoopNest &nest,
                              const Workload &workload) const {
    Work work = common_.layer_work(layer, nest, workload);
    const double efficiency = common_.efficiency(layer, workload.precision);
    const auto stream = static_cast<double>(nest.array.stream);
    work.compute = Cycles(stream / efficiency);
    work.fill_drain = Cycles(static_cast<double>(nest.array.fill) / efficiency);
    work.issued = Macs(std::llround(std::min(stream * macs_per_cycle_, 0x1p62)));
    return work;
}

Verdict EdgeTpuModel::price(const Layer &layer, const LoopNest &nest,
                            const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    const auto &mapping = std::get<Mapping>(nest.plan);
    const TileLevel &tiles = nest.tiles;
    if (tiles.footprint() > limits_.scratchpad || !too_large(layer, mapping, limits_).empty()) {
        return Infeasible{mapping_problem(layer, mapping, limits_)};
    }
    Work work = array_work(layer, nest, workload);
    work.loads = {scratchpad_, memory_};
    work.loads[0].bytes = nest.traffic();
    work.loads[1].bytes = tiles.traffic();
    work.loads[1].exposed = tiles.double_buffered ? tiles.exposed : tiles.traffic();
    work.loads[0].least =
        runs_on_array(layer) ? Bytes(least_border_bytes(array_problem(layer))) : nest.footprint();
    work.loads[1].least =
        runs_on_array(layer) ? Bytes(least_tile_bytes(array_problem(layer))) : nest.footprint();
    add_excess(nest.footprint() - nest.weights.footprint, work);
    return roofline(work);
}

void EdgeTpuModel::add_excess(Bytes activations, Work &work) const {
    LevelLoad excess = spill(streamed_, activations, activation_memory_);
    if (excess.bytes > Bytes(0)) {
        excess.exposed = excess.bytes;
        work.loads.push_back(excess);
    }
}

std::optional<FusedPlanChoice> EdgeTpuModel::search_fused(const std::vector<Layer> &layers,
                                                          const Workload &workload,
                                                          std::int64_t most_priced) const {
    std::vector<ArrayPrices> list;
    for (const Layer &layer : layers) {
        if (refusal(target_, layer)) { // whatever the plan
            Fusion any;
            any.members.resize(layers.size());
            return FusedPlanChoice{any, true, 1};
        }
        list.push_back(prices(layer, workload));
    }
    const FusionChoice best = best_fusion(layers, limits_, list, most_priced);
    return FusedPlanChoice{best.plan, best.proven, best.priced};
}

Verdict EdgeTpuModel::price_fused(const std::vector<Layer> &layers, const FusedNest &nest,
                                  const Workload &workload) const {
    Work work;
    Bytes border, unique = nest.level.tiles.residual.reads;
    for (std::size_t i = 0; i < layers.size(); i++) {
        if (const auto refused = refusal(target_, layers[i])) {
            return *refused;
        }
        const Work part = array_work(nest.worked[i], nest.members[i], workload);
        work.compute += part.compute;
        work.fill_drain += part.fill_drain;
        work.elementwise += part.elementwise;
        work.overhead += part.overhead;
        work.issued += part.issued;
        work.registers += part.registers;
        work.register_pj_per_byte = part.register_pj_per_byte;
        work.macs_per_cycle = part.macs_per_cycle;
        work.pj_per_mac = part.pj_per_mac;
        work.clock_ghz = part.clock_ghz;
        border += Bytes(least_border_bytes(array_problem(layers[i])));
        unique += nest.members[i].weights.footprint;
    }
    const std::string problem = fusion_problem(layers, nest.plan, limits_);
    if (!problem.empty()) {
        return Infeasible{problem};
    }
    work.macs = nest.macs();
    work.repeated = nest.repeated();
    const TileLevel &tiles = nest.level.tiles;
    work.loads = {scratchpad_, memory_};
    work.loads[0].bytes = nest.traffic();
    work.loads[0].least = border;
    work.loads[1].bytes = tiles.traffic();
    work.loads[1].exposed = tiles.double_buffered ? tiles.exposed : tiles.traffic();
    const Bytes ends = nest.members.front().input.footprint + nest.members.back().output.footprint;
    work.loads[1].least = unique + ends;
    add_excess(ends + nest.level.tiles.residual.reads, work);
    return roofline(work);
}

Cost EdgeTpuModel::network_cost(const NetworkTotals &totals, const Workload &) const {
    Work work = common_.inference_work();
    work.loads = {spill(streamed_, totals.weights, weight_memory_)};
    if (host_in_ && host_out_) {
        work.loads.push_back(*host_in_);
        work.loads.back().bytes = work.loads.back().least = totals.input;
        work.loads.push_back(*host_out_);
        work.loads.back().bytes = work.loads.back().least = totals.output;
    }
    for (LevelLoad &load : work.loads) {
        load.exposed = load.bytes; // one link, one transfer after another
    }
    return roofline(work);
}

} // namespace edgefront
