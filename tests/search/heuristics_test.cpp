// Evolution, local search: how much of the exact front they find on spaces that can be enumerated.
#include "search/exact.h"
#include "search/local.h"
#include "tests/search/sweep_fixture.h"

#include <pagmo/utils/hypervolume.hpp>

#include <algorithm>
#include <set>

namespace edgefront {
namespace {

/// 51,840 networks with the objectives of tiny: latency, peak memory and MACs.
DesignSpace middle_space() {
    Json json = tiny_json();
    json["resolutions"] = {96, 112, 128, 144, 160, 176, 192, 208, 224};
    json["widths"] = {0.5, 0.625, 0.75, 0.875, 1};
    return space_of(json);
}

SweepRequest budget(const std::string &strategy, std::int64_t evaluations) {
    SweepRequest request;
    request.strategy = strategy;
    request.evaluations = evaluations;
    request.population = 80;
    return request;
}

double hypervolume(const RunResult &result, const std::vector<double> &reference) {
    std::vector<std::vector<double>> costs;
    for (const auto &point : result.points) {
        costs.push_back(point.values);
        for (std::size_t o = 0; o < result.objectives.size(); o++) {
            costs.back()[o] *= result.objectives[o].sense == Sense::maximise ? -1 : 1;
        }
    }
    return pagmo::hypervolume(costs).compute(reference);
}

/// Of the exact front, with a reference 1 % of its range behind its worst values.
double hypervolume_share(const RunResult &found, const RunResult &exact) {
    std::vector<double> reference;
    for (std::size_t o = 0; o < exact.objectives.size(); o++) {
        const double sign = exact.objectives[o].sense == Sense::maximise ? -1 : 1;
        double least = sign * exact.points[0].values[o], most = least;
        for (const auto &point : exact.points) {
            least = std::min(least, sign * point.values[o]);
            most = std::max(most, sign * point.values[o]);
        }
        reference.push_back(most + 0.01 * (most - least));
    }
    RunResult inside = found;
    auto &points = inside.points;
    points.erase(std::remove_if(points.begin(), points.end(),
                                [&](const RunPoint &p) {
                                    for (std::size_t o = 0; o < reference.size(); o++) {
                                        const bool maximise =
                                            exact.objectives[o].sense == Sense::maximise;
                                        if ((maximise ? -1 : 1) * p.values[o] >= reference[o]) {
                                            return true;
                                        }
                                    }
                                    return false;
                                }),
                 points.end());
    return hypervolume(inside, reference) / hypervolume(exact, reference);
}

double share_of_points(const RunResult &found, const RunResult &exact) {
    std::set<std::string> ids;
    for (const auto &point : found.points) {
        ids.insert(point.id);
    }
    const auto hits = std::count_if(exact.points.begin(), exact.points.end(),
                                    [&](const RunPoint &p) { return ids.count(p.id) > 0; });
    return static_cast<double>(hits) / static_cast<double>(exact.points.size());
}

class HeuristicsTest : public SweepFixture {};

TEST_F(HeuristicsTest, tuning) {
    const DesignSpace space = middle_space();
    const RunResult exact = result_of(space, budget("exhaustive", 1), "exact");
    std::printf("%g networks, %zu on the front\n", space.size(), exact.points.size());
    for (const int evaluations : {500, 1000, 2000, 4000}) {
        for (const char *strategy : {"nsga2", "evolution"}) {
            std::printf("%s %d:", strategy, evaluations);
            for (int seed = 1; seed < 6; seed++) {
                auto request = budget(strategy, evaluations);
                request.seed = seed;
                const RunResult found =
                    result_of(space, request,
                              strategy + std::to_string(evaluations) + "-" + std::to_string(seed));
                std::printf(" %.4f/%.2f", hypervolume_share(found, exact),
                            share_of_points(found, exact));
            }
            std::printf("\n");
        }
    }
    const RunResult local = result_of(space, budget("local", 4000), "local");
    std::printf("local %ld: %.4f %.2f\n", long(local.counters.evaluated),
                hypervolume_share(local, exact), share_of_points(local, exact));
}

} // namespace
} // namespace edgefront
