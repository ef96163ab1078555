#include "hwmodels/cost.h"

#include <algorithm>
#include <array>

namespace edgefront {

const std::vector<std::string> &cost_kind_names() {
    static const std::vector<std::string> names = {"measured",  "counted", "simulated", "modelled",
                                                   "published", "fitted",  "given"};
    return names;
}

std::string to_string(CostKind kind) {
    return cost_kind_names()[static_cast<std::size_t>(kind)];
}

std::string to_string(BoundBy bound) {
    switch (bound) {
    case BoundBy::nothing: return "nothing";
    case BoundBy::compute: return "compute";
    case BoundBy::memory: return "memory";
    case BoundBy::overhead: return "overhead";
    case BoundBy::host_link: return "host_link";
    }
    return "";
}

std::string to_string(Activity activity) {
    switch (activity) {
    case Activity::multiply: return "multiply";
    case Activity::padding: return "padding";
    case Activity::below_peak: return "below_peak";
    case Activity::fill_drain: return "fill_drain";
    case Activity::elementwise: return "elementwise";
    case Activity::overhead: return "overhead";
    }
    return "";
}

std::vector<Share> shares(const Cost &cost) {
    std::vector<Share> list;
    for (std::size_t i = 0; i < activity_count; i++) {
        list.push_back({to_string(static_cast<Activity>(i)), cost.spent[i]});
    }
    for (const LevelTraffic &t : cost.traffic) {
        list.push_back({t.level, t.waiting});
    }
    return list;
}

std::optional<RooflinePosition> roofline_position(const Cost &cost) {
    const auto longest = std::max_element(
        cost.traffic.begin(), cost.traffic.end(),
        [](const LevelTraffic &a, const LevelTraffic &b) { return a.least_time < b.least_time; });
    if (longest == cost.traffic.end() || longest->least == Bytes(0)) {
        return {};
    }
    const auto bytes = static_cast<double>(longest->least.count());
    const auto macs = static_cast<double>(cost.macs.count());
    const Seconds multiply = cost.spent[static_cast<std::size_t>(Activity::multiply)];
    RooflinePosition position;
    position.level = longest->level;
    position.macs_per_byte = macs / bytes;
    if (multiply > Seconds(0)) {
        position.ridge_macs_per_byte = macs / bytes * (longest->least_time / multiply);
    }
    position.side = multiply >= longest->least_time ? BoundBy::compute : BoundBy::memory;
    return position;
}

Cost sum(const std::vector<Cost> &parts) {
    Cost total;
    if (parts.empty()) {
        return total;
    }
    total.kind = parts.front().kind;
    std::array<double, 5> seconds{}; // by BoundBy
    double busy = 0;
    for (const Cost &part : parts) {
        total.cycles += part.cycles;
        total.latency += part.latency;
        total.energy += part.energy;
        total.macs += part.macs;
        total.registers += part.registers;
        total.lower_bound += part.lower_bound;
        for (std::size_t i = 0; i < activity_count; i++) {
            total.spent[i] += part.spent[i];
        }
        seconds[static_cast<std::size_t>(part.bound_by)] += part.latency.count();
        busy += part.utilisation * part.latency.count();
        for (const LevelTraffic &t : part.traffic) {
            const auto it = std::find_if(total.traffic.begin(), total.traffic.end(),
                                         [&](const LevelTraffic &o) { return o.level == t.level; });
            if (it == total.traffic.end()) {
                total.traffic.push_back(t);
            } else {
                it->bytes += t.bytes;
                it->least += t.least;
                it->least_time += t.least_time;
                it->waiting += t.waiting;
            }
        }
    }
    total.utilisation = total.latency > Seconds(0) ? busy / total.latency.count() : 0;
    const auto longest = std::max_element(seconds.begin(), seconds.end()) - seconds.begin();
    total.bound_by = static_cast<BoundBy>(longest);
    return total;
}

} // namespace edgefront
