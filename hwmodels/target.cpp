#include "hwmodels/target.h"

#include "base/random.h"
#include "dsl/zoo.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace edgefront {

namespace {

constexpr double most_ms = 1e6;
const std::string schema_name = "edgefront/target/1";

Provenance read_provenance(const JsonReader &json) {
    Provenance p;
    p.source = json.at("source").string();
    if (p.source.empty()) {
        throw json.at("source").error("is empty, expected where the value comes from");
    }
    p.confidence = confidence_names()[json.at("confidence").one_of(confidence_names())];
    return p;
}

Json write_provenance(const Provenance &p) {
    return {{"source", p.source}, {"confidence", p.confidence}};
}

std::map<std::string, Constant> read_constants(const JsonReader &json, const Target &target) {
    std::map<std::string, Constant> constants;
    for (const ConstantSpec &spec : constant_specs(target)) {
        const auto entry =
            spec.is(ConstantSpec::optional) ? json.find(spec.key) : json.at(spec.key);
        if (!entry) {
            continue;
        }
        Constant c;
        c.value = entry->at("value").number(spec.least, spec.most);
        if (spec.is(ConstantSpec::whole) && c.value != std::floor(c.value)) {
            throw entry->at("value").error("expected a whole number");
        }
        c.provenance = read_provenance(*entry);
        entry->finish();
        constants[spec.key] = c;
    }
    json.finish();
    return constants;
}

std::map<std::string, Refusal> read_refusals(const JsonReader &json) {
    std::vector<std::string> names = op_names();
    names.insert(names.end(), activation_names().begin(), activation_names().end());
    std::map<std::string, Refusal> refusals;
    for (const auto &[name, entry] : json.members()) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            throw entry.error("'" + name + "' is no operator or activation, expected one of " +
                              join(names) + did_you_mean(name, names));
        }
        Refusal r;
        r.reason = entry.at("reason").string();
        if (r.reason.empty()) {
            throw entry.at("reason").error("is empty, expected why the device cannot run it");
        }
        r.provenance = read_provenance(entry);
        entry.finish();
        refusals[name] = r;
    }
    return refusals;
}

Calibration read_calibration(const JsonReader &json, const Target &target) {
    Calibration c;
    for (const JsonReader &key : json.at("fitted").items()) {
        if (!target.has(key.string())) {
            throw key.error("'" + key.string() + "' is no constant of this target");
        }
        c.fitted.push_back(key.string());
    }
    for (const JsonReader &row : json.at("rows").items()) {
        CalibrationRow r;
        r.network = row.at("network").string();
        r.precision = parse_data_type(row.at("precision").string());
        r.threads = static_cast<int>(row.at("threads").integer(1, 1024));
        r.published_ms = row.at("published_ms").number(0, most_ms);
        r.predicted_ms = row.at("predicted_ms").number(0, most_ms);
        r.held_out_ms = row.at("held_out_ms").number(0, most_ms);
        row.finish();
        c.rows.push_back(r);
    }
    json.finish();
    return c;
}

/// 16 for 16.0, as people write it.
Json plain_number(double value) {
    const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
    return whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json write_calibration(const Calibration &c) {
    Json rows = Json::array();
    for (const CalibrationRow &r : c.rows) {
        rows.push_back({{"network", r.network},
                        {"precision", to_string(r.precision)},
                        {"threads", r.threads},
                        {"published_ms", plain_number(r.published_ms)},
                        {"predicted_ms", plain_number(r.predicted_ms)},
                        {"held_out_ms", plain_number(r.held_out_ms)}});
    }
    return {{"fitted", c.fitted}, {"rows", rows}};
}

bool half_a_host_link(const Target &target) {
    return target.has("host_in_gb_per_s") != target.has("host_out_gb_per_s");
}

const std::string half_a_host_link_text =
    "one of host_in_gb_per_s and host_out_gb_per_s, expected both or none";

bool is_path(const std::string &name) {
    const std::string tail = ".json";
    return name.find('/') != std::string::npos ||
           (name.size() > tail.size() && name.rfind(tail) == name.size() - tail.size());
}

} // namespace

const std::vector<std::string> &target_kind_names() {
    static const std::vector<std::string> names = {"cpu", "dsp", "edgetpu"};
    return names;
}

std::string to_string(TargetKind kind) {
    return target_kind_names()[static_cast<std::size_t>(kind)];
}

const std::vector<std::string> &confidence_names() {
    static const std::vector<std::string> names = {"documented", "derived", "recalled", "measured",
                                                   "counted",    "fitted",  "assumed"};
    return names;
}

double Target::constant(const std::string &key) const {
    const auto it = constants.find(key);
    if (it == constants.end()) {
        throw std::logic_error("target " + name + " has no constant " + key);
    }
    return it->second.value;
}

double Target::constant(const std::string &key, DataType precision) const {
    return constant(key + "_" + to_string(precision));
}

std::vector<ConstantSpec> constant_specs(const Target &target) {
    std::vector<ConstantSpec> specs;
    for (const ConstantSpec &spec : constant_specs(target.kind)) {
        if (!spec.is(ConstantSpec::per_precision)) {
            specs.push_back(spec);
            continue;
        }
        for (const DataType precision : target.precisions) {
            specs.push_back(spec);
            specs.back().key = spec.key + "_" + to_string(precision);
        }
    }
    return specs;
}

Target set_constants(Target target, const std::vector<std::pair<std::string, double>> &values) {
    const std::vector<ConstantSpec> specs = constant_specs(target);
    for (const auto &[key, value] : values) {
        const auto spec = std::find_if(specs.begin(), specs.end(),
                                       [&](const ConstantSpec &s) { return s.key == key; });
        if (spec == specs.end()) {
            std::vector<std::string> keys;
            for (const ConstantSpec &known : specs) {
                keys.push_back(known.key);
            }
            const std::string near = did_you_mean(key, keys);
            throw UserError("target " + target.name + " has no constant '" + key + "'" +
                            (near.empty() ? "; expected one of " + join(keys) : near));
        }
        const bool whole = spec->is(ConstantSpec::whole);
        if (!(value >= spec->least && value <= spec->most) ||
            (whole && value != std::floor(value))) {
            throw UserError(
                key + " of target " + target.name + " cannot be " + plain_number(value).dump() +
                ", expected a " + (whole ? "whole number" : "number") + " from " +
                plain_number(spec->least).dump() + " to " + plain_number(spec->most).dump());
        }
        target.constants[key] = {value, {"set on the command line", "assumed"}};
    }
    if (half_a_host_link(target)) {
        throw UserError("target " + target.name + " would have " + half_a_host_link_text);
    }
    target.hash = price_hash(target);
    return target;
}

Target set_constant(Target target, const std::string &key, double value) {
    return set_constants(std::move(target), {{key, value}});
}

Target read_target(const JsonReader &json) {
    Target t;
    json.at("schema").one_of({schema_name});
    t.name = json.at("name").string();
    t.description = json.at("description").string();
    t.device = json.at("device").string();
    t.technology = json.at("technology").string();
    t.kind = static_cast<TargetKind>(json.at("kind").one_of(target_kind_names()));
    for (const JsonReader &precision : json.at("precisions").items()) {
        static const std::vector<std::string> names = {"fp32", "fp16", "int8"};
        const DataType type = parse_data_type(names[precision.one_of(names)]);
        if (std::find(t.precisions.begin(), t.precisions.end(), type) != t.precisions.end()) {
            throw precision.error("'" + to_string(type) + "' stands here twice");
        }
        t.precisions.push_back(type);
    }
    if (t.precisions.empty()) {
        throw json.at("precisions").error("is empty, expected at least one of fp32, fp16, int8");
    }
    t.max_threads = static_cast<int>(json.at("max_threads").integer(1, 1024));
    t.constants = read_constants(json.at("constants"), t);
    if (half_a_host_link(t)) {
        throw json.at("constants").error("has " + half_a_host_link_text);
    }
    if (t.max_threads > 1 && !t.has("parallel_fraction")) {
        throw json.at("max_threads")
            .error("is " + std::to_string(t.max_threads) +
                   ", but the constants have no parallel_fraction to price threads with");
    }
    if (const auto refusals = json.find("unsupported")) {
        t.unsupported = read_refusals(*refusals);
    }
    if (const auto calibration = json.find("calibration")) {
        t.calibration = read_calibration(*calibration, t);
    }
    json.finish();
    t.hash = price_hash(t);
    return t;
}

Target read_target_file(const std::filesystem::path &path) {
    return read_target(JsonReader::parse_file(path));
}

Json write_target(const Target &t) {
    Json precisions = Json::array();
    for (const DataType precision : t.precisions) {
        precisions.push_back(to_string(precision));
    }
    Json constants = Json::object();
    for (const ConstantSpec &spec : constant_specs(t)) {
        const auto it = t.constants.find(spec.key);
        if (it != t.constants.end()) {
            constants[spec.key] = {{"value", plain_number(it->second.value)}};
            constants[spec.key].update(write_provenance(it->second.provenance));
        }
    }
    Json json = {{"schema", schema_name},        {"name", t.name},
                 {"description", t.description}, {"device", t.device},
                 {"technology", t.technology},   {"kind", to_string(t.kind)},
                 {"precisions", precisions},     {"max_threads", t.max_threads},
                 {"constants", constants}};
    if (!t.unsupported.empty()) {
        for (const auto &[name, refusal] : t.unsupported) {
            json["unsupported"][name] = {{"reason", refusal.reason}};
            json["unsupported"][name].update(write_provenance(refusal.provenance));
        }
    }
    if (t.calibration) {
        json["calibration"] = write_calibration(*t.calibration);
    }
    return json;
}

std::string price_hash(const Target &t) {
    Json json = {{"kind", to_string(t.kind)}};
    for (const auto &[key, constant] : t.constants) {
        json["constants"][key] = constant.value;
    }
    for (const auto &[name, refusal] : t.unsupported) {
        json["unsupported"].push_back(name);
    }
    return stable_hash_hex(json.dump());
}

std::map<std::string, Target> read_targets() {
    std::map<std::string, Target> targets;
    const auto directory = data_directory() / "targets";
    std::error_code status;
    for (const auto &entry : std::filesystem::directory_iterator(directory, status)) {
        if (entry.path().extension() != ".json") {
            continue;
        }
        Target t = read_target_file(entry.path());
        if (t.name != entry.path().stem()) {
            throw UserError({entry.path().string(), "/name"},
                            "is '" + t.name + "', expected the name of its file");
        }
        targets.emplace(t.name, std::move(t));
    }
    if (status) {
        throw UserError({directory.string(), ""}, "cannot list: " + status.message());
    }
    return targets;
}

Target find_target(const std::string &name) {
    if (is_path(name)) {
        return read_target_file(name);
    }
    std::map<std::string, Target> targets = read_targets();
    const auto it = targets.find(name);
    if (it != targets.end()) {
        return it->second;
    }
    std::vector<std::string> names;
    for (const auto &entry : targets) {
        names.push_back(entry.first);
    }
    throw UserError("unknown target '" + name + "'" + did_you_mean(name, names) +
                    "; expected one of " + join(names) + ", or a path to a target file");
}

} // namespace edgefront
