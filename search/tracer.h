// Writes a sweep's trace, and says when the search has come to a stand.
#pragma once

#include "search/cost_tables.h"
#include "search/trace.h"

namespace edgefront {

class Tracer {
public:
    Tracer(const DesignSpace &space, const CostTables &tables, const RunConfig &config);

    /// Adds a point when enough was evaluated since the last one: a hundredth of the budget, or a
    /// twentieth of what was evaluated where there is none, at most a quarter of the patience; or
    /// when it is the `last`.
    void record(const ParetoFront &front, std::int64_t evaluated, bool last);
    /// Whether over at least the last `config.patience` evaluations the hypervolume grew by less
    /// than `config.min_gain`.
    bool stalled() const;

    const Trace &trace() const { return trace_; }
    void restore(std::vector<TracePoint> points) { trace_.points = std::move(points); }

    /// The share of the box that the front beats; 8192 points give it within about 0.005.
    double hypervolume(const ParetoFront &front) const;

private:
    std::int64_t budget_, patience_;
    double min_gain_;
    Trace trace_;
};

} // namespace edgefront
