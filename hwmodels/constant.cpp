#include "hwmodels/constant.h"

#include <cmath>

namespace edgefront {

const std::vector<std::string> &confidence_names() {
    static const std::vector<std::string> names = {"documented", "derived", "recalled", "measured",
                                                   "counted",    "fitted",  "assumed"};
    return names;
}

bool operator==(const Constant &a, const Constant &b) {
    return a.value == b.value && a.provenance.source == b.provenance.source &&
           a.provenance.confidence == b.provenance.confidence;
}

Provenance read_provenance(const JsonReader &json) {
    Provenance p;
    p.source = json.at("source").string();
    if (p.source.empty()) {
        throw json.at("source").error("is empty, expected where the value comes from");
    }
    p.confidence = confidence_names()[json.at("confidence").one_of(confidence_names())];
    return p;
}

Json write_provenance(const Provenance &p) {
    return {{"source", p.source}, {"confidence", p.confidence}};
}

Constant read_constant(const JsonReader &json, double least, double most) {
    if (!json.is_object()) {
        throw json.error(
            R"(expected an object like {"value": 1, "source": "where from", "confidence": ")" +
            confidence_names().front() + "\"}");
    }
    Constant c;
    c.value = json.at("value").number(least, most);
    c.provenance = read_provenance(json);
    json.finish();
    return c;
}

Json write_constant(const Constant &constant) {
    Json json = {{"value", plain_number(constant.value)}};
    json.update(write_provenance(constant.provenance));
    return json;
}

Json plain_number(double value) {
    const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
    return whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

} // namespace edgefront
