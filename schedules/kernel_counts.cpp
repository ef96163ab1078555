#include "schedules/kernel_counts.h"

#include "schedules/kernel_shape.h"

#include <algorithm>

namespace edgefront {

namespace {

/// Of `tiles` next to each other, those between the first and the last: loops over tiles are split
/// so that only those two test for the border. Both count whether or not the layer pads there, as
/// prices are fitted to this count; without padding no tile tests.
std::int64_t inner_tiles(std::int64_t tiles) {
    return std::max<std::int64_t>(0, tiles - 2);
}

void count_product(const Layer &layer, const Schedule &s, const IsaInfo &isa, KernelCounts &c) {
    const double pixels = double(s.pixels) * s.rows;
    // Joining two pixels in a vector costs about a quarter of a load each.
    const double joins = pairs_pixels(layer, s, isa) ? pixels / 4 : 0;
    c.steps = c.tiles * product_depth(layer);
    c.adds = c.steps * sums_held(layer, s, isa);
    c.loads = c.steps * (s.vectors + pixels + joins);
    if (layer.kernel > 1 && layer.op == Op::conv2d) {
        c.taps = c.tiles * layer.kernel * layer.kernel;
    }
}

void count_window(const Layer &layer, const Schedule &s, const IsaInfo &isa, std::int64_t columns,
                  std::int64_t rows, KernelCounts &c) {
    const double taps = double(layer.kernel) * layer.kernel;
    const double wide = (s.pixels - 1.0) * layer.stride + layer.kernel;
    const double high = (s.rows - 1.0) * layer.stride + layer.kernel;
    c.window = true;
    c.adds = c.tiles * sums_held(layer, s, isa) * taps;
    c.loads = c.tiles * s.vectors * (wide * high + taps);
    if (layer.kernel > 1) {
        // One tile over the whole width has its borders at known places and tests for none; a
        // single row of tiles tests.
        const double inner_columns = static_cast<double>(columns == 1 ? 1 : inner_tiles(columns));
        const double inner = inner_columns * static_cast<double>(inner_tiles(rows));
        c.edge = 1 - inner / static_cast<double>(columns * rows);
    }
}

} // namespace

KernelCounts kernel_counts(const Layer &given, const Schedule &s, const IsaInfo &isa) {
    const Layer layer = kernel_shape(given);
    KernelCounts c;
    if (!is_product(layer) && !has_channel_window(layer)) {
        return c;
    }
    const LoopExtents extents = loop_extents(layer);
    const std::int64_t parts = layer.op == Op::conv2d ? layer.groups : extents.parts;
    const std::int64_t channels = extents.channels / (layer.op == Op::conv2d ? layer.groups : 1);
    const std::int64_t columns = ceil_div(extents.columns, s.pixels);
    const std::int64_t rows = ceil_div(extents.rows, s.rows);
    c.tiles = double(parts * ceil_div(channels, std::int64_t{1} * s.lanes * s.vectors)) *
              double(columns * rows);
    if (is_product(layer)) {
        count_product(layer, s, isa, c);
    } else {
        count_window(layer, s, isa, columns, rows, c);
    }
    return c;
}

} // namespace edgefront
