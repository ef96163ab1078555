// The devices an exploration may choose from: a base target, the constants that vary, and what a
// device is judged by. Data: data/hardware_spaces/*.json (data/schema/hardware_space.schema.json).
//
// A point is one index per axis; its device is the base target with the constants of those indices.
#pragma once

#include "base/json_reader.h"
#include "hwmodels/target.h"
#include "search/design_space.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// Constants of the target that get the same value, and the values to try.
struct HardwareAxis {
    std::vector<std::string> constants;
    std::vector<double> values;
};

/// Part of the area: a weight times the product of some constants.
struct AreaTerm {
    std::vector<std::string> product;
    double weight = 0;
    Provenance provenance; ///< of the weight
};

enum class HardwareMetric { latency_ms, energy_mj, area };
const std::vector<std::string> &hardware_metric_names();

/// What several networks' latencies or energies become.
enum class Over {
    sum,
    worst,
    each, ///< one value per network
};
const std::vector<std::string> &over_names();

struct HardwareMeasure {
    HardwareMetric metric = HardwareMetric::area;
    Over over = Over::sum; ///< area does not depend on it
};

struct HardwareConstraint {
    HardwareMeasure measure;
    std::optional<double> at_most; ///< exactly one of the two is given
    std::optional<double> at_least;
};

struct HardwareSpace {
    std::string name;
    std::string description;
    SpaceTarget how; ///< the base target's name, precision and threads
    Target base;
    std::vector<HardwareAxis> axes;
    std::string area_unit; ///< empty without terms
    std::vector<AreaTerm> area_terms;
    std::vector<HardwareMeasure> objectives;
    std::vector<HardwareConstraint> constraints;

    std::size_t size() const;
    /// The choices of point number `index` < size(); the last axis runs fastest.
    std::vector<int> at(std::size_t index) const;
    std::size_t index(const std::vector<int> &choices) const;
    /// The device of a point. Throws UserError when these values do not go together.
    Target target(const std::vector<int> &choices) const;
    /// Relative, in `area_unit`; compares devices of this space, says nothing about chips.
    double area(const Target &target) const;
};

/// Strict: unknown keys and constants, values a target cannot have and more than a million points
/// are UserErrors with file and pointer.
HardwareSpace read_hardware_space(const JsonReader &json);

} // namespace edgefront
