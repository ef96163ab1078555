#include "reports/front_roles.h"

#include "base/error.h"
#include "search/front_summary.h"
#include "search/front_view.h"

#include <algorithm>

namespace edgefront {

Roles choose_roles(const RunResult &result, const std::vector<std::string> &ids) {
    Roles roles;
    for (const auto &id : ids) {
        const RunPoint &point = result.point(id);
        const auto at = std::find_if(result.points.begin(), result.points.end(),
                                     [&](const RunPoint &other) { return &other == &point; });
        if (at == result.points.end()) {
            throw UserError("point " + point.id +
                            " stands on the path, not on the front: "
                            "`edgefront estimate --run DIR --point " +
                            point.id + "` shows it");
        }
        roles[static_cast<std::size_t>(at - result.points.begin())] = {"chosen"};
    }
    if (!ids.empty()) {
        return roles;
    }
    std::vector<std::size_t> standing; // second figures take others out of the contest
    Rows values;
    for (std::size_t i = 0; i < result.points.size(); i++) {
        if (result.points[i].stands()) {
            standing.push_back(i);
            values.push_back(result.points[i].values);
        }
    }
    if (values.empty()) {
        return roles;
    }
    const std::vector<Sense> senses = result.senses();
    if (result.preferred) {
        const auto at = &preferred_point(result) - result.points.data();
        roles[static_cast<std::size_t>(at)].push_back("preferred");
    }
    roles[standing[knee(values, senses)]].push_back("knee");
    static const std::map<std::string, std::string> names = {
        {"latency_ms", "fastest"},    {"frames_per_second", "fastest"},
        {"energy_mj", "thriftiest"},  {"peak_bytes", "leanest"},
        {"latency_ratio", "fastest"}, {"energy_ratio", "thriftiest"},
        {"macs", "largest"},          {"params", "largest"},
        {"top1", "most accurate"}};
    for (const Sense sense : {Sense::minimise, Sense::maximise}) {
        const auto it = std::find(senses.begin(), senses.end(), sense);
        if (it != senses.end()) {
            const auto o = static_cast<std::size_t>(it - senses.begin());
            const auto name = names.find(result.objectives[o].metric);
            const bool small =
                sense == Sense::minimise && (name == names.end() || name->second == "largest");
            roles[standing[index_of_best(values, o, sense)]].push_back(small ? "smallest"
                                                                       : name == names.end()
                                                                           ? "best"
                                                                           : name->second);
        }
    }
    return roles;
}

} // namespace edgefront
