#include "reports/latency_comparison.h"
#include "reports/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

Json milliseconds_cell(const std::optional<Seconds> &time) {
    // To a femtosecond: 20.8 ms come back as 20.8 after the way through seconds.
    return time ? Json(std::round(milliseconds(*time) * 1e12) / 1e12) : Json();
}

Json percent_cell(const std::optional<Seconds> &predicted, Seconds published) {
    return predicted ? Json(100 * (*predicted / published - 1)) : Json();
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

namespace {

std::string named(const LatencyRow &row) {
    return fmt::format("{}@{},{} on {}", row.network, row.width, row.resolution, row.target);
}

std::string threads_text(int threads) {
    return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s");
}

void note_summary(const LatencySummary &summary, const std::string &name, Table &table) {
    table.notes.push_back(fmt::format("{}, {} rows, {} of them open to fits): {}", name,
                                      summary.rows, summary.calibrate_rows,
                                      percent(summary.model)));
    table.notes.push_back("    MACs only: " + percent(summary.macs));
    std::string linear3 = "    fixed + MACs + activation bytes: " + percent(summary.linear3);
    if (summary.fallback_rows > 0) {
        linear3 += fmt::format(" (as MACs only in {} rows: too few to fit)", summary.fallback_rows);
    }
    table.notes.push_back(linear3);
}

void note_target(const TargetComparison &target, Table &table) {
    if (target.rows == 0) {
        table.notes.push_back(target.target + ": no row to compare");
        return;
    }
    note_summary(target, fmt::format("{} ({}", target.target, to_string(target.kind)), table);
    for (const auto &[threads, summary] : target.threads) {
        table.notes.push_back(fmt::format("    {}: {} rows, {}", threads_text(threads),
                                          summary.rows, percent(summary.model)));
    }
}

std::string spent_text(const LatencyPart &part) {
    std::vector<std::string> texts;
    for (const Share &share : part.spent) {
        const double percent = 100 * (share.time / part.time);
        if (percent >= 5 && texts.size() < 4) {
            texts.push_back(fmt::format("{} {:.0f} %", share.what, percent));
        }
    }
    std::string text;
    for (const std::string &t : texts) {
        text += (text.empty() ? "" : ", ") + t;
    }
    return text;
}

void note_explanation(const LatencyComparisonRow &row, Table &table) {
    const LatencyRow &p = row.published;
    table.notes.push_back(fmt::format(
        "misses: {} ({}, {}): {} ms for {} ms, {:+.1f} %", named(p), to_string(p.precision),
        threads_text(p.threads), significant(milliseconds(*row.predicted)),
        significant(milliseconds(p.latency)), 100 * (*row.predicted / p.latency - 1)));
    std::string operators;
    for (const LatencyPart &part : row.explanation->operators) {
        if (part.share >= 0.02) {
            operators += fmt::format("{}{} {:.0f} %", operators.empty() ? "" : ", ", part.name,
                                     100 * part.share);
        }
    }
    table.notes.push_back("    of the modelled time: " + operators);
    for (const LatencyPart &part : row.explanation->layers) {
        table.notes.push_back(fmt::format("    {:4.1f} % {}{}, bound by {}: {}", 100 * part.share,
                                          part.name, part.op == part.name ? "" : " " + part.op,
                                          to_string(part.bound_by), spent_text(part)));
    }
}

} // namespace

Table to_table(const LatencyComparison &comparison, bool with_skipped, bool explain) {
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
            const std::string name = named(p) + ": " + row.reason;
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
    for (const TargetComparison &target : comparison.targets) {
        note_target(target, table);
    }
    for (const KindComparison &kind : comparison.kinds) {
        note_summary(
            kind,
            fmt::format("all {} (of {} targets", to_string(kind.hardware), kind.targets.size()),
            table);
    }
    for (const LatencyComparisonRow &row : comparison.rows) {
        if (explain && row.explanation) {
            note_explanation(row, table);
        }
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

/// Adds rows, errors of the model and of the baselines.
void add_summary(Json &json, const LatencySummary &summary) {
    json.update({{"rows", summary.rows},
                 {"calibrate_rows", summary.calibrate_rows},
                 {"median_error", nullptr},
                 {"p90_error", nullptr},
                 {"spearman", nullptr}});
    if (summary.model) {
        json.update(to_json(summary.model));
    }
    json["baselines"] = {{"macs", to_json(summary.macs)}, {"linear3", to_json(summary.linear3)}};
    json["linear3_fallback_rows"] = summary.fallback_rows;
}

Json parts_json(const std::vector<LatencyPart> &parts) {
    Json json = Json::array();
    for (const LatencyPart &part : parts) {
        Json spent = Json::object();
        for (const Share &share : part.spent) {
            spent[share.what] = milliseconds(share.time);
        }
        json.push_back({{"name", part.name},
                        {"op", part.op},
                        {"latency_ms", milliseconds(part.time)},
                        {"share", part.share},
                        {"bound_by", to_string(part.bound_by)},
                        {"shares_ms", std::move(spent)}});
    }
    return json;
}

} // namespace

Json to_json(const LatencyComparison &comparison, bool explain) {
    Json rows = Json::parse(render(to_table(comparison, true), Format::json));
    for (std::size_t i = 0; i < comparison.rows.size(); i++) {
        if (const auto &explanation = comparison.rows[i].explanation; explain && explanation) {
            rows[i]["explanation"] = {{"operators", parts_json(explanation->operators)},
                                      {"layers", parts_json(explanation->layers)}};
        }
    }
    Json targets = Json::array();
    for (const TargetComparison &target : comparison.targets) {
        Json json = {{"target", target.target},
                     {"kind", to_string(target.kind)},
                     {"hardware", to_string(target.hardware)}};
        add_summary(json, target);
        json["threads"] = Json::array();
        for (const auto &[threads, summary] : target.threads) {
            Json some = {{"threads", threads}};
            add_summary(some, summary);
            json["threads"].push_back(std::move(some));
        }
        targets.push_back(std::move(json));
    }
    Json kinds = Json::array();
    for (const KindComparison &kind : comparison.kinds) {
        Json json = {{"kind", to_string(kind.hardware)}, {"targets", kind.targets}};
        add_summary(json, kind);
        kinds.push_back(std::move(json));
    }
    return {{"rows", std::move(rows)},
            {"targets", std::move(targets)},
            {"kinds", std::move(kinds)},
            {"no_target", comparison.no_target}};
}

} // namespace edgefront
