#include "schedules/array_nest.h"

#include "schedules/kernel_shape.h"

#include <algorithm>

namespace edgefront {

namespace {

/// A loop of `size` cut into tiles: all but the last one are whole.
struct Cut {
    std::int64_t whole;
    std::int64_t last; ///< 0: the last one is whole too
    std::int64_t trips;
};

Cut cut(std::int64_t size, std::int64_t tile) {
    const std::int64_t whole = size / tile;
    const std::int64_t last = size % tile;
    return {whole, last, whole + (last > 0 ? 1 : 0)};
}

/// Sum of f over the tiles of a loop.
template <typename F>
std::int64_t sum(const Cut &c, std::int64_t tile, F f) {
    return c.whole * f(tile) + (c.last > 0 ? f(c.last) : 0);
}

/// Input pixels along one direction that the tiles of a loop read: in all, and the most at once.
/// What lies outside the input is not read; what two tiles need is read twice. Transfers are of
/// whole stretches: pixels that strides step over come along.
struct Extents {
    std::int64_t all;
    std::int64_t most;
};

Extents input_extents(std::int64_t outputs, std::int64_t tile, int stride, int reach, int pad,
                      std::int64_t inputs) {
    const Cut c = cut(outputs, tile);
    Extents e{0, 0};
    reach = std::max(reach, stride);
    const auto read = [&](std::int64_t i) {
        const std::int64_t size = i < c.whole ? tile : c.last;
        const std::int64_t from = i * tile * stride - pad;
        const std::int64_t to = from + (size - 1) * stride + reach;
        return std::max<std::int64_t>(0, std::min(inputs, to) - std::max<std::int64_t>(0, from));
    };
    // Only the tiles at both ends are cut off by the border; those between them are alike.
    std::int64_t first = 0;
    std::int64_t end = c.trips;
    for (; first < end && first * tile * stride < pad; first++) {
        e.all += read(first);
        e.most = std::max(e.most, read(first));
    }
    for (; end > first && ((end - 1) * tile * stride - pad + (tile - 1) * stride + reach > inputs ||
                           (end == c.trips && c.last > 0));
         end--) {
        e.all += read(end - 1);
        e.most = std::max(e.most, read(end - 1));
    }
    if (end > first) {
        e.all += (end - first) * read(first);
        e.most = std::max(e.most, read(first));
    }
    return e;
}

std::int64_t columns_in_use(const Mapping &m) {
    return std::int64_t{1} * m.array_columns * m.groups_at_once;
}

} // namespace

bool runs_on_array(const Layer &layer) {
    return macs(layer).count() > 0;
}

ArrayProblem array_problem(const Layer &layer) {
    ArrayProblem p;
    p.element = size_of(layer.type);
    p.bias = layer.bias;
    p.residual = layer.residual;
    p.rows = layer.output.height;
    p.columns = layer.output.width;
    p.input_rows = layer.input.height;
    p.input_columns = layer.input.width;
    if (is_attention(layer)) {
        const bool scores = layer.op == Op::attention_scores;
        const Shape &heads = scores ? layer.input : layer.output;
        const std::int64_t size = heads.channels / layer.groups;
        const std::int64_t tokens = layer.others[0].width;
        const bool shared = layer.groups > 1 && layer.others[0].channels == size;
        p.weights_are_activations = true;
        p.groups = std::int64_t{1} * layer.output.height * (shared ? 1 : layer.groups);
        p.rows = p.input_rows = 1;
        p.columns = p.input_columns =
            std::int64_t{1} * layer.output.width * (shared ? layer.groups : 1);
        p.channels = scores ? tokens : size;
        p.reduction = scores ? size : tokens;
        return p;
    }
    if (layer.op == Op::fully_connected) {
        p.channels = layer.output.channels;
        p.reduction = layer.input.elements();
        return p;
    }
    p.groups = layer.op == Op::depthwise_conv2d ? layer.output.channels : layer.groups;
    p.channels = layer.output.channels / p.groups;
    p.reduction = layer.op == Op::depthwise_conv2d ? 1 : layer.input.channels / p.groups;
    p.taps = std::int64_t{1} * layer.kernel * layer.kernel;
    p.stride = layer.stride;
    p.reach = layer.reach();
    p.pad_top = layer.pad_top;
    p.pad_left = layer.pad_left;
    return p;
}

ArrayProblem array_problem(const Layer &layer, int vector_channels, int vector_pixels) {
    ArrayProblem p = array_problem(layer);
    const auto fill = [](std::int64_t &size, int unit) { size = ceil_div(size, unit) * unit; };
    const bool side_by_side = p.grouped() && p.channels == 1;
    (side_by_side ? p.group_unit : p.channel_unit) = vector_channels;
    p.reduction_unit = p.grouped() ? 1 : vector_channels;
    p.column_unit = vector_pixels;
    fill(p.groups, p.group_unit);
    fill(p.channels, p.channel_unit);
    fill(p.columns, p.column_unit);
    fill(p.input_columns, p.column_unit);
    return p;
}

std::int64_t lanes_in_use(const Mapping &m) {
    return ceil_div(columns_in_use(m), m.vector_channels) * m.vector_channels;
}

namespace {

/// Every tensor once, of the input so many pixels.
std::int64_t bytes_once(const ArrayProblem &p, std::int64_t pixels) {
    return (p.groups * p.reduction * pixels + p.weights() + p.outputs() * (p.residual ? 2 : 1)) *
               p.element +
           p.bias_bytes();
}

std::int64_t whole_extent(const ArrayProblem &p, std::int64_t outputs, int pad,
                          std::int64_t inputs) {
    return input_extents(outputs, outputs, p.stride, p.reach, pad, inputs).most;
}

} // namespace

std::int64_t least_border_bytes(const ArrayProblem &p) {
    const bool gaps = p.stride > p.reach || std::int64_t{1} * p.reach * p.reach != p.taps;
    const auto read = [&](std::int64_t outputs, int pad, std::int64_t inputs) {
        return gaps ? std::min(outputs, inputs) : whole_extent(p, outputs, pad, inputs);
    };
    return bytes_once(p, read(p.rows, p.pad_top, p.input_rows) *
                             read(p.columns, p.pad_left, p.input_columns));
}

std::int64_t least_tile_bytes(const ArrayProblem &p) {
    return bytes_once(p, whole_extent(p, p.rows, p.pad_top, p.input_rows) *
                             whole_extent(p, p.columns, p.pad_left, p.input_columns));
}

GroupPart group_part(const ArrayProblem &p, const Mapping &m, std::int64_t tile) {
    const Cut c = cut(p.groups, tile);
    const std::int64_t at_once =
        std::int64_t{1} * m.groups_at_once * (p.grouped() ? m.channel_arrays : 1);
    return {tile, c.trips, sum(c, tile, [&](std::int64_t n) { return ceil_div(n, at_once); })};
}

ChannelPart channel_part(const ArrayProblem &p, const Mapping &m, std::int64_t tile) {
    const Cut c = cut(p.channels, tile);
    const std::int64_t arrays = p.grouped() ? 1 : m.channel_arrays;
    ChannelPart part{tile, c.trips, 0, 0, 0, 0, 0};
    part.folds =
        sum(c, tile, [&](std::int64_t n) { return ceil_div(n, m.array_columns * arrays); });
    part.column_folds = part.folds * arrays;
    part.stream = sum(c, tile, [&](std::int64_t n) { return ceil_div(n, arrays); });
    const auto wait = [&](std::int64_t n) {
        return std::max<std::int64_t>(0, m.array_rows - ceil_div(n, arrays));
    };
    part.wait = sum(c, tile, wait);
    part.first_wait = wait(std::min(tile, p.channels));
    return part;
}

ReductionPart reduction_part(const ArrayProblem &p, const Mapping &m, std::int64_t tile) {
    const Cut c = cut(p.reduction, tile);
    ReductionPart part{tile, c.trips, 0, 0,
                       0,    0,       0, p.stored_reduction(std::min(tile, p.reduction))};
    part.folds = sum(c, tile, [&](std::int64_t n) { return ceil_div(p.taps * n, m.array_rows); });
    part.tile_folds = ceil_div(p.taps * std::min(tile, p.reduction), m.array_rows);
    const auto wait = [&](std::int64_t n) {
        return std::max<std::int64_t>(0, m.array_rows - p.taps * n);
    };
    part.wait = sum(c, tile, wait);
    part.first_wait = wait(std::min(tile, p.reduction));
    part.stored = p.reduction_unit == 1
                      ? p.reduction
                      : sum(c, tile, [&](std::int64_t n) { return p.stored_reduction(n); });
    return part;
}

PixelPart pixel_part(const ArrayProblem &p, const Mapping &m, std::int64_t rows,
                     std::int64_t columns) {
    rows = std::min(rows, p.rows); // a plan's text may say anything
    columns = std::min(columns, p.columns);
    const Cut r = cut(p.rows, rows);
    const Cut c = cut(p.columns, columns);
    const auto over_tiles = [&](auto f) { // of the pixels that an array gets of a tile
        return sum(r, rows, [&](std::int64_t h) {
            return sum(c, columns,
                       [&](std::int64_t w) { return f(ceil_div(h * w, m.pixel_arrays)); });
        });
    };
    PixelPart part{rows, columns, r.trips, c.trips, 0, 0, 0, 0, 0, 0};
    const std::int64_t width =
        m.dataflow == Dataflow::output_stationary ? m.array_rows : m.array_columns;
    part.stream = over_tiles([](std::int64_t n) { return n; });
    part.folds = over_tiles([&](std::int64_t n) { return ceil_div(n, width); });
    const auto wait = [&](std::int64_t n) { return std::max<std::int64_t>(0, m.array_rows - n); };
    part.wait = over_tiles(wait);
    part.first_wait =
        wait(ceil_div(std::min(rows, p.rows) * std::min(columns, p.columns), m.pixel_arrays));
    const Extents down = input_extents(p.rows, rows, p.stride, p.reach, p.pad_top, p.input_rows);
    const Extents across =
        input_extents(p.columns, columns, p.stride, p.reach, p.pad_left, p.input_columns);
    part.inputs = down.all * across.all;
    part.tile_inputs = down.most * across.most;
    return part;
}

ArrayCounts count(const ArrayProblem &p, const Mapping &m, const GroupPart &g, const ChannelPart &n,
                  const ReductionPart &k, const PixelPart &pixels) {
    ArrayCounts c;
    const std::int64_t rows = m.array_rows;
    const std::int64_t columns = columns_in_use(m);
    const std::int64_t outputs = p.outputs();
    const std::int64_t all_inputs = p.groups * p.rows * p.columns * p.reduction * p.taps;
    std::int64_t folds = 0;
    std::int64_t wait = 0;       // of all folds, when the next one is loaded meanwhile
    std::int64_t first_wait = 0; // the first one is loaded before
    std::int64_t skew = 0;       // cycles of one fold beside those in which operands pass
    std::int64_t sums = 0;       // how often an output leaves the array
    switch (m.dataflow) {
    // The cycles of one fold: SCALE-Sim's (arXiv:1811.02883), see `analyse`.
    case Dataflow::weight_stationary: {
        const std::int64_t times = g.folds * n.folds * k.folds;
        c.stream = times * pixels.stream;
        folds = times * pixels.row_trips * pixels.column_trips;
        wait = times * pixels.wait;
        first_wait = pixels.first_wait;
        skew = 2 * rows + columns - 2;
        sums = k.folds;
        c.input_reads = all_inputs * n.column_folds;
        c.weight_reads = p.weights() * pixels.row_trips * pixels.column_trips * m.pixel_arrays;
        break;
    }
    case Dataflow::output_stationary: {
        const std::int64_t times = g.folds * n.folds * pixels.folds;
        c.stream = times * p.taps * p.reduction;
        folds = times * k.trips;
        wait = times * k.wait;
        first_wait = k.first_wait;
        skew = rows + columns - 2;
        sums = k.trips;
        c.input_reads = all_inputs * n.column_folds;
        c.weight_reads = p.weights() * pixels.folds * m.pixel_arrays;
        break;
    }
    case Dataflow::input_stationary: {
        const std::int64_t times = g.folds * k.folds * pixels.folds;
        c.stream = times * n.stream;
        folds = times * n.trips;
        wait = times * n.wait;
        first_wait = n.first_wait;
        skew = 2 * rows + columns - 2;
        sums = k.folds;
        c.input_reads = all_inputs * n.trips * (p.grouped() ? 1 : m.channel_arrays);
        c.weight_reads = p.weights() * pixels.folds * m.pixel_arrays;
        break;
    }
    }
    c.fill = std::max<std::int64_t>(0, m.preload ? wait - first_wait + skew - 1 : folds * skew - 1);
    c.sum_writes = outputs * sums;

    // One tile of each tensor; two where the next one is moved meanwhile.
    const std::int64_t tile_pixels =
        std::min(pixels.tile_rows, p.rows) * std::min(pixels.tile_columns, p.columns);
    const std::int64_t groups = std::min(g.tile, p.groups);
    const std::int64_t channels = std::min(n.tile, p.channels);
    const std::int64_t reduction = std::min(k.tile, p.reduction);
    const std::int64_t input = pixels.tile_inputs * k.tile_stored * groups * p.element;
    const std::int64_t weights =
        (p.taps * reduction * p.element + (p.bias ? 4 : 0)) * channels * groups;
    const std::int64_t output = tile_pixels * channels * groups;
    // Sums stay in the array only where it is output stationary and sees the whole reduction.
    const bool partial =
        k.trips > 1 || (m.dataflow != Dataflow::output_stationary && k.tile_folds > 1);
    const bool moves_pixels = g.trips > 1 || pixels.row_trips * pixels.column_trips > 1;
    const auto twice = [&](bool moves) { return m.double_buffered && moves ? 2 : 1; };
    c.input_buffer = input * twice(moves_pixels || k.trips > 1);
    c.weight_buffer = weights * twice(g.trips > 1 || n.trips > 1 || k.trips > 1);
    c.output_buffer =
        output * (partial ? sum_bytes : p.element) * twice(moves_pixels || n.trips > 1);
    c.residual_buffer = p.residual ? output * p.element * twice(moves_pixels || n.trips > 1) : 0;
    c.exposed = input + weights + output * p.element * (p.residual ? 2 : 1);
    return c;
}

Refetches refetches(const LoopOrderOfTiles &order, unsigned tiled) {
    const auto bit = [](Loop l) { return 1u << static_cast<unsigned>(l); };
    // Loops outside the innermost tiled one that indexes the tensor.
    const auto outside = [&](unsigned indexed) {
        unsigned loops = 0;
        unsigned outer = 0;
        for (const Loop l : order) {
            if ((indexed & tiled & bit(l)) != 0) {
                outer = loops;
            }
            loops |= bit(l);
        }
        return outer;
    };
    const unsigned r = bit(Loop::rows), c = bit(Loop::columns);
    const unsigned n = bit(Loop::channels), k = bit(Loop::reduction);
    const unsigned weights = outside(n | k);
    return {(outside(r | c | k) & n & tiled) != 0, (weights & r & tiled) != 0,
            (weights & c & tiled) != 0, (outside(r | c | n) & k & tiled) != 0};
}

unsigned tiled_loops(const ChannelPart &n, const ReductionPart &k, const PixelPart &pixels) {
    const auto bit = [](Loop l, bool tiled) { return tiled ? 1u << static_cast<unsigned>(l) : 0u; };
    return bit(Loop::rows, pixels.row_trips > 1) | bit(Loop::columns, pixels.column_trips > 1) |
           bit(Loop::channels, n.trips > 1) | bit(Loop::reduction, k.trips > 1);
}

TileTraffic tile_traffic(const ArrayProblem &p, const ChannelPart &n, const ReductionPart &k,
                         const PixelPart &pixels, const Refetches &again) {
    TileTraffic t;
    t.input = pixels.inputs * k.stored * p.groups * p.element *
              (again.input_per_channel_tile ? n.trips : 1);
    t.weights = (p.weights() * p.element + p.bias_bytes()) *
                (again.weights_per_row_tile ? pixels.row_trips : 1) *
                (again.weights_per_column_tile ? pixels.column_trips : 1);
    const std::int64_t back = again.sums_per_reduction_tile ? k.trips - 1 : 0;
    t.output_reads = p.outputs() * back * sum_bytes;
    t.output_writes = t.output_reads + p.outputs() * p.element;
    t.residual = p.residual ? p.outputs() * p.element : 0;
    return t;
}

} // namespace edgefront
