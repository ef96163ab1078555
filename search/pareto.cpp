#include "search/pareto.h"

#include "search/dominance_tree.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>

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

std::vector<double> ParetoFront::costs_of(const std::vector<double> &values) const {
    std::vector<double> costs = values;
    for (std::size_t i = 0; i < costs.size(); i++) {
        if (senses_[i] == Sense::maximise) {
            costs[i] = -costs[i];
        }
    }
    return costs;
}

bool ParetoFront::admit(const Member &point) {
    const std::vector<double> costs = costs_of(point.values);
    const std::size_t n = costs.size();
    const auto nowhere_above = [n](const double *a, const double *b) {
        std::size_t i = 0;
        while (i < n && a[i] <= b[i]) {
            i++;
        }
        return i == n;
    };
    // Members are sorted by their costs, so only those before the point can beat it and only those
    // behind it can be beaten.
    std::size_t first = 0, last = members_.size();
    while (first < last) {
        const std::size_t middle = (first + last) / 2;
        const double *row = costs_.data() + middle * n;
        if (std::lexicographical_compare(row, row + n, costs.begin(), costs.end())) {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    const std::size_t position = first;
    const auto offset = [n](std::size_t row) { return static_cast<std::ptrdiff_t>(row * n); };
    if (position < members_.size() && members_[position].values == point.values) {
        if (point.choices < members_[position].choices) {
            members_[position] = point;
            return true;
        }
        return false;
    }
    // Neighbours in the order are alike and beat the point most often: scan backwards.
    for (std::size_t m = position; m-- > 0;) {
        if (nowhere_above(costs_.data() + m * n, costs.data())) {
            return false;
        }
    }
    std::size_t kept = position;
    for (std::size_t m = position; m < members_.size(); m++) {
        if (nowhere_above(costs.data(), costs_.data() + m * n)) {
            continue;
        }
        if (kept != m) {
            members_[kept] = std::move(members_[m]);
            std::copy_n(costs_.begin() + offset(m), n, costs_.begin() + offset(kept));
        }
        kept++;
    }
    members_.resize(kept);
    costs_.resize(kept * n);
    members_.insert(members_.begin() + static_cast<std::ptrdiff_t>(position), point);
    costs_.insert(costs_.begin() + offset(position), costs.begin(), costs.end());
    return true;
}

namespace {

/// Integers in the order of the numbers.
std::int64_t ordered(double value) {
    std::int64_t bits = 0;
    value += 0.0; // no negative zero
    std::memcpy(&bits, &value, sizeof bits);
    return bits < 0 ? std::numeric_limits<std::int64_t>::min() - bits : bits;
}

} // namespace

void ParetoFront::admit_all(std::vector<Member> points) {
    points.insert(points.end(), std::make_move_iterator(members_.begin()),
                  std::make_move_iterator(members_.end()));
    const std::size_t n = senses_.size();
    std::vector<std::vector<double>> costs;
    std::vector<std::size_t> order;
    for (const auto &point : points) {
        order.push_back(costs.size());
        costs.push_back(costs_of(point.values));
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return costs[a] != costs[b] ? costs[a] < costs[b] : points[a].choices < points[b].choices;
    });
    members_.clear();
    costs_.clear();
    DominanceTree tree(n); // whatever beats a point stands before it
    std::vector<std::int64_t> keys(n);
    for (const std::size_t i : order) {
        std::transform(costs[i].begin(), costs[i].end(), keys.begin(), ordered);
        if (tree.find(keys.data()) == nullptr) {
            tree.insert(keys.data());
            costs_.insert(costs_.end(), costs[i].begin(), costs[i].end());
            members_.push_back(std::move(points[i]));
        }
    }
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
