#include "schedules/apply_parts.h"

#include "schedules/kernel_shape.h"

namespace edgefront {

using Halide::Func;
using Halide::MemoryType;
using Halide::RVar;
using Halide::Stage;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

void order_stage(Stage stage, const Loops &vectors, const Loops &unrolled, const Loops &loops) {
    Loops order = vectors;
    order.insert(order.end(), unrolled.begin(), unrolled.end());
    order.insert(order.end(), loops.begin(), loops.end());
    stage.reorder(order);
    for (const VarOrRVar &v : vectors) {
        stage.vectorize(v);
    }
    for (const VarOrRVar &v : unrolled) {
        stage.unroll(v);
    }
}

TailStrategy tail(int extent, int step, TailStrategy otherwise) {
    return extent % step == 0 ? TailStrategy::RoundUp : otherwise;
}

namespace {

/// Splits a stage's channels into vectors, `tile` loops around `vector` unrolled ones.
struct ChannelLoops {
    Var lane{"lane"}, vector{"vector"}, tile{"channel_tile"};
};

ChannelLoops split_channels(const Schedule &s, Func f, const Var &c, int channels) {
    ChannelLoops l;
    const int width = s.lanes * s.vectors;
    f.split(c, l.tile, c, width, tail(channels, width)).split(c, l.vector, l.lane, s.lanes);
    return l;
}

/// The partial results in registers and their total, once per turn of `loop` of `f`.
void schedule_statistic(const Schedule &s, const Algorithm &a, Statistic &statistic, Func f,
                        const Var &loop) {
    Func partial = statistic.partial, total = statistic.total;
    Var vector("v");
    partial.compute_at(f, loop)
        .store_in(MemoryType::Register)
        .bound_extent(a.c, s.lanes * s.vectors)
        .split(a.c, vector, a.c, s.lanes);
    order_stage(partial, {a.c}, {vector}, {});
    for (int i = 0; i < partial.num_update_definitions(); i++) {
        Stage update = partial.update(i);
        update.split(a.c, vector, a.c, s.lanes);
        const Loops tiles = i == 0 ? Loops{statistic.tiles.x, statistic.tiles.y} : Loops{};
        order_stage(update, {a.c}, {vector}, tiles);
    }
    RVar lane("lane"), group("group");
    total.update().split(statistic.lanes.x, group, lane, s.lanes).atomic();
    order_stage(total.update(), {lane}, {group}, {});
}

} // namespace

void schedule_statistics(const Layer &layer, const Schedule &s, Algorithm &a) {
    const int channels = loop_extents(layer).channels;
    const ChannelLoops l = split_channels(s, a.output, a.c, channels);
    Loops around = {l.tile};
    if (layer.op != Op::group_norm) {
        around.emplace_back(a.part);
    }
    around.insert(around.end(), {a.x, a.y});
    order_stage(a.output, {l.lane}, {l.vector}, around);
    const bool parallel = s.parallel == ParallelOver::rows;
    if (parallel) {
        a.output.parallel(a.y);
    }
    for (Statistic &statistic : a.statistics) {
        if (layer.op == Op::group_norm) { // rows first, then all of them
            statistic.total.compute_root().store_in(MemoryType::Stack);
            schedule_statistic(s, a, statistic, statistic.total, a.y);
            if (parallel) {
                statistic.total.update().parallel(a.y);
            }
        } else {
            schedule_statistic(s, a, statistic, a.output, a.part);
            statistic.total.compute_at(a.output, a.part);
        }
    }
    if (layer.op == Op::group_norm) {
        a.mean.compute_root();
        a.scale.compute_root();
        return;
    }
    a.scale.compute_at(a.output, a.part);
    constexpr int most_stack = 8192; // floats; longer rows compute their exponentials twice
    if (a.exponentials.defined() && channels <= most_stack) {
        a.exponentials.compute_at(a.output, a.part)
            .store_in(MemoryType::Stack)
            .bound(a.c, 0, channels);
        const ChannelLoops e = split_channels(s, a.exponentials, a.c, channels);
        order_stage(a.exponentials, {e.lane}, {e.vector}, {e.tile});
    }
}

void schedule_attention(const Layer &layer, const Schedule &s, Algorithm &a) {
    const LoopExtents extents = loop_extents(layer);
    const int width = s.lanes * s.vectors;
    const ChannelLoops l = split_channels(s, a.output, a.c, extents.channels);
    Var pixel("pixel"), pixel_tile("pixel_tile"), tile("tile");
    a.output.split(a.x, pixel_tile, pixel, s.pixels, tail(extents.columns, s.pixels));
    const bool over_channels = s.parallel == ParallelOver::channels;
    const bool keep_pixels = s.order == LoopOrder::pixels_outer;
    const Var inner = keep_pixels ? l.tile : pixel_tile; // of the loops over tiles
    Loops around = keep_pixels ? Loops{l.tile, pixel_tile} : Loops{pixel_tile, l.tile};
    if (over_channels) {
        a.output.fuse(l.tile, a.part, tile);
        around = {pixel_tile, a.y, tile};
    } else {
        around.insert(around.end(), {a.part, a.y});
    }
    order_stage(a.output, {l.lane}, {l.vector, pixel}, around);
    if (s.parallel != ParallelOver::none) {
        a.output.parallel(over_channels ? tile : a.y);
    }

    Var vector("v");
    RVar step("step");
    const RVar steps = a.window.x;
    a.sum.compute_at(a.output, inner)
        .store_in(MemoryType::Register)
        .bound_extent(a.c, width)
        .bound_extent(a.x, s.pixels)
        .split(a.c, vector, a.c, s.lanes);
    order_stage(a.sum, {a.c}, {vector, a.x}, {});
    Stage update = a.sum.update();
    update.split(a.c, vector, a.c, s.lanes).split(steps, steps, step, s.unroll);
    order_stage(update, {a.c}, {vector, a.x}, {step, steps});
    update.unroll(step);
    if (a.keys.defined()) { // turned round once per tile, read by all its pixels
        Var v("v");
        a.keys.compute_at(a.output, over_channels ? a.y : l.tile)
            .store_in(MemoryType::Stack)
            .bound_extent(a.c, width)
            .split(a.c, v, a.c, s.lanes);
        order_stage(a.keys, {a.c}, {}, {v});
    }
}

void schedule_concat(const Schedule &s, Algorithm &a) {
    for (std::size_t i = 0; i < a.parts.size(); i++) {
        Stage part = a.output.update(static_cast<int>(i));
        const Halide::RDom &r = a.parts[i];
        part.allow_race_conditions(); // lanes and rows write different elements
        order_stage(part, {r.x}, {}, {r.y, a.x, r.z});
        if (s.parallel == ParallelOver::rows) {
            part.parallel(r.z);
        }
    }
}

void schedule_move(const Layer &layer, const Schedule &s, Algorithm &a) {
    const ChannelLoops l = split_channels(s, a.output, a.c, loop_extents(layer).channels);
    if (layer.op == Op::channel_shuffle) { // the parts side by side become whole vectors
        order_stage(a.output, {l.lane}, {a.part}, {l.tile, a.x, a.y});
    } else {
        order_stage(a.output, {l.lane}, {l.vector}, {l.tile, a.column, a.x, a.row, a.y});
    }
    if (s.parallel == ParallelOver::rows) {
        a.output.parallel(a.y);
    }
}

} // namespace edgefront
