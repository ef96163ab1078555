#include "dsl/zoo.h"
#include "hwmodels/reference.h"
#include "hwmodels/target.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

constexpr double most_ms = 1e6;
const std::string schema_name = "edgefront/target/1";

/// The files that are being read, each based on the next one.
using Chain = std::vector<std::filesystem::path>;
Target read_chained(const JsonReader &json, Chain chain);

/// The empty path is the folder of a file that is named without one.
std::filesystem::path whole_path(const std::filesystem::path &path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path.empty() ? "." : path));
}

std::shared_ptr<const Target> read_base(const JsonReader &reference, const Chain &chain) {
    const auto path = referenced_file(reference, "targets");
    const auto again = std::find(chain.begin(), chain.end(), whole_path(path));
    if (again != chain.end()) {
        std::string names;
        for (auto file = again; file != chain.end(); ++file) {
            names += file->filename().string() + " is based on ";
        }
        throw reference.error("expected a target that is not based on this one: " + names +
                              again->filename().string());
    }
    return std::make_shared<const Target>(read_chained(JsonReader::parse_file(path), chain));
}

/// The member's string, or what the base has where a base may say it.
std::string text(const JsonReader &json, const std::string &key, const Target &target,
                 std::string Target::*member) {
    const auto given = target.base ? json.find(key) : json.at(key);
    return given ? given->string() : (*target.base).*member;
}

std::vector<DataType> read_precisions(const JsonReader &json) {
    std::vector<DataType> precisions;
    for (const JsonReader &precision : json.items()) {
        static const std::vector<std::string> names = {"fp32", "fp16", "int8"};
        const DataType type = parse_data_type(names[precision.one_of(names)]);
        if (std::find(precisions.begin(), precisions.end(), type) != precisions.end()) {
            throw precision.error("'" + to_string(type) + "' stands here twice");
        }
        precisions.push_back(type);
    }
    if (precisions.empty()) {
        throw json.error("is empty, expected at least one of fp32, fp16, int8");
    }
    return precisions;
}

/// What the base's file says, not what its technology says for it.
std::optional<Constant> inherited(const Target &target, const ConstantSpec &spec) {
    if (!target.base || !target.base->has(spec.key)) {
        return std::nullopt;
    }
    const Constant &constant = target.base->constants.at(spec.key);
    const auto price = technology_price(*target.base, spec);
    return price && *price == constant ? std::nullopt : std::optional<Constant>(constant);
}

/// A misspelt key is a better complaint than the right one missing, so it comes first.
void refuse_unknown(const JsonReader &constants, const std::vector<ConstantSpec> &specs) {
    std::vector<std::string> keys;
    for (const ConstantSpec &spec : specs) {
        keys.push_back(spec.key);
    }
    for (const auto &member : constants.members()) {
        const std::string &key = member.first;
        if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
            continue;
        }
        const auto with_unit = std::find_if(keys.begin(), keys.end(), [&](const std::string &k) {
            return k.rfind(key + "_", 0) == 0;
        });
        throw constants.error(
            "unknown key \"" + key + "\"" +
            (with_unit != keys.end()
                 ? ", keys end in their unit or precision; did you mean '" + *with_unit + "'?"
                 : ", expected one of " + join(keys) + did_you_mean(key, keys)));
    }
}

void read_constants(const JsonReader &json, Target &target) {
    const std::vector<ConstantSpec> specs = constant_specs(target);
    refuse_unknown(json, specs);
    for (const ConstantSpec &spec : specs) {
        if (const auto entry = json.find(spec.key)) {
            const Constant c = read_constant(*entry, spec.least, spec.most);
            if (spec.is(ConstantSpec::whole) && c.value != std::floor(c.value)) {
                throw entry->at("value").error("expected a whole number");
            }
            target.constants[spec.key] = c;
        } else if (const auto base = inherited(target, spec)) {
            target.constants[spec.key] = *base;
        }
    }
    // Prices may depend on the sizes of memories, so they come last.
    for (const ConstantSpec &spec : specs) {
        if (target.has(spec.key)) {
            continue;
        }
        if (const auto price = technology_price(target, spec)) {
            target.constants[spec.key] = *price;
        } else if (!spec.is(ConstantSpec::optional)) {
            throw json.error("\"" + spec.key + "\" is missing: " + spec.meaning);
        }
    }
}

void read_refusals(const JsonReader &json, std::map<std::string, Refusal> &refusals) {
    std::vector<std::string> names = op_names();
    names.insert(names.end(), activation_names().begin(), activation_names().end());
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
}

Json write_refusal(const Refusal &refusal) {
    Json json = {{"reason", refusal.reason}};
    json.update(write_provenance(refusal.provenance));
    return json;
}

Calibration read_calibration(const JsonReader &json, const Target &target) {
    Calibration c;
    for (const JsonReader &key : json.at("fitted").items()) {
        if (!target.has(key.string())) {
            throw key.error("'" + key.string() + "' is no constant of this target");
        }
        c.fitted.push_back(key.string());
    }
    if (const auto shared = json.find("shared")) {
        for (const JsonReader &key : shared->items()) {
            if (std::find(c.fitted.begin(), c.fitted.end(), key.string()) == c.fitted.end()) {
                throw key.error("'" + key.string() + "' is not among the fitted");
            }
            c.shared.push_back(key.string());
        }
        c.together_with = json.at("together_with").strings();
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
    Json json = {{"fitted", c.fitted}};
    if (!c.together_with.empty()) {
        json["shared"] = c.shared;
        json["together_with"] = c.together_with;
    }
    json["rows"] = rows;
    return json;
}

Target read_chained(const JsonReader &json, Chain chain) {
    chain.push_back(whole_path(json.file()));
    Target t;
    json.at("schema").one_of({schema_name});
    t.name = json.at("name").string();
    if (const auto reference = json.find("based_on")) {
        t.based_on = reference->string();
        t.base = read_base(*reference, chain);
        t.kind = t.base->kind;
        t.precisions = t.base->precisions;
        t.max_threads = t.base->max_threads;
        t.technology = t.base->technology;
        t.unsupported = t.base->unsupported;
    }
    t.description = text(json, "description", t, &Target::description);
    t.device = text(json, "device", t, &Target::device);
    if (const auto reference = json.find("technology")) {
        t.technology_name = reference->string();
        t.technology = std::make_shared<const Technology>(
            JsonReader::parse_file(referenced_file(*reference, "technologies")));
    }
    if (const auto kind = t.base ? json.find("kind") : json.at("kind")) {
        t.kind = static_cast<TargetKind>(kind->one_of(target_kind_names()));
        if (t.base && t.kind != t.base->kind) {
            throw kind->error("is " + to_string(t.kind) + ", expected " + to_string(t.base->kind) +
                              " like " + t.base->name + ", which it is based on");
        }
    }
    if (const auto precisions = t.base ? json.find("precisions") : json.at("precisions")) {
        t.precisions = read_precisions(*precisions);
    }
    if (const auto threads = t.base ? json.find("max_threads") : json.at("max_threads")) {
        t.max_threads = static_cast<int>(threads->integer(1, 1024));
    }
    const auto constants = t.base ? json.find("constants") : json.at("constants");
    const JsonReader none = JsonReader::of(Json::object(), json.where());
    read_constants(constants ? *constants : none, t);
    if (const std::string wrong = contradiction(t); !wrong.empty()) {
        throw(constants ? *constants : json).error(wrong);
    }
    if (const auto refusals = json.find("unsupported")) {
        read_refusals(*refusals, t.unsupported);
    }
    if (const auto kernels = json.find("kernels")) {
        t.kernels = read_kernels(*kernels, t);
    }
    if (const auto calibration = json.find("calibration")) {
        t.calibration = read_calibration(*calibration, t);
    }
    json.finish();
    t.hash = price_hash(t);
    return t;
}

} // namespace

Target read_target(const JsonReader &json) {
    return read_chained(json, {});
}

Target read_target_file(const std::filesystem::path &path) {
    return read_target(JsonReader::parse_file(path));
}

Target moved(Target target, const std::filesystem::path &from, const std::filesystem::path &to) {
    for (std::string *reference : {&target.based_on, &target.technology_name}) {
        if (is_path(*reference)) {
            *reference = std::filesystem::relative(whole_path(from / *reference), whole_path(to));
            if (!is_path(*reference)) {
                *reference = "./" + *reference;
            }
        }
    }
    return target;
}

Json write_target(const Target &t) {
    const Target *base = t.base.get();
    Json json = {{"schema", schema_name}, {"name", t.name}};
    if (base != nullptr) {
        json["based_on"] = t.based_on;
    }
    if (base == nullptr || t.description != base->description) {
        json["description"] = t.description;
    }
    if (base == nullptr || t.device != base->device) {
        json["device"] = t.device;
    }
    if (!t.technology_name.empty()) {
        json["technology"] = t.technology_name;
    }
    if (base == nullptr) {
        json["kind"] = to_string(t.kind);
    }
    if (base == nullptr || t.precisions != base->precisions) {
        for (const DataType precision : t.precisions) {
            json["precisions"].push_back(to_string(precision));
        }
    }
    if (base == nullptr || t.max_threads != base->max_threads) {
        json["max_threads"] = t.max_threads;
    }
    Json constants = Json::object();
    for (const ConstantSpec &spec : constant_specs(t)) {
        if (!t.has(spec.key)) {
            continue;
        }
        const Constant &constant = t.constants.at(spec.key);
        const auto base_constant = inherited(t, spec);
        if (const auto otherwise = base_constant ? base_constant : technology_price(t, spec);
            !otherwise || !(constant == *otherwise)) {
            constants[spec.key] = write_constant(constant);
        }
    }
    if (base == nullptr || !constants.empty()) {
        json["constants"] = constants;
    }
    for (const auto &[name, refusal] : t.unsupported) {
        if (base == nullptr || base->unsupported.count(name) == 0 ||
            write_refusal(base->unsupported.at(name)) != write_refusal(refusal)) {
            json["unsupported"][name] = write_refusal(refusal);
        }
    }
    if (t.kernels) {
        json["kernels"] = write_kernels(*t.kernels);
    }
    if (t.calibration) {
        json["calibration"] = write_calibration(*t.calibration);
    }
    return json;
}

} // namespace edgefront
