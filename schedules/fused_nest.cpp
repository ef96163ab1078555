#include "schedules/fused_nest.h"

#include <algorithm>

namespace edgefront {

namespace {

struct Interval {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t size() const { return to - from; }
};

/// The input rows that outputs [o.from, o.to) touch; strides beyond the window step over some.
Interval touched(const ArrayProblem &p, const Interval &o) {
    const auto inside = [&](std::int64_t row) {
        return std::clamp<std::int64_t>(row, 0, p.input_rows);
    };
    const std::int64_t from = inside(o.from * p.stride - p.pad_top);
    const std::int64_t end = (o.to - 1) * p.stride - p.pad_top + std::max(p.reach, p.stride);
    return {from, o.size() == 0 ? from : std::max(from, inside(end))};
}

void add(TensorRows &tensor, std::int64_t fresh, std::int64_t kept) {
    tensor.all += fresh;
    tensor.most_fresh = std::max(tensor.most_fresh, fresh);
    tensor.most_kept = std::max(tensor.most_kept, kept);
    tensor.most_held = std::max(tensor.most_held, fresh + kept);
    if (fresh == 0) {
        return;
    }
    for (RowRun &run : tensor.fresh) {
        if (run.rows == fresh) {
            run.times++;
            return;
        }
    }
    tensor.fresh.push_back({fresh, 1});
}

/// What slices of the middle tensors cut of each member of a group of three.
constexpr std::int64_t ArrayProblem::*sliced_extents[] = {
    &ArrayProblem::channels, &ArrayProblem::groups, &ArrayProblem::reduction};

} // namespace

FusedProblem::FusedProblem(const std::vector<Layer> &layers) : sliced_(can_slice(layers)) {
    channels_.push_back(layers.front().input.channels);
    for (const Layer &layer : layers) {
        members_.push_back(array_problem(layer));
        channels_.push_back(layer.output.channels);
    }
}

std::int64_t FusedProblem::slice(const Fusion &plan) const {
    return sliced_ && plan.channels > 0 ? std::min(plan.channels, channels_[1]) : channels_[1];
}

std::int64_t FusedProblem::slices(const Fusion &plan) const {
    return ceil_div(channels_[1], slice(plan));
}

Strips FusedProblem::strips(std::int64_t rows, bool keep_lines) const {
    const std::size_t n = members_.size();
    const std::int64_t outputs = members_.back().rows;
    Strips strips;
    strips.count = ceil_div(outputs, rows);
    strips.tensors.resize(n + 1);
    std::vector<std::int64_t> done(n + 1, 0); // rows that are or were there, by tensor
    for (std::int64_t s = 0; s < strips.count; s++) {
        Interval made = {s * rows, std::min(outputs, (s + 1) * rows)};
        add(strips.tensors[n], made.size(), 0);
        for (std::size_t t = n; t-- > 0;) {
            Interval needed = touched(members_[t], made);
            needed.from = s == 0 ? 0 : needed.from;
            needed.to = s + 1 == strips.count ? members_[t].input_rows : needed.to;
            if (keep_lines) {
                const std::int64_t there = done[t];
                const std::int64_t oldest = made.size() > 0 ? std::min(needed.from, there) : there;
                made = {there, std::max(there, needed.to)};
                add(strips.tensors[t], made.size(), there - oldest);
                done[t] = made.to;
            } else {
                made = {needed.from, std::max(needed.from, needed.to)};
                add(strips.tensors[t], made.size(), 0);
            }
        }
    }
    return strips;
}

ArrayProblem FusedProblem::step(std::size_t i, std::int64_t rows, std::int64_t channels) const {
    ArrayProblem p = members_[i];
    p.rows = rows;
    if (sliced_) {
        p.*sliced_extents[i] = channels;
    }
    return p;
}

ArrayCounts FusedProblem::count_steps(std::size_t i, const Mapping &m,
                                      const std::vector<RowRun> &rows, std::int64_t slice) const {
    ArrayCounts all;
    const auto add = [&](std::int64_t channels, std::int64_t times) {
        for (const RowRun &run : rows) {
            const ArrayProblem p = step(i, run.rows, channels);
            const ArrayCounts c =
                count(p, m, group_part(p, m, p.groups), channel_part(p, m, p.channels),
                      reduction_part(p, m, p.reduction), pixel_part(p, m, p.rows, p.columns));
            all.stream += c.stream * times * run.times;
            all.fill += c.fill * times * run.times;
            all.input_reads += c.input_reads * times * run.times;
            all.weight_reads += c.weight_reads * times * run.times;
            all.sum_writes += c.sum_writes * times * run.times;
        }
    };
    add(slice, channels_[1] / slice);
    if (sliced_ && channels_[1] % slice > 0) {
        add(channels_[1] % slice, 1);
    }
    return all;
}

bool FusedProblem::partial_sums(std::size_t i, const Mapping &m, std::int64_t slice) const {
    const ArrayProblem p = step(i, 1, slice);
    return m.dataflow != Dataflow::output_stationary &&
           reduction_part(p, m, p.reduction).tile_folds > 1;
}

ArrayProblem FusedProblem::worked(std::size_t i, const Strips &strips) const {
    ArrayProblem p = members_[i];
    p.rows = strips.tensors[i + 1].all;
    return p;
}

FusedTiles fused_tiles(const FusedProblem &problem, const Fusion &plan, const Strips &strips,
                       unsigned partial) {
    const auto &members = problem.members_;
    const std::size_t n = members.size();
    const ArrayProblem &first = members.front();
    const ArrayProblem &last = members.back();
    const std::int64_t element = first.element;
    const std::int64_t channels = problem.channels_[1];
    const std::int64_t slice = problem.slice(plan);
    const std::int64_t slices = problem.slices(plan);
    // With one strip or one slice there is but one order.
    const bool again = slices > 1 && strips.count > 1;
    const bool strips_outer = plan.order == FusionOrder::strips;
    const bool all_weights = slices == 1 || (strips_outer && plan.weights_stay);
    const auto twice = [&](bool moves) { return plan.double_buffered && moves ? 2 : 1; };

    std::int64_t weights = 0, slice_weights = 0, first_weights = 0;
    for (std::size_t i = 0; i < n; i++) {
        const ArrayProblem part = problem.step(i, 1, slice);
        weights += members[i].weights() * element + members[i].bias_bytes();
        slice_weights += part.weights() * element + part.bias_bytes();
        first_weights = i == 0 ? slice_weights : first_weights;
    }

    FusedTiles level;
    TileLevel &tiles = level.tiles;
    tiles.double_buffered = plan.double_buffered;
    const TensorRows &in = strips.tensors.front();
    const std::int64_t in_row = first.input_columns * problem.channels_.front() * element;
    const std::int64_t next_rows = twice(strips.count > 1) == 2 ? in.most_fresh : 0;
    tiles.input = {Bytes((in.most_held + next_rows) * in_row),
                   Bytes(in.all * in_row * (again && !strips_outer ? slices : 1)),
                   {}};
    tiles.weights = {Bytes(all_weights ? weights : slice_weights * twice(true)),
                     Bytes(weights * (again && strips_outer && !all_weights ? strips.count : 1)),
                     {}};
    const std::int64_t outputs = last.outputs();
    const std::int64_t strip =
        strips.tensors.back().most_fresh * last.columns * last.groups * last.channels;
    const bool sums = slices > 1 || (partial >> (n - 1) & 1) != 0;
    const std::int64_t back = again && !strips_outer ? outputs * (slices - 1) * sum_bytes : 0;
    tiles.output = {Bytes(strip * (sums ? sum_bytes : element) * twice(strips.count > 1)),
                    Bytes(back), Bytes(back + outputs * element)};
    if (last.residual) {
        tiles.residual = {
            Bytes(strip * element * twice(strips.count > 1)), Bytes(outputs * element), {}};
    }
    tiles.exposed =
        Bytes(in.most_fresh * in_row + first_weights + strip * element * (last.residual ? 2 : 1));

    for (std::size_t t = 1; t < n; t++) {
        const TensorRows &rows = strips.tensors[t];
        const bool cut = problem.sliced_;
        const std::int64_t now = cut ? slice : problem.channels_[t];
        // Sums of the rows that are being made; and lines of the slices that wait meanwhile.
        const std::int64_t wider = (partial >> (t - 1) & 1) != 0 ? sum_bytes - element : 0;
        const std::int64_t waiting = cut && strips_outer ? channels - slice : 0;
        level.lines += Bytes(members[t - 1].columns *
                             (now * (rows.most_held * element + rows.most_fresh * wider) +
                              waiting * rows.most_kept * element));
    }
    return level;
}

Macs FusedNest::macs() const {
    Macs sum;
    for (const LoopNest &member : members) {
        sum += member.macs;
    }
    return sum;
}

Macs FusedNest::repeated() const {
    Macs sum;
    for (const Layer &layer : worked) {
        sum += edgefront::macs(layer);
    }
    return sum - macs();
}

Bytes FusedNest::traffic() const {
    Bytes sum;
    for (const LoopNest &member : members) {
        sum += member.traffic();
    }
    return sum;
}

FusedNest analyse(const std::vector<Layer> &layers, const Fusion &plan) {
    const FusedProblem problem(layers);
    const Strips strips = problem.strips(plan.rows, plan.keep_lines);
    const std::int64_t slice = problem.slice(plan);
    FusedNest fused;
    fused.plan = plan;
    unsigned partial = 0;
    for (std::size_t i = 0; i < problem.size(); i++) {
        const TensorRows &made = strips.tensors[i + 1];
        const ArrayProblem step = problem.step(i, made.most_fresh, slice);
        Mapping m = plan.members[i];
        m.tile = {step.groups, step.rows, step.columns, step.channels, step.reduction};
        Layer worked = layers[i];
        worked.output.height = static_cast<int>(made.all);
        LoopNest nest = analyse(layers[i], Schedule());
        nest.plan = m;
        nest.elementwise = analyse(worked, Schedule()).elementwise;
        set_array_counts(nest, problem.worked(i, strips), m,
                         problem.count_steps(i, m, made.fresh, slice));
        partial |= problem.partial_sums(i, m, slice) ? 1u << i : 0u;
        fused.members.push_back(std::move(nest));
        fused.worked.push_back(worked);
    }
    fused.level = fused_tiles(problem, plan, strips, partial);
    return fused;
}

} // namespace edgefront
