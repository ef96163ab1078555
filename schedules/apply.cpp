#include "schedules/apply.h"

#include "schedules/apply_parts.h"
#include "schedules/kernel_shape.h"
#include "schedules/packing.h"

namespace edgefront {

using Halide::Expr;
using Halide::ImageParam;
using Halide::MemoryType;
using Halide::RVar;
using Halide::Stage;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

void fix_count(ImageParam &p, std::int64_t count) {
    p.dim(0).set_bounds(0, static_cast<int>(count)).set_stride(1);
}

/// [n / NR][step][NR], or plain for depthwise layers (packing.h).
WeightIndex packed_weight_index(const Layer &layer, const Schedule &schedule) {
    if (layer.op == Op::depthwise_conv2d || layer.per_channel_weights()) {
        return plain_weight_index(layer);
    }
    const int width = schedule.lanes * schedule.vectors;
    const int depth = layer.kernel * layer.kernel * (layer.input.channels / layer.groups);
    return [width, depth](Expr channel, Expr step) {
        return (channel / width * depth + step) * width + channel % width;
    };
}

/// The loops of the output: (lane, vector, pixel, row) is the register tile, unrolled; outside it
/// the tiles in the schedule's order, a parallel one outermost. Returns the innermost loop over
/// tiles.
struct TileLoops {
    Var lane{"lane"}, vector{"vector"}, pixel{"pixel"}, row{"row"};
    Var channel_tile{"channel_tile"}, pixel_tile{"pixel_tile"}, row_tile{"row_tile"};
    Var in_block{"in_block"};
    Var innermost;
};

TileLoops tile_output(const Layer &layer, const Schedule &s, Algorithm &a,
                      TailStrategy channel_tail) {
    TileLoops t;
    const int width = s.lanes * s.vectors;
    const Shape &out = layer.output;
    a.output.split(a.c, t.channel_tile, a.c, width, tail(out.channels, width, channel_tail))
        .split(a.x, t.pixel_tile, t.pixel, s.pixels,
               tail(out.width, s.pixels, TailStrategy::ShiftInwards))
        .split(a.y, t.row_tile, t.row, s.rows, tail(out.height, s.rows, TailStrategy::ShiftInwards))
        .split(a.c, t.vector, t.lane, s.lanes);
    if (s.order == LoopOrder::pixels_outer) {
        a.output.reorder(t.lane, t.vector, t.pixel, t.row, t.channel_tile, t.pixel_tile,
                         t.row_tile);
        t.innermost = t.channel_tile;
    } else if (s.parallel == ParallelOver::rows) {
        a.output.reorder(t.lane, t.vector, t.pixel, t.row, t.pixel_tile, t.channel_tile,
                         t.row_tile);
        t.innermost = t.pixel_tile;
    } else {
        a.output.reorder(t.lane, t.vector, t.pixel, t.row, t.pixel_tile, t.row_tile,
                         t.channel_tile);
        t.innermost = t.pixel_tile;
    }
    if (s.block > 1) {
        const Var outer = s.order == LoopOrder::pixels_outer ? t.pixel_tile : t.channel_tile;
        const Var inner = s.order == LoopOrder::pixels_outer ? t.channel_tile : t.pixel_tile;
        a.output.split(outer, outer, t.in_block, s.block, TailStrategy::RoundUp)
            .reorder(t.in_block, inner);
        t.innermost = t.in_block;
    }
    a.output.vectorize(t.lane).unroll(t.vector).unroll(t.pixel).unroll(t.row);
    switch (s.parallel) {
    case ParallelOver::none: break;
    case ParallelOver::rows: a.output.parallel(t.row_tile); break;
    case ParallelOver::channels: a.output.parallel(t.channel_tile); break;
    }
    return t;
}

/// The sums of one register tile: computed in registers, vectors of `lanes` channels, then `loops`
/// of the reduction around the tile.
void block_registers(const Schedule &s, Algorithm &a, const TileLoops &t, Stage update,
                     const Loops &loops) {
    Var vector("v");
    a.sum.compute_at(a.output, t.innermost)
        .store_in(MemoryType::Register)
        .bound_extent(a.c, s.lanes * s.vectors)
        .bound_extent(a.x, s.pixels)
        .bound_extent(a.y, s.rows)
        .split(a.c, vector, a.c, s.lanes);
    order_stage(a.sum, {a.c}, {vector, a.x, a.y}, {});
    update.split(a.c, vector, a.c, s.lanes);
    order_stage(update, {a.c}, {vector, a.x, a.y}, loops);
}

/// The same with two neighbouring pixels in every vector.
void block_registers_in_pairs(const Schedule &s, Algorithm &a, const TileLoops &t, Stage update,
                              const Loops &loops) {
    a.sum.compute_at(a.output, t.innermost)
        .store_in(MemoryType::Register)
        .bound_extent(a.c, s.lanes)
        .bound_extent(a.side, 2)
        .bound_extent(a.group, s.vectors)
        .bound_extent(a.x, s.pixels / 2)
        .bound_extent(a.y, s.rows);
    order_stage(a.sum, {a.c, a.side}, {a.group, a.x, a.y}, {});
    order_stage(update, {a.c, a.side}, {a.group, a.x, a.y}, loops);
}

/// The sums of a channel tile's pixels wait on the stack; register tiles add one block of the
/// reduction after the other to them.
void block_reduction(const Schedule &s, Algorithm &a, const TileLoops &t) {
    const int width = s.lanes * s.vectors;
    const RVar ci = a.window.x, kx = a.window.y, ky = a.window.z;
    RVar block("block"), step("step");
    Var turn("turn"), vector("v"), pixel("p"), row("r"), pixel_tile("pt"), row_tile("rt");
    Stage update = a.sum.update();
    update.split(ci, block, ci, s.depth);
    Halide::Func part = update.rfactor(block, turn);

    a.sum.compute_at(a.output, t.channel_tile)
        .store_in(MemoryType::Stack)
        .align_bounds(a.c, width)
        .bound_extent(a.c, width)
        .split(a.c, vector, a.c, s.lanes);
    order_stage(a.sum, {a.c}, {vector}, {a.x, a.y});
    Stage whole = a.sum.update();
    whole.split(a.c, vector, a.c, s.lanes, TailStrategy::RoundUp)
        .split(a.x, pixel_tile, pixel, s.pixels, TailStrategy::RoundUp)
        .split(a.y, row_tile, row, s.rows, TailStrategy::RoundUp);
    order_stage(whole, {a.c}, {vector, pixel, row}, {pixel_tile, row_tile, block});

    part.compute_at(a.sum, pixel_tile)
        .store_in(MemoryType::Register)
        .bound_extent(a.c, width)
        .bound_extent(a.x, s.pixels)
        .bound_extent(a.y, s.rows)
        .split(a.c, vector, a.c, s.lanes);
    order_stage(part, {a.c}, {vector, a.x, a.y, turn}, {});
    Stage inner = part.update();
    inner.split(a.c, vector, a.c, s.lanes).split(ci, ci, step, s.unroll);
    order_stage(inner, {a.c}, {vector, a.x, a.y, turn}, {step, ci, kx, ky});
    inner.unroll(step);
    if (s.prefetch > 0) {
        inner.prefetch(a.weights, ci, ci, s.prefetch, Halide::PrefetchBoundStrategy::NonFaulting);
    }
}

/// The output stops within its last tile, what is kept in a chain does not (`channels_kept`).
void schedule_dense(const Layer &layer, const Schedule &s, Algorithm &a, bool paired, bool kept) {
    const TileLoops t =
        tile_output(layer, s, a, kept ? TailStrategy::RoundUp : TailStrategy::GuardWithIf);
    RVar step("step");
    const RVar ci = a.window.x, kx = a.window.y, ky = a.window.z;
    Stage update = a.sum.update();
    if (s.depth > 0) {
        block_reduction(s, a, t);
        return;
    }
    update.split(ci, ci, step, s.unroll);
    if (paired) {
        block_registers_in_pairs(s, a, t, update, {step, ci, kx, ky});
    } else {
        a.sum.align_bounds(a.c, s.lanes * s.vectors); // whole tiles, where the output stops earlier
        block_registers(s, a, t, update, {step, ci, kx, ky});
    }
    update.unroll(step);
    if (s.prefetch > 0) {
        update.prefetch(a.weights, ci, ci, s.prefetch, Halide::PrefetchBoundStrategy::NonFaulting);
    }
}

/// Depthwise convolution and windows of pooling.
void schedule_windowed(const Layer &layer, const Schedule &s, Algorithm &a) {
    const TileLoops t = tile_output(layer, s, a, TailStrategy::ShiftInwards);
    const RVar kx = a.window.x, ky = a.window.y;
    Stage update = a.sum.update();
    block_registers(s, a, t, update, {kx, ky});
    update.unroll(kx).unroll(ky);
}

void schedule_pool(const Layer &layer, const Schedule &s, Algorithm &a) {
    const TileLoops t = tile_output(layer, s, a, TailStrategy::ShiftInwards);
    block_registers(s, a, t, a.sum.update(), {a.window.x, a.window.y});
}

Algorithm scheduled_layer(const Layer &layer, const Schedule &schedule, const IsaInfo &isa,
                          const Place &place, bool kept) {
    const bool paired = pairs_pixels(layer, schedule, isa);
    Algorithm a =
        make_algorithm(layer, packed_weight_index(layer, schedule),
                       {schedule.lanes * schedule.vectors, paired ? schedule.lanes : 0}, place);
    if (a.weights.defined()) {
        fix_count(a.weights, packed_weight_count(layer, schedule));
        fix_count(a.bias, packed_bias_count(layer, schedule));
    }
    switch (layer.op) {
    case Op::conv2d:
    case Op::fully_connected: schedule_dense(layer, schedule, a, paired, kept); break;
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool: schedule_windowed(layer, schedule, a); break;
    case Op::global_average_pool: schedule_pool(layer, schedule, a); break;
    case Op::layer_norm:
    case Op::group_norm:
    case Op::softmax: schedule_statistics(layer, schedule, a); break;
    case Op::attention_scores:
    case Op::attention_context: schedule_attention(layer, schedule, a); break;
    case Op::concat: schedule_concat(schedule, a); break;
    case Op::channel_shuffle:
    case Op::unfold:
    case Op::fold: schedule_move(layer, schedule, a); break;
    case Op::channel_scale:
    case Op::elementwise:
    case Op::affine:
    case Op::slice:
    case Op::reshape:
    case Op::resize_bilinear: tile_output(layer, schedule, a, TailStrategy::ShiftInwards); break;
    }
    return a;
}

/// Strips of the last layer's output, in parts that may run in parallel.
struct Strips {
    Var strip{"strip"}, part{"part_of_strips"};
};

Strips cut_into_strips(const Layer &layer, const KernelPlan &plan, Algorithm &last) {
    Strips loops;
    const Schedule &s = plan.members.back();
    const Var row_tile("row_tile"), channel_tile("channel_tile");
    last.output.split(row_tile, loops.strip, row_tile, plan.rows / s.rows, TailStrategy::RoundUp)
        .split(loops.strip, loops.part, loops.strip, strips_per_part({layer}, plan),
               TailStrategy::RoundUp);
    if (s.order == LoopOrder::channels_outer) {
        last.output.reorder(channel_tile, loops.strip, loops.part);
    }
    if (plan.parts > 1) {
        last.output.parallel(loops.part);
    }
    return loops;
}

/// Member `i` computes what every strip needs of it, into rows that it uses again and again.
void keep_rows(const std::vector<Layer> &layers, const KernelPlan &plan, std::size_t i,
               const Strips &loops, std::vector<Algorithm> &kernel) {
    const Shape &out = layers[i].output;
    Algorithm &a = kernel[i];
    a.output.bound(a.c, 0, channels_kept(layers, plan, i))
        .bound(a.x, 0, out.width)
        .store_at(kernel.back().output, loops.part)
        .compute_at(kernel.back().output, loops.strip);
    if (strips_per_part(layers, plan) > 1) {
        a.output.fold_storage(a.y, rows_kept(layers, plan, i));
    }
}

} // namespace

std::vector<Algorithm> scheduled_kernel(const std::vector<Layer> &given, const KernelPlan &plan,
                                        const IsaInfo &isa) {
    std::vector<Layer> layers;
    std::vector<Algorithm> kernel;
    for (std::size_t i = 0; i < given.size(); i++) {
        layers.push_back(kernel_shape(given[i]));
        Place place;
        if (plan.fused()) {
            place.suffix = std::to_string(i);
        }
        if (i > 0) {
            place.before = kernel.back().output;
        }
        const bool kept = i + 1 < given.size();
        kernel.push_back(scheduled_layer(layers[i], plan.members[i], isa, place, kept));
    }
    if (plan.fused()) {
        const Strips loops = cut_into_strips(layers.back(), plan, kernel.back());
        for (std::size_t i = 0; i + 1 < layers.size(); i++) {
            keep_rows(layers, plan, i, loops, kernel);
        }
    }
    constexpr int alignment = 64; // bytes
    kernel.back().output.output_buffer().set_host_alignment(alignment);
    for (ImageParam &p : parameters(kernel)) {
        p.set_host_alignment(alignment);
    }
    return kernel;
}

std::vector<ImageParam> parameters(const std::vector<Algorithm> &kernel) {
    std::vector<ImageParam> all;
    for (const Algorithm &a : kernel) {
        const auto activations = a.activations();
        all.insert(all.end(), activations.begin(), activations.end());
    }
    for (const Algorithm &a : kernel) {
        if (a.weights.defined()) {
            all.insert(all.end(), {a.weights, a.bias});
        }
    }
    return all;
}

} // namespace edgefront
