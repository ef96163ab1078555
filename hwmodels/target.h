// A device as data: data/targets/*.json (schema data/schema/target.schema.json). Every constant
// carries where it comes from; calibration constants carry the rows they were fitted on.
#pragma once

#include "base/json_reader.h"
#include "base/units.h"
#include "dsl/layer.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace edgefront {

enum class TargetKind { cpu, dsp, edgetpu };
std::string to_string(TargetKind kind);

/// Where a number comes from.
struct Provenance {
    std::string source;     ///< paper, data sheet, "least squares on 5 calibrate rows"...
    std::string confidence; ///< "documented", "derived", "recalled", "fitted", "measured"
};

struct Constant {
    double value = 0;
    Provenance provenance;
};

struct Target {
    std::string name;
    std::string description;
    TargetKind kind = TargetKind::cpu;
    std::vector<DataType> precisions; ///< the first one is the target's own
    int max_threads = 1;
    std::map<std::string, Constant> constants; ///< by key with its unit, e.g. "clock_ghz"
    /// Operators and activations the device's runtime refuses, with the reason.
    std::map<std::string, std::string> unsupported;

    DataType default_precision() const { return precisions.front(); }
    /// Throws std::logic_error when absent: the reader checks that a kind has what its model needs.
    double constant(const std::string &key) const;
    bool has(const std::string &key) const { return constants.count(key) > 0; }
    /// Of the canonical JSON: names this exact set of constants in databases and reports.
    std::string hash;
};

Target read_target(const JsonReader &json);
Target read_target_file(const std::filesystem::path &path);
/// All targets of data/targets/, by name.
std::map<std::string, Target> read_targets();
/// One by name, or a path to a target file; throws UserError with the nearest name.
Target find_target(const std::string &name);

} // namespace edgefront
