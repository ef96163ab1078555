#include "schedules/packing.h"

#include "schedules/kernel_shape.h"

#include <stdexcept>

namespace edgefront {

namespace {

std::int64_t tile_width(const Schedule &schedule) {
    return std::int64_t{1} * schedule.lanes * schedule.vectors;
}

std::int64_t padded_channels(const Layer &layer, const Schedule &schedule) {
    const std::int64_t width = tile_width(schedule);
    return ceil_div(layer.output.channels, width) * width;
}

} // namespace

std::int64_t packed_weight_count(const Layer &layer, const Schedule &schedule) {
    const std::int64_t plain = weight_count(layer).count();
    return is_dense(layer) ? plain / layer.output.channels * padded_channels(layer, schedule)
                           : plain;
}

std::int64_t packed_bias_count(const Layer &layer, const Schedule &schedule) {
    if (!layer.has_weights()) {
        return 0;
    }
    return is_dense(layer) ? padded_channels(layer, schedule) : layer.output.channels;
}

std::vector<float> pack_weights(const Layer &layer, const Schedule &schedule,
                                const std::vector<float> &plain) {
    if (static_cast<std::int64_t>(plain.size()) != weight_count(layer).count()) {
        throw std::logic_error("pack_weights: wrong number of weights for " + key(layer));
    }
    if (!is_dense(layer)) {
        return plain;
    }
    const std::size_t width = static_cast<std::size_t>(tile_width(schedule));
    const std::size_t channels = static_cast<std::size_t>(layer.output.channels);
    const std::size_t depth = plain.size() / channels;
    std::vector<float> packed(static_cast<std::size_t>(packed_weight_count(layer, schedule)));
    for (std::size_t k = 0; k < depth; k++) {
        for (std::size_t n = 0; n < channels; n++) {
            packed[(n / width * depth + k) * width + n % width] = plain[k * channels + n];
        }
    }
    return packed;
}

std::vector<float> pack_bias(const Layer &layer, const Schedule &schedule,
                             const std::vector<float> &plain) {
    const std::size_t channels = layer.bias ? static_cast<std::size_t>(layer.output.channels) : 0;
    if (plain.size() != channels) {
        throw std::logic_error("pack_bias: wrong number of biases for " + key(layer));
    }
    std::vector<float> packed = plain;
    packed.resize(static_cast<std::size_t>(packed_bias_count(layer, schedule)));
    return packed;
}

} // namespace edgefront
