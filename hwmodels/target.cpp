#include "hwmodels/target.h"

#include "base/random.h"
#include "dsl/zoo.h"
#include "hwmodels/reference.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace edgefront {

namespace {

/// Prices that were the technology's, and were not changed, are those of the changed target.
void follow_technology(Target &target, const Target &before) {
    for (const ConstantSpec &spec : constant_specs(target)) {
        const auto old_price = technology_price(before, spec);
        const bool was = old_price && before.constants.at(spec.key) == *old_price;
        if (was && target.constants.at(spec.key) == *old_price) {
            target.constants[spec.key] = *technology_price(target, spec);
        }
    }
}

} // namespace

const std::vector<std::string> &target_kind_names() {
    static const std::vector<std::string> names = {"cpu", "dsp", "edgetpu", "gpu", "npu"};
    return names;
}

std::string to_string(TargetKind kind) {
    return target_kind_names()[static_cast<std::size_t>(kind)];
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

std::string contradiction(const Target &target) {
    if (target.has("host_in_gb_per_s") != target.has("host_out_gb_per_s")) {
        return "has one of host_in_gb_per_s and host_out_gb_per_s, expected both or none";
    }
    if (target.max_threads > 1 && !target.has("parallel_fraction")) {
        return "has max_threads " + std::to_string(target.max_threads) +
               ", but no parallel_fraction to price threads with";
    }
    return "";
}

std::optional<Constant> technology_price(const Target &target, const ConstantSpec &spec) {
    if (!target.technology) {
        return std::nullopt;
    }
    const Technology &technology = *target.technology;
    if (spec.is(ConstantSpec::mac_price)) {
        return technology.mac(parse_data_type(spec.key.substr(spec.key.rfind('_') + 1)));
    }
    if (spec.is(ConstantSpec::register_price)) {
        return technology.register_byte();
    }
    if (spec.is(ConstantSpec::dram_price)) {
        return technology.dram_byte();
    }
    if (spec.is(ConstantSpec::sram_price)) {
        const std::string memory = spec.key.substr(0, spec.key.find("_pj_per_byte"));
        std::optional<double> kib;
        if (target.has(memory + "_kib")) {
            kib = target.constant(memory + "_kib");
            if (memory == "scratchpad" && target.has("arrays")) { // each array has one
                *kib /= target.constant("arrays");
            }
        } else if (target.has(memory + "_mib")) {
            kib = 1024 * target.constant(memory + "_mib");
        }
        return technology.sram_byte(kib);
    }
    return std::nullopt;
}

Target set_constants(Target target, const std::vector<std::pair<std::string, double>> &values) {
    const Target before = target;
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
    follow_technology(target, before);
    if (const std::string wrong = contradiction(target); !wrong.empty()) {
        throw UserError("target " + target.name + " then " + wrong);
    }
    target.hash = price_hash(target);
    return target;
}

Target set_constant(Target target, const std::string &key, double value) {
    return set_constants(std::move(target), {{key, value}});
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
    for (const std::string &name : names_in("targets")) {
        targets.emplace(name, find_target(name));
    }
    return targets;
}

Target find_target(const std::string &name) {
    if (is_path(name)) {
        return read_target_file(name);
    }
    const std::vector<std::string> names = names_in("targets");
    if (!std::binary_search(names.begin(), names.end(), name)) {
        throw UserError("unknown target '" + name + "'" + did_you_mean(name, names) +
                        "; expected one of " + join(names) + ", or a path to a target file");
    }
    const auto path = data_directory() / "targets" / (name + ".json");
    Target t = read_target_file(path);
    if (t.name != name) {
        throw UserError({path.string(), "/name"},
                        "is '" + t.name + "', expected the name of its file");
    }
    return t;
}

} // namespace edgefront
