// Conditions on the points of a front: "latency_ms:pixel6-cpu<3", "width=0.5", "s1_b2!=a0_k0_e4".
#pragma once

#include "search/run_directory.h"

#include <string>
#include <vector>

namespace edgefront {

/// The points that meet every condition, in the front's order. A condition is NAME OP VALUE with a
/// choice's or an objective's name and one of < <= > >= = !=; numbers are compared as numbers,
/// other choices as text (= and != only). Throws UserError for a bad condition, with the nearest
/// name.
std::vector<RunPoint> filter(const RunResult &result, const std::vector<std::string> &conditions);

/// Sorts by an objective (its best first) or a choice (ascending, numbers as numbers); stable.
void sort_by(std::vector<RunPoint> &points, const RunResult &result, const std::string &name);

} // namespace edgefront
