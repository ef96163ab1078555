#include "search/front_summary.h"

#include "search/design_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace edgefront {

std::optional<std::size_t> uib_type_of(const std::string &axis, const std::string &choice) {
    if (axis.find("_b") == std::string::npos || choice.empty()) {
        return std::nullopt;
    }
    const std::string type = uib_type(parse_block_string("uir_" + choice + "_c1"));
    const auto &types = uib_types();
    return static_cast<std::size_t>(std::find(types.begin(), types.end(), type) - types.begin());
}

std::int64_t StageMix::total() const {
    return std::accumulate(blocks.begin(), blocks.end(), std::int64_t{0});
}

double StageMix::share(std::size_t type) const {
    return total() == 0 ? 0.0 : static_cast<double>(blocks[type]) / static_cast<double>(total());
}

std::vector<StageMix> block_mix(const RunResult &result) {
    std::vector<StageMix> stages;
    StageMix all{"all", {}};
    for (std::size_t c = 0; c < result.choice_names.size(); c++) {
        const std::string &axis = result.choice_names[c];
        const std::string stage = axis.substr(0, axis.find('_'));
        for (const auto &point : result.points) {
            if (const auto type = uib_type_of(axis, point.choices[c])) {
                if (stages.empty() || stages.back().stage != stage) {
                    stages.push_back({stage, {}});
                }
                stages.back().blocks[*type]++;
                all.blocks[*type]++;
            }
        }
    }
    stages.push_back(all);
    return stages;
}

namespace {

/// Per stage and type: how much of the front, how much of what was on offer, and what it costs.
std::string composition(const RunResult &result) {
    const auto mix = block_mix(result);
    if (mix.size() < 2) {
        return "";
    }
    std::string text = fmt::format("\nUIB blocks of the front:\n  {:<5} {:<9}{:>8}{:>9}{:>10}",
                                   "stage", "type", "front", "options", "reach px");
    for (const auto &target : result.config.targets) {
        text += fmt::format("  {} ms/100M MACs", target.name);
    }
    text += "\n";
    for (const auto &rate : result.block_rates) {
        const auto stage = std::find_if(mix.begin(), mix.end(),
                                        [&](const StageMix &m) { return m.stage == rate.stage; });
        const auto &types = uib_types();
        const auto type = static_cast<std::size_t>(
            std::find(types.begin(), types.end(), rate.type) - types.begin());
        const double share = stage == mix.end() ? 0 : stage->share(type);
        text += fmt::format("  {:<5} {:<9}{:>6.0f} %{:>7.0f} %{:>10.0f}", rate.stage, rate.type,
                            100 * share, 100 * rate.offered, rate.reach_pixels);
        for (std::size_t t = 0; t < rate.ms_per_100_mmacs.size(); t++) {
            const std::size_t width = result.config.targets[t].name.size() + 16;
            text += fmt::format("{:>{}.3f}", rate.ms_per_100_mmacs[t], width);
        }
        text += "\n";
    }
    text += "  all:";
    for (std::size_t t = 0; t < uib_types().size(); t++) {
        text += fmt::format(" {} {:.0f} %", uib_types()[t], 100 * mix.back().share(t));
    }
    return text + "\n";
}

/// "3f2a...: latency_ms:host -12.3 %, macs +4.0 %"
std::string gains(const RunResult &result, const PublishedMark &mark, const Dominator &by) {
    std::string text = fmt::format("    {}:", by.id);
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        const char sign = result.objectives[o].sense == Sense::minimise ? '-' : '+';
        text += fmt::format("{} {} {}{:.2f} %", o == 0 ? "" : ",", result.objectives[o].name, sign,
                            100 * by.better_by[o] / std::max(std::abs(mark.values[o]), 1e-12));
    }
    return text + "\n";
}

/// Where a published network stands; of those that beat it, the one with the most of each
/// objective.
std::string standing(const RunResult &result, const PublishedMark &mark) {
    if (!mark.inside) {
        return fmt::format("{} is outside the space: {}\n", mark.network, mark.reason);
    }
    if (!mark.feasible) {
        return fmt::format("{} ({}) is inside the space but not feasible, {}\n", mark.network,
                           mark.id, mark.reason);
    }
    if (mark.on_front) {
        return fmt::format("{} ({}) is on the front\n", mark.network, mark.id);
    }
    std::string text = fmt::format("{} ({}) is dominated by {} points of the front, for example\n",
                                   mark.network, mark.id, mark.dominated_by.size());
    std::vector<const Dominator *> shown;
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        const auto best = std::max_element(mark.dominated_by.begin(), mark.dominated_by.end(),
                                           [&](const Dominator &a, const Dominator &b) {
                                               return a.better_by[o] < b.better_by[o];
                                           });
        if (std::find(shown.begin(), shown.end(), &*best) == shown.end()) {
            shown.push_back(&*best);
            text += gains(result, mark, *best);
        }
    }
    return text;
}

} // namespace

std::string summary(const RunResult &result) {
    const RunCounters &counters = result.counters;
    std::string text = fmt::format(
        "{} points on the front; {} networks evaluated, {} feasible, of {:.4g} in the space\n",
        result.points.size(), counters.evaluated, counters.feasible, counters.space_size);
    if (result.epsilon) {
        text += *result.epsilon == 0
                    ? "  the front is exact: no network of the space is missing\n"
                    : fmt::format("  within {:.3g} % in each objective, no network of the space is "
                                  "missing\n",
                                  100 * *result.epsilon);
    }
    for (const auto &refused : counters.refused) {
        if (refused.candidates > 0) {
            text +=
                fmt::format("  refused: {} by \"{}\"\n", refused.candidates, refused.constraint);
        }
    }
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        const ObjectiveColumn &objective = result.objectives[o];
        const auto by = [&](const RunPoint &a, const RunPoint &b) {
            return a.values[o] < b.values[o];
        };
        const auto [low, high] =
            std::minmax_element(result.points.begin(), result.points.end(), by);
        text += fmt::format("  {} ({}, {}): {} to {}\n", objective.name, to_string(objective.sense),
                            to_string(objective.kind), low->values[o], high->values[o]);
    }
    if (result.accuracy) {
        text += "  top1 is " + result.accuracy->text() + "\n";
    }
    text += composition(result);
    for (const auto &mark : result.marks) {
        text += "\n" + standing(result, mark);
    }
    return text;
}

} // namespace edgefront
