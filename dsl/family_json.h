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

/// One row of a block table: an object, or a timm string for a UIB. "squeeze_excite": true stands
/// for `usual`, the file's own.
Block read_block(const JsonReader &json, const SqueezeExcite &usual = {});
Json write_block(const Block &block);

} // namespace edgefront
