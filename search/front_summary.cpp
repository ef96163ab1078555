#include "search/front_summary.h"

#include "dsl/block.h"

#include <fmt/format.h>

#include <algorithm>
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

const std::vector<std::string> &uib_types() {
    static const std::vector<std::string> types = {"ExtraDW", "IB", "ConvNext", "FFN"};
    return types;
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

std::string summary(const RunResult &result) {
    const RunCounters &counters = result.counters;
    std::string text = fmt::format(
        "{} points on the front; {} networks evaluated, {} feasible, of {:.4g} in the space\n",
        result.points.size(), counters.evaluated, counters.feasible, counters.space_size);
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
    for (const auto &stage : block_mix(result)) {
        text += fmt::format("  blocks of {}:", stage.stage);
        for (std::size_t t = 0; t < uib_types().size(); t++) {
            text += fmt::format(" {} {:.0f} %", uib_types()[t], 100 * stage.share(t));
        }
        text += "\n";
    }
    for (const auto &mark : result.marks) {
        text += "  " + mark.network + ": ";
        if (!mark.inside) {
            text += "outside the space, " + mark.reason + "\n";
        } else if (!mark.feasible) {
            text += "in the space, not feasible, " + mark.reason + "\n";
        } else if (mark.on_front) {
            text += fmt::format("on the front ({})\n", mark.id);
        } else {
            text += fmt::format("dominated by {} points\n", mark.dominated_by.size());
        }
    }
    return text;
}

} // namespace edgefront
