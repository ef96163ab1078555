// A CPU target from timings of kernels on this machine: rates that micro-benchmarks measured, and
// the prices of our kernels (kernel_prices.h) fitted to layers inside running networks.
#pragma once

#include "hwmodels/kernel_timings.h"
#include "hwmodels/target.h"

namespace edgefront {

/// How well a target predicts timings.
struct KernelErrors {
    int layers = 0;
    double median = 0; ///< of the layers' relative errors
    double p90 = 0;
    double network_rms = 0; ///< of whole networks' relative errors
};

/// The target with clock, bandwidths, what the instruction set says of vectors, and all prices of
/// kernels set, their provenance, and a calibration with one row per network. Rates per cycle of
/// other precisions, which nobody timed, are restated for the new clock, so that they stay the same
/// per second. Least squares of relative errors: of every layer, weighted with its share of its
/// network, and of every network. A row's `held_out_ms` is from a fit without that network that
/// starts from the optimum of all, so another minimum far from there would not be seen.
/// Deterministic. Throws UserError where `timed_machine` does, and for timings of fewer than
/// two networks.
Target fit_kernels(const Target &target, const KernelTimings &timings);

/// Of a target on timings, which may be others than those it was fitted to.
KernelErrors kernel_errors(const Target &target, const KernelTimings &timings);

} // namespace edgefront
