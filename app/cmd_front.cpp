// edgefront front DIR: filter, sort and print the front of a sweep.
#include "app/command.h"
#include "search/front_filter.h"

#include <fmt/format.h>

namespace edgefront {

namespace {

struct Options {
    std::string run;
    std::vector<std::string> where;
    std::string sort;
    std::size_t top = 0;
    OutputOptions output;
};

/// The choices that differ between points; those that all share are no news.
std::vector<bool> varying(const RunResult &result) {
    std::vector<bool> differs(result.choice_names.size(), false);
    for (const auto &point : result.points) {
        for (std::size_t c = 0; c < differs.size(); c++) {
            differs[c] = differs[c] || point.choices[c] != result.points.front().choices[c];
        }
    }
    return differs;
}

Json cell(const std::string &choice) {
    return choice.empty() ? Json() : Json(choice);
}

int run_front(const Options &options) {
    const RunResult result = read_run(options.run);
    std::vector<RunPoint> points = filter(result, options.where);
    const std::size_t found = points.size();
    if (!options.sort.empty()) {
        sort_by(points, result, options.sort);
    }
    if (options.top > 0 && points.size() > options.top) {
        points.resize(options.top);
    }

    const Format format = parse_format(options.output.format);
    const bool for_people = format == Format::table || format == Format::md;
    std::vector<bool> shown = varying(result);
    if (!for_people) {
        shown.assign(shown.size(), true);
    }
    Table table;
    table.columns.push_back({"id", "id"});
    for (std::size_t c = 0; c < shown.size(); c++) {
        if (shown[c]) {
            table.columns.push_back({result.choice_names[c], result.choice_names[c]});
        }
    }
    for (const auto &objective : result.objectives) {
        const bool counted = objective.kind == CostKind::counted;
        table.columns.push_back({objective.name, objective.name, counted ? 0 : 3});
    }
    Json rows = Json::array();
    for (const auto &point : points) {
        std::vector<Json> row = {point.id};
        Json choices = Json::object(), values = Json::object();
        for (std::size_t c = 0; c < shown.size(); c++) {
            if (shown[c]) {
                row.push_back(cell(point.choices[c]));
            }
            choices[result.choice_names[c]] = cell(point.choices[c]);
        }
        for (std::size_t o = 0; o < point.values.size(); o++) {
            const double value = point.values[o];
            const Json number = result.objectives[o].kind == CostKind::counted
                                    ? Json(static_cast<std::int64_t>(value))
                                    : Json(value);
            row.push_back(number);
            values[result.objectives[o].name] = number;
        }
        table.rows.push_back(row);
        rows.push_back({{"id", point.id}, {"choices", choices}, {"objectives", values}});
    }
    table.notes = {
        fmt::format("{} of {} points{}", points.size(), result.points.size(),
                    points.size() < found ? fmt::format(" ({} meet the conditions)", found) : ""),
        result.finished ? "" : "the sweep is not finished"};
    table.notes.resize(result.finished ? 1 : 2);
    options.output.write(table, {{"run", options.run},
                                 {"finished", result.finished},
                                 {"points_on_front", result.points.size()},
                                 {"points", rows}});
    return exit_ok;
}

} // namespace

void add_front(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("front", "Filter, sort and print the front of a sweep");
    command->add_option("run", options->run, "Folder of the sweep")->required();
    command->add_option("--where", options->where,
                        "Condition on a choice or objective, as 'latency_ms:pixel6-cpu<3'; all "
                        "given ones must hold");
    command->add_option("--sort", options->sort, "Choice or objective, best or smallest first");
    command->add_option("--top", options->top, "Print only the first n")
        ->check(CLI::PositiveNumber);
    options->output.add_to(*command);
    command->footer("Examples:\n  edgefront front runs/first --sort macs --top 10\n"
                    "  edgefront front runs/first --where 'latency_ms:pixel6-cpu<2' "
                    "--where resolution=224 --format csv");
    command->callback([=, &session] { session.action = [=] { return run_front(*options); }; });
}

} // namespace edgefront
