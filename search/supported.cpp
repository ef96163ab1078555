#include "search/supported.h"

#include "base/random.h"
#include "search/exact.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace edgefront {

namespace {

/// Something the rows add up that had better be small.
struct Part {
    std::size_t column = 0;
    double scale = 1; ///< negative when it had better be large
};

/// Peaks are maxima and top1 is no sum: no part. Neither has an objective on no target of the space.
void collect(const DesignSpace &space, const CostTables &tables, const Measure &measure, bool less,
             std::vector<Part> &parts) {
    const auto add = [&](std::size_t column, bool small) {
        const double sign = small ? 1 : -1;
        const bool known = std::any_of(parts.begin(), parts.end(), [&](const Part &part) {
            return part.column == column && part.scale == sign;
        });
        if (!known) {
            parts.push_back({column, sign});
        }
    };
    for (std::size_t t = 0; t < space.targets.size(); t++) {
        if (space.targets[t].name == measure.target) {
            switch (measure.metric) {
            case Metric::latency_ms: add(tables.column(t, CostTables::latency_ps), less); break;
            case Metric::frames_per_second:
                add(tables.column(t, CostTables::latency_ps), !less);
                break;
            case Metric::energy_mj: add(tables.column(t, CostTables::energy_pj), less); break;
            case Metric::peak_bytes:
            case Metric::macs:
            case Metric::params:
            case Metric::top1: break;
            }
        }
    }
    if (measure.metric == Metric::macs) {
        add(tables.column(CostTables::mac_count), less);
    } else if (measure.metric == Metric::params) {
        add(tables.column(CostTables::param_count), less);
    }
}

/// Scaled by the range of the column in the space.
std::vector<Part> parts_of(const DesignSpace &space, const CostTables &tables) {
    std::vector<Part> parts;
    for (const auto &objective : space.objectives) {
        collect(space, tables, objective.measure, objective.sense == Sense::minimise, parts);
    }
    for (const auto &constraint : space.constraints) {
        collect(space, tables, constraint.measure, constraint.at_most.has_value(), parts);
    }
    if (space.spatial_mixing) {
        parts.push_back({tables.column(CostTables::reach), -1});
    }
    for (Part &part : parts) {
        double least = std::numeric_limits<double>::infinity(), most = -least;
        for (std::size_t context = 0; context < tables.contexts(); context++) {
            for (const int sign : {1, -1}) {
                const double amount =
                    sign * cheapest_network(space, tables, context, [&](const std::int64_t *row) {
                               return static_cast<double>(sign * row[part.column]);
                           }).amount;
                least = std::min(least, amount);
                most = std::max(most, amount);
            }
        }
        part.scale /= std::max(most - least, 1.0);
    }
    return parts;
}

} // namespace

std::vector<Choices> supported_networks(const DesignSpace &space, const CostTables &tables,
                                        std::uint64_t seed, std::size_t most) {
    const std::vector<Part> parts = parts_of(space, tables);
    Random random(seed);
    std::vector<Choices> networks;
    std::set<Choices> known;
    const std::size_t tries = parts.empty() ? 0 : parts.size() + 4 * most;
    for (std::size_t i = 0; i < tries && networks.size() < most; i++) {
        std::vector<double> weights;
        for (std::size_t p = 0; p < parts.size(); p++) {
            // Exponential numbers, divided by their sum, are uniform on the simplex.
            weights.push_back(i < parts.size() ? (i == p ? 1 : 0)
                                               : -std::log(1 - random.uniform()));
            weights.back() *= parts[p].scale;
        }
        CheapestNetwork best{std::numeric_limits<double>::infinity(), {}};
        for (std::size_t context = 0; context < tables.contexts(); context++) {
            auto found = cheapest_network(space, tables, context, [&](const std::int64_t *row) {
                double sum = 0;
                for (std::size_t p = 0; p < parts.size(); p++) {
                    sum += weights[p] * static_cast<double>(row[parts[p].column]);
                }
                return sum;
            });
            if (found.amount < best.amount) {
                best = std::move(found);
            }
        }
        if (known.insert(best.choices).second) {
            networks.push_back(std::move(best.choices));
        }
    }
    return networks;
}

} // namespace edgefront
