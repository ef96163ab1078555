#include "reports/estimate_report.h"

#include "base/error.h"
#include "reports/cost_json.h"
#include "reports/numbers.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

/// The reason when there is no price.
std::string reason(const Verdict &verdict) {
    if (const auto *no = std::get_if<Unsupported>(&verdict)) {
        return "unsupported: " + no->reason;
    }
    if (const auto *no = std::get_if<Infeasible>(&verdict)) {
        return "infeasible: " + no->reason;
    }
    return "";
}

struct Change {
    std::string key;
    std::optional<double> from; ///< nothing: the file does not have it
    double to = 0;
};

/// By key; what was set to the value it had is no change.
std::vector<Change> changes(const EstimateReport &report) {
    std::vector<Change> list;
    if (report.unchanged) {
        const auto &before = report.unchanged->target.constants;
        for (const auto &[key, constant] : report.target.constants) {
            const auto it = before.find(key);
            if (it == before.end()) {
                list.push_back({key, {}, constant.value});
            } else if (it->second.value != constant.value) {
                list.push_back({key, it->second.value, constant.value});
            }
        }
    }
    return list;
}

std::string name_of(const Estimate &e, const EstimatePart &part) {
    std::string name;
    for (std::size_t i = part.first; i < part.first + part.members; i++) {
        name += (name.empty() ? "" : " + ") + e.layers[i].name;
    }
    return name;
}

std::string op_of(const Estimate &e, const EstimatePart &part) {
    return part.group != nullptr ? "fused" : to_string(e.layers[part.first].layer.op);
}

/// The same layers in an estimate that may have other groups; nothing when one of its groups
/// reaches beyond them.
std::optional<Verdict> same_layers(const Estimate &e, const EstimatePart &wanted) {
    std::vector<Cost> costs;
    for (const EstimatePart &part : parts(e)) {
        if (part.first + part.members <= wanted.first ||
            part.first >= wanted.first + wanted.members) {
            continue;
        }
        if (part.first == wanted.first && part.members == wanted.members) {
            return *part.verdict;
        }
        const Cost *cost = std::get_if<Cost>(part.verdict);
        if (cost == nullptr || part.members > wanted.members) {
            return {};
        }
        costs.push_back(*cost);
    }
    return sum(costs);
}

/// "fused: 16 groups of 48 layers, 1.234 ms instead of 1.534 ms one by one".
std::string groups_note(const Estimate &e) {
    std::vector<Cost> fused, separate;
    std::size_t layers = 0, proven = 0;
    for (const GroupEstimate &group : e.groups) {
        fused.push_back(std::get<Cost>(group.verdict));
        separate.push_back(group.separate);
        layers += group.members;
        proven += group.proven ? 1 : 0;
    }
    if (fused.empty()) {
        return "fused: nothing; of no group that fits is a fusion faster than its layers one by "
               "one";
    }
    return fmt::format(
        "fused: {} groups of {} layers ({} proven best), {:.3f} ms instead of {:.3f} "
        "ms one by one",
        fused.size(), layers, proven, milliseconds(sum(fused).latency),
        milliseconds(sum(separate).latency));
}

// ---- as a table ----

std::string for_people(std::string name) {
    if (name == to_string(Activity::fill_drain)) {
        return "fill and drain";
    }
    if (name == to_string(Activity::elementwise)) {
        return "element-wise";
    }
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
}

class Rows {
public:
    explicit Rows(const EstimateReport &report) : changed_(report.unchanged.has_value()) {
        for (const LevelTraffic &t : report.estimate.total.traffic) {
            levels_.push_back(t.level);
        }
        table_.columns = {{"name", "layer"}, {"op", "op"}, {"latency_ms", "latency ms", 4}};
        if (changed_) {
            table_.columns.push_back({"unchanged_latency_ms", "unchanged ms", 4});
        }
        table_.columns.insert(table_.columns.end(),
                              {{"lower_bound_ms", "bound ms", 4}, {"energy_mj", "energy mJ", 5}});
        for (const std::string &level : levels_) {
            table_.columns.push_back({level + "_bytes", level + " bytes"});
        }
        table_.columns.insert(table_.columns.end(), {{"macs_per_byte", "MACs/byte", 2},
                                                     {"utilisation", "use", 3},
                                                     {"bound_by", "bound by"}});
    }

    /// `unchanged` is only looked at when the report has one.
    void add(const std::string &name, const std::string &op, const Verdict &verdict,
             const Verdict *unchanged) {
        std::vector<Json> row = {name, op};
        const Cost *cost = std::get_if<Cost>(&verdict);
        row.push_back(cost != nullptr ? Json(milliseconds(cost->latency)) : Json());
        if (changed_) {
            const Cost *before = unchanged ? std::get_if<Cost>(unchanged) : nullptr;
            row.push_back(before != nullptr ? Json(milliseconds(before->latency)) : Json());
        }
        if (cost != nullptr) {
            row.insert(row.end(), {milliseconds(cost->lower_bound), millijoules(cost->energy)});
            const Json bytes = bytes_json(*cost);
            for (const std::string &level : levels_) {
                row.push_back(bytes.contains(level) ? bytes[level] : Json(0));
            }
            const auto position = roofline_position(*cost);
            row.insert(row.end(), {position ? Json(position->macs_per_byte) : Json(),
                                   cost->utilisation, to_string(cost->bound_by)});
        } else {
            row.resize(table_.columns.size() - 1);
            row.push_back(reason(verdict));
        }
        table_.rows.push_back(row);
    }

    Table take() { return std::move(table_); }

private:
    bool changed_;
    std::vector<std::string> levels_;
    Table table_;
};

/// "where the time goes: multiply 40.2 %, cache 31.0 %..." without what rounds to nothing.
std::string shares_note(const Cost &total) {
    std::vector<std::string> parts;
    for (const Share &share : shares(total)) {
        const double percent = total.latency > Seconds(0) ? 100 * (share.time / total.latency) : 0;
        if (percent >= 0.05) {
            parts.push_back(fmt::format("{} {:.1f} %", for_people(share.what), percent));
        }
    }
    return "where the time goes: " + (parts.empty() ? "nowhere" : join(parts));
}

std::string interval_note(const LatencyInterval &interval, const Target &target) {
    const bool measured = target.calibration && !target.calibration->measured.empty();
    return fmt::format("interval: {} to {} ms, as {} and modelled latencies of {} calibrate "
                       "rows differ, each row held out of its fit; expected to hold {:.0f} % of "
                       "networks",
                       significant(milliseconds(interval.low)),
                       significant(milliseconds(interval.high)),
                       measured ? "measured" : "published", interval.rows, 100 * interval.coverage);
}

std::string bound_note(const Cost &total, bool groups) {
    std::string note = fmt::format(
        "lower bound: {} ms under any mapping, {}", significant(milliseconds(total.lower_bound)),
        groups ? "of these groups and layers one after another" : "layer by layer");
    const auto position = roofline_position(total);
    if (position && position->ridge_macs_per_byte) {
        note +=
            fmt::format("; roofline: {} MACs per byte of {}, on the {} side of {}",
                        significant(position->macs_per_byte, 3), for_people(position->level),
                        to_string(position->side), significant(*position->ridge_macs_per_byte, 3));
    }
    return note;
}

std::string changes_note(const EstimateReport &report) {
    std::vector<std::string> parts;
    for (const Change &change : changes(report)) {
        parts.push_back(fmt::format("{} {} to {}", change.key,
                                    change.from ? fmt::format("{}", *change.from) : "unset",
                                    change.to));
    }
    std::string note = "what if: " + (parts.empty() ? "nothing changed" : join(parts));
    const Estimate &before = report.unchanged->estimate;
    if (before.supported()) {
        note += fmt::format("; unchanged {:.3f} ms, {:.3f} mJ", milliseconds(before.total.latency),
                            millijoules(before.total.energy));
        if (report.estimate.supported()) {
            note += fmt::format(" (latency {:+.1f} %)",
                                100 * (report.estimate.total.latency / before.total.latency - 1));
        }
    }
    return note;
}

// ---- as JSON ----

Json layers_json(const Estimate &e) {
    Json layers = Json::array();
    for (const EstimatePart &part : parts(e)) {
        Json row = {{"name", name_of(e, part)}, {"op", op_of(e, part)}};
        if (const Cost *cost = std::get_if<Cost>(part.verdict)) {
            row.update(cost_json(*cost));
        } else {
            row["latency_ms"] = nullptr;
            row["unsupported"] = reason(*part.verdict);
        }
        if (part.group != nullptr) {
            row["plan"] = to_string(part.group->plan);
            row["proven"] = part.group->proven;
            row["separate"] = cost_json(part.group->separate);
            row["members"] = Json::array();
            for (std::size_t i = part.first; i < part.first + part.members; i++) {
                row["members"].push_back(
                    {{"name", e.layers[i].name}, {"op", to_string(e.layers[i].layer.op)}});
            }
        }
        layers.push_back(row);
    }
    return layers;
}

Json unsupported_json(const Estimate &e) {
    Json list = Json::array();
    for (const LayerEstimate &l : e.layers) {
        if (!std::holds_alternative<Cost>(l.verdict)) {
            list.push_back(
                {{"name", l.name}, {"op", to_string(l.layer.op)}, {"reason", reason(l.verdict)}});
        }
    }
    return list;
}

/// What of `cost_json` depends on the layers that have no price.
constexpr const char *priced_only[] = {"latency_ms", "lower_bound_ms", "energy_mj", "shares_ms",
                                       "roofline",   "utilisation",    "bound_by"};

Json interval_json(const LatencyInterval &interval, const Target &target) {
    const bool measured = target.calibration && !target.calibration->measured.empty();
    return {{"rows", interval.rows},
            {"expected_coverage", interval.coverage},
            {"method", std::string(measured ? "measured" : "published") +
                           " over held-out latencies of the target's calibration"}};
}

Json changes_json(const EstimateReport &report) {
    Json list = Json::array();
    for (const Change &change : changes(report)) {
        list.push_back({{"key", change.key},
                        {"from", change.from ? Json(*change.from) : Json()},
                        {"to", change.to}});
    }
    return list;
}

/// Of the total; null without a price.
Json total_json(const Estimate &e, const Target &target) {
    Json json = cost_json(e.total);
    if (!e.supported()) {
        for (const char *key : priced_only) {
            json[key] = nullptr;
        }
    }
    const bool known = e.supported() && e.interval;
    json["interval_ms"] =
        known ? Json::array({milliseconds(e.interval->low), milliseconds(e.interval->high)})
              : Json();
    json["interval"] = known ? interval_json(*e.interval, target) : Json();
    return json;
}

} // namespace

Table estimate_table(const EstimateReport &report) {
    const Estimate &e = report.estimate;
    const Estimate *before = report.unchanged ? &report.unchanged->estimate : nullptr;
    Rows rows(report);
    for (const EstimatePart &part : parts(e)) {
        const auto other = before != nullptr ? same_layers(*before, part) : std::nullopt;
        rows.add(name_of(e, part), op_of(e, part), *part.verdict, other ? &*other : nullptr);
    }
    const Verdict network_before = before != nullptr ? before->network : Cost();
    rows.add("(network)", "", e.network, &network_before);
    Table table = rows.take();

    const std::string what =
        fmt::format("{} on {}{} ({}, {} thread{})", report.network, report.target.name,
                    report.unchanged ? " changed" : "", to_string(report.workload.precision),
                    report.workload.threads, report.workload.threads == 1 ? "" : "s");
    if (e.supported()) {
        table.notes = {fmt::format(
            "{}: {:.3f} ms, {:.3f} mJ, {:.1f} % of the multipliers, mostly bound by {} ({})", what,
            milliseconds(e.total.latency), millijoules(e.total.energy), 100 * e.total.utilisation,
            to_string(e.total.bound_by), to_string(e.total.kind))};
    } else {
        table.notes = {fmt::format("{}: no price, {} of {} layers are unsupported", what,
                                   e.unsupported.size(), e.layers.size())};
    }
    if (report.unchanged) {
        table.notes.push_back(changes_note(report));
    }
    if (report.fuse == Fuse::where_cheaper) {
        table.notes.push_back(groups_note(e));
    }
    if (e.supported()) {
        if (e.interval) {
            table.notes.push_back(interval_note(*e.interval, report.target));
        }
        table.notes.push_back(bound_note(e.total, !e.groups.empty()));
        table.notes.push_back(shares_note(e.total));
    }
    table.notes.push_back(fmt::format("peak activations {} bytes, weights {} bytes", e.peak.count(),
                                      e.weights.count()));
    return table;
}

Json estimate_json(const EstimateReport &report) {
    const Estimate &e = report.estimate;
    Json json = {
        {"network", report.network},          {"target", report.target.name},
        {"target_hash", report.target.hash},  {"precision", to_string(report.workload.precision)},
        {"threads", report.workload.threads}, {"fuse", report.fuse == Fuse::where_cheaper}};
    json.update(total_json(e, report.target));
    json.update({{"peak_bytes", e.peak.count()},
                 {"weight_bytes", e.weights.count()},
                 {"layers", layers_json(e)},
                 {"network_cost", cost_json(e.network)},
                 {"unsupported", unsupported_json(e)}});
    if (report.unchanged) {
        json["changed"] = changes_json(report);
        json["unchanged"] = total_json(report.unchanged->estimate, report.target);
        json["unchanged"]["target_hash"] = report.unchanged->target.hash;
    }
    return json;
}

} // namespace edgefront
