#include "schedules/loop_nest.h"

#include "schedules/array_nest.h"
#include "schedules/kernel_shape.h"

#include <algorithm>

namespace edgefront {

namespace {

/// Parts of the channels that share no weights (or, in attention, no keys and values).
std::int64_t independent_parts(const Layer &layer) {
    return layer.op == Op::conv2d || is_attention(layer) ? layer.groups : 1;
}

/// The loops around the register tile: how many tiles there are, and what they cover.
struct Tiles {
    std::int64_t channels;        ///< tiles of output channels, each within one part
    std::int64_t pixels;          ///< tiles of output pixels
    std::int64_t columns;         ///< of these, tiles next to each other
    std::int64_t padded_channels; ///< output channels, filled up to whole tiles
    std::int64_t padded_pixels;   ///< output pixels, filled up to whole tiles
};

Tiles tiles_of(const Layer &layer, const Schedule &schedule) {
    const std::int64_t width = std::int64_t{1} * schedule.lanes * schedule.vectors;
    Tiles t{};
    const std::int64_t parts = independent_parts(layer);
    t.channels = parts * ceil_div(layer.output.channels / parts, width);
    t.columns = ceil_div(layer.output.width, schedule.pixels);
    t.pixels = t.columns * ceil_div(layer.output.height, schedule.rows);
    t.padded_channels = t.channels * width;
    t.padded_pixels = t.pixels * schedule.pixels * schedule.rows;
    return t;
}

// Norms read their input for the mean, the variance and the result; a softmax for the maximum, the
// sum of the exponentials and the quotients.
constexpr std::int64_t norm_passes = 3;
// A bilinear value is made of so many pixels.
constexpr std::int64_t bilinear_taps = 4;

/// Length of the reduction of one output element.
std::int64_t reduction(const Layer &layer) {
    const std::int64_t taps = std::int64_t{1} * layer.kernel * layer.kernel;
    switch (layer.op) {
    case Op::conv2d: return taps * (layer.input.channels / layer.groups);
    case Op::fully_connected: return layer.input.elements();
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool: return taps;
    case Op::global_average_pool: return std::int64_t{1} * layer.input.height * layer.input.width;
    case Op::attention_scores: return layer.input.channels / layer.groups;
    case Op::attention_context: return layer.others[0].width;
    case Op::resize_bilinear: return bilinear_taps;
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax: return norm_passes;
    case Op::channel_scale:
    case Op::elementwise:
    case Op::affine:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold: return 1;
    }
    return 0;
}

/// Input elements read when every channel has its own window: neighbouring outputs of a tile share
/// the columns and rows of their windows, as far as dilation and stride let them meet.
std::int64_t windowed_reads(const Layer &layer, const Schedule &schedule, const Tiles &tiles) {
    const auto distinct = [&](std::int64_t outputs) {
        return std::min((outputs - 1) * layer.stride + layer.reach(), outputs * layer.kernel);
    };
    return tiles.pixels * distinct(schedule.pixels) * distinct(schedule.rows) *
           tiles.padded_channels;
}

/// What 64 bits can count; the largest arrays over the largest layers do more.
std::int64_t countable(double count) {
    return static_cast<std::int64_t>(std::min(count, 0x1p62));
}

/// Three reads and a write for every issued multiply-add.
Bytes register_bytes(double issued, std::int64_t element) {
    return Bytes(countable(4 * issued * static_cast<double>(element)));
}

/// Inputs behind the first one.
std::int64_t other_elements(const Layer &layer) {
    std::int64_t elements = 0;
    for (const Shape &other : layer.others) {
        elements += other.elements();
    }
    return elements;
}

} // namespace

LoopNest analyse(const Layer &layer, const Schedule &schedule) {
    const Tiles tiles = tiles_of(layer, schedule);
    const std::int64_t depth = reduction(layer);
    const std::int64_t element = size_of(layer.type);
    const std::int64_t outputs = layer.output.elements();

    LoopNest nest{};
    nest.plan = schedule;
    nest.macs = macs(layer);
    nest.lane_use = 1;
    nest.output.footprint = output_bytes(layer);
    nest.output.writes = nest.output.footprint;
    if (layer.residual) {
        nest.residual.footprint = Bytes(outputs * element);
        nest.residual.reads = nest.residual.footprint;
    }
    // A slice reads nothing but what it keeps.
    nest.input.footprint = layer.op == Op::slice ? nest.output.footprint
                                                 : input_bytes(layer) - nest.residual.footprint;
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

    const std::int64_t input = layer.input.elements();

    switch (layer.op) {
    case Op::conv2d:
    case Op::fully_connected: {
        nest.issued = Macs(tiles.padded_channels * tiles.padded_pixels * depth);
        nest.input.reads = Bytes((input_stays ? independent_parts(layer) : tiles.channels) *
                                 tiles.padded_pixels * depth * element);
        const std::int64_t passes = weights_stay ? 1 : tiles.pixels;
        nest.weights.reads =
            Bytes(tiles.padded_channels * depth * element * passes) + bias * passes;
        break;
    }
    case Op::attention_scores:
    case Op::attention_context: {
        // Keys and values are the weights of a dense layer; every row of pixels has its own.
        nest.issued = Macs(tiles.padded_channels * tiles.padded_pixels * depth);
        const std::int64_t first =
            (input_stays ? independent_parts(layer) : tiles.channels) * tiles.padded_pixels * depth;
        const std::int64_t rows = ceil_div(layer.output.height, schedule.rows) * schedule.rows;
        const std::int64_t second =
            tiles.padded_channels * depth * rows * (weights_stay ? 1 : tiles.columns);
        nest.input.reads = Bytes((first + second) * element);
        nest.elementwise += layer.op == Op::attention_scores ? outputs : 0; // 1 / sqrt(d)
        break;
    }
    case Op::max_pool:
    case Op::average_pool:
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
        nest.elementwise += input;
        break;
    case Op::resize_bilinear:
        nest.input.reads = Bytes(outputs * depth * element);
        nest.elementwise += outputs * depth;
        break;
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax:
    case Op::affine: {
        const std::int64_t passes = schedule.order == LoopOrder::channels_outer ? 1 : tiles.pixels;
        nest.input.reads = Bytes(input * depth * element);
        nest.weights.reads = nest.weights.footprint * passes;
        nest.elementwise += outputs * depth;
        break;
    }
    case Op::elementwise:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::unfold:
    case Op::fold: nest.input.reads = nest.input.footprint; break;
    case Op::reshape:
        nest.input.reads = nest.input.footprint;
        if (nest.elementwise == 0) { // another name for the same bytes
            nest.input = nest.output = {};
        }
        break;
    case Op::channel_scale: {
        // A gate per row serves the tiles next to each other, one for all pixels all tiles.
        const std::int64_t tiles_of_gate =
            layer.others[0].height > 1 ? tiles.columns : tiles.pixels;
        const std::int64_t passes = schedule.order == LoopOrder::channels_outer ? 1 : tiles_of_gate;
        nest.input.reads = Bytes((input + other_elements(layer) * passes) * element);
        nest.elementwise += outputs;
        break;
    }
    }
    if (nest.issued.count() > 0) {
        nest.lane_use = nest.macs / nest.issued;
    }
    nest.registers = register_bytes(static_cast<double>(nest.issued.count()), element);
    return nest;
}

void set_array_counts(LoopNest &nest, const ArrayProblem &p, const Mapping &mapping,
                      const ArrayCounts &c) {
    nest.array = {c.stream, c.fill};
    const double issued = static_cast<double>(c.stream) * mapping.array_rows *
                          static_cast<double>(lanes_in_use(mapping)) * mapping.pixel_arrays *
                          mapping.channel_arrays;
    nest.issued = Macs(countable(issued));
    nest.registers = register_bytes(issued, p.element);
    nest.lane_use = nest.macs / nest.issued;
    const std::int64_t partial = (c.sum_writes - p.outputs()) * sum_bytes;
    nest.input.reads = Bytes(c.input_reads * p.element);
    nest.weights.reads = Bytes(c.weight_reads * p.element + p.bias_bytes());
    nest.output.reads = Bytes(partial);
    nest.output.writes = Bytes(partial + p.outputs() * p.element);
    nest.residual.reads = Bytes(p.residual ? p.outputs() * p.element : 0); // whole vectors
}

LoopNest analyse(const Layer &layer, const Mapping &mapping) {
    // Sizes and element-wise work do not depend on the mapping.
    LoopNest nest = analyse(layer, Schedule());
    nest.plan = mapping;
    if (!runs_on_array(layer)) {
        // It streams through, pixels that a resizing steps over included. A norm over all pixels
        // reads them for their mean first.
        nest.input.reads = std::max(nest.input.reads, nest.input.footprint);
        const std::int64_t passes = layer.op == Op::group_norm ? 2 : 1;
        nest.tiles.input.reads = nest.input.footprint * passes;
        nest.tiles.weights.reads = nest.weights.footprint;
        nest.tiles.output.writes = nest.output.footprint;
        nest.tiles.residual.reads = nest.residual.footprint;
        nest.tiles.double_buffered = true;
        return nest;
    }
    const ArrayProblem p = array_problem(layer, mapping.vector_channels, mapping.vector_pixels);
    const GroupPart g = group_part(p, mapping, mapping.tile.groups);
    const ChannelPart n = channel_part(p, mapping, mapping.tile.channels);
    const ReductionPart k = reduction_part(p, mapping, mapping.tile.reduction);
    const PixelPart pixels = pixel_part(p, mapping, mapping.tile.rows, mapping.tile.columns);
    const ArrayCounts c = count(p, mapping, g, n, k, pixels);
    const TileTraffic moved =
        tile_traffic(p, n, k, pixels, refetches(mapping.order, tiled_loops(n, k, pixels)));

    set_array_counts(nest, p, mapping, c);

    nest.tiles.double_buffered = mapping.double_buffered;
    nest.tiles.exposed = Bytes(c.exposed);
    nest.tiles.input = {Bytes(c.input_buffer), Bytes(moved.input), {}};
    nest.tiles.weights = {Bytes(c.weight_buffer), Bytes(moved.weights), {}};
    nest.tiles.output = {Bytes(c.output_buffer), Bytes(moved.output_reads),
                         Bytes(moved.output_writes)};
    nest.tiles.residual = {Bytes(c.residual_buffer), Bytes(moved.residual), {}};
    return nest;
}

LoopNest analyse(const Layer &layer, const Plan &plan) {
    return std::visit([&](const auto &how) { return analyse(layer, how); }, plan);
}

std::string to_string(const Plan &plan) {
    return std::visit([](const auto &how) { return to_string(how); }, plan);
}

Plan parse_plan(const std::string &text) {
    return text.rfind("map", 0) == 0 ? Plan(parse_mapping(text)) : Plan(parse_schedule(text));
}

} // namespace edgefront
