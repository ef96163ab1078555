#include "search/front_summary.h"

#include "search/design_space.h"
#include "search/refine.h"
#include "search/reward.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <set>

namespace edgefront {

std::string block_type_of(const std::string &axis, const std::string &choice) {
    if (axis.find("_b") == std::string::npos || choice.empty() || choice == no_block) {
        return "";
    }
    int start = 0, mid = 0, end = 0;
    double expansion = 0;
    const int found = std::sscanf(choice.c_str(), "a%d_k%d_e%lf%n", &start, &mid, &expansion, &end);
    const bool is_uib = found == 3 && static_cast<std::size_t>(end) == choice.size();
    return is_uib ? uib_type(uib(0).start_dw(start).mid_dw(mid)) : choice;
}

namespace {

/// How often each choice stands in the points of one skeleton, by axis.
struct SkeletonCounts {
    std::string skeleton; ///< "small.", or "" where there is one only
    std::vector<std::map<std::string, std::int64_t>> choices;
};

std::vector<SkeletonCounts> count_choices(const RunResult &result) {
    const auto &names = result.choice_names;
    const auto column =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), "skeleton") - names.begin());
    std::vector<SkeletonCounts> counts;
    for (const auto &point : result.points) {
        const std::string skeleton = column < names.size() ? point.choices[column] + "." : "";
        auto own = std::find_if(counts.begin(), counts.end(),
                                [&](const SkeletonCounts &s) { return s.skeleton == skeleton; });
        if (own == counts.end()) {
            own = counts.insert(own, {skeleton, {}});
            own->choices.resize(names.size());
        }
        for (std::size_t c = 0; c < names.size(); c++) {
            own->choices[c][point.choices[c]]++;
        }
    }
    return counts;
}

} // namespace

std::vector<std::string> block_types(const RunResult &result) {
    std::vector<std::string> types = uib_types();
    for (const auto &own : count_choices(result)) {
        for (std::size_t c = 0; c < own.choices.size(); c++) {
            for (const auto &entry : own.choices[c]) {
                const std::string type = block_type_of(result.choice_names[c], entry.first);
                if (!type.empty() && std::count(types.begin(), types.end(), type) == 0) {
                    types.push_back(type);
                }
            }
        }
    }
    return types;
}

std::int64_t StageMix::total() const {
    return std::accumulate(blocks.begin(), blocks.end(), std::int64_t{0});
}

double StageMix::share(std::size_t type) const {
    return total() == 0 ? 0.0 : static_cast<double>(blocks[type]) / static_cast<double>(total());
}

std::vector<StageMix> block_mix(const RunResult &result) {
    const auto types = block_types(result);
    std::vector<StageMix> stages;
    StageMix all{"all", std::vector<std::int64_t>(types.size(), 0)};
    for (const auto &own : count_choices(result)) {
        for (std::size_t c = 0; c < own.choices.size(); c++) {
            const std::string &axis = result.choice_names[c];
            const std::string stage = own.skeleton + axis.substr(0, axis.find('_'));
            for (const auto &[choice, count] : own.choices[c]) {
                const std::string type = block_type_of(axis, choice);
                if (type.empty()) {
                    continue;
                }
                if (stages.empty() || stages.back().stage != stage) {
                    stages.push_back({stage, std::vector<std::int64_t>(types.size(), 0)});
                }
                const auto t = static_cast<std::size_t>(
                    std::find(types.begin(), types.end(), type) - types.begin());
                stages.back().blocks[t] += count;
                all.blocks[t] += count;
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
    const auto types = block_types(result);
    std::size_t stage_width = 5, type_width = 8;
    for (const auto &rate : result.block_rates) {
        stage_width = std::max(stage_width, rate.stage.size());
        type_width = std::max(type_width, rate.type.size());
    }
    std::string text =
        fmt::format("\nBlocks of the front:\n  {:<{}} {:<{}} {:>8}{:>9}{:>10}", "stage",
                    stage_width, "type", type_width, "front", "options", "reach px");
    for (const auto &target : result.config.targets) {
        text += fmt::format("  {} ms/100M MACs", target.name);
    }
    text += "\n";
    for (const auto &rate : result.block_rates) {
        const auto stage = std::find_if(mix.begin(), mix.end(),
                                        [&](const StageMix &m) { return m.stage == rate.stage; });
        const auto type = static_cast<std::size_t>(
            std::find(types.begin(), types.end(), rate.type) - types.begin());
        const bool occurs = stage != mix.end() && type < types.size();
        text +=
            fmt::format("  {:<{}} {:<{}} {:>6.0f} %{:>7.0f} %{:>10.0f}", rate.stage, stage_width,
                        rate.type, type_width, occurs ? 100 * stage->share(type) : 0.0,
                        100 * rate.offered, rate.reach_pixels);
        for (std::size_t t = 0; t < result.config.targets.size(); t++) {
            const std::size_t width = result.config.targets[t].name.size() + 16;
            text += rate.ms_per_100_mmacs.empty()
                        ? fmt::format("{:>{}}", "no MACs", width)
                        : fmt::format("{:>{}.3f}", rate.ms_per_100_mmacs[t], width);
        }
        text += "\n";
    }
    text += "  all:";
    for (std::size_t t = 0; t < types.size(); t++) {
        text += fmt::format(" {} {:.0f} %", types[t], 100 * mix.back().share(t));
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
    const std::size_t dominators = mark.dominated_by.size();
    std::string text =
        fmt::format("{} ({}) is dominated by {} of the front{}\n", mark.network, mark.id,
                    dominators == 1 ? "one point" : fmt::format("{} points", dominators),
                    dominators == 1 ? "" : ", for example");
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

/// From the least to the most of an objective, of points that stand, and what kinds of numbers they
/// are.
std::string range(const RunResult &result, std::size_t o) {
    const ObjectiveColumn &objective = result.objectives[o];
    std::vector<double> values;
    std::set<std::string> kinds;
    for (const auto &point : result.points) {
        if (point.stands()) {
            values.push_back(point.values[o]);
            kinds.insert(result.kind_of(point, o));
        }
    }
    if (values.empty()) {
        return "";
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return fmt::format("  {} ({}, {}): {} to {}\n", objective.name, to_string(objective.sense),
                       fmt::join(kinds, " or "), *low, *high);
}

/// One line per step of netadapt, with every objective.
std::string path_of(const RunResult &result) {
    if (result.path.empty()) {
        return "";
    }
    std::string text =
        fmt::format("\npath of {} steps from {} ({} shrinks):\n  {:<8}", result.path.size() - 1,
                    result.config.netadapt.from, result.config.netadapt.toward, "id");
    std::vector<std::size_t> widths;
    for (const auto &objective : result.objectives) {
        widths.push_back(std::max<std::size_t>(objective.name.size(), 10) + 2);
        text += fmt::format("{:>{}}", objective.name, widths.back());
    }
    text += fmt::format("{:>9}{:>11}  change\n", "loss", "proposals");
    for (const auto &step : result.path) {
        text += "  " + step.point.id;
        for (std::size_t o = 0; o < widths.size(); o++) {
            text += fmt::format("{:>{}.9g}", step.point.values[o], widths[o]);
        }
        text += fmt::format("{:>9.4f}{:>11}  {}\n", step.loss, step.proposals,
                            step.change.empty() ? "(start)" : step.change);
    }
    return text;
}

} // namespace

std::string Preferred::certainty() const {
    return !epsilon        ? "the largest of those evaluated"
           : *epsilon == 0 ? "proven the largest of the space"
                           : fmt::format("proven within {:.3g} % of the largest", 100 * *epsilon);
}

const RunPoint &preferred_point(const RunResult &result) {
    const RewardOptions &r = result.config.reward;
    const std::size_t quality = result.objective(r.quality),
                      resource = result.objective(r.resource);
    const auto reward = [&](const RunPoint &p) {
        return reward_of(r, p.first_values()[quality], p.first_values()[resource]);
    };
    const RunPoint *best = nullptr;
    for (const auto &p : result.points) {
        if (p.id == result.preferred->id && (best == nullptr || reward(p) > reward(*best))) {
            best = &p;
        }
    }
    return best != nullptr ? *best : result.point(result.preferred->id);
}

namespace {

/// The network that the reward prefers.
std::string preferred_of(const RunResult &result) {
    if (!result.preferred) {
        return "";
    }
    const RewardOptions &r = result.config.reward;
    const RunPoint &point = preferred_point(result);
    std::string text =
        fmt::format("\nmost {} * ({} / {})^w: {}, reward {:.6g}, {}\n", r.quality, r.resource,
                    r.target, point.id, result.preferred->reward, result.preferred->certainty());
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        text += fmt::format("  {}: {}\n", result.objectives[o].name, point.first_values()[o]);
    }
    return text;
}

/// "130 %", "0.23 %"
std::string percent(double share) {
    const double shown = 100 * share;
    return shown > 0 && shown < 0.01 ? "less than 0.01 %"
                                     : fmt::format("{:.{}f} %", shown, shown < 1 ? 2 : shown < 10);
}

} // namespace

std::string verdict(const PublishedMark &mark) {
    if (!mark.inside) {
        return "outside the space: " + mark.reason;
    }
    if (!mark.feasible) {
        return "inside the space, but not feasible: " + mark.reason;
    }
    if (mark.on_front) {
        return "on the front, as point " + mark.id;
    }
    if (mark.dominated_by.empty()) {
        return "not reached by the search, and not dominated by the front";
    }
    return fmt::format("dominated by {} point{} of the front", mark.dominated_by.size(),
                       mark.dominated_by.size() == 1 ? "" : "s");
}

std::string refined_count(const RunResult &result) {
    std::array<std::size_t, standing_count> counts{};
    for (const auto &point : result.points) {
        counts[static_cast<std::size_t>(point.standing())]++;
    }
    const std::size_t all = result.points.size();
    const std::size_t first = counts[static_cast<std::size_t>(Standing::not_refined)];
    if (first == all) {
        return "";
    }
    std::vector<std::string> parts;
    for (const Standing s :
         {Standing::on_front, Standing::dominated, Standing::infeasible, Standing::failed}) {
        if (const std::size_t n = counts[static_cast<std::size_t>(s)]; n > 0) {
            parts.push_back(fmt::format("{} {}", n, to_string(s)));
        }
    }
    const auto by = refined_by(result);
    return fmt::format("{} of {} points refined{}: {}", all - first, all,
                       by ? " by " + to_string(*by) : "", join(parts));
}

std::string growth(const RunResult &result) {
    const auto &points = result.trace.points;
    const std::int64_t patience = result.config.patience;
    const std::int64_t recent = patience > 0 ? patience : points.back().evaluated / 10;
    std::string text = fmt::format("hypervolume {:.4f} of the box of extreme values (estimated)",
                                   points.back().hypervolume);
    // Others end when there is no more to do; few points lie too far apart.
    const bool has_budget = result.config.strategy != "exhaustive" && result.config.evaluations > 0;
    const bool dense = patience > 0 || (recent > 0 && points.size() >= 5);
    const double gain = result.trace.gain(recent);
    if (has_budget && dense && std::isfinite(gain)) {
        text += fmt::format("; over the last {} evaluations it grew by {}", recent, percent(gain));
        if (patience > 0 && gain < result.config.min_gain) {
            text +=
                fmt::format(", less than {}: no more were needed", percent(result.config.min_gain));
        }
    }
    return text;
}

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
    if (!result.trace.points.empty()) {
        text += "  " + growth(result) + "\n";
    }
    if (const std::string refined = refined_count(result); !refined.empty()) {
        text += "  " + refined + "\n";
    }
    for (const auto &refused : counters.refused) {
        if (refused.candidates > 0) {
            text +=
                fmt::format("  refused: {} by \"{}\"\n", refused.candidates, refused.constraint);
        }
    }
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        text += range(result, o);
    }
    if (result.accuracy) {
        text += "  top1 is " + result.accuracy->text() + "\n";
    }
    text += preferred_of(result) + path_of(result) + composition(result);
    for (const auto &mark : result.marks) {
        text += "\n" + standing(result, mark);
    }
    return text;
}

} // namespace edgefront
