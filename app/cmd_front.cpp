// edgefront front DIR: filter, sort and print the front of a sweep.
#include "app/command.h"
#include "app/front_axes.h"
#include "search/front_filter.h"
#include "search/front_summary.h"
#include "search/front_view.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

namespace edgefront {

namespace {

struct Options {
    std::string run;
    std::vector<std::string> where;
    std::string sort;
    std::size_t top = 0;
    std::size_t thin = 0; ///< 0: all
    AxesOptions axes;
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

/// Those of `points` that cover them best.
std::vector<RunPoint> thinned(const std::vector<RunPoint> &points, const RunResult &result,
                              const char *option, std::size_t most) {
    if (points.size() > most && most < result.objectives.size()) {
        throw UserError(fmt::format("{} {}: each of the {} objectives keeps its best point, "
                                    "ask for at least {}",
                                    option, most, result.objectives.size(),
                                    result.objectives.size()));
    }
    std::vector<RunPoint> kept;
    for (const std::size_t i : thin(values_of(points), result.senses(), most)) {
        kept.push_back(points[i]);
    }
    return kept;
}

/// The column top1, where some of its values are predicted by a model and others are not.
std::optional<std::size_t> predicted_column(const RunResult &result) {
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        if (result.objectives[o].metric == "top1" && result.accuracy && result.accuracy->spearman) {
            return o;
        }
    }
    return {};
}

/// The value as a number of its kind: what is counted is whole.
Json number(const ObjectiveColumn &objective, double value) {
    return objective.kind == CostKind::counted ? Json(static_cast<std::int64_t>(value))
                                               : Json(value);
}

/// First figure and kind of the number, per refined objective; what became of the point.
void add_refined_columns(Table &table, const RunResult &result,
                         const std::vector<std::size_t> &refined) {
    for (const std::size_t o : refined) {
        const std::string &name = result.objectives[o].name;
        const int digits = result.objectives[o].kind == CostKind::counted ? 0 : 3;
        table.columns.push_back({"predicted " + name, "first " + name, digits});
        table.columns.push_back({"kind " + name, "kind of " + name});
    }
    if (!refined.empty()) {
        table.columns.push_back({"standing", "standing"});
    }
}

int run_front(const Options &options, bool quiet) {
    options.axes.check();
    if (options.axes.given() && (options.top > 0 || !options.sort.empty())) {
        throw UserError("--axes and --rank-hint print no points: --top and --sort have nothing to "
                        "order; --where and --thin choose points");
    }
    const RunResult result = read_run(options.run);
    std::vector<RunPoint> points = filter(result, options.where);
    const std::size_t found = points.size();
    if (options.thin > 0) {
        points = thinned(points, result, "--thin", options.thin);
    }
    const std::string thinning =
        points.size() < found
            ? fmt::format("thinned: {} of {} points, those that cover all of them best",
                          points.size(), found)
            : "";
    if (options.axes.given()) {
        if (options.axes.rank_hint > 0) {
            points = thinned(points, result, "--rank-hint", options.axes.rank_hint);
        }
        return print_axes(options.axes, result, points, options.run, options.output, quiet);
    }
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
    const auto predicted = predicted_column(result);
    if (predicted) {
        table.columns.push_back({"kind top1", "kind of top1"});
    }
    const std::vector<std::size_t> refined = result.refined_objectives();
    add_refined_columns(table, result, refined);
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
            row.push_back(number(result.objectives[o], point.values[o]));
            values[result.objectives[o].name] = row.back();
        }
        Json json = {{"id", point.id}, {"choices", choices}, {"objectives", values}};
        if (predicted) {
            row.push_back(result.kind_of(point, *predicted));
            json["kind top1"] = row.back();
        }
        for (const std::size_t o : refined) {
            row.push_back(number(result.objectives[o], point.first_values()[o]));
            row.push_back(result.kind_of(point, o));
        }
        if (!refined.empty()) {
            row.push_back(to_string(point.standing()));
            json["standing"] = row.back();
            json["refined"] = point.refined ? to_json(*point.refined) : Json();
        }
        table.rows.push_back(row);
        rows.push_back(json);
    }
    const bool conditions = !options.where.empty() && points.size() < found;
    table.notes = {fmt::format("{} of {} points{}", points.size(), result.points.size(),
                               conditions ? fmt::format(" ({} meet the conditions)", found) : "")};
    if (!thinning.empty()) {
        table.notes.push_back(thinning);
    }
    if (const std::string count = refined_count(result); !count.empty()) {
        table.notes.push_back(count);
    }
    if (result.accuracy) {
        table.notes.push_back("top1 is " + result.accuracy->text());
    }
    if (!result.finished) {
        table.notes.push_back("the sweep is not finished");
    }
    Json published = Json::array();
    for (const auto &mark : result.marks) {
        table.notes.push_back(mark.network + ": " + verdict(mark));
        published.push_back({{"network", mark.network},
                             {"id", mark.inside ? Json(mark.id) : Json()},
                             {"on_front", mark.on_front},
                             {"dominated_by", mark.dominated_by.size()},
                             {"verdict", verdict(mark)}});
    }
    if (!for_people && !thinning.empty() && !quiet) {
        std::fprintf(stderr, "%s\n", thinning.c_str());
    }
    options.output.write(table, {{"run", options.run},
                                 {"finished", result.finished},
                                 {"points_on_front", result.points.size()},
                                 {"points", rows},
                                 {"published", published}});
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
    command
        ->add_option("--thin", options->thin,
                     "Keep only the n points that cover the front (or what --where leaves of it) "
                     "best, each objective's best among them")
        ->check(CLI::PositiveNumber);
    options->axes.add_to(*command);
    options->output.add_to(*command);
    command->footer("Examples:\n  edgefront front runs/first --sort macs --top 10\n"
                    "  edgefront front runs/first --thin 20\n"
                    "  edgefront front runs/first --where 'latency_ms:pixel6-cpu<2' "
                    "--where resolution=224 --format csv\n"
                    "  edgefront front runs/first --axes --accuracy-csv mine.csv\n"
                    "  edgefront front runs/first --rank-hint 20 --hint-resolution 64");
    command->callback([=, &session] {
        session.action = [=, &session] { return run_front(*options, session.quiet); };
    });
}

} // namespace edgefront
