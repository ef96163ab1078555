#include "base/error.h"
#include "reports/report_writers.h"
#include "reports/table.h"

#include <fmt/format.h>

namespace edgefront {

namespace {

std::string bullets(const std::vector<Fact> &facts) {
    std::string text;
    for (const auto &fact : facts) {
        text += "- " + fact.label + ": " + fact.value + "\n";
    }
    return text;
}

/// Columns of the objectives: their cells are texts, as in every other format.
void add_objectives(Table &table, const RunReport &report) {
    for (const auto &objective : report.objectives) {
        const std::string title =
            fmt::format("{}, {}, {} is better", objective.heading(), objective.kind,
                        objective.sense == Sense::minimise ? "less" : "more");
        table.columns.push_back({objective.title, title});
    }
}

void append(std::vector<Json> &row, const std::vector<std::string> &cells) {
    row.insert(row.end(), cells.begin(), cells.end());
}

std::string markdown(const Table &table) {
    return render(table, Format::md) + "\n";
}

std::string mark_section(const ReportMark &mark, const RunReport &report) {
    std::string text = "### " + mark.network + "\n\n" + mark.verdict;
    if (mark.dominators > mark.dominated_by.size()) {
        text += fmt::format(" (the clearest {} are listed)", mark.dominated_by.size());
    }
    text += ".\n\n";
    if (mark.shown.empty()) {
        return text;
    }
    Table table;
    table.columns = {{"network", ""}};
    add_objectives(table, report);
    table.rows.push_back({mark.network});
    append(table.rows.back(), mark.shown);
    for (const auto &by : mark.dominated_by) {
        table.rows.push_back({"beaten by `" + by.id + "` by"});
        append(table.rows.back(), by.better_by);
    }
    return text + markdown(table);
}

std::string mix_section(const RunReport &report) {
    Table table;
    table.columns = {{"stage", "stage"}, {"blocks", "blocks"}};
    for (const auto &type : report.block_types) {
        table.columns.push_back({type, type + " %", 1});
    }
    for (const auto &stage : report.mix) {
        table.rows.push_back({stage.stage, stage.total()});
        for (std::size_t t = 0; t < report.block_types.size(); t++) {
            table.rows.back().push_back(100 * stage.share(t));
        }
    }
    return "## What the front is made of\n\n" + markdown(table) + bullets(report.mix_facts) + "\n";
}

std::string points_section(const RunReport &report) {
    Table table;
    table.columns = {{"id", "point"}};
    for (const auto &name : report.shape_names) {
        table.columns.push_back({name, name});
    }
    table.columns.push_back({"blocks", "blocks"});
    add_objectives(table, report);
    for (const auto &point : report.points) {
        std::vector<std::string> notes = point.roles;
        if (!point.standing.empty() && point.standing != to_string(Standing::not_refined)) {
            notes.push_back("refined: " + point.standing);
        }
        const std::string shown = notes.empty() ? "" : " (" + join(notes) + ")";
        table.rows.push_back({"`" + point.id + "`" + shown});
        append(table.rows.back(), point.shape);
        table.rows.back().push_back(point.letters());
        append(table.rows.back(), point.shown);
    }
    std::string letters;
    for (const auto &type : report.block_types) {
        letters += fmt::format("{}{} {}", letters.empty() ? "" : ", ", letter_of(type), type);
    }
    return fmt::format("## Points\n\n{}\n\nBlocks: {}; a word per stage, its channels at width 1 "
                       "first.\n\n",
                       report.thinned() ? report.thinning_note() : "All points of the front.",
                       letters) +
           markdown(table);
}

std::string breakdown_section(const Breakdown &breakdown, const RunReport &report) {
    const ReportPoint &point = report.points[breakdown.point];
    std::string text = "### `" + point.id + "` (" + join(point.roles) + ")\n\n";
    text += bullets(breakdown.facts) + "\n";
    Table table;
    table.columns = {{"layer", "layer"},
                     {"op", "operator"},
                     {"output", "output"},
                     {"macs", "MACs (M), counted"}};
    for (const auto &target : breakdown.targets) {
        text += fmt::format("**{}** ({}, {})\n\n{}\n", target.target, target.setting, target.kind,
                            bullets(target.facts));
        table.columns.push_back(
            {"us", fmt::format("{} (\u00b5s), {}", target.target, target.kind)});
        table.columns.push_back({"bound_by", "bound by"});
    }
    for (const auto &layer : breakdown.layers) {
        table.rows.push_back({layer.name, layer.op, layer.output, layer.macs});
        for (const auto &price : layer.prices) {
            append(table.rows.back(), {price.latency_us, price.bound_by});
        }
    }
    return text + markdown(table);
}

} // namespace

std::string write_markdown(const RunReport &report) {
    std::string text = "# " + report.title + "\n\n" + report.description + "\n\n";
    text += bullets(report.headline) + "\n";
    for (const auto &remark : report.remarks) {
        text += "> " + remark + "\n\n";
    }
    if (!report.marks.empty()) {
        text += "## Published networks\n\n";
        for (const auto &mark : report.marks) {
            text += mark_section(mark, report);
        }
    }
    if (report.any_blocks()) {
        text += mix_section(report);
    }
    if (report.refined()) {
        text += "## Refined points\n\n" + markdown(report.refinement);
    }
    text += points_section(report);
    text += "## Layer by layer\n\n";
    for (const auto &breakdown : report.breakdowns) {
        text += breakdown_section(breakdown, report);
    }
    text += "## The run\n\n" + bullets(report.run) + "\nThe same bytes again:\n\n    " +
            report.replay + "\n";
    return text;
}

} // namespace edgefront
