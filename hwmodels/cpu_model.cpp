#include "hwmodels/cpu_model.h"

#include "schedules/cache_traffic.h"
#include "schedules/kernel_shape.h"
#include "schedules/winograd.h"

#include <algorithm>

namespace edgefront {

const std::vector<ConstantSpec> &CpuModel::specs() {
    using C = ConstantSpec;
    static const std::vector<ConstantSpec> list = [] {
        std::vector<ConstantSpec> all = {
            {"clock_ghz", 0.01, 20, "clock of the core"},
            {"mac_per_cycle", 0.01, 1e5, "multiply-adds a core can start per cycle",
             C::per_precision},
            {"lanes", 1, 1024, "accumulators of one vector register", C::per_precision | C::whole},
            {"register_vectors", 1, 32, "vectors of output channels in a register tile", C::whole},
            {"register_pixels", 1, 64, "output pixels in a register tile", C::whole},
            {"vector_bytes", 1, 1024, "bytes of a vector register: what one load brings", C::whole},
            {"mac_ports", 1, 64, "ports that start a vector multiply-add", C::whole},
            {"load_ports", 1, 64, "ports that start a vector load", C::whole},
            {"issue_width", 1, 64, "instructions a core can start per cycle", C::whole},
            {"dense_efficiency", 1e-3, 1, "share of the ports' peak that dense kernels reach",
             C::per_precision | C::rate},
            {"depthwise_efficiency", 1e-4, 1,
             "share of the ports' peak that depthwise kernels reach", C::per_precision | C::rate},
            {"outputs_per_cycle", 1e-3, 1e4,
             "outputs finished per cycle: bias, requantisation, clamp, store and the drain of "
             "their "
             "tile; left out where the efficiencies were measured with it",
             C::per_precision | C::rate | C::optional},
            {"elements_per_cycle", 1e-3, 1e4, "element-wise operations per cycle",
             C::per_precision | C::rate},
            {"winograd_outputs", 1, 8,
             "m of the F(m x m, 3 x 3) that the engine uses for dense 3x3 convolutions of stride "
             "1; "
             "left out where it has none",
             C::per_precision | C::whole | C::optional},
            {"l1_kib", 0, 1e6, "first data cache"},
            {"l2_kib", 0, 1e6, "second cache of a core: the activations it holds stay there"},
            {"l2_bytes_per_cycle", 1e-3, 1e5, "between first and second cache, one core"},
            {"cache_gb_per_s", 1e-2, 1e5, "between second and last cache, one core", C::rate},
            {"cache_mib", 1e-3, 1e4,
             "last-level cache: what of a layer's activations and of the network's weights goes "
             "beyond "
             "it comes from DRAM"},
            {"dram_gb_per_s", 1e-2, 1e5, "DRAM bandwidth, shared by all cores", C::rate},
            {"layer_overhead_us", 0, 1e5, "fixed time of a layer", C::time},
            {"thread_overhead_us", 0, 1e5,
             "time of a layer for waking and awaiting a thread, for each beyond the first",
             C::time | C::optional},
            {"inference_overhead_us", 0, 1e7, "fixed time of an inference", C::time},
            {"parallel_fraction", 0, 1, "share of a layer's time that threads divide", C::optional},
            {"thread_clock_ghz", 0.01, 20, "clock of the slowest core when several work",
             C::optional},
            {"pj_per_mac", 0, 1e4, "energy of a multiply-add", C::per_precision | C::mac_price},
            {"register_pj_per_byte", 0, 1e4, "energy of a byte of the multipliers' registers",
             C::optional | C::register_price},
            {"l2_pj_per_byte", 0, 1e4, "energy of a byte of the second cache", C::sram_price},
            {"cache_pj_per_byte", 0, 1e4, "energy of a byte of the last-level cache",
             C::sram_price},
            {"dram_pj_per_byte", 0, 1e5, "energy of a byte of DRAM", C::dram_price},
        };
        const std::vector<ConstantSpec> more = KernelPrices::specs();
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }();
    return list;
}

CpuModel::CpuModel(Target target)
    : target_(std::move(target)), common_(target_), kernels_(KernelPrices::of(target_)),
      vector_bytes_(target_.constant("vector_bytes")), mac_ports_(target_.constant("mac_ports")),
      load_ports_(target_.constant("load_ports")), issue_width_(target_.constant("issue_width")),
      parallel_(constant_or(target_, "parallel_fraction", 0)),
      pace_(std::min(1.0, constant_or(target_, "thread_clock_ghz", target_.constant("clock_ghz")) /
                              target_.constant("clock_ghz"))),
      per_thread_(constant_or(target_, "thread_overhead_us", 0) * 1e-6),
      l2_{"l2",
          {},
          target_.constant("l2_bytes_per_cycle") * target_.constant("clock_ghz"),
          target_.constant("l2_pj_per_byte")},
      cache_(level_load(target_, "cache", "cache_gb_per_s", "cache_pj_per_byte")),
      dram_(level_load(target_, "dram", "dram_gb_per_s", "dram_pj_per_byte")),
      l1_size_(kibibytes(target_.constant("l1_kib"))),
      l2_size_(kibibytes(target_.constant("l2_kib"))),
      cache_size_(mebibytes(target_.constant("cache_mib"))) {
    for (const DataType precision : target_.precisions) {
        const auto or_none = [&](const std::string &key) {
            return constant_or(target_, key + "_" + to_string(precision), 0);
        };
        Rates &r = rates_[static_cast<std::size_t>(precision)];
        r.macs_per_cycle = target_.constant("mac_per_cycle", precision);
        r.lanes = static_cast<int>(target_.constant("lanes", precision));
        r.outputs_per_cycle = or_none("outputs_per_cycle");
        r.elements_per_cycle = target_.constant("elements_per_cycle", precision);
        r.winograd = static_cast<int>(or_none("winograd_outputs"));
        common_.set_macs_per_cycle(precision, r.macs_per_cycle);
    }
}

Plan CpuModel::mapping(const Layer &layer, const Workload &workload) const {
    if (const KernelPrices *ours = kernels(workload)) {
        return ours->schedule(layer, workload.threads);
    }
    Schedule s;
    s.lanes = rates(workload.precision).lanes;
    s.order = LoopOrder::channels_outer;
    s.parallel = workload.threads > 1 ? ParallelOver::rows : ParallelOver::none;
    if (!is_product(layer)) {
        return s;
    }
    s.vectors = static_cast<int>(target_.constant("register_vectors"));
    if (layer.groups > 1) { // nor wider than a group or head
        const int channels = layer.output.channels / layer.groups;
        s.vectors = std::min(s.vectors, (channels + s.lanes - 1) / s.lanes);
    }
    // A tile is never wider than the row it works on, and tiles of a row are about as wide as each
    // other: kernels take pixels of the next row, so that few are lost.
    const int most = static_cast<int>(target_.constant("register_pixels"));
    const int tiles = (layer.output.width + most - 1) / most;
    s.pixels = (layer.output.width + tiles - 1) / tiles;
    // Engines block their loops for the caches; here the better of two orders stands for that.
    Schedule other = s;
    other.order = LoopOrder::pixels_outer;
    Layer typed = layer;
    typed.type = workload.precision;
    const auto traffic = [&](const Schedule &schedule) {
        return cache_traffic(typed, analyse(typed, schedule), l1_size_);
    };
    return traffic(other) < traffic(s) ? other : s;
}

bool CpuModel::transforms(const Layer &layer, const Rates &r) {
    return r.winograd > 0 && winograd_applies(layer);
}

double CpuModel::speedup(int threads, double pace) const {
    return threads == 1 ? 1 : 1 / (1 - parallel_ + parallel_ / (threads * pace));
}

int CpuModel::threads_for(const LoopNest &nest, const Workload &workload) const {
    const bool alone = kernels(workload) != nullptr &&
                       std::get<Schedule>(nest.plan).parallel == ParallelOver::none;
    return alone ? 1 : workload.threads;
}

double CpuModel::port_pressure(const LoopNest &nest, const Rates &r) const {
    const double macs = static_cast<double>(nest.issued.count());
    if (macs == 0) {
        return 1;
    }
    const double multiply_cycles = macs / r.macs_per_cycle;
    const double loads =
        static_cast<double>((nest.input.reads + nest.weights.reads + nest.residual.reads).count()) /
        vector_bytes_;
    const double multiplies = multiply_cycles * mac_ports_;
    const double busiest =
        std::max({multiply_cycles, loads / load_ports_, (multiplies + loads) / issue_width_});
    return busiest / multiply_cycles;
}

std::vector<LevelLoad> CpuModel::loads(const Layer &layer, const LoopNest &nest,
                                       const Workload &workload) const {
    const Bytes activations = nest.footprint() - nest.weights.footprint;
    const int threads = threads_for(nest, workload);
    LevelLoad l2 = l2_;
    l2.least = nest.footprint();
    l2.bytes = cache_traffic(layer, nest, l1_size_);
    l2.gb_per_s *= speedup(threads, pace_); // at the cores' clock
    // Weights are gone from the second cache when the next inference comes.
    LevelLoad cache = spill(cache_, activations, l2_size_);
    cache.bytes += nest.weights.footprint;
    cache.least = cache.bytes;
    cache.gb_per_s *= speedup(threads, 1);
    const LevelLoad dram = spill(dram_, activations, cache_size_);
    if (const KernelPrices *ours = kernels(workload)) {
        LevelLoad input = ours->awaited_input(nest, l1_size_);
        LevelLoad weights = ours->awaited_weights(nest);
        LevelLoad spilt = ours->awaited_spill(std::max(Bytes(0), activations - l2_size_));
        input.gb_per_s *= speedup(threads, 1);
        weights.gb_per_s *= speedup(threads, 1);
        spilt.gb_per_s *= speedup(threads, 1);
        return {input, l2, weights, spilt, cache, dram};
    }
    return {l2, cache, dram};
}

Verdict CpuModel::price(const Layer &layer, const LoopNest &nest, const Workload &workload) const {
    if (const auto refused = refusal(target_, layer)) {
        return *refused;
    }
    const Rates &r = rates(workload.precision);
    Work work = common_.layer_work(layer, nest, workload);
    work.loads = loads(layer, nest, workload);
    if (const KernelPrices *ours = kernels(workload)) {
        ours->set_computing(layer, nest, work);
    } else {
        work.compute = work.compute * port_pressure(nest, r);
    }
    double elements = 0;
    if (kernels(workload) == nullptr && transforms(layer, r)) {
        const WinogradCounts fast = winograd_counts(layer, r.winograd);
        work.executed = fast.share;
        work.registers = Bytes(static_cast<std::int64_t>(
            std::min(static_cast<double>(nest.registers.count()) * fast.padded_share, 0x1p62)));
        work.issued = Macs(static_cast<std::int64_t>(static_cast<double>(nest.issued.count()) *
                                                     fast.padded_share));
        work.compute = work.compute * fast.padded_share;
        elements = static_cast<double>(fast.transformed);
        LevelLoad &cache = work.loads[work.loads.size() - 2];
        cache.bytes += fast.more_weights;
    }
    work.loads.back().exposed = work.loads.back().bytes;
    work.elementwise += Cycles(elements / r.elements_per_cycle);
    if (r.outputs_per_cycle > 0 && nest.output.footprint > Bytes(0)) {
        const auto outputs = static_cast<double>(layer.output.elements());
        work.elementwise += Cycles(outputs / r.outputs_per_cycle);
    }
    const int threads = threads_for(nest, workload);
    const double faster = speedup(threads, pace_);
    work.fill_drain = work.fill_drain * (1 / faster);
    work.compute = work.compute * (1 / faster);
    work.elementwise = work.elementwise * (1 / faster);
    work.macs_per_cycle *= threads;
    work.overhead += per_thread_ * (threads - 1);
    return roofline(work);
}

Bytes CpuModel::stored_weights(const Layer &layer, const Workload &workload) const {
    const Rates &r = rates(workload.precision);
    const Bytes plain = weight_bytes(layer);
    return kernels(workload) == nullptr && transforms(layer, r)
               ? plain + winograd_counts(layer, r.winograd).more_weights
               : plain;
}

Cost CpuModel::network_cost(const NetworkTotals &totals, const Workload &workload) const {
    Work work = common_.inference_work();
    const KernelPrices *ours = kernels(workload);
    LevelLoad weights = spill(dram_, totals.weights, cache_size_);
    if (ours != nullptr) {
        weights.bytes = ours->lost_weights(totals);
        weights.least = Bytes(0);
    }
    work.loads = {weights};
    return roofline(work);
}

} // namespace edgefront
