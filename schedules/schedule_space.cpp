#include "schedules/schedule_space.h"

#include "base/error.h"
#include "schedules/kernel_shape.h"

#include <algorithm>

namespace edgefront {

namespace {

std::vector<int> up_to(int most, std::vector<int> values) {
    values.erase(std::remove_if(values.begin(), values.end(), [=](int v) { return v > most; }),
                 values.end());
    return values;
}

std::vector<int> dividing(int whole, std::vector<int> values) {
    const auto leaves_rest = [=](int v) { return v != 0 && whole % v != 0; };
    values.erase(std::remove_if(values.begin(), values.end(), leaves_rest), values.end());
    return values;
}

/// The machine's vectors and their halves and quarters; narrower ones where channels are few.
std::vector<int> lane_choices(const Layer &layer, const IsaInfo &isa) {
    if (layer.op == Op::conv2d && layer.groups > 1) {
        return dividing(layer.output.channels / layer.groups, up_to(isa.lanes, {1, 2, 4, 8, 16}));
    }
    // Dense kernels pad the last vector, the others need a whole one.
    const int channels = loop_extents(layer).channels;
    const int most = is_dense(layer) ? 2 * channels - 1 : channels;
    std::vector<int> lanes;
    for (int n = isa.lanes; n >= 1; n /= 2) {
        if (n <= most && (n >= isa.lanes / 4 || lanes.empty())) {
            lanes.insert(lanes.begin(), n);
        }
    }
    return lanes;
}

/// Turns of the loop over tiles that `block` cuts.
int outer_tiles(const Layer &layer, const Schedule &s) {
    const LoopExtents extents = loop_extents(layer);
    return static_cast<int>(
        s.order == LoopOrder::pixels_outer
            ? ceil_div(extents.columns, s.pixels)
            : ceil_div(extents.channels, std::int64_t{1} * s.lanes * s.vectors));
}

/// The sums of all pixels of a channel tile wait on the stack, in whole register tiles.
bool blocks_reduction(const Layer &layer, const Schedule &s, const IsaInfo &isa) {
    constexpr std::int64_t most_waiting = 32 * 1024; // floats
    const Shape &out = layer.output;
    const std::int64_t pixels =
        std::int64_t{1} * out.width * (s.parallel == ParallelOver::rows ? s.rows : out.height);
    return s.order == LoopOrder::channels_outer && s.block == 1 && !pairs_pixels(layer, s, isa) &&
           s.depth % s.unroll == 0 && out.width % s.pixels == 0 && out.height % s.rows == 0 &&
           pixels * s.lanes * s.vectors <= most_waiting;
}

template <typename T>
bool has(const std::vector<T> &values, T value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

} // namespace

IsaInfo isa_info(const std::string &halide_target) {
    const auto names = [&](const std::string &feature) {
        return ("-" + halide_target + "-").find("-" + feature + "-") != std::string::npos;
    };
    if (names("x86")) {
        if (names("avx512_skylake") || names("avx512_cannonlake") ||
            names("avx512_sapphirerapids")) {
            return {16, 32};
        }
        return {names("avx") ? 8 : 4, names("64") ? 16 : 8};
    }
    if (names("arm")) {
        return {4, names("64") ? 32 : 16};
    }
    throw UserError("no schedules for the Halide target '" + halide_target +
                    "': expected x86 or arm");
}

bool pairs_pixels(const Layer &layer, const Schedule &s, const IsaInfo &isa) {
    return layer.is_pointwise() && layer.groups == 1 && 2 * s.lanes == isa.lanes &&
           s.pixels % 2 == 0 && layer.output.width % 2 == 0 &&
           layer.output.channels % (s.lanes * s.vectors) == 0;
}

int sums_held(const Layer &layer, const Schedule &s, const IsaInfo &isa) {
    return s.vectors * s.pixels * s.rows / (pairs_pixels(layer, s, isa) ? 2 : 1);
}

bool ScheduleSpace::contains(const Schedule &s) const {
    if (!has(lanes, s.lanes) || !has(vectors, s.vectors) || !has(pixels, s.pixels) ||
        !has(rows, s.rows) || !has(unroll, s.unroll) || !has(order, s.order) ||
        !has(parallel, s.parallel) || !has(block, s.block) || !has(prefetch, s.prefetch) ||
        !has(depth, s.depth)) {
        return false;
    }
    if (s.depth > 0 && !blocks_reduction(layer, s, isa)) {
        return false;
    }
    if (outer_tiles(layer, s) % s.block != 0) {
        return false;
    }
    const int sums = sums_held(layer, s, isa);
    if (sums + s.vectors + 2 > isa.registers) { // the last one is left to the compiler
        return false;
    }
    // Beyond this many multiply-adds in a row kernels take seconds to compile and run no faster.
    constexpr int most_straight_code = 512;
    if (has_channel_window(layer) && sums > 1 &&
        sums * layer.kernel * layer.kernel > most_straight_code) {
        return false;
    }
    // Keys are turned round in stack memory, a tile at a time.
    constexpr int most_stack = 8192; // floats
    const int width = s.lanes * s.vectors;
    if (layer.op == Op::attention_scores && width > lanes.front() &&
        product_depth(layer) * width > most_stack) {
        return false;
    }
    // Tiles of channels in parallel are the outermost loop.
    if (s.parallel == ParallelOver::channels && s.order != LoopOrder::channels_outer) {
        return false;
    }
    if (layer.op == Op::conv2d && layer.groups > 1) { // a tile of channels lies within one group
        return layer.output.channels / layer.groups % width == 0;
    }
    // Dense kernels may fill up their last vector, the others need whole ones.
    const int channels = loop_extents(layer).channels;
    const int most = is_dense(layer) ? (channels + s.lanes - 1) / s.lanes * s.lanes : channels;
    return width <= most;
}

std::vector<Schedule> ScheduleSpace::all() const {
    std::vector<Schedule> found;
    Schedule s;
    for (int l : lanes) {
        for (int v : vectors) {
            for (int p : pixels) {
                for (int r : rows) {
                    for (int u : unroll) {
                        for (LoopOrder o : order) {
                            for (ParallelOver over : parallel) {
                                s = Schedule();
                                s.lanes = l;
                                s.vectors = v;
                                s.pixels = p;
                                s.rows = r;
                                s.unroll = u;
                                s.order = o;
                                s.parallel = over;
                                s.block = block.front();
                                s.prefetch = prefetch.front();
                                s.depth = depth.front();
                                if (contains(s)) {
                                    found.push_back(s);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    return found;
}

Schedule ScheduleSpace::draw(Random &random) const {
    const std::vector<Schedule> every = all();
    const Schedule drawn = every[random.below(every.size())];
    Schedule refined = drawn;
    const auto refine = [&](int Schedule::*knob, const std::vector<int> &values) {
        Schedule s = refined;
        s.*knob = values[random.below(values.size())];
        refined = contains(s) ? s : refined;
    };
    refine(&Schedule::block, block);
    refine(&Schedule::prefetch, prefetch);
    refine(&Schedule::depth, depth);
    return refined;
}

ScheduleSpace schedule_space(const Layer &given, const IsaInfo &isa) {
    const Layer layer = kernel_shape(given);
    const LoopExtents extents = loop_extents(layer);
    ScheduleSpace space;
    space.layer = layer;
    space.isa = isa;
    space.lanes = lane_choices(layer, isa);
    space.vectors = {1};
    space.pixels = {1};
    space.rows = {1};
    space.unroll = {1};
    space.block = {1};
    space.prefetch = {0};
    space.depth = {0};
    space.order = {LoopOrder::pixels_outer, LoopOrder::channels_outer};
    space.parallel = {ParallelOver::none};
    if (extents.rows > 1) {
        space.parallel.push_back(ParallelOver::rows);
    }
    space.parallel.push_back(ParallelOver::channels); // needs channels_outer
    const std::vector<int> pixels = up_to(extents.columns, {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14});
    const std::vector<int> rows = up_to(extents.rows, {1, 2, 3, 4});
    switch (layer.op) {
    case Op::conv2d:
        space.vectors = {1, 2, 3, 4, 5, 6, 8};
        space.pixels = pixels;
        space.rows = rows;
        space.unroll = dividing(layer.input.channels / layer.groups, {1, 2, 3, 4, 8});
        space.block = {1, 2, 3, 4, 6, 8};
        space.prefetch = {0, 2, 4, 8, 16};
        if (layer.groups == 1) {
            space.depth =
                up_to(layer.input.channels / 2, {0, 384, 320, 256, 192, 160, 128, 96, 64});
            space.depth = dividing(layer.input.channels, space.depth);
        }
        break;
    case Op::fully_connected:
        space.prefetch = {0, 2, 4, 8, 16};
        space.vectors = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        space.unroll = dividing(layer.input.channels, {1, 2, 4, 8});
        break;
    case Op::attention_scores:
    case Op::attention_context:
        space.vectors = {1, 2, 3, 4};
        space.pixels = pixels;
        space.unroll = dividing(product_depth(layer), {1, 2, 4});
        if (layer.op == Op::attention_scores) { // a tile of keys is turned round once
            space.order = {LoopOrder::channels_outer};
        }
        break;
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool:
        space.vectors = {1, 2, 3, 4};
        space.pixels = pixels;
        space.rows = rows;
        space.block = {1, 2, 3, 4, 6, 8};
        break;
    case Op::global_average_pool:
        space.vectors = {1, 2, 4, 8};
        space.order = {LoopOrder::channels_outer};
        space.parallel = {ParallelOver::none, ParallelOver::channels};
        break;
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax:
    case Op::unfold:
    case Op::fold:
        space.vectors = {1, 2, 4};
        space.order = {LoopOrder::pixels_outer};
        break;
    case Op::concat:
    case Op::channel_shuffle: space.order = {LoopOrder::pixels_outer}; break;
    case Op::channel_scale:
    case Op::elementwise:
    case Op::affine:
    case Op::slice:
    case Op::reshape:
    case Op::resize_bilinear:
        space.vectors = {1, 2, 4};
        space.pixels = up_to(extents.columns, {1, 2, 4});
        break;
    }
    return space;
}

} // namespace edgefront
