#include "reports/latency_comparison.h"

#include "base/error.h"
#include "reports/latency_baselines.h"
#include "search/statistics.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace edgefront {

namespace {

constexpr std::size_t explained_layers = 5;

std::vector<Share> largest_first(const Cost &cost) {
    std::vector<Share> all = shares(cost);
    all.erase(
        std::remove_if(all.begin(), all.end(), [](const Share &s) { return s.time.count() <= 0; }),
        all.end());
    std::stable_sort(all.begin(), all.end(),
                     [](const Share &a, const Share &b) { return a.time > b.time; });
    return all;
}

void longest_first(std::vector<LatencyPart> &parts, Seconds whole) {
    for (LatencyPart &part : parts) {
        part.share = part.time / whole;
    }
    std::stable_sort(parts.begin(), parts.end(),
                     [](const LatencyPart &a, const LatencyPart &b) { return a.time > b.time; });
}

Explanation explain(const Estimate &price) {
    const std::string network = "(network)";
    Explanation e;
    std::map<std::string, std::vector<Cost>> by_operator;
    const auto add = [&](const std::string &name, const std::string &op, const Cost &cost) {
        e.layers.push_back({name, op, cost.latency, 0, cost.bound_by, largest_first(cost)});
        by_operator[op].push_back(cost);
    };
    for (const LayerEstimate &layer : price.layers) {
        add(layer.name, to_string(layer.layer.op), std::get<Cost>(layer.verdict));
    }
    add(network, network, price.network);
    for (const auto &[op, costs] : by_operator) {
        const Cost all = sum(costs);
        e.operators.push_back({op, op, all.latency, 0, all.bound_by, largest_first(all)});
    }
    longest_first(e.operators, price.total.latency);
    longest_first(e.layers, price.total.latency);
    e.layers.resize(std::min(e.layers.size(), explained_layers));
    return e;
}

double relative_error(Seconds predicted, Seconds published) {
    return predicted / published - 1;
}

void price(LatencyComparisonRow &row, const Network &network, const Target &target) {
    const LatencyRow &published = row.published;
    try {
        const Workload workload = workload_for(target, published.precision, published.threads);
        const Estimate e = estimate(*make_cost_model(target), network, workload);
        if (!e.supported()) {
            row.reason = "unsupported: " + e.unsupported.front();
            return;
        }
        row.predicted = e.total.latency;
        row.kind = e.total.kind;
        const double error = std::abs(relative_error(*row.predicted, published.latency));
        if (error > error_goal(target.kind).median) {
            row.explanation = explain(e);
        }
    } catch (const UserError &e) { // the target has no such precision or so many threads
        row.reason = e.what();
    }
}

std::vector<LatencyComparisonRow> compared(const std::vector<LatencyRow> &rows, const Zoo &zoo,
                                           const std::map<std::string, Target> &targets) {
    std::vector<LatencyComparisonRow> result;
    std::vector<BaselineRow> known;
    std::vector<std::size_t> places; ///< of the known ones in the result
    for (const LatencyRow &published : rows) {
        LatencyComparisonRow row;
        row.published = published;
        const auto target = targets.find(published.target);
        if (const Family *family = zoo.find(published.network); family == nullptr) {
            row.reason = "not in the zoo yet";
        } else {
            const Network network = with_type(
                build(*family, {published.width, published.resolution}), published.precision);
            known.push_back({published, baseline_features(network)});
            places.push_back(result.size());
            if (target == targets.end()) {
                row.reason = "no target file yet";
            } else {
                price(row, network, target->second);
            }
        }
        result.push_back(std::move(row));
    }
    const std::vector<BaselinePrediction> baselines = predict_baselines(known);
    for (std::size_t i = 0; i < places.size(); i++) {
        LatencyComparisonRow &row = result[places[i]];
        row.macs = baselines[i].macs;
        row.linear3 = baselines[i].linear3;
        row.linear3_falls_back = baselines[i].linear3_falls_back;
    }
    return result;
}

using Rows = std::vector<const LatencyComparisonRow *>;

/// Nothing when there are no rows, or one of them lacks the prediction.
std::optional<ErrorSummary> summarise(const Rows &rows,
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

LatencySummary summary_of(const Rows &rows) {
    LatencySummary s;
    s.rows = static_cast<int>(rows.size());
    for (const LatencyComparisonRow *row : rows) {
        s.calibrate_rows += row->published.split == Split::calibrate ? 1 : 0;
        s.fallback_rows += row->linear3_falls_back ? 1 : 0;
    }
    s.model = summarise(rows, &LatencyComparisonRow::predicted);
    s.macs = summarise(rows, &LatencyComparisonRow::macs);
    s.linear3 = summarise(rows, &LatencyComparisonRow::linear3);
    return s;
}

TargetComparison compare_target(const Target &target,
                                const std::vector<LatencyComparisonRow> &rows) {
    Rows priced;
    std::map<int, Rows> by_threads;
    TargetComparison comparison;
    comparison.target = target.name;
    comparison.hardware = target.kind;
    for (const LatencyComparisonRow &row : rows) {
        if (row.published.target == target.name && row.predicted) {
            priced.push_back(&row);
            by_threads[row.published.threads].push_back(&row);
            comparison.kind = row.kind;
        }
    }
    static_cast<LatencySummary &>(comparison) = summary_of(priced);
    if (by_threads.size() > 1) {
        for (const auto &[threads, some] : by_threads) {
            comparison.threads[threads] = summary_of(some);
        }
    }
    return comparison;
}

std::vector<KindComparison> compare_kinds(const std::vector<LatencyComparisonRow> &rows,
                                          const std::map<std::string, Target> &targets) {
    std::map<TargetKind, Rows> pooled;
    std::map<TargetKind, std::set<std::string>> names;
    for (const LatencyComparisonRow &row : rows) {
        if (row.predicted && row.macs && row.linear3) {
            const TargetKind kind = targets.at(row.published.target).kind;
            pooled[kind].push_back(&row);
            names[kind].insert(row.published.target);
        }
    }
    std::vector<KindComparison> kinds;
    for (const auto &[kind, some] : pooled) {
        KindComparison comparison;
        static_cast<LatencySummary &>(comparison) = summary_of(some);
        comparison.hardware = kind;
        comparison.targets.assign(names[kind].begin(), names[kind].end());
        kinds.push_back(std::move(comparison));
    }
    return kinds;
}

} // namespace

ErrorGoal error_goal(TargetKind hardware) {
    switch (hardware) {
    case TargetKind::cpu: return {0.10, 0.25};
    case TargetKind::edgetpu: return {0.15, 0.35};
    case TargetKind::dsp:
    case TargetKind::gpu:
    case TargetKind::npu: break;
    }
    return {0.20, 0.40};
}

LatencyComparison compare_latency(const std::vector<LatencyRow> &rows, const Zoo &zoo,
                                  const std::map<std::string, Target> &targets,
                                  std::optional<Split> split) {
    LatencyComparison comparison;
    std::set<std::string> named;
    for (LatencyComparisonRow &row : compared(rows, zoo, targets)) {
        if (!split || row.published.split == *split) {
            named.insert(row.published.target);
            comparison.rows.push_back(std::move(row));
        }
    }
    for (const std::string &name : named) {
        if (const auto target = targets.find(name); target != targets.end()) {
            comparison.targets.push_back(compare_target(target->second, comparison.rows));
        } else {
            comparison.no_target.push_back(name);
        }
    }
    comparison.kinds = compare_kinds(comparison.rows, targets);
    return comparison;
}

} // namespace edgefront
