#include "reports/explore_report.h"

#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

/// A row of the report: a device of the front, or the base target beside it.
struct Row {
    Target target;
    const PricedDevice *device = nullptr;
    std::vector<double> values; ///< by objective; empty without a price
    bool front = true;
    bool base = false;
};

std::vector<Row> rows(const HardwareSpace &space, const Exploration &e) {
    std::vector<Row> list;
    bool base_seen = false;
    for (const Member &member : e.front.members()) {
        Row row{space.target(member.choices), &e.devices[space.index(member.choices)],
                member.values};
        row.base = row.target.hash == space.base.hash;
        base_seen = base_seen || row.base;
        list.push_back(std::move(row));
    }
    if (!base_seen) {
        list.push_back({space.base, &e.base, e.base_values, false, true});
    }
    return list;
}

std::vector<std::string> varied(const HardwareSpace &space) {
    std::vector<std::string> keys;
    for (const HardwareAxis &axis : space.axes) {
        keys.insert(keys.end(), axis.constants.begin(), axis.constants.end());
    }
    return keys;
}

Json constant_or_null(const Target &target, const std::string &key) {
    return target.has(key) ? Json(target.constant(key)) : Json();
}

/// How many of the front are better everywhere, or what excludes it.
std::string base_note(const HardwareSpace &space, const Exploration &e,
                      const std::vector<Row> &listed) {
    const std::string who = "base target " + space.base.name + ": ";
    if (!e.base_excluded.empty()) {
        const std::string &why = e.base.priced() ? join(e.base_excluded) : e.base.refusal;
        return who + "excluded by " + why;
    }
    if (listed.back().front) {
        return who + "no device beats it";
    }
    const std::size_t better = e.front.dominators(e.base_values).size();
    return who + (better == 0 ? "no device beats it, it is none of the space"
                              : fmt::format("beaten by {} of the {} devices of the front", better,
                                            e.front.size()));
}

std::string area_note(const HardwareSpace &space) {
    std::vector<std::string> terms;
    for (const AreaTerm &term : space.area_terms) {
        terms.push_back(fmt::format("{} x {} ({})", term.weight, join(term.product, " x "),
                                    term.provenance.confidence));
    }
    return "area, a proxy in " + space.area_unit + ": " + join(terms, " + ");
}

std::string excluded_note(const ExcludedDevices &rule) {
    std::string text = fmt::format("excluded: {} by \"{}\"", rule.devices, rule.rule);
    if (rule.nearest) {
        text += fmt::format(", the nearest has {}", *rule.nearest);
    }
    if (!rule.example.empty()) {
        text += ", for example " + rule.example;
    }
    return text;
}

Json by_network(const Exploration &e, const std::vector<double> &values) {
    Json json = Json::object();
    for (std::size_t i = 0; i < values.size(); i++) {
        json[e.networks[i]] = values[i];
    }
    return json;
}

Json device_json(const HardwareSpace &space, const Exploration &e, const Row &row) {
    Json constants = Json::object(), objectives = Json::object();
    for (const std::string &key : varied(space)) {
        constants[key] = constant_or_null(row.target, key);
    }
    for (std::size_t i = 0; i < e.objectives.size(); i++) {
        objectives[e.objectives[i]] = row.values.empty() ? Json() : Json(row.values[i]);
    }
    const bool priced = row.device->priced();
    return {{"constants", constants},
            {"objectives", objectives},
            {"latency_ms", priced ? by_network(e, row.device->latency_ms) : Json()},
            {"energy_mj", priced ? by_network(e, row.device->energy_mj) : Json()},
            {"area", space.area_terms.empty() ? Json() : Json(row.device->area)},
            {"front", row.front},
            {"base", row.base},
            {"target_hash", row.target.hash}};
}

} // namespace

Table explore_table(const HardwareSpace &space, const Exploration &e) {
    Table table;
    for (const std::string &key : varied(space)) {
        table.columns.push_back({key, key});
    }
    for (const std::string &name : e.objectives) {
        table.columns.push_back({name, name, name == "area" ? 0 : 4});
    }
    table.columns.push_back({"device", "device"});
    const std::vector<Row> listed = rows(space, e);
    for (const Row &row : listed) {
        std::vector<Json> cells;
        for (const std::string &key : varied(space)) {
            cells.push_back(constant_or_null(row.target, key));
        }
        for (std::size_t i = 0; i < e.objectives.size(); i++) {
            cells.push_back(row.values.empty() ? Json() : Json(row.values[i]));
        }
        cells.push_back(!row.front ? "base" : row.base ? "front, base" : "front");
        table.rows.push_back(std::move(cells));
    }
    table.notes.push_back(
        fmt::format("{}: {} devices no other beats, of {} feasible and {} in all, "
                    "for {} (modelled, less is better)",
                    space.name, e.front.size(), e.feasible, e.devices.size(), join(e.networks)));
    table.notes.push_back(base_note(space, e, listed));
    for (const ExcludedDevices &rule : e.excluded) {
        table.notes.push_back(excluded_note(rule));
    }
    if (!space.area_terms.empty()) {
        table.notes.push_back(area_note(space));
    }
    table.notes.push_back("constants that no axis names are the base target's, fitted ones too: "
                          "the farther from it, the less they are known");
    return table;
}

Json explore_json(const HardwareSpace &space, const Exploration &e) {
    const DataType precision = space.how.precision.value_or(space.base.default_precision());
    Json devices = Json::array(), excluded = Json::array();
    for (const Row &row : rows(space, e)) {
        devices.push_back(device_json(space, e, row));
    }
    for (const ExcludedDevices &rule : e.excluded) {
        excluded.push_back({{"rule", rule.rule},
                            {"devices", rule.devices},
                            {"nearest", rule.nearest ? Json(*rule.nearest) : Json()},
                            {"example", rule.example.empty() ? Json() : Json(rule.example)}});
    }
    return {{"space", space.name},
            {"target", space.base.name},
            {"target_hash", space.base.hash},
            {"precision", to_string(precision)},
            {"threads", space.how.threads},
            {"networks", e.networks},
            {"kind", to_string(CostKind::modelled)},
            {"area_unit", space.area_unit.empty() ? Json() : Json(space.area_unit)},
            {"devices_in_space", e.devices.size()},
            {"feasible", e.feasible},
            {"excluded", excluded},
            {"base_beaten_by",
             e.base_excluded.empty() ? Json(e.front.dominators(e.base_values).size()) : Json()},
            {"devices", devices}};
}

std::string nothing_feasible(const Exploration &e) {
    const auto most = std::max_element(
        e.excluded.begin(), e.excluded.end(),
        [](const ExcludedDevices &a, const ExcludedDevices &b) { return a.devices < b.devices; });
    return fmt::format("no feasible device among {}; {}", e.devices.size(), excluded_note(*most));
}

} // namespace edgefront
