#include "search/trace.h"

#include <limits>

namespace edgefront {

double Trace::gain(std::int64_t evaluations) const {
    for (std::size_t i = points.size(); i-- > 0;) {
        if (points[i].evaluated <= points.back().evaluated - evaluations) {
            const double before = points[i].hypervolume;
            return before > 0 ? points.back().hypervolume / before - 1
                              : std::numeric_limits<double>::infinity();
        }
    }
    return std::numeric_limits<double>::infinity();
}

Json to_json(const std::vector<TracePoint> &points) {
    Json array = Json::array();
    for (const TracePoint &point : points) {
        array.push_back({{"evaluated", point.evaluated},
                         {"front", point.front},
                         {"hypervolume", point.hypervolume}});
    }
    return array;
}

Json to_json(const Trace &trace) {
    return {{"best", trace.best}, {"worst", trace.worst}, {"points", to_json(trace.points)}};
}

std::vector<TracePoint> read_trace_points(const JsonReader &json) {
    constexpr std::int64_t most = std::int64_t{1} << 53;
    std::vector<TracePoint> points;
    for (const auto &row : json.items()) {
        const std::int64_t least = points.empty() ? 0 : points.back().evaluated + 1;
        points.push_back({row.at("evaluated").integer(least, most),
                          row.at("front").integer(0, most), row.at("hypervolume").number(0, 1)});
        row.finish();
    }
    return points;
}

Trace read_trace(const JsonReader &json) {
    constexpr double any = 1e300;
    Trace trace{json.at("best").numbers(-any, any), json.at("worst").numbers(-any, any),
                read_trace_points(json.at("points"))};
    json.finish();
    return trace;
}

} // namespace edgefront
