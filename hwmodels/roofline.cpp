#include "hwmodels/roofline.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// Element operations that take instructions of their own: all of the nest's but plain clamping
/// (relu, relu6), which is part of writing an output.
double priced_elements(const Layer &layer, const LoopNest &nest) {
    const bool clamps =
        layer.activation == Activation::relu || layer.activation == Activation::relu6;
    return static_cast<double>(nest.elementwise - (clamps ? layer.output.elements() : 0));
}

} // namespace

CommonConstants::CommonConstants(const Target &target)
    : clock_ghz_(target.constant("clock_ghz")),
      register_pj_per_byte_(constant_or(target, "register_pj_per_byte", 0)),
      layer_overhead_(target.constant("layer_overhead_us") * 1e-6),
      inference_overhead_(target.constant("inference_overhead_us") * 1e-6) {
    for (const DataType precision : target.precisions) {
        Rates &r = rates_[static_cast<std::size_t>(precision)];
        r.dense_efficiency = target.constant("dense_efficiency", precision);
        r.depthwise_efficiency = target.constant("depthwise_efficiency", precision);
        r.elements_per_cycle = target.constant("elements_per_cycle", precision);
        r.pj_per_mac = target.constant("pj_per_mac", precision);
    }
}

void CommonConstants::set_macs_per_cycle(DataType precision, double rate) {
    rates_[static_cast<std::size_t>(precision)].macs_per_cycle = rate;
}

Work CommonConstants::layer_work(const Layer &layer, const LoopNest &nest,
                                 const Workload &workload) const {
    const Rates &rates = rates_[static_cast<std::size_t>(workload.precision)];
    Work work;
    work.clock_ghz = clock_ghz_;
    work.compute = Cycles(static_cast<double>(nest.issued.count()) /
                          (rates.macs_per_cycle * efficiency(layer, workload.precision)));
    work.elementwise = Cycles(priced_elements(layer, nest) / rates.elements_per_cycle);
    work.overhead = layer_overhead_;
    work.macs = nest.macs;
    work.issued = nest.issued;
    work.macs_per_cycle = rates.macs_per_cycle;
    work.pj_per_mac = rates.pj_per_mac;
    work.registers = nest.registers;
    work.register_pj_per_byte = register_pj_per_byte_;
    return work;
}

double CommonConstants::efficiency(const Layer &layer, DataType precision) const {
    const Rates &rates = rates_[static_cast<std::size_t>(precision)];
    return layer.op == Op::depthwise_conv2d ? rates.depthwise_efficiency : rates.dense_efficiency;
}

Work CommonConstants::inference_work() const {
    Work work;
    work.clock_ghz = clock_ghz_;
    work.overhead = inference_overhead_;
    return work;
}

LevelLoad level_load(const Target &target, const std::string &level, const std::string &rate_key,
                     const std::string &price_key) {
    return {level,
            {},
            target.constant(rate_key),
            target.constant(price_key),
            level == "host_link" ? BoundBy::host_link : BoundBy::memory};
}

namespace {

/// Divides the computing of `work` among its activities.
void attribute_computing(const Work &work, double hertz, Cost &cost) {
    const auto spend = [&](Activity activity, double cycles) {
        cost.spent[static_cast<std::size_t>(activity)] = Seconds(std::max(0.0, cycles) / hertz);
    };
    const auto at_peak = [&](Macs macs) {
        return work.macs_per_cycle > 0 ? static_cast<double>(macs.count()) / work.macs_per_cycle
                                       : 0;
    };
    const double compute = work.compute.count();
    const double multiply = at_peak(work.macs) * work.executed;
    const double padding = std::min(at_peak(work.issued) - multiply, compute - multiply);
    spend(Activity::multiply, multiply);
    spend(Activity::padding, padding);
    spend(Activity::below_peak, compute - multiply - std::max(0.0, padding));
    spend(Activity::fill_drain, work.fill_drain.count());
    spend(Activity::elementwise, work.elementwise.count());
    cost.spent[static_cast<std::size_t>(Activity::overhead)] = work.overhead;
    cost.lower_bound = Seconds(multiply / hertz);
}

/// The level's entry in the traffic of `cost`; neighbouring loads of one level share it.
LevelTraffic &level_of(Cost &cost, const LevelLoad &load) {
    if (cost.traffic.empty() || cost.traffic.back().level != load.level) {
        cost.traffic.push_back({load.level, {}});
    }
    return cost.traffic.back();
}

} // namespace

Cost roofline(const Work &work) {
    const double hertz = work.clock_ghz * 1e9;
    const double compute = (work.compute + work.fill_drain + work.elementwise).count() / hertz;
    double busy = compute;
    const double multiplied = static_cast<double>(work.macs.count()) * work.executed;
    double energy = (multiplied + static_cast<double>(work.repeated.count())) * work.pj_per_mac +
                    static_cast<double>(work.registers.count()) * work.register_pj_per_byte;
    double longest = compute;

    Cost cost;
    cost.bound_by = compute > 0 ? BoundBy::compute : BoundBy::nothing;
    attribute_computing(work, hertz, cost);
    for (const LevelLoad &load : work.loads) {
        const auto seconds_at = [](Bytes bytes, double gb_per_s) {
            const auto count = static_cast<double>(bytes.count());
            return count > 0 ? count / (gb_per_s * 1e9) : 0;
        };
        const auto seconds_of = [&](Bytes bytes) { return seconds_at(bytes, load.gb_per_s); };
        const double seconds = seconds_of(load.bytes);
        const double before = busy;
        energy += static_cast<double>(load.bytes.count()) * load.pj_per_byte;
        busy = std::max(busy + seconds_of(load.exposed), seconds);
        if (seconds > longest) {
            longest = seconds;
            cost.bound_by = load.bound;
        }
        const Seconds least_time(
            seconds_at(load.least, load.least_gb_per_s > 0 ? load.least_gb_per_s : load.gb_per_s));
        cost.lower_bound = std::max(cost.lower_bound, least_time);
        LevelTraffic &level = level_of(cost, load);
        level.bytes += load.bytes;
        level.least += load.least;
        level.least_time += least_time;
        level.waiting += Seconds(busy - before);
    }
    if (work.overhead.count() > longest) {
        cost.bound_by = BoundBy::overhead;
    }
    cost.latency = work.overhead + Seconds(busy);
    cost.cycles = Cycles(cost.latency.count() * hertz);
    cost.energy = Picojoules(energy);
    cost.macs = work.macs;
    cost.registers = work.registers;
    const double most = work.macs_per_cycle * cost.cycles.count();
    cost.utilisation = most > 0 ? multiplied / most : 0;
    cost.kind = CostKind::modelled;
    return cost;
}

LevelLoad spill(LevelLoad level, Bytes bytes, Bytes size) {
    level.bytes = std::max(Bytes(0), bytes - size);
    level.least = level.bytes;
    return level;
}

Bytes mebibytes(double mib) {
    return Bytes(std::llround(mib * 1024 * 1024));
}

Bytes kibibytes(double kib) {
    return mebibytes(kib / 1024);
}

double constant_or(const Target &target, const std::string &key, double otherwise) {
    return target.has(key) ? target.constant(key) : otherwise;
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

} // namespace edgefront
