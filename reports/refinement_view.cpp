#include "reports/refinement_view.h"

#include "base/error.h"
#include "reports/numbers.h"
#include "search/front_summary.h"
#include "search/refine.h"
#include "search/statistics.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

/// Points that have second figures.
std::vector<const RunPoint *> refined_points(const RunResult &result) {
    std::vector<const RunPoint *> points;
    for (const auto &point : result.points) {
        if (point.refined && point.refined->failure.empty()) {
            points.push_back(&point);
        }
    }
    return points;
}

struct Figures {
    std::vector<double> first, second;
};

Figures figures_of(const std::vector<const RunPoint *> &points, std::size_t objective) {
    Figures figures;
    for (const RunPoint *point : points) {
        figures.first.push_back(point->refined->predicted[objective]);
        figures.second.push_back(point->values[objective]);
    }
    return figures;
}

std::string correlation(const RunResult &result, std::size_t objective, const Figures &figures) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < figures.first.size(); i++) {
        ratios.push_back(figures.second[i] / figures.first[i]);
    }
    const auto rho = spearman(figures.first, figures.second);
    return fmt::format(
        "{}: refined / predicted {:.3f} (median, {:.3f} to {:.3f}), rank correlation "
        "(Spearman) {}",
        result.objectives[objective].name, *percentile(ratios, 0.5), *percentile(ratios, 0),
        *percentile(ratios, 1),
        rho ? fmt::format("{:.3f}", *rho) : "unknown: fewer than three values");
}

/// "dominated by 225da522 and 3 more", "infeasible: latency_ms:host <= 3 (3.4)"
std::string fate(const RunPoint &point) {
    const RefinedPoint &refined = *point.refined;
    std::string text = to_string(point.standing());
    if (!refined.breaks.empty()) {
        text += ": " + join(refined.breaks);
    } else if (!refined.dominated_by.empty()) {
        text += " by " + refined.dominated_by.front();
        if (refined.dominated_by.size() > 1) {
            text += fmt::format(" and {} more", refined.dominated_by.size() - 1);
        }
    }
    return text;
}

} // namespace

Table refinement_table(const RunResult &result) {
    Table table;
    const auto points = refined_points(result);
    const bool measured = std::any_of(points.begin(), points.end(),
                                      [](const RunPoint *p) { return p->refined->time; });
    table.columns = {{"id", "point"},        {"objective", "objective"},
                     {"predicted", "first"}, {"refined", "refined"},
                     {"ratio", "ratio", 3},  {"rank_before", "rank before"},
                     {"rank", "rank"},       {"kind", "kind"}};
    if (measured) {
        table.columns.push_back({"jitter_percent", "jitter %", 1});
    }
    table.columns.push_back({"standing", "standing"});
    if (const std::string count = refined_count(result); !count.empty()) {
        table.notes.push_back(count);
    }
    for (const std::size_t o : result.refined_objectives()) {
        const Figures figures = figures_of(points, o);
        const bool largest_first = result.objectives[o].sense == Sense::maximise;
        std::vector<std::vector<Json>> rows;
        for (std::size_t i = 0; i < points.size(); i++) {
            const RunPoint &point = *points[i];
            const double first = figures.first[i], second = figures.second[i];
            std::vector<Json> row = {point.id,
                                     result.objectives[o].name,
                                     significant(first),
                                     significant(second),
                                     second / first,
                                     place_of(first, figures.first, largest_first),
                                     place_of(second, figures.second, largest_first),
                                     result.kind_of(point, o)};
            if (measured) {
                row.push_back(100 * point.refined->time->jitter());
            }
            row.push_back(fate(point));
            rows.push_back(std::move(row));
        }
        std::stable_sort(rows.begin(), rows.end(),
                         [](const auto &a, const auto &b) { return a[6] < b[6]; });
        table.rows.insert(table.rows.end(), rows.begin(), rows.end());
        table.notes.push_back(correlation(result, o, figures));
    }
    int fused = 0, unproven = 0;
    for (const RunPoint *point : points) {
        fused += point->refined->fused;
        unproven += point->refined->unproven;
    }
    if (!points.empty() && !measured) {
        table.notes.push_back(fmt::format("{} groups are priced in one piece, {} mappings are not "
                                          "proven best",
                                          fused, unproven));
    }
    for (const auto &point : result.points) {
        if (point.standing() == Standing::failed) {
            table.notes.push_back(point.id + " keeps its first figures: " + point.refined->failure);
        }
    }
    if (!points.empty()) {
        table.notes.push_back("refined points are ranked among themselves; a first figure does not "
                              "win or lose against a refined one");
    }
    return table;
}

void describe_refinement(RunReport &report, const RunResult &result) {
    report.refinement = refinement_table(result);
    if (!report.refined()) {
        return;
    }
    const auto count = std::count_if(result.points.begin(), result.points.end(),
                                     [](const RunPoint &point) { return point.refined; });
    const bool measured = *refined_by(result) == RefineBy::measure;
    report.headline.push_back(
        {measured ? "of the front measured" : "of the front priced anew", grouped(count)});
    report.remarks.push_back(
        "Refined points show second figures, the others those of the search. What is said of the "
        "whole front, of published networks and of single layers is about first figures.");
    if (measured) {
        report.remarks.push_back("Measured figures are those of one machine at one time: the "
                                 "command that repeats the run leaves them out.");
    } else if (result.config.merged.empty()) {
        report.replay += fmt::format(" --refine {}", count);
    }
}

} // namespace edgefront
