// A device as data: data/targets/*.json (schema data/schema/target.schema.json). Every constant
// carries where it comes from; fitted constants carry the rows they were fitted on.
//
// A file may leave out what the target it is based on has, and prices that its technology knows. In
// memory a target is always complete: models know of neither.
#pragma once

#include "base/json_reader.h"
#include "dsl/layer.h"
#include "hwmodels/constant.h"
#include "hwmodels/target_kernels.h"
#include "hwmodels/technology.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edgefront {

enum class TargetKind { cpu, dsp, edgetpu, gpu, npu };
std::string to_string(TargetKind kind);
const std::vector<std::string> &target_kind_names();

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
    /// Of `fitted`, those that are one number for this target and those it was fitted with.
    std::vector<std::string> shared;
    std::vector<std::string> together_with; ///< names of targets
    std::vector<CalibrationRow> rows;
};

struct Target {
    std::string name;
    std::string description;
    std::string device; ///< the product and processor the numbers belong to
    /// Of the prices that the target does not have of its own; null: it has them all.
    std::shared_ptr<const Technology> technology;
    TargetKind kind = TargetKind::cpu;
    std::vector<DataType> precisions; ///< the first one is the target's own
    int max_threads = 1;
    std::map<std::string, Constant> constants; ///< by key with its unit, e.g. "clock_ghz"
    /// By name of an operator or activation.
    std::map<std::string, Refusal> unsupported;
    std::optional<TargetKernels> kernels; ///< none: kernels cannot be generated for it
    std::optional<Calibration> calibration;
    /// The target it is based on: what a file of this one may leave out. Null: none.
    std::shared_ptr<const Target> base;
    /// How the file names base and technology: a name, or a path from its folder.
    std::string based_on;
    std::string technology_name;
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
/// have (with the nearest one), a value out of range, and a `contradiction`. Prices that the
/// technology gives by the size of a memory follow that size.
Target set_constants(Target target, const std::vector<std::pair<std::string, double>> &values);
/// Of one constant.
Target set_constant(Target target, const std::string &key, double value);

/// What constants of a complete target say against each other, as in "TARGET has half a link"; ""
/// when nothing.
std::string contradiction(const Target &target);

/// What the target's technology says for a price, if it says anything.
std::optional<Constant> technology_price(const Target &target, const ConstantSpec &spec);

/// Strict: unknown keys, missing constants, values out of range, targets based on themselves are
/// UserErrors with file and pointer. Of a target that is based on another, constants and refusals
/// the file does not have are the other's, and so is what else it leaves out but for name, kernels
/// and calibration. Prices come from the file, else the other's file, else the technology.
Target read_target(const JsonReader &json);
Target read_target_file(const std::filesystem::path &path);
/// `read_target(write_target(t))` is `t`. What the base or the technology says is left out.
Json write_target(const Target &target);
/// The target for a file in another folder: paths to its base and technology lead there from `to`.
Target moved(Target target, const std::filesystem::path &from, const std::filesystem::path &to);
std::string price_hash(const Target &target);

/// All targets of data/targets/, by name.
std::map<std::string, Target> read_targets();
/// One by name, or a path to a target file (ends in ".json" or contains "/"); throws UserError with
/// the nearest name.
Target find_target(const std::string &name);

} // namespace edgefront
