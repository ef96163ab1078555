#include "search/front_view.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace edgefront {

namespace {

Sense opposite(Sense sense) {
    return sense == Sense::minimise ? Sense::maximise : Sense::minimise;
}

} // namespace

Rows values_of(const std::vector<RunPoint> &points) {
    const bool all_refined = std::all_of(points.begin(), points.end(), [](const RunPoint &point) {
        return point.refined && point.refined->failure.empty();
    });
    Rows rows;
    for (const auto &point : points) {
        rows.push_back(all_refined ? point.values : point.first_values());
    }
    return rows;
}

std::size_t index_of_best(const Rows &values, std::size_t column, Sense sense) {
    const auto better = [&](const auto &a, const auto &b) {
        return sense == Sense::minimise ? a[column] < b[column] : a[column] > b[column];
    };
    return static_cast<std::size_t>(std::min_element(values.begin(), values.end(), better) -
                                    values.begin());
}

std::vector<std::size_t> covering(const Rows &values, const std::vector<Sense> &senses,
                                  std::size_t most, const std::vector<std::size_t> &always) {
    std::vector<std::size_t> kept;
    most = std::min(most, values.size());
    if (values.empty()) {
        return kept;
    }
    const std::size_t columns = values.front().size();
    std::vector<double> low = values.front();
    std::vector<double> high = values.front();
    for (const auto &row : values) {
        for (std::size_t c = 0; c < columns; c++) {
            low[c] = std::min(low[c], row[c]);
            high[c] = std::max(high[c], row[c]);
        }
    }
    std::vector<double> distance(values.size(), INFINITY); // squared, to the nearest kept point
    const auto keep = [&](std::size_t i) {
        kept.push_back(i);
        for (std::size_t j = 0; j < values.size(); j++) {
            double sum = 0;
            for (std::size_t c = 0; c < columns; c++) {
                const double span = high[c] - low[c];
                const double d = span > 0 ? (values[i][c] - values[j][c]) / span : 0;
                sum += d * d;
            }
            distance[j] = std::min(distance[j], sum);
        }
        distance[i] = -1; // never again
    };
    for (const std::size_t i : always) {
        if (distance[i] >= 0) {
            keep(i);
        }
    }
    for (std::size_t c = 0; c < columns; c++) {
        const std::size_t best = index_of_best(values, c, senses[c]);
        if (distance[best] >= 0) {
            keep(best);
        }
    }
    for (std::size_t c = 0; c < columns && kept.size() < most; c++) {
        const std::size_t worst = index_of_best(values, c, opposite(senses[c]));
        if (distance[worst] >= 0) {
            keep(worst);
        }
    }
    while (kept.size() < most) {
        keep(static_cast<std::size_t>(std::max_element(distance.begin(), distance.end()) -
                                      distance.begin()));
    }
    return kept;
}

std::vector<std::size_t> thin(const Rows &values, const std::vector<Sense> &senses,
                              std::size_t most, const std::vector<std::size_t> &always) {
    std::vector<std::size_t> kept(values.size());
    std::iota(kept.begin(), kept.end(), std::size_t{0});
    if (values.size() > most) {
        kept = covering(values, senses, most, always);
        std::sort(kept.begin(), kept.end());
    }
    return kept;
}

std::size_t knee(const Rows &values, const std::vector<Sense> &senses) {
    std::vector<double> distance(values.size(), 0);
    for (std::size_t c = 0; c < senses.size(); c++) {
        const double best = values[index_of_best(values, c, senses[c])][c];
        const double span = values[index_of_best(values, c, opposite(senses[c]))][c] - best;
        for (std::size_t i = 0; i < values.size() && span != 0; i++) {
            const double d = (values[i][c] - best) / span;
            distance[i] += d * d;
        }
    }
    return static_cast<std::size_t>(std::min_element(distance.begin(), distance.end()) -
                                    distance.begin());
}

} // namespace edgefront
