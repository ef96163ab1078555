// Which points of a front stand out, and as what.
#pragma once

#include "search/run_directory.h"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace edgefront {

/// Points that are shown layer by layer, by index into the front: "knee", "fastest"...
using Roles = std::map<std::size_t, std::vector<std::string>>;

/// The knee, the best of the first cost and the best of the first gain among the points that stand,
/// unless ids are asked for. Throws UserError for an id that the front does not have.
Roles choose_roles(const RunResult &result, const std::vector<std::string> &ids);

} // namespace edgefront
