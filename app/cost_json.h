// Costs as the commands print them.
#pragma once

#include "base/json_reader.h"
#include "hwmodels/cost.h"

namespace edgefront {

/// Bytes by memory level.
Json bytes_json(const Cost &cost);
/// latency_ms, energy_mj, bytes, utilisation, bound_by, kind.
Json cost_json(const Cost &cost);

} // namespace edgefront
