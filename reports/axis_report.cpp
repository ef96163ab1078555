#include "reports/axis_report.h"

#include "search/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace edgefront {

namespace {

std::vector<std::string> ids(const std::vector<std::size_t> &indices,
                             const std::vector<RunPoint> &points) {
    std::vector<std::string> all;
    for (const std::size_t i : indices) {
        all.push_back(points[i].id);
    }
    return all;
}

std::int64_t without_value(const QualityAxis &axis) {
    return std::count(axis.values.begin(), axis.values.end(), std::nullopt);
}

/// The places of those that have a value, 1 for the largest.
std::vector<Json> places(const QualityAxis &axis) {
    std::vector<double> values;
    for (const auto &value : axis.values) {
        if (value) {
            values.push_back(*value);
        }
    }
    std::vector<Json> all;
    for (const auto &value : axis.values) {
        all.push_back(value ? Json(place_of(*value, values, true)) : Json());
    }
    return all;
}

/// Of the points that have both.
std::optional<double> agreement(const QualityAxis &a, const QualityAxis &b) {
    std::vector<double> of_a, of_b;
    for (std::size_t i = 0; i < a.values.size(); i++) {
        if (a.values[i] && b.values[i]) {
            of_a.push_back(*a.values[i]);
            of_b.push_back(*b.values[i]);
        }
    }
    return spearman(of_a, of_b);
}

/// Minus infinity is no number of JSON's.
Json finite(const std::optional<double> &value) {
    return value && std::isfinite(*value) ? Json(*value) : Json();
}

} // namespace

Table hint_table(const RunResult &result, const std::vector<RunPoint> &points,
                 const std::vector<QualityAxis> &capacity, const QualityAxis &hint,
                 const RankHintRequest &request) {
    Table table;
    table.columns = {{"id", "id"}, {"rank_hint", "rank hint", 2}, {"rank_by_hint", "its rank"}};
    for (const auto &axis : capacity) {
        table.columns.push_back({axis.name, axis.name, 0});
        table.columns.push_back({"rank_by_" + axis.name, "its rank"});
        table.notes.push_back(
            fmt::format("rank agreement of the hint with {}: Spearman {}", axis.name, [&] {
                const auto s = agreement(hint, axis);
                return s ? fmt::format("{:.3f}", *s) : std::string("-");
            }()));
        if (!axis.note.empty()) {
            table.notes.push_back(axis.name + " is " + axis.note);
        }
        if (const std::int64_t n = without_value(axis); n > 0) {
            table.notes.push_back(fmt::format("{} of them have no {}", n, axis.name));
        }
    }
    std::vector<std::size_t> costs;
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        if (result.objectives[o].sense == Sense::minimise) {
            costs.push_back(o);
            table.columns.push_back({result.objectives[o].name, result.objectives[o].name, 3});
        }
    }
    std::vector<std::size_t> order(points.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return hint.values[a] > hint.values[b]; // one without a value is less than any
    });
    const std::vector<Json> by_hint = places(hint);
    std::vector<std::vector<Json>> by_capacity;
    for (const auto &axis : capacity) {
        by_capacity.push_back(places(axis));
    }
    for (const std::size_t i : order) {
        std::vector<Json> row = {points[i].id, finite(hint.values[i]), by_hint[i]};
        for (std::size_t a = 0; a < capacity.size(); a++) {
            row.push_back(finite(capacity[a].values[i]));
            row.push_back(by_capacity[a][i]);
        }
        for (const std::size_t o : costs) {
            row.push_back(points[i].first_values()[o]);
        }
        table.rows.push_back(std::move(row));
    }
    table.notes.push_back(fmt::format("the rank hint is the NASWOT score (arXiv:2006.04647) of the "
                                      "untrained network, seed {}, {} "
                                      "images of noise at {}: a hint for ranking, no accuracy",
                                      request.naswot.seed, request.naswot.images,
                                      request.resolution > 0
                                          ? fmt::format("resolution {}", request.resolution)
                                          : std::string("its own resolution")));
    return table;
}

Json hint_json(const std::vector<RunPoint> &points, const std::vector<QualityAxis> &capacity,
               const QualityAxis &hint, const RankHintRequest &request) {
    Json json = {{"score", "naswot"},
                 {"images", request.naswot.images},
                 {"seed", request.naswot.seed},
                 {"resolution", request.resolution > 0 ? Json(request.resolution) : Json()}};
    for (const auto &axis : capacity) {
        json["spearman_" + axis.name] = finite(agreement(hint, axis));
    }
    json["points"] = Json::array();
    for (std::size_t i = 0; i < points.size(); i++) {
        Json point = {{"id", points[i].id},
                      {"rank_hint", finite(hint.values[i])},
                      {"rank_by_hint", places(hint)[i]}};
        for (const auto &axis : capacity) {
            point[axis.name] = finite(axis.values[i]);
            point["rank_by_" + axis.name] = places(axis)[i];
        }
        json["points"].push_back(point);
    }
    return json;
}

std::string axis_remark(const RunResult &result, const Zoo &zoo) {
    std::vector<QualityAxis> axes = own_axes(result, result.points, zoo);
    const auto senses = result.senses();
    if (axes.size() < 2 || std::count(senses.begin(), senses.end(), Sense::minimise) == 0) {
        return "";
    }
    return sentence(swap_axes(result, result.points, std::move(axes)), result.points.size());
}

Table to_table(const AxisSwap &swap, const std::vector<RunPoint> &points) {
    Table table;
    table.columns = {{"axis", "axis"}, {"kind", "kind"}, {"stay", "stay"}};
    for (const auto &axis : swap.axes) {
        table.columns.push_back({"also_by_" + axis.name, "also by " + axis.name});
    }
    for (std::size_t a = 0; a < swap.axes.size(); a++) {
        table.rows.push_back(
            {swap.axes[a].name, swap.axes[a].kind, static_cast<std::int64_t>(swap.stay[a].size())});
        for (std::size_t b = 0; b < swap.axes.size(); b++) {
            table.rows.back().push_back(static_cast<std::int64_t>(swap.common(a, b)));
        }
    }
    table.notes = {fmt::format("of {} points, those that none beats in {} and the one quality of "
                               "the row",
                               points.size(), join(swap.costs))};
    for (const auto &axis : swap.axes) {
        if (!axis.note.empty()) {
            table.notes.push_back(axis.name + " is " + axis.note);
        }
        if (const std::int64_t n = without_value(axis); n > 0) {
            table.notes.push_back(fmt::format("{} of them have no {}", n, axis.name));
        }
    }
    constexpr std::size_t most = 12;
    std::vector<std::string> names = ids(swap.everywhere, points);
    const std::size_t more = names.size() > most ? names.size() - most : 0;
    names.resize(names.size() - more);
    table.notes.push_back(fmt::format("{} stay by every axis{}{}{}", swap.everywhere.size(),
                                      names.empty() ? "" : ": ", join(names),
                                      more > 0 ? fmt::format(" and {} more", more) : ""));
    return table;
}

Json to_json(const AxisSwap &swap, const std::vector<RunPoint> &points) {
    Json axes = Json::array();
    for (std::size_t a = 0; a < swap.axes.size(); a++) {
        Json common = Json::object();
        for (std::size_t b = 0; b < swap.axes.size(); b++) {
            common[swap.axes[b].name] = swap.common(a, b);
        }
        axes.push_back({{"axis", swap.axes[a].name},
                        {"kind", swap.axes[a].kind},
                        {"note", swap.axes[a].note},
                        {"without_value", without_value(swap.axes[a])},
                        {"stay", ids(swap.stay[a], points)},
                        {"common", common}});
    }
    return {{"costs", swap.costs},
            {"points", points.size()},
            {"axes", axes},
            {"everywhere", ids(swap.everywhere, points)}};
}

std::string sentence(const AxisSwap &swap, std::size_t points) {
    std::string text;
    for (std::size_t a = 0; a < swap.axes.size(); a++) {
        text += fmt::format("{}{} {}", a == 0 ? "" : ", ", swap.stay[a].size(),
                            a == 0 ? "stay when " + swap.axes[a].name + " alone is the quality"
                                   : "when " + swap.axes[a].name + " is");
    }
    return fmt::format("Of {} points {}; {} stay by each.", points, text, swap.everywhere.size());
}

} // namespace edgefront
