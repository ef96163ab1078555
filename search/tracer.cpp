#include "search/tracer.h"

#include "search/dominance_tree.h"
#include "search/exact.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

constexpr int samples = 8192;
constexpr double grid = 1 << 30; ///< along each side of the box

/// The networks with least and most of whatever an objective may add up.
std::vector<Choices> extremes(const DesignSpace &space, const CostTables &tables) {
    std::vector<std::size_t> columns = {tables.column(CostTables::mac_count),
                                        tables.column(CostTables::param_count),
                                        tables.column(CostTables::live)};
    for (std::size_t t = 0; t < space.targets.size(); t++) {
        columns.push_back(tables.column(t, CostTables::latency_ps));
        columns.push_back(tables.column(t, CostTables::energy_pj));
    }
    std::vector<Choices> networks;
    for (std::size_t context = 0; context < tables.contexts(); context++) {
        for (const std::size_t column : columns) {
            for (const int sign : {1, -1}) {
                networks.push_back(extreme_network(space, tables, context, column, sign));
            }
        }
    }
    return networks;
}

} // namespace

Tracer::Tracer(const DesignSpace &space, const CostTables &tables, const RunConfig &config)
    : budget_(config.evaluations), patience_(config.patience), min_gain_(config.min_gain) {
    for (const Choices &choices : extremes(space, tables)) {
        const Evaluation e = tables.evaluate(choices);
        if (!e.priced) {
            continue; // a target lacks layers: the values are too small
        }
        if (trace_.best.empty()) {
            trace_.best = trace_.worst = e.values;
        }
        for (std::size_t o = 0; o < e.values.size(); o++) {
            const bool minimise = space.objectives[o].sense == Sense::minimise;
            double &low = minimise ? trace_.best[o] : trace_.worst[o];
            double &high = minimise ? trace_.worst[o] : trace_.best[o];
            low = std::min(low, e.values[o]);
            high = std::max(high, e.values[o]);
        }
    }
    // No table knows accuracies.
    for (std::size_t o = 0; o < trace_.best.size(); o++) {
        if (space.objectives[o].measure.metric == Metric::top1) {
            trace_.best[o] = 100;
            trace_.worst[o] = 0;
        }
    }
}

double Tracer::hypervolume(const ParetoFront &front) const {
    const std::size_t n = trace_.best.size();
    if (n == 0) {
        return 0;
    }
    DominanceTree tree(n);
    std::vector<std::int64_t> corner(n);
    for (const Member &member : front.members()) {
        for (std::size_t o = 0; o < n; o++) {
            const double side = trace_.worst[o] - trace_.best[o];
            const double way = side == 0 ? 0 : (member.values[o] - trace_.best[o]) / side;
            corner[o] = static_cast<std::int64_t>(std::ceil(grid * std::clamp(way, 0.0, 2.0)));
        }
        tree.insert(corner.data());
    }
    // Roberts' R sequence: additive recurrence with the powers of the root of x^(n+1) = x + 1.
    double root = 1.5;
    for (int i = 0; i < 60; i++) {
        root = std::pow(1 + root, 1.0 / static_cast<double>(n + 1));
    }
    std::vector<double> at(n, 0.5);
    int beaten = 0;
    for (int s = 0; s < samples; s++) {
        for (std::size_t o = 0; o < n; o++) {
            at[o] += std::pow(1 / root, static_cast<double>(o + 1));
            at[o] -= std::floor(at[o]);
            corner[o] = static_cast<std::int64_t>(grid * at[o]);
        }
        beaten += tree.find(corner.data()) != nullptr;
    }
    return static_cast<double>(beaten) / samples;
}

void Tracer::record(const ParetoFront &front, std::int64_t evaluated, bool last) {
    const std::int64_t before = trace_.points.empty() ? 0 : trace_.points.back().evaluated;
    std::int64_t step = budget_ > 0 ? budget_ / 100 : before / 20;
    if (patience_ > 0) {
        step = std::min(step, patience_ / 4);
    }
    if (evaluated > before && (last || evaluated - before >= step)) {
        trace_.points.push_back(
            {evaluated, static_cast<std::int64_t>(front.size()), hypervolume(front)});
    }
}

bool Tracer::stalled() const {
    return patience_ > 0 && !trace_.points.empty() && trace_.gain(patience_) < min_gain_;
}

} // namespace edgefront
