#include "app/cost_json.h"

namespace edgefront {

Json bytes_json(const Cost &cost) {
    Json json = Json::object();
    for (const LevelTraffic &t : cost.traffic) {
        json[t.level] = t.bytes.count();
    }
    return json;
}

Json cost_json(const Cost &cost) {
    return {{"latency_ms", milliseconds(cost.latency)},
            {"energy_mj", millijoules(cost.energy)},
            {"bytes", bytes_json(cost)},
            {"utilisation", cost.utilisation},
            {"bound_by", to_string(cost.bound_by)},
            {"kind", to_string(cost.kind)}};
}

} // namespace edgefront
