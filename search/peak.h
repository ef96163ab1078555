// What this machine's multipliers can do, measured: fused multiply-adds on registers only.
#pragma once

namespace edgefront {

/// fp32 operations per second (1 multiply-add = 2) of `threads` threads together, the best of
/// several short slices within about a quarter of a second.
double measure_peak_flops(int threads);

} // namespace edgefront
