#include "hwmodels/timed_machine.h"

#include "base/error.h"
#include "schedules/schedule_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace edgefront {

namespace {

constexpr double step_latency = 6; // cycles: twelve sums on two ports; assumed

/// Sets constants one kind after the other.
class Machine {
public:
    Machine(Target target, const KernelTimings &timings)
        : target_(std::move(target)), timings_(timings) {
        target_.base.reset(); // a file of this machine stands alone
        target_.based_on.clear();
        set_vectors();
        const MachineRates &r = timings.rates;
        const double clock = r.peak_gflops / (2 * target_.constant("mac_per_cycle_fp32"));
        const double clock_before = target_.constant("clock_ghz");
        measured("clock_ghz", clock,
                 fmt::format("multiply-adds on registers, one core: {:.0f} GFLOP/s at {} a cycle",
                             r.peak_gflops, 2 * target_.constant("mac_per_cycle_fp32")));
        restate_other_precisions(clock_before);
        const std::string read = "read bandwidth of one core, array within the level";
        if (r.l2_gb_per_s > 0) {
            measured("l2_bytes_per_cycle", r.l2_gb_per_s / clock,
                     read + fmt::format(": {:.0f} GB/s", r.l2_gb_per_s));
        }
        if (r.l3_gb_per_s > 0) {
            measured("cache_gb_per_s", r.l3_gb_per_s, read);
        }
        if (r.dram_gb_per_s > 0) {
            measured("dram_gb_per_s", r.dram_gb_per_s,
                     "read bandwidth of one core, array beyond the last cache");
        }
        set("step_cycles", step_latency,
            {"neither measured nor fitted: four cycles of latency would be eight sums on two "
             "ports; tiles of less than twelve are taken to fall behind",
             "assumed"});
    }

    const Target &target() const { return target_; }

private:
    /// What the kernels were compiled for decides how wide their vectors are, whatever the file
    /// says of another machine.
    void set_vectors() {
        const IsaInfo isa = isa_info(timings_.kernels);
        const double ports = target_.constant("mac_ports");
        const Provenance from = {"instruction set: " + timings_.kernels, "derived"};
        set("lanes_fp32", isa.lanes, from);
        set("vector_bytes", 4.0 * isa.lanes, from);
        set("kernel_registers", isa.registers, from);
        set("mac_per_cycle_fp32", ports * isa.lanes,
            {fmt::format("{} multiply-adds of {} lanes each cycle; {}", ports, isa.lanes,
                         from.source),
             "derived"});
    }

    /// Rates per cycle that were found at another clock and are not fitted here stay what they are
    /// per second.
    void restate_other_precisions(double clock_before) {
        const double clock = target_.constant("clock_ghz");
        if (clock == clock_before) {
            return;
        }
        const std::string note = "; restated from a clock of ";
        for (const ConstantSpec &spec : constant_specs(target_)) {
            const auto found = target_.constants.find(spec.key);
            if (found == target_.constants.end() || !is_per_cycle_of_another(spec.key)) {
                continue;
            }
            Constant &constant = found->second;
            constant.value =
                std::min(spec.most, four_digits(constant.value * clock_before / clock));
            std::string &source = constant.provenance.source;
            if (source.find(note) == std::string::npos) { // else the first clock is still true
                source += fmt::format("{}{} GHz", note, clock_before);
            }
        }
    }

    /// Whether a key is that of a rate per cycle in a precision that is not timed.
    static bool is_per_cycle_of_another(const std::string &key) {
        for (const char *rate : {"dense_efficiency", "depthwise_efficiency", "elements_per_cycle",
                                 "outputs_per_cycle"}) {
            for (const DataType precision : {DataType::fp16, DataType::int8}) {
                if (key == std::string(rate) + "_" + to_string(precision)) {
                    return true;
                }
            }
        }
        return false;
    }

    void set(const std::string &key, double value, Provenance provenance) {
        target_.constants[key] = {value, std::move(provenance)};
    }
    void measured(const std::string &key, double value, const std::string &how) {
        set(key, four_digits(value),
            {how + "; " + timings_.machine + ", " + timings_.when + " (edgefront calibrate)",
             "measured"});
    }

    Target target_;
    const KernelTimings &timings_;
};

} // namespace

double four_digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return std::stod(text);
}

void require_this_machine(const Target &target) {
    if (target.kind != TargetKind::cpu || !target.has("mac_per_cycle_fp32")) {
        throw UserError("target " + target.name +
                        " is no CPU that computes in fp32: kernels of this machine say nothing "
                        "about it");
    }
    if (!target.kernels || !target.kernels->are_for_this_machine()) {
        throw UserError("target " + target.name + " is not this machine: " +
                        (target.kernels ? "its kernels are for " + target.kernels->halide_target
                                        : "no kernels are generated for it") +
                        "; expected one with \"kernels\": {\"halide_target\": \"" +
                        TargetKernels::this_machine + "\"}, such as host");
    }
}

Target timed_machine(Target target, const KernelTimings &timings) {
    require_this_machine(target);
    return Machine(std::move(target), timings).target();
}

} // namespace edgefront
