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
    double network_rms = 0;  ///< of whole networks' relative errors
    double held_out_rms = 0; ///< each predicted by a fit to the others
};

/// The target with clock, bandwidths, `kernel_registers` and all prices of kernels set, their
/// provenance, and a calibration with one row per network. Least squares of relative errors: of
/// every layer, weighted with its share of its network, and of every network. Deterministic.
/// Throws UserError for a target that is no CPU with fp32, and for timings of fewer than two
/// networks.
Target fit_kernels(const Target &target, const KernelTimings &timings);

/// Of a target on timings, which may be others than those it was fitted to; `held_out_rms` is left
/// 0.
KernelErrors kernel_errors(const Target &target, const KernelTimings &timings);

} // namespace edgefront
