// What something costs, and what kind of number that is.
#pragma once

#include "base/units.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace edgefront {

enum class CostKind { measured, counted, simulated, modelled, published };
std::string to_string(CostKind kind);

enum class BoundBy { compute, memory, overhead, host_link };
std::string to_string(BoundBy bound);

/// Bytes moved through one level of the memory hierarchy ("l2", "on_chip", "dram", "host_link").
struct LevelTraffic {
    std::string level;
    Bytes bytes;
};

struct Cost {
    Cycles cycles;
    Seconds latency;
    Picojoules energy;
    std::vector<LevelTraffic> traffic;
    double utilisation = 0; ///< useful MACs over what the multipliers could do in `latency`; 0 to 1
    BoundBy bound_by = BoundBy::compute;
    CostKind kind = CostKind::modelled;
};

/// No mapping satisfies the constraints; the search meets it often, so it is a value.
struct Infeasible {
    std::string reason;
};
/// The device cannot run this operator at all.
struct Unsupported {
    std::string reason;
};

/// The costs of parts done one after another: everything adds up, utilisation is weighted by time,
/// `bound_by` is what most of the time is spent on, `kind` is that of the first part.
Cost sum(const std::vector<Cost> &parts);

using Verdict = std::variant<Cost, Infeasible, Unsupported>;

} // namespace edgefront
