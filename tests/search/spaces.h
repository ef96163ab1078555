// Spaces for the tests of search/.
#pragma once

#include "search/design_space_json.h"

#include <string>

namespace edgefront {

inline DesignSpace shipped_space(const std::string &name) {
    return read_space_file(data_directory() / "spaces" / (name + ".json"), Zoo());
}

/// data/spaces/tiny.json as JSON, to be changed and read.
inline Json tiny_json() {
    return JsonReader::parse_file(data_directory() / "spaces" / "tiny.json").value();
}

/// uib_small without its Edge TPU, whose layers take seconds to price.
inline Json uib_small_on_cpu_json() {
    Json json = JsonReader::parse_file(data_directory() / "spaces" / "uib_small.json").value();
    json["targets"] = {"pixel6-cpu"};
    json["objectives"].erase(1);
    return json;
}

inline DesignSpace space_of(const Json &json) {
    return read_space(JsonReader::parse(json.dump(), "space.json"), Zoo());
}

} // namespace edgefront
