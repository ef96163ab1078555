#include "hwmodels/cost.h"

#include <algorithm>
#include <array>

namespace edgefront {

std::string to_string(CostKind kind) {
    switch (kind) {
    case CostKind::measured: return "measured";
    case CostKind::counted: return "counted";
    case CostKind::simulated: return "simulated";
    case CostKind::modelled: return "modelled";
    case CostKind::published: return "published";
    }
    return "";
}

std::string to_string(BoundBy bound) {
    switch (bound) {
    case BoundBy::compute: return "compute";
    case BoundBy::memory: return "memory";
    case BoundBy::overhead: return "overhead";
    case BoundBy::host_link: return "host_link";
    }
    return "";
}

Cost sum(const std::vector<Cost> &parts) {
    Cost total;
    if (parts.empty()) {
        return total;
    }
    total.kind = parts.front().kind;
    std::array<double, 4> seconds{}; // by BoundBy
    double busy = 0;
    for (const Cost &part : parts) {
        total.cycles += part.cycles;
        total.latency += part.latency;
        total.energy += part.energy;
        seconds[static_cast<std::size_t>(part.bound_by)] += part.latency.count();
        busy += part.utilisation * part.latency.count();
        for (const LevelTraffic &t : part.traffic) {
            const auto it = std::find_if(total.traffic.begin(), total.traffic.end(),
                                         [&](const LevelTraffic &o) { return o.level == t.level; });
            if (it == total.traffic.end()) {
                total.traffic.push_back(t);
            } else {
                it->bytes += t.bytes;
            }
        }
    }
    total.utilisation = total.latency > Seconds(0) ? busy / total.latency.count() : 0;
    const auto longest = std::max_element(seconds.begin(), seconds.end()) - seconds.begin();
    total.bound_by = static_cast<BoundBy>(longest);
    return total;
}

} // namespace edgefront
