#include "search/pareto.h"

#include <algorithm>

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

} // namespace edgefront
