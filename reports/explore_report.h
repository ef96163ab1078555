// The devices of an exploration that no other beats, and where the base target stands among them.
#pragma once

#include "reports/table.h"
#include "search/explore.h"

#include <string>

namespace edgefront {

/// A row per device of the front, the best of the first objective first; the base target is marked,
/// or stands in a row of its own behind them.
Table explore_table(const HardwareSpace &space, const Exploration &exploration);
Json explore_json(const HardwareSpace &space, const Exploration &exploration);
/// Which rule excludes most devices, and how near they came: for an empty front.
std::string nothing_feasible(const Exploration &exploration);

} // namespace edgefront
