#include "reports/cost_json.h"

namespace edgefront {

namespace {

Json shares_json(const Cost &cost) {
    Json json = Json::object();
    for (const Share &share : shares(cost)) {
        json[share.what] = milliseconds(share.time);
    }
    return json;
}

Json roofline_json(const Cost &cost) {
    const auto position = roofline_position(cost);
    if (!position) {
        return nullptr;
    }
    const auto &ridge = position->ridge_macs_per_byte;
    return {{"level", position->level},
            {"macs_per_byte", position->macs_per_byte},
            {"ridge_macs_per_byte", ridge ? Json(*ridge) : Json()},
            {"side", to_string(position->side)}};
}

} // namespace

Json bytes_json(const Cost &cost) {
    Json json = Json::object();
    for (const LevelTraffic &t : cost.traffic) {
        json[t.level] = t.bytes.count();
    }
    return json;
}

Json cost_json(const Cost &cost) {
    return {{"latency_ms", milliseconds(cost.latency)},
            {"lower_bound_ms", milliseconds(cost.lower_bound)},
            {"energy_mj", millijoules(cost.energy)},
            {"shares_ms", shares_json(cost)},
            {"bytes", bytes_json(cost)},
            {"register_bytes", cost.registers.count()},
            {"roofline", roofline_json(cost)},
            {"utilisation", cost.utilisation},
            {"bound_by", to_string(cost.bound_by)},
            {"kind", to_string(cost.kind)}};
}

} // namespace edgefront
