// Parts of the readers of spaces: lists of distinct values, and complaints of others with a place.
#pragma once

#include "base/json_reader.h"

#include <algorithm>
#include <vector>

namespace edgefront {

/// What `look_up` finds; its complaint about a name gets the place in the file.
template <typename F>
auto at_place(const JsonReader &json, F look_up) {
    try {
        return look_up();
    } catch (const UserError &e) {
        throw json.error(e.what());
    }
}

/// Not empty, no value twice.
template <typename T, typename F>
std::vector<T> distinct(const JsonReader &json, F read) {
    std::vector<T> values;
    for (const auto &item : json.items()) {
        const T value = read(item);
        if (std::find(values.begin(), values.end(), value) != values.end()) {
            throw item.error("this value stands twice");
        }
        values.push_back(value);
    }
    if (values.empty()) {
        throw json.error("expected at least one value");
    }
    return values;
}

inline std::vector<int> integers(const JsonReader &json, int least, int limit) {
    return distinct<int>(
        json, [&](const JsonReader &v) { return static_cast<int>(v.integer(least, limit)); });
}

} // namespace edgefront
