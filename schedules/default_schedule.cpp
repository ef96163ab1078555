// Default schedules from the shape alone: the register tile with the fewest estimated cycles on a
// core that starts so many vector multiply-adds and loads a cycle, then the loop order from the
// size of the weights.
#include "schedules/kernel_shape.h"
#include "schedules/schedule_space.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace edgefront {

namespace {

/// Of the whole layer: of all heads, groups or parts.
std::int64_t channel_tiles(const Layer &layer, const Schedule &s) {
    const LoopExtents extents = loop_extents(layer);
    return extents.parts * ceil_div(extents.channels, std::int64_t{1} * s.lanes * s.vectors);
}

/// Whether the core's instructions are worth counting one by one.
bool is_narrow(const CoreInfo &core) {
    return std::isfinite(core.issue);
}

/// Cycles of so many multiply-adds and loads of vectors that do not wait for each other; loads also
/// wait when the data is further away.
double throughput(const CoreInfo &core, double adds, double loads) {
    const double later = loads / (4 * core.loads);
    // Such a core starts no second 128-bit operation beside a load of 128 bits.
    return core.in_order ? adds / core.multiplies + loads / core.loads
                         : std::max(adds / core.multiplies, loads / core.loads) + later;
}

/// Cycles of a step of the reduction for its counter, its addresses and its branch. Half of them
/// find room between the multiply-adds of a core that looks for it, and none on one that does not
/// (cycles of llvm-mca 19 for neoverse-n1, neoverse-v1 and cortex-a55).
double loop_cycles(const CoreInfo &core, int unroll) {
    constexpr double instructions = 4;
    return instructions / unroll / core.issue * (core.in_order ? 2 : 0.5);
}

/// Cycles of one register tile with everything in the first cache.
double tile_cycles(const Layer &layer, const Schedule &s, const IsaInfo &isa,
                   const CoreInfo &core) {
    const double sums = sums_held(layer, s, isa);
    const double taps = double(layer.kernel) * layer.kernel;
    // A step cannot be faster than the latency of its sums allows. Four cycles on two units would
    // be eight sums; measured, tiles of less than twelve fall behind. A core that works in order
    // sits out its loads too (llvm-mca 19: eighteen sums on a Cortex-A55).
    const double busy =
        std::max(sums, (core.in_order ? 4.5 : 1.5) * core.latency * core.multiplies);
    switch (layer.op) {
    case Op::conv2d:
    case Op::fully_connected:
    case Op::attention_scores:
    case Op::attention_context: {
        // Joining two pixels in a vector costs about half as much as a load.
        const double joins = pairs_pixels(layer, s, isa) ? s.pixels * s.rows / 4.0 : 0;
        // An input value is one word, which is mostly read beside something else.
        const double values = s.pixels * s.rows * (core.in_order ? 0.2 : 1);
        const double step = throughput(core, busy, s.vectors + values + joins);
        return product_depth(layer) * (step + loop_cycles(core, s.unroll)) + 6 + sums + 2 * s.rows;
    }
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool: {
        const double columns = (s.pixels - 1) * layer.stride + layer.kernel;
        const double rows = (s.rows - 1) * layer.stride + layer.kernel;
        return throughput(core, sums * taps, s.vectors * (columns * rows + taps)) + 6 + sums;
    }
    case Op::global_average_pool: {
        const double pixels = double(layer.input.height) * layer.input.width;
        return pixels * busy / core.multiplies + 6 + sums;
    }
    // Passes over the data, and per tile its share of adding up the lanes of a pixel.
    case Op::softmax: return 30 * sums + 10;
    case Op::layer_norm:
    case Op::group_norm: return 4 * sums + 4;
    case Op::elementwise:
    case Op::affine:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold:
    case Op::resize_bilinear:
    case Op::channel_scale: return sums + 2;
    }
    return 0;
}

/// What tiles at the edges of the map cost on top: those of padded maps test every tap, unless one
/// tile is the whole row, and a last tile that does not fit overlaps its neighbour.
double edge_factor(const Layer &layer, const Schedule &s, const CoreInfo &core) {
    const auto factor = [&](int extent, int tile) {
        const std::int64_t tiles = ceil_div(extent, tile);
        const bool fits = extent % tile == 0;
        if (is_narrow(core)) {
            // Which taps lie outside is known beforehand of tiles that fit, most of all of single
            // pixels and rows (instructions counted on AArch64).
            const bool tests = layer.has_window() && layer.kernel > 1 && tiles > 1;
            return tests ? (fits ? 1 : 1.2) * (tile > 1 ? 1.05 : 1) : (fits ? 1 : 1.03);
        }
        const bool tests = has_channel_window(layer) && tiles > 1;
        return 1 + (tests ? 0.6 / double(tiles) : 0) + (fits ? 0 : 0.03);
    };
    const LoopExtents extents = loop_extents(layer);
    return factor(extents.columns, s.pixels) * factor(extents.rows, s.rows);
}

/// Estimated cycles of the kernel of a `kernel_shape` on one core.
double cycles(const Layer &layer, const Schedule &s, const IsaInfo &isa, const CoreInfo &core) {
    const LoopExtents extents = loop_extents(layer);
    const std::int64_t tiles = channel_tiles(layer, s) * ceil_div(extents.columns, s.pixels) *
                               ceil_div(extents.rows, s.rows);
    return double(tiles) * tile_cycles(layer, s, isa, core) * edge_factor(layer, s, core);
}

/// Tiles beyond these gain nothing inside a network, where their larger code has to be fetched, and
/// take longer to compile (measured on whole networks, AVX-512). Depthwise kernels also need
/// registers for their weights and inputs.
bool is_candidate(const Layer &layer, const Schedule &s, const IsaInfo &isa, const CoreInfo &core) {
    const int sums = sums_held(layer, s, isa);
    if (layer.op == Op::attention_context) {
        // Scores of neighbouring pixels that share a set of the first cache, of 8 ways or more.
        constexpr int set_period = 4096; // bytes
        const int shared = std::gcd(layer.input.channels * 4, set_period);
        if (s.pixels * shared / set_period > 6) {
            return false;
        }
    }
    if (has_channel_window(layer)) {
        const int most = is_narrow(core) ? 14 : std::max(7, isa.registers / 4);
        return s.vectors == 1 && s.rows <= 2 && sums <= most;
    }
    if (is_narrow(core)) { // beyond, the compiler has to put sums aside
        const int spare = layer.kernel > 1 ? 12 : 8;
        return sums + s.vectors <= isa.registers - spare && s.unroll <= 4;
    }
    return sums <= 20;
}

/// Which tensor the inner loop walks over, from timings inside whole networks (Zen 5): a kernel
/// that makes more than it reads does best writing whole pixels, one that reads more does best
/// keeping a tile of weights.
LoopOrder loop_order(const Layer &layer, const Schedule &s, const CoreInfo &core) {
    // Bytes of rows that the first cache serves well: 66 kB where it holds 48 KiB.
    const auto stays_near = static_cast<std::int64_t>(core.l1_bytes * 66'000 / (48 * 1024));
    switch (layer.op) {
    case Op::conv2d:
        return layer.output.elements() > layer.input.elements() ? LoopOrder::pixels_outer
                                                                : LoopOrder::channels_outer;
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool: {
        // Rows of the window are read again for the next row of outputs.
        const std::int64_t window_rows =
            std::int64_t{1} * layer.kernel * layer.input.width * layer.input.channels * 4;
        return s.pixels >= layer.output.width || window_rows <= stays_near
                   ? LoopOrder::pixels_outer
                   : LoopOrder::channels_outer;
    }
    case Op::elementwise:
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax:
    case Op::attention_context: // which reads more scores than values
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold:
    case Op::resize_bilinear:
    case Op::channel_scale: return LoopOrder::pixels_outer;
    case Op::fully_connected:
    case Op::attention_scores:
    case Op::global_average_pool: return LoopOrder::channels_outer;
    }
    return LoopOrder::channels_outer;
}

/// The loop that runs in parallel, if the kernel is worth waking threads: the outer one, unless the
/// other spreads much better over them.
ParallelOver parallel_loop(const ScheduleSpace &space, const Schedule &s, int threads,
                           double cycles) {
    constexpr double worth_waking = 60'000; // about 15 us
    if (threads < 2 || cycles < worth_waking) {
        return ParallelOver::none;
    }
    const auto speedup = [&](std::int64_t tiles) {
        return double(tiles) / double(ceil_div(tiles, threads));
    };
    const auto allows = [&](ParallelOver over) {
        return std::find(space.parallel.begin(), space.parallel.end(), over) !=
                   space.parallel.end() &&
               (over != ParallelOver::channels || space.order.back() == LoopOrder::channels_outer);
    };
    const double rows =
        allows(ParallelOver::rows) ? speedup(ceil_div(loop_extents(space.layer).rows, s.rows)) : 1;
    const double channels =
        allows(ParallelOver::channels) ? speedup(channel_tiles(space.layer, s)) : 1;
    if (std::max(rows, channels) == 1) {
        return ParallelOver::none;
    }
    constexpr double much_better = 0.85;
    if (s.order == LoopOrder::pixels_outer) {
        return rows >= much_better * channels ? ParallelOver::rows : ParallelOver::channels;
    }
    return channels >= much_better * rows ? ParallelOver::channels : ParallelOver::rows;
}

} // namespace

double estimated_cycles(const Layer &layer, const Schedule &schedule, const IsaInfo &isa,
                        const CoreInfo &core) {
    return cycles(kernel_shape(layer), schedule, isa, core);
}

bool has_modest_tile(const Layer &layer, const Schedule &schedule, const IsaInfo &isa) {
    return is_candidate(kernel_shape(layer), schedule, isa, CoreInfo());
}

Schedule default_schedule(const Layer &layer, const IsaInfo &isa, int threads,
                          const CoreInfo &core) {
    return default_schedule(schedule_space(layer, isa), threads, core);
}

Schedule default_schedule(const ScheduleSpace &whole, int threads, const CoreInfo &core) {
    const Layer &layer = whole.layer;
    const IsaInfo &isa = whole.isa;
    ScheduleSpace space = whole;
    space.order = {space.order.back()};
    space.parallel = {ParallelOver::none};
    if (!is_narrow(core)) {
        space.unroll = {space.unroll.front()};
    }
    Schedule best;
    double least = std::numeric_limits<double>::infinity();
    for (const Schedule &s : space.all()) {
        const double estimate = cycles(layer, s, isa, core);
        if (is_candidate(layer, s, isa, core) && estimate < least) {
            least = estimate;
            best = s;
        }
    }
    best.order = loop_order(layer, best, core);
    best.parallel = parallel_loop(whole, best, threads, least);
    if (best.parallel == ParallelOver::channels) {
        best.order = LoopOrder::channels_outer; // as it is then in any case
    }
    return best;
}

} // namespace edgefront
