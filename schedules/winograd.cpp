#include "schedules/winograd.h"

#include <cmath>

namespace edgefront {

bool winograd_applies(const Layer &layer) {
    constexpr int fewest_channels = 16;
    return layer.op == Op::conv2d && layer.kernel == 3 && layer.stride == 1 && layer.groups == 1 &&
           layer.dilation == 1 && layer.input.channels >= fewest_channels &&
           layer.output.channels >= fewest_channels;
}

WinogradCounts winograd_counts(const Layer &layer, int m) {
    constexpr double taps = 9;
    const double tile = (m + 2.0) * (m + 2.0);
    const std::int64_t tiles = ceil_div(layer.output.height, m) * ceil_div(layer.output.width, m);
    const double pixels = static_cast<double>(layer.output.height) * layer.output.width;
    WinogradCounts counts;
    counts.share = tile / (taps * m * m);
    counts.padded_share = static_cast<double>(tiles) * tile / (taps * pixels);
    counts.transformed = tiles * std::llround(tile) *
                         (std::int64_t{1} * layer.input.channels + layer.output.channels);
    const auto weights = static_cast<double>(weight_count(layer).count()) * size_of(layer.type);
    counts.more_weights = Bytes(std::llround(weights * (tile / taps - 1)));
    return counts;
}

} // namespace edgefront
