// The fp32 multiply-add peak of one core, measured: what kernel speeds are shares of.
#pragma once

namespace edgefront {

/// FLOPs per second of independent multiply-adds in registers, with the widest vectors this program
/// has code for (AVX-512, AVX2, or the compiler's baseline); the best of several short runs.
double measure_fma_peak();

} // namespace edgefront
