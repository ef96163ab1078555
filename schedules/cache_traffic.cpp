#include "schedules/cache_traffic.h"

#include "schedules/kernel_shape.h"

#include <algorithm>

namespace edgefront {

namespace {

/// How often a tensor passes: once, or for each of `passes` when `between` does not fit.
std::int64_t times(std::int64_t passes, std::int64_t between, Bytes capacity) {
    return between <= capacity.count() ? 1 : passes;
}

Bytes product_traffic(const Layer &layer, const LoopNest &nest, Bytes capacity) {
    const auto &s = std::get<Schedule>(nest.plan);
    const bool attention = is_attention(layer);
    // Groups and heads are worked on one after another, and so are the rows of attention.
    const std::int64_t parts = layer.op == Op::fully_connected ? 1 : std::int64_t{1} * layer.groups;
    const std::int64_t runs = parts * (attention ? layer.output.height : 1);
    Bytes second = nest.weights.footprint;
    for (const Shape &other : layer.others) {
        second += Bytes(other.elements() * size_of(layer.type));
    }
    const Bytes first = nest.input.footprint + nest.weights.footprint - second;
    const std::int64_t rows = attention ? 1 : ceil_div(layer.output.height, s.rows);
    const std::int64_t pixel_tiles = rows * ceil_div(layer.output.width, s.pixels);
    const std::int64_t channel_tiles =
        ceil_div(layer.output.channels / parts, std::int64_t{1} * s.lanes * s.vectors);
    // Of one run: the whole tensors, and what one tile needs of them.
    const std::int64_t input = first.count() / runs;
    const std::int64_t weights = second.count() / runs;
    const std::int64_t input_tile = ceil_div(input, pixel_tiles);
    const std::int64_t weight_tile = ceil_div(weights, channel_tiles);

    const bool channels_outer = s.order == LoopOrder::channels_outer;
    const std::int64_t input_times = times(
        channel_tiles, channels_outer ? input + weight_tile : input_tile + weight_tile, capacity);
    const std::int64_t weight_times = times(
        pixel_tiles, channels_outer ? input_tile + weight_tile : input_tile + weights, capacity);
    return first * input_times + second * weight_times + nest.residual.footprint +
           nest.output.footprint;
}

Bytes window_traffic(const Layer &layer, const LoopNest &nest, Bytes capacity) {
    const auto &s = std::get<Schedule>(nest.plan);
    // Of the window's rows, those that the next row of outputs reads again.
    const std::int64_t reach = std::int64_t{1} * (s.rows - 1) * layer.stride + layer.reach();
    const std::int64_t step = std::int64_t{1} * s.rows * layer.stride;
    const std::int64_t channels = s.order == LoopOrder::channels_outer
                                      ? std::min(s.lanes * s.vectors, layer.input.channels)
                                      : layer.input.channels;
    const std::int64_t rows = reach * layer.input.width * channels * size_of(layer.type);
    const std::int64_t passes =
        times(std::max<std::int64_t>(1, ceil_div(reach, step)), rows, capacity);
    return nest.input.footprint * passes + nest.weights.footprint + nest.residual.footprint +
           nest.output.footprint;
}

} // namespace

Bytes cache_traffic(const Layer &layer, const LoopNest &nest, Bytes capacity) {
    if (is_product(layer)) {
        return product_traffic(layer, nest, capacity);
    }
    if (has_channel_window(layer)) {
        return window_traffic(layer, nest, capacity);
    }
    return nest.footprint();
}

} // namespace edgefront
