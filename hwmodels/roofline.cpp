#include "hwmodels/roofline.h"

#include <algorithm>

namespace edgefront {

Cost roofline(const Work &work) {
    const double hertz = work.clock_ghz * 1e9;
    const double compute = work.compute.count() / hertz;
    double busy = compute;
    double energy = static_cast<double>(work.macs.count()) * work.pj_per_mac;
    double longest = compute;
    BoundBy bound = BoundBy::compute;

    Cost cost;
    for (const LevelLoad &load : work.loads) {
        const double bytes = static_cast<double>(load.bytes.count());
        const double seconds = bytes > 0 ? bytes / (load.gb_per_s * 1e9) : 0;
        energy += bytes * load.pj_per_byte;
        busy = work.overlapped ? std::max(busy, seconds) : busy + seconds;
        if (seconds > longest) {
            longest = seconds;
            bound = load.bound;
        }
        cost.traffic.push_back({load.level, load.bytes});
    }
    if (work.overhead.count() > longest) {
        bound = BoundBy::overhead;
    }
    cost.latency = work.overhead + Seconds(busy);
    cost.cycles = Cycles(cost.latency.count() * hertz);
    cost.energy = Picojoules(energy);
    const double most = work.macs_per_cycle * cost.cycles.count();
    cost.utilisation = most > 0 ? static_cast<double>(work.macs.count()) / most : 0;
    cost.bound_by = bound;
    cost.kind = CostKind::modelled;
    return cost;
}

std::optional<Unsupported> refusal(const Target &target, const Layer &layer) {
    for (const std::string &name : {to_string(layer.op), to_string(layer.activation)}) {
        const auto it = target.unsupported.find(name);
        if (it != target.unsupported.end()) {
            return Unsupported{name + ": " + it->second.reason};
        }
    }
    return {};
}

double priced_elements(const Layer &layer, const LoopNest &nest) {
    const bool clamps =
        layer.activation == Activation::relu || layer.activation == Activation::relu6;
    return static_cast<double>(nest.elementwise - (clamps ? layer.output.elements() : 0));
}

} // namespace edgefront
