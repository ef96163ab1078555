// How data files refer to each other: by the name of a file of the project's data, or by a path.
#pragma once

#include "base/json_reader.h"

#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

/// Ends in ".json" or contains "/"; anything else is a name.
bool is_path(const std::string &reference);

/// The names in data/`folder`: its *.json files without that ending, sorted.
std::vector<std::string> names_in(const std::string &folder);

/// The file a string refers to: data/`folder`/NAME.json, or a path from the folder of the file that
/// the string stands in. Throws UserError at the string when there is none, with the nearest name.
std::filesystem::path referenced_file(const JsonReader &reference, const std::string &folder);

} // namespace edgefront
