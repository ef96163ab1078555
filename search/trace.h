// How a search's front grew: the hypervolume over the evaluations, in numbers that compare within a
// run and between runs of a space.
//
// The box is that between the best and the worst value of each objective among the networks that
// are extreme in some cost, constraints aside; it depends on the space alone. The hypervolume is
// the share of the box that the front beats, estimated with the same quasi-random points
// throughout.
#pragma once

#include "base/json_reader.h"

#include <cstdint>
#include <vector>

namespace edgefront {

struct TracePoint {
    std::int64_t evaluated = 0; ///< networks so far
    std::int64_t front = 0;     ///< points of the front
    double hypervolume = 0;     ///< share of the box, 0 to 1
};

struct Trace {
    std::vector<double> best, worst; ///< the corners of the box, one value per objective
    std::vector<TracePoint> points;  ///< by evaluations, growing

    /// The relative growth of the hypervolume since at least `evaluations` before the last point;
    /// infinity while there is no such point, or when there was no volume.
    double gain(std::int64_t evaluations) const;
};

Json to_json(const std::vector<TracePoint> &points);
Json to_json(const Trace &trace);
/// Throws UserError unless the points' evaluations grow.
std::vector<TracePoint> read_trace_points(const JsonReader &json);
Trace read_trace(const JsonReader &json);

} // namespace edgefront
