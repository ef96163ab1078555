// Skeletons in the files of spaces (design_space_json.h).
#pragma once

#include "base/json_reader.h"
#include "dsl/family.h"
#include "search/skeleton.h"

namespace edgefront {

/// Stem, stages, head, and the resolutions, widths and activations, which stand in `space` where
/// `json` has none of its own (both are the same when a space has one skeleton). The rows may use
/// the definitions of `rules`. "name" and unknown members are left to the caller.
Skeleton read_skeleton(const JsonReader &json, const JsonReader &space, const Family &rules);
Json write_skeleton(const Skeleton &skeleton);

/// Builds every row that is no UIB at its position. Throws UserError, with the row's place, when it
/// cannot be built or changes the shape, which what follows must not depend on.
void check_rows(const std::vector<Skeleton> &skeletons, const Family &rules);

} // namespace edgefront
