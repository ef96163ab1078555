// Families from the interesting part of a network file.
#pragma once

#include "dsl/family_json.h"

#include <functional>
#include <string>

namespace edgefront {

/// The file "x.json" with these rows, definitions and further members ("\"key\": value, ...").
inline JsonReader network_file(const std::string &rows, const std::string &definitions = "",
                               const std::string &more = "") {
    return JsonReader::parse(
        "{\"schema\": \"edgefront/network/1\", \"name\": \"x\", \"resolution\": 32, \"classes\": "
        "10, "
        "\"activation\": \"relu\"" +
            (more.empty() ? "" : ", " + more) +
            (definitions.empty() ? "" : ", \"define\": {" + definitions + "}") + ", \"blocks\": [" +
            rows + "]}",
        "x.json");
}

inline Family family_of(const std::string &rows, const std::string &definitions = "",
                        const std::string &more = "") {
    return read_family(network_file(rows, definitions, more));
}

/// What the UserError of `use` says; "" without one.
inline std::string error_of(const std::function<void()> &use) {
    try {
        use();
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

inline const Node &node_of(const Network &network, const std::string &name) {
    std::string all;
    for (const auto &node : network.nodes) {
        if (node.name == name) {
            return node;
        }
        all += " " + node.name;
    }
    throw std::logic_error("no layer " + name + " among" + all);
}

} // namespace edgefront
