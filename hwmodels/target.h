// A device as data: data/targets/*.json (schema data/schema/target.schema.json). Every constant
// carries where it comes from; fitted constants carry the rows they were fitted on.
#pragma once

#include "base/json_reader.h"
#include "base/units.h"
#include "dsl/layer.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edgefront {

enum class TargetKind { cpu, dsp, edgetpu };
std::string to_string(TargetKind kind);
const std::vector<std::string> &target_kind_names();

/// Where a number comes from.
struct Provenance {
    std::string source;     ///< paper, data sheet, "least squares on 5 calibrate rows"...
    std::string confidence; ///< one of `confidence_names`
};

/// documented (seen in the source), derived (arithmetic from such values), recalled (commonly
/// published, not re-read), measured (on the very device), counted (instructions of a prototype),
/// fitted (by `edgefront calibrate`), assumed (no source; a choice that is named).
const std::vector<std::string> &confidence_names();

struct Constant {
    double value = 0;
    Provenance provenance;
};

/// A constant a model asks for: its key carries the unit.
struct ConstantSpec {
    enum Trait : unsigned {
        optional = 1,      ///< may be absent
        per_precision = 2, ///< the file has "<key>_<precision>" for each of its precisions
        whole = 4,         ///< an integer
        rate = 8,          ///< may be fitted; enters a latency as 1 / value
        time = 16,         ///< may be fitted; enters a latency as itself
    };
    std::string key;
    double least = 0;
    double most = 0;
    std::string meaning;
    unsigned traits = 0;

    bool is(Trait trait) const { return (traits & trait) != 0; }
};

/// What the device's runtime refuses.
struct Refusal {
    std::string reason;
    Provenance provenance;
};

/// How a fit predicts one of its own rows; `held_out_ms` is the prediction without that row.
struct CalibrationRow {
    std::string network;
    DataType precision = DataType::int8;
    int threads = 1;
    double published_ms = 0;
    double predicted_ms = 0;
    double held_out_ms = 0;
};

/// What `edgefront calibrate` did to a target.
struct Calibration {
    std::vector<std::string> fitted; ///< keys of constants
    std::vector<CalibrationRow> rows;
};

struct Target {
    std::string name;
    std::string description;
    std::string device;     ///< the product and processor the numbers belong to
    std::string technology; ///< of the energy prices: node and table
    TargetKind kind = TargetKind::cpu;
    std::vector<DataType> precisions; ///< the first one is the target's own
    int max_threads = 1;
    std::map<std::string, Constant> constants; ///< by key with its unit, e.g. "clock_ghz"
    /// By name of an operator or activation.
    std::map<std::string, Refusal> unsupported;
    std::optional<Calibration> calibration;
    /// Of everything that changes a price (not of provenance): names this set of constants in
    /// databases and reports. Set by `read_target`.
    std::string hash;

    DataType default_precision() const { return precisions.front(); }
    /// Throws std::logic_error when absent: the reader checks that a kind has what its model needs.
    double constant(const std::string &key) const;
    double constant(const std::string &key, DataType precision) const; ///< "<key>_<precision>"
    bool has(const std::string &key) const { return constants.count(key) > 0; }
};

/// The constants of a kind of hardware (registry.cpp).
const std::vector<ConstantSpec> &constant_specs(TargetKind kind);
/// What may stand in a target's file: those per precision spelled out for each of its precisions.
std::vector<ConstantSpec> constant_specs(const Target &target);

/// The same device with other values of some of its constants, for asking what if: their provenance
/// is then "set on the command line", assumed, and the hash is that of the new device. Optional
/// constants that are absent may be set. Throws UserError for a key the target's model does not
/// have (with the nearest one), a value out of range, and half a host link.
Target set_constants(Target target, const std::vector<std::pair<std::string, double>> &values);
/// Of one constant.
Target set_constant(Target target, const std::string &key, double value);

/// Strict: unknown keys, missing constants, values out of range are UserErrors with file and
/// pointer.
Target read_target(const JsonReader &json);
Target read_target_file(const std::filesystem::path &path);
/// `read_target(write_target(t))` is `t`.
Json write_target(const Target &target);
std::string price_hash(const Target &target);

/// All targets of data/targets/, by name.
std::map<std::string, Target> read_targets();
/// One by name, or a path to a target file (ends in ".json" or contains "/"); throws UserError with
/// the nearest name.
Target find_target(const std::string &name);

} // namespace edgefront
