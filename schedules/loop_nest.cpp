#include "schedules/loop_nest.h"

namespace edgefront {

namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

/// The loops around the register tile: how many tiles there are, and what they cover.
struct Tiles {
    std::int64_t channels;        ///< tiles of output channels
    std::int64_t pixels;          ///< tiles of output pixels
    std::int64_t padded_channels; ///< output channels, filled up to whole tiles
    std::int64_t padded_pixels;   ///< output pixels, filled up to whole tiles
};

Tiles tiles_of(const Layer &layer, const Schedule &schedule) {
    const std::int64_t width = std::int64_t{1} * schedule.lanes * schedule.vectors;
    Tiles t{};
    t.channels = ceil_div(layer.output.channels, width);
    t.pixels = ceil_div(layer.output.width, schedule.pixels) *
               ceil_div(layer.output.height, schedule.rows);
    t.padded_channels = t.channels * width;
    t.padded_pixels = t.pixels * schedule.pixels * schedule.rows;
    return t;
}

/// Length of the reduction of one output element.
std::int64_t reduction(const Layer &layer) {
    const std::int64_t taps = std::int64_t{1} * layer.kernel * layer.kernel;
    switch (layer.op) {
    case Op::conv2d: return taps * (layer.input.channels / layer.groups);
    case Op::fully_connected: return layer.input.elements();
    case Op::depthwise_conv2d:
    case Op::max_pool: return taps;
    case Op::global_average_pool: return std::int64_t{1} * layer.input.height * layer.input.width;
    case Op::average_pool:
    case Op::elementwise:
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax:
    case Op::attention_scores:
    case Op::attention_context:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold:
    case Op::resize_bilinear:
    case Op::channel_scale: return 1; // TODO(costs)
    }
    return 0;
}

/// Input elements read when every channel has its own window: neighbouring outputs of a tile share
/// the columns and rows of their windows.
std::int64_t windowed_reads(const Layer &layer, const Schedule &schedule, const Tiles &tiles) {
    const std::int64_t columns =
        std::int64_t{1} * (schedule.pixels - 1) * layer.stride + layer.kernel;
    const std::int64_t rows = std::int64_t{1} * (schedule.rows - 1) * layer.stride + layer.kernel;
    return tiles.pixels * columns * rows * tiles.padded_channels;
}

} // namespace

LoopNest analyse(const Layer &layer, const Schedule &schedule) {
    const Tiles tiles = tiles_of(layer, schedule);
    const std::int64_t depth = reduction(layer);
    const std::int64_t element = size_of(layer.type);
    const std::int64_t outputs = layer.output.elements();

    LoopNest nest{};
    nest.macs = macs(layer);
    nest.lane_use = 1;
    nest.output.footprint = output_bytes(layer);
    nest.output.writes = nest.output.footprint;
    if (layer.residual) {
        nest.residual.footprint = Bytes(outputs * element);
        nest.residual.reads = nest.residual.footprint;
    }
    nest.input.footprint = input_bytes(layer) - nest.residual.footprint;
    nest.weights.footprint = weight_bytes(layer);
    nest.elementwise =
        (layer.residual ? outputs : 0) + (layer.activation != Activation::none ? outputs : 0);

    // The reduction runs innermost and its sums stay in registers, so that every tile fetches its
    // operands anew. Only a reduction that is one straight piece of code lets an operand that the
    // inner tile loop does not index stay in registers.
    const bool straight = layer.op == Op::depthwise_conv2d || depth <= schedule.unroll;
    const bool weights_stay = straight && schedule.order == LoopOrder::channels_outer;
    const bool input_stays = straight && schedule.order == LoopOrder::pixels_outer;
    const Bytes bias = weight_bytes(layer) - Bytes(weight_count(layer).count() * element);

    switch (layer.op) {
    case Op::conv2d:
    case Op::fully_connected: {
        nest.issued = Macs(tiles.padded_channels * tiles.padded_pixels * depth);
        nest.input.reads =
            Bytes((input_stays ? 1 : tiles.channels) * tiles.padded_pixels * depth * element);
        const std::int64_t passes = weights_stay ? 1 : tiles.pixels;
        nest.weights.reads =
            Bytes(tiles.padded_channels * depth * element * passes) + bias * passes;
        break;
    }
    case Op::max_pool:
        nest.input.reads = Bytes(windowed_reads(layer, schedule, tiles) * element);
        nest.elementwise += outputs * depth;
        break;
    case Op::depthwise_conv2d: {
        nest.issued = Macs(tiles.padded_channels * tiles.padded_pixels * depth);
        nest.input.reads = Bytes(windowed_reads(layer, schedule, tiles) * element);
        const std::int64_t passes = weights_stay ? 1 : tiles.pixels;
        nest.weights.reads =
            Bytes(tiles.padded_channels * depth * element * passes) + bias * passes;
        break;
    }
    case Op::global_average_pool:
        nest.input.reads = nest.input.footprint;
        nest.elementwise += layer.input.elements();
        break;
    case Op::average_pool:
    case Op::elementwise:
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax:
    case Op::attention_scores:
    case Op::attention_context:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold:
    case Op::resize_bilinear: break; // TODO(costs)
    case Op::channel_scale: {
        const std::int64_t passes = schedule.order == LoopOrder::channels_outer ? 1 : tiles.pixels;
        const Bytes gate = nest.input.footprint - Bytes(layer.input.elements() * element);
        nest.input.reads = Bytes(layer.input.elements() * element) + gate * passes;
        nest.elementwise += outputs;
        break;
    }
    }
    if (nest.issued.count() > 0) {
        nest.lane_use = nest.macs / nest.issued;
    }
    return nest;
}

} // namespace edgefront
