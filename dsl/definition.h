// A row kind of a network file's own making: "define" in data/networks/*.json. Its rows are kept as
// they stand in the file; `build` (family.h) evaluates their expressions for each use.
#pragma once

#include "base/json_reader.h"

#include <string>
#include <vector>

namespace edgefront {

struct Definition {
    std::string name;
    Json parameters;                 ///< name: default value; null where a use must give one
    std::vector<std::string> inputs; ///< by these names its rows refer to what it is given
    JsonReader blocks;               ///< the rows; the last one is the result
    Where where;                     ///< for messages
};

} // namespace edgefront
