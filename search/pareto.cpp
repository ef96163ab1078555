#include "search/pareto.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// Negative when `a` is better, positive when `b` is, 0 when equal.
int compare(double a, double b, Sense sense) {
    if (a == b) {
        return 0;
    }
    return (a < b) == (sense == Sense::minimise) ? -1 : 1;
}

bool as_good(const std::vector<double> &a, const std::vector<double> &b,
             const std::vector<Sense> &senses) {
    for (std::size_t i = 0; i < senses.size(); i++) {
        if (compare(a[i], b[i], senses[i]) > 0) {
            return false;
        }
    }
    return true;
}

} // namespace

const std::vector<std::string> &sense_names() {
    static const std::vector<std::string> names = {"minimise", "maximise"};
    return names;
}

std::string to_string(Sense sense) {
    return sense_names()[static_cast<std::size_t>(sense)];
}

bool dominates(const std::vector<double> &a, const std::vector<double> &b,
               const std::vector<Sense> &senses) {
    return a != b && as_good(a, b, senses);
}

bool ParetoFront::before(const Member &a, const Member &b) const {
    for (std::size_t i = 0; i < senses_.size(); i++) {
        const int c = compare(a.values[i], b.values[i], senses_[i]);
        if (c != 0) {
            return c < 0;
        }
    }
    return a.choices < b.choices;
}

bool ParetoFront::admit(const Member &point) {
    // Members are sorted by the first objective, so only those before the point can beat it and
    // only those behind it can be beaten.
    const auto precedes = [this](const Member &a, const Member &b) { return before(a, b); };
    const auto at = std::lower_bound(members_.begin(), members_.end(), point, precedes);
    // Neighbours in the order are alike and beat the point most often: scan backwards.
    for (auto m = at; m != members_.begin();) {
        --m;
        if (as_good(m->values, point.values, senses_)) {
            return false;
        }
    }
    // The position survives: everything removed stands behind it.
    const auto position = at - members_.begin();
    members_.erase(
        std::remove_if(at, members_.end(),
                       [&](const Member &m) { return as_good(point.values, m.values, senses_); }),
        members_.end());
    members_.insert(members_.begin() + position, point);
    return true;
}

std::vector<std::size_t> ParetoFront::dominators(const std::vector<double> &values) const {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < members_.size(); i++) {
        if (dominates(members_[i].values, values, senses_)) {
            indices.push_back(i);
        }
    }
    return indices;
}

bool ParetoFront::contains(const std::vector<double> &values) const {
    return std::any_of(members_.begin(), members_.end(),
                       [&](const Member &m) { return m.values == values; });
}

double hypervolume_estimate(const ParetoFront &front, const std::vector<double> &reference) {
    const auto &senses = front.senses();
    const std::size_t n = senses.size();
    if (front.size() == 0) {
        return 0;
    }
    // The box between the reference and the best of each objective holds the whole volume.
    std::vector<double> best = front.members().front().values;
    for (const auto &member : front.members()) {
        for (std::size_t i = 0; i < n; i++) {
            if (compare(member.values[i], best[i], senses[i]) < 0) {
                best[i] = member.values[i];
            }
        }
    }
    double volume = 1;
    for (std::size_t i = 0; i < n; i++) {
        volume *= std::abs(reference[i] - best[i]);
    }
    // Roberts' R sequence: additive recurrence with the powers of the root of x^(n+1) = x + 1.
    double root = 1.5;
    for (int i = 0; i < 60; i++) {
        root = std::pow(1 + root, 1.0 / static_cast<double>(n + 1));
    }
    constexpr int samples = 8192;
    int beaten = 0;
    std::vector<double> at(n), position(n, 0.5);
    for (int s = 0; s < samples; s++) {
        for (std::size_t i = 0; i < n; i++) {
            position[i] += std::pow(1 / root, static_cast<double>(i + 1));
            position[i] -= std::floor(position[i]);
            at[i] = best[i] + position[i] * (reference[i] - best[i]);
        }
        for (const auto &member : front.members()) {
            if (compare(member.values[0], at[0], senses[0]) > 0) {
                break; // sorted by the first objective
            }
            if (as_good(member.values, at, senses)) {
                beaten++;
                break;
            }
        }
    }
    return volume * beaten / samples;
}

} // namespace edgefront
