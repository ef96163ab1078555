#include "hwmodels/target_kernels.h"

#include "base/error.h"
#include "hwmodels/target.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

std::optional<Constant> read_whole(const JsonReader &json, const std::string &key, double least,
                                   double most) {
    const auto entry = json.find(key);
    if (!entry) {
        return std::nullopt;
    }
    const Constant constant = read_constant(*entry, least, most);
    if (constant.value != std::floor(constant.value)) {
        throw entry->at("value").error("expected a whole number");
    }
    return constant;
}

} // namespace

TargetKernels read_kernels(const JsonReader &json, const Target &target) {
    const auto &precisions = target.precisions;
    if (target.kind != TargetKind::cpu ||
        std::find(precisions.begin(), precisions.end(), DataType::fp32) == precisions.end()) {
        throw json.error("kernels are generated for CPUs in fp32, expected a target of kind cpu "
                         "with that precision");
    }
    TargetKernels kernels;
    kernels.halide_target = json.at("halide_target").string();
    if (!kernels.are_for_this_machine()) {
        try {
            isa_info(kernels.halide_target);
        } catch (const UserError &e) {
            throw json.at("halide_target").error(e.what());
        }
    }
    kernels.mac_latency_cycles = read_whole(json, "mac_latency_cycles", 1, 64);
    kernels.in_order = read_whole(json, "in_order", 0, 1);
    json.finish();
    return kernels;
}

Json write_kernels(const TargetKernels &kernels) {
    Json json = {{"halide_target", kernels.halide_target}};
    if (kernels.mac_latency_cycles) {
        json["mac_latency_cycles"] = write_constant(*kernels.mac_latency_cycles);
    }
    if (kernels.in_order) {
        json["in_order"] = write_constant(*kernels.in_order);
    }
    return json;
}

CoreInfo core_info(const Target &target) {
    CoreInfo core;
    const TargetKernels &kernels = target.kernels.value();
    if (kernels.are_for_this_machine()) {
        return core;
    }
    core.multiplies = target.constant("mac_ports");
    core.loads = target.constant("load_ports");
    core.issue = target.constant("issue_width");
    core.l1_bytes = 1024 * target.constant("l1_kib");
    if (kernels.mac_latency_cycles) {
        core.latency = kernels.mac_latency_cycles->value;
    }
    core.in_order = kernels.in_order && kernels.in_order->value != 0;
    return core;
}

} // namespace edgefront
