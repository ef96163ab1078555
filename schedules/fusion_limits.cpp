#include "schedules/fusion_limits.h"

#include <algorithm>

namespace edgefront {

namespace {

bool fits(const std::vector<Layer> &layers, const Fusion &plan, const ArrayLimits &limits) {
    return analyse(layers, plan).level.footprint() <= limits.scratchpad;
}

} // namespace

std::string fusion_problem(const std::vector<Layer> &layers, const Fusion &plan,
                           const ArrayLimits &limits) {
    for (std::size_t i = 0; i < plan.members.size(); i++) {
        const std::string arrays = too_large(layers[i], plan.members[i], limits);
        if (!arrays.empty()) {
            return "member " + std::to_string(i + 1) + ": " + arrays;
        }
    }
    const FusedTiles level = analyse(layers, plan).level;
    if (level.footprint() <= limits.scratchpad) {
        return "";
    }
    const std::string what = scratchpad_text("scratchpad bytes",
                                             {{"input", level.tiles.input.footprint},
                                              {"weights", level.tiles.weights.footprint},
                                              {"lines", level.lines},
                                              {"output", level.tiles.output.footprint},
                                              {"residual", level.tiles.residual.footprint}},
                                             limits.scratchpad);
    Fusion other = plan;
    other.double_buffered = false;
    if (plan.double_buffered && fits(layers, other, limits)) {
        return what + "; it would fit with one buffer";
    }
    // Lower strips first, then narrower slices; then what stays.
    const FusedProblem problem(layers);
    other.rows = std::min(other.rows, problem.members().back().rows);
    while (!fits(layers, other, limits)) {
        const std::int64_t slice = problem.slice(other);
        if (other.rows > 1) {
            other.rows = ceil_div(other.rows, 2);
        } else if (can_slice(layers) && slice > 1) {
            other.channels = ceil_div(slice, 2);
        } else if (other.weights_stay) {
            other.weights_stay = false;
        } else if (other.order == FusionOrder::strips && problem.slices(other) > 1) {
            other.order = FusionOrder::slices;
        } else {
            return what + "; no strip fits, the smallest takes " +
                   std::to_string(analyse(layers, other).level.footprint().count());
        }
    }
    return what + "; it would fit as " + to_string(other);
}

void for_each_fusion(const std::vector<Layer> &layers, const ArrayLimits &limits,
                     const std::function<void(const Fusion &)> &visit) {
    const MappingSpace first(layers.front(), limits), last(layers.back(), limits);
    const std::vector<std::int64_t> slices =
        can_slice(layers) ? first.channel_tiles(Mapping()) : std::vector<std::int64_t>{0};
    Fusion plan;
    const auto buffers = [&] {
        for (const bool twice : {true, false}) {
            plan.double_buffered = twice;
            visit(plan);
        }
    };
    for (const std::int64_t rows : last.row_tiles()) {
        plan.rows = rows;
        const bool strips = rows < last.problem().rows;
        for (const bool keep : {true, false}) {
            plan.keep_lines = keep;
            if (!keep && !strips) {
                continue;
            }
            for (const std::int64_t slice : slices) {
                const bool sliced = slice > 0 && slice < first.problem().channels;
                plan.channels = sliced ? slice : 0;
                plan.order = FusionOrder::strips;
                plan.weights_stay = false;
                buffers();
                if (sliced && strips) {
                    plan.weights_stay = true;
                    buffers();
                    plan.weights_stay = false;
                    plan.order = FusionOrder::slices;
                    buffers();
                }
            }
        }
    }
}

Layer largest_step(const std::vector<Layer> &layers, std::size_t i, std::int64_t rows,
                   std::int64_t slice) {
    Layer step = layers[i];
    step.output.height = static_cast<int>(rows);
    if (can_slice(layers)) {
        const int channels = static_cast<int>(slice);
        step.output.channels = i < 2 ? channels : step.output.channels;
        step.input.channels = i > 0 ? channels : step.input.channels;
    }
    return step;
}

} // namespace edgefront
