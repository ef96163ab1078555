// What timings say of a machine without any fit: the rates that micro-benchmarks measured, and the
// vectors of the instruction set that its kernels were compiled for.
#pragma once

#include "hwmodels/kernel_timings.h"
#include "hwmodels/target.h"

namespace edgefront {

/// Throws UserError unless the target is a CPU with fp32 whose kernels are for this machine: of
/// another one, timings taken here say nothing.
void require_this_machine(const Target &target);

/// The target with clock, bandwidths and what the instruction set says of vectors, each with its
/// provenance. Rates per cycle of other precisions than fp32, which nobody timed, are restated for
/// the new clock, so that they stay the same per second. Throws UserError where
/// `require_this_machine` does, and for an instruction set that no schedules are for.
Target timed_machine(Target target, const KernelTimings &timings);

/// As constants are written: more digits than that are noise.
double four_digits(double value);

} // namespace edgefront
