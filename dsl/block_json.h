// Rows of network files (family_json.h).
#pragma once

#include "base/json_reader.h"
#include "dsl/family.h"

namespace edgefront {

/// One row of a block table: an object, or a timm string for a UIB. Of `family` it uses the
/// definitions and the squeeze-excite that "squeeze_excite": true stands for.
Block read_block(const JsonReader &json, const Family &family = {});
/// `read_block(write_block(b))` is `b`.
Json write_block(const Block &block);

/// An object, each missing member as in `usual`; true for `usual` itself.
SqueezeExcite read_squeeze_excite(const JsonReader &json, const SqueezeExcite &usual);
Json write_squeeze_excite(const SqueezeExcite &se);

/// A name that may stand in expressions: lower-case letters, digits and '_', a letter first.
std::string read_name(const JsonReader &json);

/// "same", "symmetric", "valid"; in enum order.
const std::vector<std::string> &padding_names();

} // namespace edgefront
