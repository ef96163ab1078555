#include "search/refined_point.h"

namespace edgefront {

namespace {

constexpr double any = 1e300;

Json write_kinds(const std::vector<std::optional<CostKind>> &kinds) {
    Json names = Json::array();
    for (const auto &kind : kinds) {
        names.push_back(kind ? Json(to_string(*kind)) : Json());
    }
    return names;
}

std::vector<std::optional<CostKind>> read_kinds(const JsonReader &json) {
    std::vector<std::optional<CostKind>> kinds;
    for (const auto &item : json.items()) {
        kinds.emplace_back();
        if (!item.value().is_null()) {
            kinds.back() = static_cast<CostKind>(item.one_of(cost_kind_names()));
        }
    }
    return kinds;
}

Json write_time(const MeasuredTime &time) {
    return {{"median_ms", time.median_ms},
            {"min_ms", time.least_ms},
            {"p90_ms", time.p90_ms},
            {"runs", time.runs}};
}

MeasuredTime read_time(const JsonReader &json) {
    const MeasuredTime time{json.at("median_ms").number(1e-9, any),
                            json.at("min_ms").number(0, any), json.at("p90_ms").number(0, any),
                            static_cast<int>(json.at("runs").integer(1, 1000000000))};
    json.finish();
    return time;
}

} // namespace

const std::vector<std::string> &refine_by_names() {
    static const std::vector<std::string> names = {"search", "measure"};
    return names;
}

std::string to_string(RefineBy by) {
    return refine_by_names()[static_cast<std::size_t>(by)];
}

std::string to_string(Standing standing) {
    switch (standing) {
    case Standing::not_refined: return "not refined";
    case Standing::on_front: return "on the front";
    case Standing::dominated: return "dominated";
    case Standing::infeasible: return "infeasible";
    case Standing::failed: return "failed";
    }
    return "";
}

Json to_json(const RefinedPoint &point) {
    return {{"by", to_string(point.by)},
            {"predicted", point.predicted},
            {"kinds", write_kinds(point.kinds)},
            {"failure", point.failure},
            {"fused", point.fused},
            {"unproven", point.unproven},
            {"time", point.time ? write_time(*point.time) : Json()},
            {"breaks", point.breaks},
            {"dominated_by", point.dominated_by}};
}

RefinedPoint read_refined_point(const JsonReader &json, std::size_t objectives) {
    RefinedPoint point;
    point.by = static_cast<RefineBy>(json.at("by").one_of(refine_by_names()));
    point.predicted = json.at("predicted").numbers(-any, any);
    point.kinds = read_kinds(json.at("kinds"));
    if (point.predicted.size() != objectives || point.kinds.size() != objectives) {
        throw json.error("expected as many predicted figures and kinds as there are objectives");
    }
    point.failure = json.at("failure").string();
    point.fused = static_cast<int>(json.at("fused").integer(0, 1000000));
    point.unproven = static_cast<int>(json.at("unproven").integer(0, 1000000));
    if (const auto time = json.at("time"); time.is_object()) {
        point.time = read_time(time);
    }
    point.breaks = json.at("breaks").strings();
    point.dominated_by = json.at("dominated_by").strings();
    json.finish();
    return point;
}

} // namespace edgefront
