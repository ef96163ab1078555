#include "hwmodels/kernel_prices.h"

#include "schedules/kernel_shape.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

constexpr char marker[] = "kernel_registers";

/// Whether the layer's epilogue or operator needs exponentials of all its outputs.
bool takes_exponentials(const Layer &layer) {
    switch (layer.activation) {
    case Activation::swish:
    case Activation::sigmoid:
    case Activation::gelu: return true;
    case Activation::none:
    case Activation::relu:
    case Activation::relu6:
    case Activation::hard_swish:
    case Activation::hard_sigmoid: break;
    }
    return layer.op == Op::softmax;
}

LevelLoad awaited(const std::string &level, Bytes bytes, double gb_per_s) {
    LevelLoad load;
    load.level = level;
    load.gb_per_s = gb_per_s;
    load.exposed = bytes;
    return load;
}

} // namespace

std::vector<ConstantSpec> KernelPrices::specs() {
    using C = ConstantSpec;
    return {
        {marker, 1, 1024,
         "vector registers that generated kernels use; with it, fp32 is priced as these kernels "
         "with their own schedules",
         C::optional | C::whole},
        {"kernel_overhead_us", 0, 1e5, "fixed time of a generated kernel", C::time | C::optional},
        {"exp_elements_per_cycle", 1e-3, 1e4,
         "exponentials per cycle: swish, sigmoid, gelu, softmax of generated kernels",
         C::rate | C::optional},
        {"step_cycles", 0, 1000,
         "least cycles of a step of a reduction: what its chains of additions wait", C::optional},
        {"tap_cycles", 0, 1000, "cycles of a register tile of a dense convolution for every tap",
         C::time | C::optional},
        {"window_load_cycles", 0, 100,
         "cycles of a load of a depthwise kernel or pooling beyond those of the load ports",
         C::time | C::optional},
        {"edge_factor", 0, 100,
         "cycles that tiles at the border of a padded map take more, as a multiple of their "
         "multiply-adds",
         C::time | C::optional},
        {"input_gb_per_s", 1e-2, 1e5,
         "rate of input activations that the first cache has lost, while kernels wait for them",
         C::rate | C::optional},
        {"weight_gb_per_s", 1e-2, 1e5, "rate of weights, while kernels wait for them",
         C::rate | C::optional},
        {"spill_gb_per_s", 1e-2, 1e5,
         "rate of activations that the second cache has lost, while kernels wait for them",
         C::rate | C::optional},
        {"turnover", 0, 1000,
         "activations that pass the last cache in an inference, as a multiple of their peak",
         C::time | C::optional},
        {"kept_mib", 0, 1e6,
         "what may pass the last cache before it loses weights; of them the share is lost that "
         "the rest has in cache_mib",
         C::optional},
    };
}

const std::vector<std::string> &KernelPrices::fitted_keys() {
    static const std::vector<std::string> keys = {"kernel_overhead_us", "exp_elements_per_cycle",
                                                  "tap_cycles",         "window_load_cycles",
                                                  "edge_factor",        "input_gb_per_s",
                                                  "weight_gb_per_s",    "spill_gb_per_s",
                                                  "turnover",           "kept_mib"};
    return keys;
}

std::optional<KernelPrices> KernelPrices::of(const Target &target) {
    if (!target.has(marker) || !target.has("lanes_fp32")) {
        return {};
    }
    return KernelPrices(target);
}

KernelPrices::KernelPrices(const Target &target)
    : isa_{static_cast<int>(target.constant("lanes", DataType::fp32)),
           static_cast<int>(target.constant(marker))},
      mac_ports_(target.constant("mac_ports")), load_ports_(target.constant("load_ports")),
      dense_efficiency_(target.constant("dense_efficiency", DataType::fp32)),
      depthwise_efficiency_(target.constant("depthwise_efficiency", DataType::fp32)),
      elements_per_cycle_(target.constant("elements_per_cycle", DataType::fp32)),
      exp_elements_per_cycle_(constant_or(target, "exp_elements_per_cycle", elements_per_cycle_)),
      step_cycles_(constant_or(target, "step_cycles", 0)),
      tap_cycles_(constant_or(target, "tap_cycles", 0)),
      window_load_cycles_(constant_or(target, "window_load_cycles", 0)),
      edge_factor_(constant_or(target, "edge_factor", 0)),
      input_gb_per_s_(constant_or(target, "input_gb_per_s", 1e5)),
      weight_gb_per_s_(constant_or(target, "weight_gb_per_s", 1e5)),
      spill_gb_per_s_(constant_or(target, "spill_gb_per_s", 1e5)),
      turnover_(constant_or(target, "turnover", 0)),
      overhead_(constant_or(target, "kernel_overhead_us", 0) * 1e-6),
      kept_(mebibytes(constant_or(target, "kept_mib", target.constant("cache_mib")))),
      cache_(mebibytes(target.constant("cache_mib"))) {}

Schedule KernelPrices::schedule(const Layer &layer, int threads) const {
    // Packages hold kernels for two threads or more, whatever number they run on.
    return default_schedule(layer, isa_, std::max(2, threads));
}

void KernelPrices::set_computing(const Layer &layer, const LoopNest &nest, Work &work) const {
    const KernelCounts c = kernel_counts(layer, std::get<Schedule>(nest.plan), isa_);
    const double multiply = static_cast<double>(nest.issued.count()) / work.macs_per_cycle;
    const double busiest = std::max({multiply, c.adds / mac_ports_, c.loads / load_ports_});
    double extra = 0;
    if (c.window) {
        work.compute = Cycles(busiest / depthwise_efficiency_);
        extra = c.loads * window_load_cycles_ + c.edge * busiest * edge_factor_;
    } else {
        work.compute = Cycles(std::max(busiest, c.steps * step_cycles_) / dense_efficiency_);
        extra = c.taps * tap_cycles_;
    }
    work.fill_drain = Cycles(extra);
    work.overhead = overhead_;
    // Windows of pooling are counted above.
    const bool pools = c.window && layer.op != Op::depthwise_conv2d;
    double elements = static_cast<double>(nest.elementwise);
    if (pools) {
        elements -= static_cast<double>(layer.output.elements()) * layer.kernel * layer.kernel;
    }
    const bool clamps =
        layer.activation == Activation::relu || layer.activation == Activation::relu6;
    const double outputs = static_cast<double>(layer.output.elements());
    elements -= clamps ? outputs : 0;
    double cycles = 0;
    if (takes_exponentials(layer)) {
        elements -= layer.activation == Activation::none ? 0 : outputs;
        cycles = outputs / exp_elements_per_cycle_;
    }
    work.elementwise = Cycles(cycles + std::max(0.0, elements) / elements_per_cycle_);
}

LevelLoad KernelPrices::awaited_input(const LoopNest &nest, Bytes l1) const {
    const Bytes lost = nest.input.footprint + nest.residual.footprint - l1;
    return awaited("l2", std::max(Bytes(0), lost), input_gb_per_s_);
}

LevelLoad KernelPrices::awaited_weights(const LoopNest &nest) const {
    return awaited("cache", nest.weights.footprint, weight_gb_per_s_);
}

LevelLoad KernelPrices::awaited_spill(Bytes spilt) const {
    return awaited("cache", spilt, spill_gb_per_s_);
}

Bytes KernelPrices::lost_weights(const NetworkTotals &totals) const {
    const auto weights = static_cast<double>(totals.weights.count());
    const double passing =
        weights + turnover_ * static_cast<double>(totals.peak_activations.count());
    const double beyond = passing - static_cast<double>(kept_.count());
    const double share = beyond / static_cast<double>(std::max<std::int64_t>(1, cache_.count()));
    return Bytes(std::llround(weights * std::clamp(share, 0.0, 1.0)));
}

} // namespace edgefront
