// Costs as the commands print them.
#pragma once

#include "base/json_reader.h"
#include "hwmodels/cost.h"

namespace edgefront {

/// Bytes by memory level.
Json bytes_json(const Cost &cost);
/// latency_ms, lower_bound_ms, energy_mj, shares_ms (by activity and memory level; they add up to
/// the latency), bytes, roofline (or null), utilisation, bound_by, kind.
Json cost_json(const Cost &cost);

} // namespace edgefront
