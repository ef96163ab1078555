#include "reports/strategy_facts.h"

#include "reports/numbers.h"
#include "search/front_summary.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

std::vector<Fact> merged_runs(const RunConfig &config) {
    std::vector<Fact> facts;
    for (const auto &run : config.merged) {
        facts.push_back({"merged from " + run.folder,
                         fmt::format("{}, seed {}, {} networks evaluated{}", run.config.strategy,
                                     run.config.seed, grouped(run.counters.evaluated),
                                     run.finished ? "" : ", not finished")});
    }
    return facts;
}

/// "memory bytes" for "memory_bytes"; nothing for what was not given.
std::vector<Fact> options(const RunConfig &config) {
    std::vector<Fact> facts;
    const Json all = write_options(config);
    for (const auto &option : all.items()) {
        const Json &value = option.value();
        if (value.is_null() || value.empty()) {
            continue;
        }
        std::string label = option.key();
        std::replace(label.begin(), label.end(), '_', ' ');
        std::string text = value.dump();
        if (value.is_string()) {
            text = value.get<std::string>();
        } else if (value.is_number_integer()) {
            text = grouped(value.get<std::int64_t>());
        } else if (value.is_array()) {
            text = join(value.get<std::vector<std::string>>(), ";");
        }
        facts.push_back({label, text});
    }
    return facts;
}

std::vector<Fact> path(const RunResult &result) {
    std::vector<Fact> facts;
    for (std::size_t s = 0; s < result.path.size(); s++) {
        const PathStep &step = result.path[s];
        std::string values;
        for (std::size_t o = 0; o < result.objectives.size(); o++) {
            values += fmt::format(", {} {}", result.objectives[o].name,
                                  significant(step.point.values[o]));
        }
        facts.push_back(
            {s == 0 ? "path from" : fmt::format("step {}", s),
             step.point.id + values + (step.change.empty() ? "" : " (" + step.change + ")")});
    }
    return facts;
}

} // namespace

std::vector<Fact> strategy_facts(const RunResult &result) {
    const RunConfig &config = result.config;
    if (!config.merged.empty()) {
        return merged_runs(config);
    }
    std::vector<Fact> facts = {{"strategy", config.strategy},
                               {"seed", std::to_string(config.seed)}};
    const auto append = [&](std::vector<Fact> more) {
        facts.insert(facts.end(), more.begin(), more.end());
    };
    append(options(config));
    if (result.preferred) {
        facts.push_back(
            {"preferred", fmt::format("{}, reward {:.6g}, {}", result.preferred->id,
                                      result.preferred->reward, result.preferred->certainty())});
    }
    append(path(result));
    return facts;
}

std::string merge_command(const RunConfig &config) {
    std::string command = "edgefront merge";
    for (const auto &run : config.merged) {
        command += " " + run.folder;
    }
    return command + " -o ANOTHER_FOLDER";
}

} // namespace edgefront
