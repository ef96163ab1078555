#include "reports/latency_comparison.h"

#include "base/error.h"
#include "reports/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace edgefront {

namespace {

/// What the baselines know of a network.
struct Features {
    double macs = 0;
    double bytes = 0;
};

/// One published row with what is known about it here.
struct Known {
    LatencyComparisonRow row;
    std::optional<Features> features;
};

/// Baselines are fitted per device setting: other threads or another precision are another machine.
using Setting = std::tuple<std::string, DataType, int>;

Setting setting(const LatencyRow &row) {
    return {row.target, row.precision, row.threads};
}

Features features(const Network &network) {
    Features f;
    for (const auto &node : network.nodes) {
        const Layer &l = node.layer;
        f.macs += static_cast<double>(macs(l).count());
        f.bytes +=
            static_cast<double>((weight_bytes(l) + input_bytes(l) + output_bytes(l)).count());
    }
    return f;
}

Known know(const LatencyRow &published, const Zoo &zoo,
           const std::map<std::string, Target> &targets) {
    Known known;
    LatencyComparisonRow &row = known.row;
    row.published = published;
    const Family *family = zoo.find(published.network);
    const auto target = targets.find(published.target);
    if (family == nullptr) {
        row.reason = "not in the zoo yet";
        return known;
    }
    const Network network =
        with_type(build(*family, {published.width, published.resolution}), published.precision);
    known.features = features(network);
    if (target == targets.end()) {
        row.reason = "no target file yet";
        return known;
    }
    const auto model = make_cost_model(target->second);
    try {
        const Workload workload =
            workload_for(target->second, published.precision, published.threads);
        const Estimate price = estimate(*model, network, workload);
        if (price.supported()) {
            row.predicted = price.total.latency;
            row.kind = price.total.kind;
        } else {
            row.reason = "unsupported: " + price.unsupported.front();
        }
    } catch (const UserError &e) { // the target has no such precision or so many threads
        row.reason = e.what();
    }
    return known;
}

using Terms = std::vector<double> (*)(const Features &);

std::vector<double> macs_term(const Features &f) {
    return {f.macs};
}
std::vector<double> linear3_terms(const Features &f) {
    return {1, f.macs, f.bytes};
}

/// Coefficients of the terms, or nothing when there is not at least one row more than terms.
std::optional<std::vector<double>> fit(const std::vector<const Known *> &rows, Terms terms) {
    std::vector<std::vector<double>> equations;
    for (const Known *known : rows) {
        equations.push_back(terms(*known->features));
        for (double &term : equations.back()) {
            term /= known->row.published.latency.count(); // relative errors count alike
        }
    }
    if (equations.empty() || equations.size() <= equations.front().size()) {
        return std::nullopt;
    }
    return non_negative_least_squares(equations, std::vector<double>(equations.size(), 1.0));
}

std::optional<Seconds> predict(const std::optional<std::vector<double>> &coefficients,
                               const std::vector<double> &terms) {
    if (!coefficients) {
        return std::nullopt;
    }
    double seconds = 0;
    for (std::size_t i = 0; i < terms.size(); i++) {
        seconds += (*coefficients)[i] * terms[i];
    }
    return Seconds(seconds);
}

void add_baselines(std::vector<Known> &all) {
    std::map<Setting, std::vector<const Known *>> calibrate;
    for (const auto &known : all) {
        if (known.row.published.split == Split::calibrate && known.features) {
            calibrate[setting(known.row.published)].push_back(&known);
        }
    }
    for (const auto &[where, rows] : calibrate) {
        const auto macs_fit = fit(rows, macs_term);
        const auto linear3_fit = fit(rows, linear3_terms);
        for (auto &known : all) {
            if (known.features && setting(known.row.published) == where) {
                known.row.macs = predict(macs_fit, macs_term(*known.features));
                known.row.linear3 = predict(linear3_fit, linear3_terms(*known.features));
            }
        }
    }
}

double relative_error(Seconds predicted, Seconds published) {
    return predicted / published - 1;
}

/// Nothing when there are no rows, or one of them lacks the prediction.
std::optional<ErrorSummary> summarise(const std::vector<const LatencyComparisonRow *> &rows,
                                      std::optional<Seconds> LatencyComparisonRow::*prediction) {
    std::vector<double> errors;
    std::vector<double> predicted;
    std::vector<double> published;
    for (const LatencyComparisonRow *row : rows) {
        const std::optional<Seconds> &value = row->*prediction;
        if (!value) {
            return std::nullopt;
        }
        errors.push_back(std::abs(relative_error(*value, row->published.latency)));
        predicted.push_back(value->count());
        published.push_back(row->published.latency.count());
    }
    if (errors.empty()) {
        return std::nullopt;
    }
    return ErrorSummary{*percentile(errors, 0.5), *percentile(errors, 0.9),
                        spearman(predicted, published)};
}

TargetComparison summarise_target(const std::string &name,
                                  const std::vector<LatencyComparisonRow> &rows) {
    std::vector<const LatencyComparisonRow *> priced;
    TargetComparison summary;
    summary.target = name;
    for (const auto &row : rows) {
        if (row.published.target == name && row.predicted) {
            priced.push_back(&row);
            summary.kind = row.kind;
            summary.calibrate_rows += row.published.split == Split::calibrate ? 1 : 0;
        }
    }
    summary.rows = static_cast<int>(priced.size());
    summary.model = summarise(priced, &LatencyComparisonRow::predicted);
    summary.macs = summarise(priced, &LatencyComparisonRow::macs);
    summary.linear3 = summarise(priced, &LatencyComparisonRow::linear3);
    return summary;
}

} // namespace

LatencyComparison compare_latency(const std::vector<LatencyRow> &rows, const Zoo &zoo,
                                  const std::map<std::string, Target> &targets,
                                  std::optional<Split> split) {
    std::vector<Known> all;
    for (const auto &row : rows) {
        all.push_back(know(row, zoo, targets));
    }
    add_baselines(all);
    LatencyComparison comparison;
    for (auto &known : all) {
        if (!split || known.row.published.split == *split) {
            comparison.rows.push_back(std::move(known.row));
        }
    }
    std::map<std::string, bool> named;
    for (const auto &row : comparison.rows) {
        named.emplace(row.published.target, targets.count(row.published.target) > 0);
    }
    for (const auto &[name, has_file] : named) {
        if (has_file) {
            comparison.targets.push_back(summarise_target(name, comparison.rows));
        } else {
            comparison.no_target.push_back(name);
        }
    }
    return comparison;
}

namespace {

Json milliseconds_cell(const std::optional<Seconds> &time) {
    // To a femtosecond: 20.8 ms come back as 20.8 after the way through seconds.
    return time ? Json(std::round(milliseconds(*time) * 1e12) / 1e12) : Json();
}

Json percent_cell(const std::optional<Seconds> &predicted, Seconds published) {
    return predicted ? Json(100 * relative_error(*predicted, published)) : Json();
}

std::string percent(const std::optional<ErrorSummary> &summary) {
    if (!summary) {
        return "too few rows";
    }
    return fmt::format("median {:.1f} %, 90th percentile {:.1f} %, Spearman {}",
                       100 * summary->median_error, 100 * summary->p90_error,
                       summary->spearman ? fmt::format("{:.3f}", *summary->spearman) : "-");
}

} // namespace

Table to_table(const LatencyComparison &comparison, bool with_skipped) {
    Table table;
    table.columns = {{"target", "target"},
                     {"network", "network"},
                     {"width", "width"},
                     {"resolution", "resolution"},
                     {"precision", "precision"},
                     {"threads", "threads"},
                     {"split", "split"},
                     {"published_ms", "published ms"},
                     {"predicted_ms", "predicted ms", 2},
                     {"error_percent", "error %", 1},
                     {"kind", "kind"},
                     {"macs_error_percent", "MACs only %", 1},
                     {"linear3_error_percent", "linear3 %", 1},
                     {"source", "source"}};
    if (with_skipped) {
        table.columns.push_back({"reason", "reason"});
    }
    std::vector<std::string> skipped;
    for (const auto &row : comparison.rows) {
        const LatencyRow &p = row.published;
        if (!row.predicted && !with_skipped) {
            const std::string name = fmt::format("{}@{},{} on {}: {}", p.network, p.width,
                                                 p.resolution, p.target, row.reason);
            const bool repeated = std::find(skipped.begin(), skipped.end(), name) != skipped.end();
            const bool without_file =
                std::find(comparison.no_target.begin(), comparison.no_target.end(), p.target) !=
                comparison.no_target.end();
            if (!repeated && !without_file) {
                skipped.push_back(name);
            }
            continue;
        }
        table.rows.push_back(
            {p.target, p.network, p.width, p.resolution, to_string(p.precision), p.threads,
             to_string(p.split), milliseconds_cell(p.latency), milliseconds_cell(row.predicted),
             percent_cell(row.predicted, p.latency),
             row.predicted ? Json(to_string(row.kind)) : Json(), percent_cell(row.macs, p.latency),
             percent_cell(row.linear3, p.latency), p.source});
        if (with_skipped) {
            table.rows.back().push_back(row.reason);
        }
    }
    for (const auto &target : comparison.targets) {
        if (target.rows == 0) {
            table.notes.push_back(target.target + ": no row to compare");
            continue;
        }
        table.notes.push_back(fmt::format("{} ({}, {} rows, {} of them open to fits): {}",
                                          target.target, to_string(target.kind), target.rows,
                                          target.calibrate_rows, percent(target.model)));
        table.notes.push_back("    MACs only: " + percent(target.macs));
        table.notes.push_back("    fixed + MACs + bytes: " + percent(target.linear3));
    }
    for (const auto &name : skipped) {
        table.notes.push_back("not compared: " + name);
    }
    if (!comparison.no_target.empty()) {
        table.notes.push_back("published, but without a target file yet: " +
                              join(comparison.no_target));
    }
    return table;
}

namespace {

Json to_json(const std::optional<ErrorSummary> &summary) {
    if (!summary) {
        return nullptr;
    }
    return {{"median_error", summary->median_error},
            {"p90_error", summary->p90_error},
            {"spearman", summary->spearman ? Json(*summary->spearman) : Json()}};
}

} // namespace

Json to_json(const LatencyComparison &comparison) {
    Json targets = Json::array();
    for (const auto &target : comparison.targets) {
        Json json = {{"target", target.target}, {"kind", to_string(target.kind)},
                     {"rows", target.rows},     {"median_error", nullptr},
                     {"p90_error", nullptr},    {"spearman", nullptr}};
        if (target.model) {
            json.update(to_json(target.model));
        }
        json["baselines"] = {{"macs", to_json(target.macs)}, {"linear3", to_json(target.linear3)}};
        targets.push_back(std::move(json));
    }
    return {{"rows", Json::parse(render(to_table(comparison, true), Format::json))},
            {"targets", std::move(targets)},
            {"no_target", comparison.no_target}};
}

} // namespace edgefront
