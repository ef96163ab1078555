// Families as files: data/networks/*.json (schema data/schema/network.schema.json), comments
// allowed, unknown keys refused.
#pragma once

#include "base/json_reader.h"
#include "dsl/family.h"

namespace edgefront {

Family read_family(const JsonReader &json);
/// The families of a file: one, or one per entry of "sizes", named "<name>_<size>".
std::vector<Family> read_family_file(const std::filesystem::path &path);
/// `read_family(write_family(f))` is `f`.
Json write_family(const Family &family);

} // namespace edgefront
