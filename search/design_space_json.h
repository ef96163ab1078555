// Spaces as files: data/spaces/*.json (schema data/schema/space.schema.json), comments allowed,
// unknown keys refused. The same form stands, resolved, in a run's run.json.
#pragma once

#include "base/json_reader.h"
#include "dsl/zoo.h"
#include "search/design_space.h"

namespace edgefront {

/// `rules` may name a family of the zoo; it is read in full, so the space stands alone afterwards.
DesignSpace read_space(const JsonReader &json, const Zoo &zoo);
DesignSpace read_space_file(const std::filesystem::path &path, const Zoo &zoo);
/// How a target runs networks: its name, or an object with name, precision and threads. That there
/// is such a target, and that it has both, is checked.
SpaceTarget read_space_target(const JsonReader &json);
/// The resolved form: `read_space(write_space(s))` is `s`.
Json write_space(const DesignSpace &space);

} // namespace edgefront
