// Convolutions by Winograd's minimal filtering F(m x m, 3 x 3) (Lavin and Gray, arXiv:1509.09308):
// a tile of m x m outputs takes (m + 2)^2 multiplications per pair of channels instead of 9 m^2,
// and input, weights and output are transformed before and after.
#pragma once

#include "dsl/layer.h"

namespace edgefront {

/// Whether it applies: 3 x 3, stride 1, dense (one group), no dilation, and 16 channels at least on
/// both sides, so that the transforms pay (ncnn's condition for its kernels).
bool winograd_applies(const Layer &layer);

struct WinogradCounts {
    double share = 1;             ///< of the multiply-adds, those that are left with whole tiles
    double padded_share = 1;      ///< with the outputs that tiles at the edges compute in vain
    std::int64_t transformed = 0; ///< values written by the transforms of input and output
    Bytes more_weights;           ///< what transformed weights take beyond the original ones
};

/// Counts for output tiles of m x m, m from 1 up; for a layer to which it applies.
WinogradCounts winograd_counts(const Layer &layer, int m);

} // namespace edgefront
