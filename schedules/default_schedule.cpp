// Default schedules from the shape alone: the register tile with the fewest estimated cycles on a
// core that starts two vector multiply-adds and two vector loads a cycle (so do the last ten years
// of x86 and the large Arm cores), then the loop order from the size of the weights.
#include "schedules/schedule_space.h"

#include <algorithm>
#include <limits>

namespace edgefront {

namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

struct Operands {
    double depth;        ///< steps of the reduction
    double loads;        ///< vector loads and broadcasts per step
    double tile_startup; ///< cycles per tile beside the reduction
};

Operands operands_of(const Layer &layer, const Schedule &s) {
    const double sums = double(s.vectors) * s.pixels * s.rows;
    const double taps = double(layer.kernel) * layer.kernel;
    switch (layer.op) {
    case Op::conv2d:
        return {taps * layer.input.channels, double(s.vectors) + s.pixels * s.rows, 6 + sums};
    case Op::fully_connected:
        return {double(layer.input.elements()), double(s.vectors) + 1, 6 + sums};
    case Op::depthwise_conv2d: {
        const double columns = (s.pixels - 1) * layer.stride + layer.kernel;
        const double rows = (s.rows - 1) * layer.stride + layer.kernel;
        return {taps, s.vectors * (columns * rows / taps + 1), 6 + sums};
    }
    case Op::global_average_pool: return {double(layer.input.height) * layer.input.width, sums, 6};
    case Op::channel_scale: return {1, sums, 2};
    }
    return {};
}

/// Estimated cycles of the kernel on one core with everything in the first cache.
double cycles(const Layer &layer, const Schedule &s) {
    constexpr double add_latency = 4;
    const Operands o = operands_of(layer, s);
    const double sums = double(s.vectors) * s.pixels * s.rows;
    const double step = std::max({sums / 2, o.loads / 2, add_latency});
    const double tiles =
        double(ceil_div(layer.output.channels, std::int64_t{1} * s.lanes * s.vectors)) *
        double(ceil_div(layer.output.width, s.pixels) * ceil_div(layer.output.height, s.rows));
    // Among equals the tile with fewer loads: they wait longer when the data is further away.
    return tiles * (o.depth * (step + o.loads / 16) + o.tile_startup);
}

/// The loop whose tiles spread best over the threads, if the kernel is worth waking them.
ParallelOver parallel_loop(const Layer &layer, const Schedule &s, int threads, double cycles) {
    constexpr double worth_waking = 40'000; // about 10 us
    if (threads < 2 || cycles < worth_waking) {
        return ParallelOver::none;
    }
    const auto speedup = [&](std::int64_t tiles) {
        return double(tiles) / double(ceil_div(tiles, threads));
    };
    const double rows = speedup(ceil_div(layer.output.height, s.rows));
    const double channels =
        speedup(ceil_div(layer.output.channels, std::int64_t{1} * s.lanes * s.vectors));
    if (std::max(rows, channels) == 1) {
        return ParallelOver::none;
    }
    // Channels first: every thread then keeps its own share of the weights.
    return channels >= 0.9 * rows ? ParallelOver::channels : ParallelOver::rows;
}

} // namespace

Schedule default_schedule(const Layer &layer, const IsaInfo &isa, int threads) {
    ScheduleSpace space = schedule_space(layer, isa);
    space.order = {space.order.back()};
    space.parallel = {ParallelOver::none};
    space.unroll = {space.unroll.front()};
    Schedule best;
    double least = std::numeric_limits<double>::infinity();
    for (const Schedule &s : space.all()) {
        const double estimate = cycles(layer, s);
        if (estimate < least) {
            least = estimate;
            best = s;
        }
    }
    best.parallel = parallel_loop(layer, best, threads, least);
    return best;
}

} // namespace edgefront
