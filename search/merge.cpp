#include "search/merge.h"

#include "base/files.h"
#include "search/design_space_json.h"
#include "search/marks.h"
#include "search/refine.h"
#include "search/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace edgefront {

namespace {

/// What runs must share for their values to be comparable. The rates of blocks and the prices of
/// the published networks tell models apart that the version of the tool does not.
Json common_part(const RunResult &result) {
    RunResult head;
    head.config = result.config;
    head.choice_names = result.choice_names;
    head.objectives = result.objectives;
    head.block_rates = result.block_rates;
    const Json all = to_json(head);
    Json published = Json::object();
    for (const auto &mark : result.marks) {
        published[mark.network] = mark.values;
    }
    Json part;
    for (const char *key : {"tool_version", "targets", "space"}) {
        part[key] = all["config"][key];
    }
    for (const char *key : {"choice_names", "objectives", "block_rates"}) {
        part[key] = all[key];
    }
    part["published"] = published;
    part["accuracy_model"] = result.accuracy ? result.accuracy->model_hash : "";
    return part;
}

void require_comparable(const std::vector<FoundRun> &runs) {
    const FoundRun &first = runs.front();
    const Json wanted = common_part(first.result);
    for (const auto &run : runs) {
        const auto lines = differences(wanted, common_part(run.result));
        if (!lines.empty()) {
            throw UserError({run.folder, ""},
                            "this run cannot be merged with " + first.folder +
                                ": their points are not comparable. Differences:\n  " +
                                join(lines, "\n  "));
        }
    }
}

/// "runs/a" for "./runs/a/" too.
std::string plain(const std::string &folder) {
    const auto path = std::filesystem::path(folder).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).string();
}

/// The runs a result stands for: itself, or those it was merged from.
std::vector<MergedRun> sources(const FoundRun &run) {
    if (!run.result.config.merged.empty()) {
        return run.result.config.merged;
    }
    MergedRun source{plain(run.folder), run.result.config, run.result.finished,
                     run.result.counters};
    source.config.space = Json();
    return {source};
}

/// One entry per configuration, in an order that does not depend on that of `runs`. Of a run that
/// comes twice the copy that is further stays.
std::vector<MergedRun> different_sources(const std::vector<FoundRun> &runs) {
    std::map<std::string, MergedRun> by_config;
    for (const auto &run : runs) {
        for (const auto &source : sources(run)) {
            const auto [at, is_new] = by_config.emplace(to_json(source.config).dump(), source);
            const auto rank = [](const MergedRun &r) {
                return std::make_tuple(!r.finished, -r.counters.evaluated, r.folder);
            };
            if (!is_new && rank(source) < rank(at->second)) {
                at->second = source;
            }
        }
    }
    std::vector<MergedRun> result;
    for (auto &[config, source] : by_config) {
        result.push_back(std::move(source));
    }
    return result;
}

/// The nearer of two values to the bound of the constraint `name`.
double nearer(const DesignSpace &space, const std::string &name, double a, double b) {
    const bool at_least =
        std::any_of(space.constraints.begin(), space.constraints.end(), [&](const Constraint &c) {
            return c.at_least.has_value() && c.name() == name;
        });
    return at_least ? std::max(a, b) : std::min(a, b);
}

RunCounters sum(const std::vector<MergedRun> &merged, const DesignSpace &space) {
    RunCounters total = merged.front().counters;
    for (std::size_t m = 1; m < merged.size(); m++) {
        const RunCounters &more = merged[m].counters;
        if (more.refused.size() != total.refused.size()) {
            throw UserError({merged[m].folder, ""},
                            "its counters are about other constraints than those of " +
                                merged.front().folder);
        }
        total.evaluated += more.evaluated;
        total.feasible += more.feasible;
        for (std::size_t r = 0; r < total.refused.size(); r++) {
            Refusals &sum = total.refused[r];
            const Refusals &other = more.refused[r];
            if (sum.candidates == 0) {
                sum.constraint = other.constraint; // with an example of what was refused, if any
            }
            sum.candidates += other.candidates;
            if (sum.nearest && other.nearest) {
                sum.nearest = nearer(space, sum.constraint, *sum.nearest, *other.nearest);
            } else if (other.nearest) {
                sum.nearest = other.nearest;
            }
        }
    }
    return total;
}

/// Of several second figures of a point the one that came with least jitter; where none was
/// measured they are the same.
bool surer(const RunPoint &a, const RunPoint &b) {
    const auto order = [](const RunPoint &point) {
        const RefinedPoint &refined = *point.refined;
        return std::make_tuple(!refined.failure.empty(), refined.time ? refined.time->jitter() : 0,
                               point.values, refined.failure);
    };
    return order(a) < order(b);
}

/// Ids are too short to tell 10^5 points apart; choices do.
using ByChoices = std::map<std::vector<std::string>, const RunPoint *>;

/// The points with second figures. They must all come from the same kind of refinement.
ByChoices refined_points(const std::vector<FoundRun> &runs) {
    ByChoices points;
    const FoundRun *first = nullptr;
    for (const auto &run : runs) {
        const auto by = refined_by(run.result);
        if (by && first == nullptr) {
            first = &run;
        }
        if (by && *by != *refined_by(first->result)) {
            throw UserError({run.folder, ""},
                            fmt::format("its points are refined by {}, those of {} by {}: second "
                                        "figures of two kinds cannot be ranked together",
                                        to_string(*by), first->folder,
                                        to_string(*refined_by(first->result))));
        }
        for (const auto &point : run.result.points) {
            if (point.refined) {
                const auto [at, is_new] = points.emplace(point.choices, &point);
                if (!is_new && surer(point, *at->second)) {
                    at->second = &point;
                }
            }
        }
    }
    return points;
}

/// What a network has in one run it has in all: a user's program that answers otherwise the second
/// time would make the luckiest answer win.
void require_same_figures(const std::vector<FoundRun> &runs) {
    std::map<std::string, std::pair<const FoundRun *, const RunPoint *>> known;
    for (const auto &run : runs) {
        for (const auto &point : run.result.points) {
            const auto at = known.try_emplace(join(point.choices, ";"), &run, &point).first;
            const auto [other_run, other] = at->second;
            const auto &values = point.first_values(), &others = other->first_values();
            for (std::size_t o = 0; o < values.size(); o++) {
                if (values[o] != others[o]) {
                    throw UserError({run.folder, ""},
                                    fmt::format("this run cannot be merged with {}: the network {} "
                                                "has {} {} here and {} there",
                                                other_run->folder, point.id,
                                                run.result.objectives[o].name, values[o],
                                                others[o]));
                }
            }
        }
    }
}

/// Of all runs together; an error as large as that of the worst of them.
std::optional<AccuracySummary> accuracy_of(const std::vector<FoundRun> &runs,
                                           const std::vector<RunPoint> &points) {
    std::optional<AccuracySummary> all = runs.front().result.accuracy;
    if (!all) {
        return all;
    }
    std::set<std::vector<std::string>> predicted;
    for (const auto &run : runs) {
        const std::optional<AccuracySummary> &own = run.result.accuracy;
        if (!own) {
            continue;
        }
        if (own->plus_minus.value_or(0) > all->plus_minus.value_or(0)) {
            all = own;
        }
        const std::set<std::string> ids(own->predicted.begin(), own->predicted.end());
        for (const auto &point : run.result.points) {
            if (ids.count(point.id) > 0) {
                predicted.insert(point.choices);
            }
        }
    }
    all->predicted.clear();
    for (const auto &point : points) {
        if (predicted.count(point.choices) > 0) {
            all->predicted.push_back(point.id);
        }
    }
    return all;
}

} // namespace

RunResult merge_runs(const std::vector<FoundRun> &runs, const Zoo &zoo) {
    if (runs.empty()) {
        throw UserError("there is no run to merge");
    }
    require_comparable(runs);
    require_same_figures(runs);
    const RunResult &first = runs.front().result;
    const DesignSpace space =
        read_space(JsonReader::parse(first.config.space.dump(), "run.json#/space"), zoo);
    RunResult result;
    result.config.tool_version = first.config.tool_version;
    result.config.space = first.config.space;
    result.config.targets = first.config.targets;
    result.config.strategy = merged_strategy;
    result.config.merged = different_sources(runs);
    result.finished = true;
    for (const auto &source : result.config.merged) {
        result.config.evaluations += source.config.evaluations;
        result.finished = result.finished && source.finished;
    }
    result.counters = sum(result.config.merged, space);
    result.choice_names = first.choice_names;
    result.objectives = first.objectives;
    result.block_rates = first.block_rates;
    result.marks = first.marks;

    ParetoFront front(result.senses());
    std::vector<Member> members;
    for (const auto &run : runs) {
        for (const auto &point : run.result.points) {
            members.push_back({space.parse(point.choices), point.first_values()});
        }
        // What one run has proven holds for the union: each of its points stays or is beaten.
        const auto &epsilon = run.result.epsilon;
        if (epsilon && (!result.epsilon || *epsilon < *result.epsilon)) {
            result.epsilon = epsilon;
        }
    }
    front.admit_all(std::move(members));
    for (const auto &member : front.members()) {
        const auto values = space.describe(member.choices);
        result.points.push_back({DesignSpace::id(values), values, member.values});
    }
    result.accuracy = accuracy_of(runs, result.points);
    for (auto &mark : result.marks) {
        compare_with_front(mark, space, front);
    }
    if (const auto refined = refined_points(runs); !refined.empty()) {
        for (auto &point : result.points) {
            if (const auto at = refined.find(point.choices); at != refined.end()) {
                point = *at->second;
            }
        }
        rank(result);
    }
    return result;
}

void write_merged(const std::filesystem::path &directory, const RunResult &result) {
    make_directory(directory);
    const FolderLock lock(directory);
    claim_folder(directory, result.config);
    write_result(directory, result);
}

} // namespace edgefront
