// What kernels are generated for a target, and what choosing their schedules takes beside the
// constants that prices are made of. The member "kernels" of a target's file.
#pragma once

#include "hwmodels/constant.h"
#include "schedules/schedule_space.h"

#include <optional>
#include <string>

namespace edgefront {

struct Target;

struct TargetKernels {
    /// A `halide_target` that means the machine the tool runs on.
    static constexpr const char *this_machine = "host";

    std::string halide_target;                  ///< "arm-64-linux", or `this_machine`
    std::optional<Constant> mac_latency_cycles; ///< until a sum can be added to again
    std::optional<Constant> in_order; ///< 1: instructions start in the order of the program

    bool are_for_this_machine() const { return halide_target == this_machine; }
};

/// Throws UserError when the target is no CPU with fp32, which kernels are generated for only, and
/// for an architecture without schedules.
TargetKernels read_kernels(const JsonReader &json, const Target &target);
Json write_kernels(const TargetKernels &kernels);

/// What the schedules of a target's kernels are chosen by; for this machine what they were measured
/// with. The target has to have kernels.
CoreInfo core_info(const Target &target);

} // namespace edgefront
