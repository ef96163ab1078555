#include "reports/run_report.h"

#include "base/error.h"
#include "reports/axis_report.h"
#include "reports/breakdown.h"
#include "reports/front_roles.h"
#include "reports/numbers.h"
#include "reports/plot.h"
#include "reports/refinement_view.h"
#include "reports/strategy_facts.h"
#include "search/design_space_json.h"
#include "search/front_summary.h"
#include "search/front_view.h"
#include "search/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace edgefront {

namespace {

struct Unit {
    std::string title;
    std::string unit;
    double per_unit;
};

Unit unit_of(const std::string &metric) {
    static const std::map<std::string, Unit> units = {
        {"latency_ms", {"latency", "ms", 1}},
        {"energy_mj", {"energy", "mJ", 1}},
        {"latency_ratio", {"relative latency", "", 1}},
        {"energy_ratio", {"relative energy", "", 1}},
        {"peak_bytes", {"peak activations", "KiB", 1.0 / 1024}},
        {"macs", {"MACs", "M", 1e-6}},
        {"params", {"parameters", "M", 1e-6}},
        {"frames_per_second", {"frame rate", "1/s", 1}},
        {"top1", {"top-1", "%", 1}}};
    const auto it = units.find(metric);
    return it != units.end() ? it->second : Unit{metric, "", 1};
}

ReportObjective read_objective(const ObjectiveColumn &column) {
    const Unit unit = unit_of(column.metric);
    return {unit.title + (column.target.empty() ? "" : ", " + column.target), unit.unit,
            unit.per_unit, column.sense, to_string(column.kind)};
}

std::vector<double> in_units(const std::vector<double> &values,
                             const std::vector<ReportObjective> &objectives) {
    std::vector<double> scaled;
    for (std::size_t o = 0; o < values.size(); o++) {
        scaled.push_back(values[o] * objectives[o].per_unit);
    }
    return scaled;
}

std::vector<std::string> shown(const std::vector<double> &values,
                               const std::vector<ReportObjective> &objectives) {
    std::vector<std::string> texts;
    for (std::size_t o = 0; o < values.size(); o++) {
        texts.push_back(objectives[o].shown(values[o]));
    }
    return texts;
}

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Every stage begins with the axis of its channels (design_space.h).
bool is_channels(const std::string &axis) {
    return ends_with(axis, "_channels");
}

/// Choices that have several values on the front, but for blocks and their number.
std::vector<std::size_t> varying(const RunResult &result) {
    std::vector<std::size_t> columns;
    for (std::size_t c = 0; c < result.choice_names.size(); c++) {
        const std::string &name = result.choice_names[c];
        const bool block = name.find("_b") != std::string::npos;
        std::set<std::string> values;
        for (const auto &point : result.points) {
            values.insert(point.choices[c]);
        }
        if (!block && !ends_with(name, "_depth") && values.size() > 1) {
            columns.push_back(c);
        }
    }
    return columns;
}

/// Those of the whole network: the stages' own are shown with their blocks.
std::vector<std::size_t> varying_shape(const RunResult &result) {
    std::vector<std::size_t> columns;
    for (const std::size_t c : varying(result)) {
        if (!is_channels(result.choice_names[c])) {
            columns.push_back(c);
        }
    }
    return columns;
}

std::vector<ReportStage> stages_of(const RunResult &result, const RunPoint &point) {
    std::vector<ReportStage> stages;
    for (std::size_t c = 0; c < result.choice_names.size(); c++) {
        const std::string &axis = result.choice_names[c];
        const std::string &choice = point.choices[c];
        if (is_channels(axis) && !choice.empty()) {
            stages.push_back({choice, {}});
        } else if (const auto type = block_type_of(axis, choice);
                   !type.empty() && !stages.empty()) {
            stages.back().blocks.push_back({type, choice});
        }
    }
    return stages;
}

/// Colours follow the first choice of the shape that varies and is a number (resolution first).
void colour_points(RunReport &report) {
    if (report.shape_names.empty()) {
        report.legend = {{"front", ordered_colours(1).front()}};
        for (auto &point : report.points) {
            point.colour = 0;
        }
        return;
    }
    const auto number = [](const std::string &text) { return std::strtod(text.c_str(), nullptr); };
    const auto by_number = [&](const std::string &a, const std::string &b) {
        return std::make_pair(number(a), a) < std::make_pair(number(b), b);
    };
    std::set<std::string, decltype(by_number)> values(by_number);
    for (const auto &point : report.points) {
        values.insert(point.shape.front());
    }
    report.legend_title = report.shape_names.front();
    const auto colours = ordered_colours(values.size());
    std::map<std::string, std::size_t> place;
    for (const auto &value : values) {
        place[value] = report.legend.size();
        report.legend.push_back({value, colours[report.legend.size()]});
    }
    for (auto &point : report.points) {
        point.colour = place[point.shape.front()];
    }
}

/// "0.31 ms (12 %)"
std::string advantage(const ReportObjective &objective, double by, double of) {
    if (by == 0) {
        return "equal";
    }
    return fmt::format("{} {} {} ({} %)", significant(by * objective.per_unit, 3), objective.unit,
                       objective.sense == Sense::minimise ? "less" : "more",
                       significant(100 * by / of, 2));
}

ReportMark read_mark(const PublishedMark &mark, const RunReport &report,
                     const ReportRequest &request) {
    ReportMark shown_mark;
    shown_mark.network = mark.network;
    shown_mark.values = in_units(mark.values, report.objectives);
    shown_mark.shown = shown(shown_mark.values, report.objectives);
    shown_mark.dominators = mark.dominated_by.size();
    shown_mark.verdict = verdict(mark);
    // The clearest are those whose gains, in percent of the published values, sum to most.
    auto order = mark.dominated_by;
    const auto gain = [&](const Dominator &d) {
        double sum = 0;
        for (std::size_t o = 0; o < d.better_by.size(); o++) {
            sum += d.better_by[o] / mark.values[o];
        }
        return sum;
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](const auto &a, const auto &b) { return gain(a) > gain(b); });
    order.resize(std::min(order.size(), request.most_dominators));
    for (const auto &dominator : order) {
        ReportDominator entry{dominator.id, {}};
        for (std::size_t o = 0; o < dominator.better_by.size(); o++) {
            entry.better_by.push_back(
                advantage(report.objectives[o], dominator.better_by[o], mark.values[o]));
        }
        shown_mark.dominated_by.push_back(std::move(entry));
    }
    return shown_mark;
}

/// Points the report names somewhere must be among those it shows.
std::vector<std::size_t> needed(const RunResult &result, const RunReport &report,
                                const Roles &roles) {
    std::set<std::string> ids;
    for (const auto &mark : report.marks) {
        for (const auto &dominator : mark.dominated_by) {
            ids.insert(dominator.id);
        }
    }
    for (const auto &mark : result.marks) {
        if (mark.on_front) {
            ids.insert(mark.id);
        }
    }
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < result.points.size(); i++) {
        const RunPoint &point = result.points[i];
        if (roles.count(i) > 0 || point.refined || ids.count(point.id) > 0) {
            indices.push_back(i);
        }
    }
    return indices;
}

void add_points(RunReport &report, const RunResult &result, const Roles &roles, std::size_t most) {
    const auto shape = varying_shape(result);
    for (const std::size_t c : shape) {
        report.shape_names.push_back(result.choice_names[c]);
    }
    for (const std::size_t i :
         thin(values_of(result.points), result.senses(), most, needed(result, report, roles))) {
        const RunPoint &from = result.points[i];
        ReportPoint point;
        point.id = from.id;
        const auto role = roles.find(i);
        point.roles = role == roles.end() ? std::vector<std::string>{} : role->second;
        point.standing = report.refined() ? to_string(from.standing()) : "";
        for (const std::size_t c : shape) {
            point.shape.push_back(from.choices[c]);
        }
        point.stages = stages_of(result, from);
        point.values = in_units(from.values, report.objectives);
        point.shown = shown(point.values, report.objectives);
        for (std::size_t o = 0; o < point.shown.size(); o++) {
            const bool modelled = result.accuracy && result.accuracy->spearman &&
                                  result.objectives[o].metric == "top1";
            if (modelled && result.kind_of(from, o) == to_string(CostKind::fitted)) {
                point.shown[o] += " (predicted)";
            }
        }
        report.points.push_back(std::move(point));
    }
    colour_points(report);
}

/// The size of a space: often too large to be read digit by digit.
std::string size_of_space(double size) {
    return size < 1e9 ? grouped(static_cast<std::int64_t>(size)) : fmt::format("{:.3g}", size);
}

void add_facts(RunReport &report, const RunResult &result, const Zoo &zoo,
               const ReportRequest &request) {
    const RunConfig &config = result.config;
    const RunCounters &counters = result.counters;
    const DesignSpace space =
        read_space(JsonReader::parse(config.space.dump(), "front.json#/config/space"), zoo);
    report.title = space.name;
    report.description = space.description;
    report.headline = {{"on the front", grouped(static_cast<std::int64_t>(result.points.size()))},
                       {"networks evaluated", grouped(counters.evaluated)},
                       {"of them feasible", grouped(counters.feasible)},
                       {"networks in the space", size_of_space(counters.space_size)}};
    report.run = strategy_facts(result);
    for (const auto &target : config.targets) {
        report.run.push_back(
            {"target " + target.name,
             fmt::format("{}, {} thread{}, constants {}", target.precision, target.threads,
                         target.threads == 1 ? "" : "s", target.hash)});
    }
    for (const auto &constraint : space.constraints) {
        report.run.push_back({"constraint", constraint.name()});
    }
    report.run.push_back({"spatial mixing", space.spatial_mixing ? "required" : "not required"});
    for (const auto &refused : counters.refused) {
        if (refused.candidates > 0) {
            report.run.push_back(
                {"refused by \"" + refused.constraint + "\"", grouped(refused.candidates)});
        }
    }
    report.run.push_back({"tool", "edgefront " + config.tool_version});
    report.replay =
        fmt::format("edgefront sweep {}/run.json --run ANOTHER_FOLDER", request.directory);
    if (result.epsilon) {
        report.remarks.push_back(
            *result.epsilon == 0
                ? "The front is exact: no network of the space beats one of its points."
                : fmt::format("Proven: for every network of the space that keeps the constraints, "
                              "the front has a point within {:.3g} % of it in each objective.",
                              100 * *result.epsilon));
    }
    if (result.accuracy) {
        report.remarks.push_back("Top-1 is " + result.accuracy->text() + ".");
    }
    if (!result.trace.points.empty()) {
        report.run.push_back({"growth", growth(result)});
    }
    if (!result.finished) {
        report.remarks.push_back("This run was interrupted: the front is that of the networks "
                                 "evaluated so far.");
    }
    if (const std::string remark = axis_remark(result, zoo); !remark.empty()) {
        report.remarks.push_back(remark);
    }
    if (!config.merged.empty()) {
        report.replay = merge_command(config);
    }
}

void add_mix(RunReport &report, const RunResult &result) {
    report.block_types = block_types(result);
    report.mix = block_mix(result);
    std::size_t alone = 0;
    for (const auto &point : result.points) {
        std::set<std::string> types;
        for (const auto &stage : stages_of(result, point)) {
            for (const auto &block : stage.blocks) {
                types.insert(block.type);
            }
        }
        alone += types.size() == 1 ? 1 : 0;
    }
    report.mix_facts.push_back(
        {"points made of one type of block alone",
         fmt::format("{} of {}", grouped(static_cast<std::int64_t>(alone)),
                     grouped(static_cast<std::int64_t>(result.points.size())))});
    for (const std::size_t c : varying(result)) {
        std::map<std::pair<double, std::string>, std::size_t> counts;
        for (const auto &point : result.points) {
            const std::string &value = point.choices[c];
            counts[{std::strtod(value.c_str(), nullptr), value}]++;
        }
        std::vector<std::string> parts;
        for (const auto &[value, count] : counts) {
            const double share =
                static_cast<double>(count) / static_cast<double>(result.points.size());
            parts.push_back(fmt::format("{}: {:.0f} %", value.second, 100 * share));
        }
        report.mix_facts.push_back({result.choice_names[c], join(parts)});
    }
}

} // namespace

std::string ReportObjective::heading() const {
    return unit.empty() ? title : title + " (" + unit + ")";
}

std::string ReportObjective::shown(double value) const {
    return significant(value);
}

char letter_of(const std::string &type) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(type.front())));
}

std::string ReportPoint::letters() const {
    std::string text;
    for (const auto &stage : stages) {
        text += (text.empty() ? "" : " ") + stage.channels + ":";
        for (const auto &block : stage.blocks) {
            text += block.letter();
        }
    }
    return text;
}

bool RunReport::any_priced_mark() const {
    return std::any_of(marks.begin(), marks.end(),
                       [](const ReportMark &mark) { return !mark.values.empty(); });
}

std::string RunReport::thinning_note() const {
    if (!thinned()) {
        return "";
    }
    const auto text = [](std::size_t n) { return grouped(static_cast<std::int64_t>(n)); };
    return fmt::format("The front has {} points; {} of them are shown, chosen so that the gaps "
                       "between them are even. All of them are in front.csv.",
                       text(front_size), text(points.size()));
}

std::vector<std::pair<std::size_t, std::size_t>> RunReport::panels() const {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t x = 0; x < objectives.size(); x++) {
        for (std::size_t y = 0; y < objectives.size(); y++) {
            if (objectives[x].sense == Sense::minimise && objectives[y].sense == Sense::maximise) {
                pairs.emplace_back(x, y);
            }
        }
    }
    if (pairs.empty()) {
        for (std::size_t y = 1; y < objectives.size(); y++) {
            pairs.emplace_back(0, y);
        }
    }
    return pairs;
}

RunReport collect(const RunResult &result, const Zoo &zoo, const ReportRequest &request) {
    if (result.points.empty()) {
        throw UserError("the front of this run is empty: there is nothing to report");
    }
    RunReport report;
    report.front_size = result.points.size();
    for (const auto &objective : result.objectives) {
        report.objectives.push_back(read_objective(objective));
    }
    for (const auto &mark : result.marks) {
        report.marks.push_back(read_mark(mark, report, request));
    }
    const Roles roles = choose_roles(result, request.points);
    add_facts(report, result, zoo, request);
    describe_refinement(report, result);
    add_mix(report, result);
    add_points(report, result, roles, request.most_points);
    for (const auto &[index, names] : roles) {
        const RunPoint &point = result.points[index];
        std::vector<std::string> remarks;
        Breakdown breakdown =
            break_down(network_of(result, point, zoo), result.config.targets, remarks);
        breakdown.point = static_cast<std::size_t>(
            std::find_if(report.points.begin(), report.points.end(),
                         [&](const ReportPoint &p) { return p.id == point.id; }) -
            report.points.begin());
        report.breakdowns.push_back(std::move(breakdown));
        for (const auto &remark : remarks) {
            if (std::find(report.remarks.begin(), report.remarks.end(), remark) ==
                report.remarks.end()) {
                report.remarks.push_back(remark);
            }
        }
    }
    return report;
}

} // namespace edgefront
