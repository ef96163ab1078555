#include "hwmodels/bounded_fit.h"

#include "base/random.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

using Vector = BoundedFit::Vector;
using Matrix = Eigen::MatrixXd;

/// Where the share `part` of the logarithmic scale ends.
double along(const Unknown &unknown, double part) {
    return unknown.looks_from * std::pow(unknown.most / unknown.looks_from, part);
}

/// A grid for up to three unknowns, else as many points drawn at random.
std::vector<Vector> first_looks(const std::vector<Unknown> &unknowns) {
    constexpr int steps = 15;
    constexpr int most_points = steps * steps * steps;
    const auto n = static_cast<Eigen::Index>(unknowns.size());
    std::vector<Vector> all;
    if (n > 3) {
        Random random(0);
        for (int k = 0; k < most_points; k++) {
            Vector x(n);
            for (Eigen::Index i = 0; i < n; i++) {
                x[i] = along(unknowns[static_cast<std::size_t>(i)], random.uniform());
            }
            all.push_back(x);
        }
        return all;
    }
    all.emplace_back(n);
    for (Eigen::Index i = 0; i < n; i++) {
        std::vector<Vector> next;
        for (const Vector &x : all) {
            for (int k = 0; k < steps; k++) {
                next.push_back(x);
                next.back()[i] = along(unknowns[static_cast<std::size_t>(i)], k / (steps - 1.0));
            }
        }
        all = std::move(next);
    }
    return all;
}

} // namespace

Vector middle(const std::vector<Unknown> &unknowns) {
    Vector x(static_cast<Eigen::Index>(unknowns.size()));
    for (Eigen::Index i = 0; i < x.size(); i++) {
        x[i] = along(unknowns[static_cast<std::size_t>(i)], 0.5);
    }
    return x;
}

BoundedFit::BoundedFit(std::vector<Unknown> unknowns, Residuals residuals)
    : unknowns_(std::move(unknowns)), residuals_(std::move(residuals)) {
    for (const Vector &x : first_looks(unknowns_)) {
        looks_.push_back({x, residuals_(x)});
    }
}

Vector BoundedFit::best() const {
    std::vector<Score> scores;
    for (const Look &look : looks_) {
        scores.emplace_back(look.residuals.squaredNorm(), look.x);
    }
    return best_of(residuals_, scores);
}

Vector BoundedFit::best_without(Eigen::Index observation) const {
    std::vector<Score> scores;
    for (const Look &look : looks_) {
        const double left_out = look.residuals[observation];
        scores.emplace_back(look.residuals.squaredNorm() - left_out * left_out, look.x);
    }
    const auto others = [&](const Vector &x) {
        Vector r = residuals_(x);
        r[observation] = 0;
        return r;
    };
    return best_of(others, scores);
}

Vector BoundedFit::best_without(const std::vector<Eigen::Index> &observations,
                                const Vector &start) const {
    const auto others = [&](const Vector &x) {
        Vector r = residuals_(x);
        for (const Eigen::Index observation : observations) {
            r[observation] = 0;
        }
        return r;
    };
    return descend(others, start).second;
}

Vector BoundedFit::best_of(const Residuals &residuals, const std::vector<Score> &looks) const {
    std::vector<Score> starts = looks;
    std::stable_sort(starts.begin(), starts.end(),
                     [](const Score &a, const Score &b) { return a.first < b.first; });
    starts.resize(std::min<std::size_t>(starts.size(), 8));
    Score best = {INFINITY, {}};
    for (const Score &start : starts) {
        const Score end = descend(residuals, start.second);
        if (end.first < best.first) {
            best = end;
        }
    }
    return best.second;
}

std::vector<std::size_t> BoundedFit::undetermined(const Vector &x) const {
    const Vector r = residuals_(x);
    std::vector<std::size_t> loose;
    for (std::size_t i = 0; i < unknowns_.size(); i++) {
        const auto k = static_cast<Eigen::Index>(i);
        Vector low = x;
        Vector high = x;
        low[k] = std::max(unknowns_[i].least, x[k] * 0.99);
        high[k] = std::min(unknowns_[i].most, std::max(x[k] * 1.01, x[k] + unknowns_[i].scale));
        if ((residuals_(low) - r).norm() + (residuals_(high) - r).norm() < 1e-9) {
            loose.push_back(i);
        }
    }
    return loose;
}

/// Steps are shortened until they help; a coordinate that hits a bound stays on it for the rest of
/// that step.
BoundedFit::Score BoundedFit::descend(const Residuals &residuals, Vector x) const {
    Vector r = residuals(x);
    for (int round = 0; round < 60; round++) {
        const Vector target = step_from(residuals, x, r);
        double length = 1;
        bool better = false;
        for (int k = 0; k < 12 && !better; k++, length /= 2) {
            const Vector candidate = x + length * (target - x);
            const Vector rc = residuals(candidate);
            if (rc.squaredNorm() < r.squaredNorm() * (1 - 1e-12)) {
                x = candidate;
                r = rc;
                better = true;
            }
        }
        if (!better) {
            break;
        }
    }
    return {r.squaredNorm(), x};
}

Vector BoundedFit::step_from(const Residuals &residuals, const Vector &x, const Vector &r) const {
    const auto n = x.size();
    Matrix jacobian(r.size(), n);
    Vector scale(n);
    for (Eigen::Index i = 0; i < n; i++) {
        const Unknown &unknown = unknowns_[static_cast<std::size_t>(i)];
        scale[i] = std::max(std::abs(x[i]), unknown.scale);
        Vector moved = x;
        const double room = x[i] + 1e-6 * scale[i] <= unknown.most ? 1e-6 : -1e-6;
        moved[i] += room * scale[i];
        jacobian.col(i) = (residuals(moved) - r) / room; // per unit of x / scale
    }
    // Solve within the bounds: a coordinate that leaves them is fixed there, the rest solved again.
    Vector next = x;
    std::vector<bool> fixed(static_cast<std::size_t>(n), false);
    for (Eigen::Index pass = 0; pass <= n; pass++) {
        std::vector<Eigen::Index> free;
        Vector rhs = -r;
        for (Eigen::Index i = 0; i < n; i++) {
            if (fixed[static_cast<std::size_t>(i)]) {
                rhs -= jacobian.col(i) * ((next[i] - x[i]) / scale[i]);
            } else {
                free.push_back(i);
            }
        }
        if (free.empty()) {
            break;
        }
        Matrix columns(r.size(), static_cast<Eigen::Index>(free.size()));
        for (std::size_t k = 0; k < free.size(); k++) {
            columns.col(static_cast<Eigen::Index>(k)) = jacobian.col(free[k]);
        }
        const Vector step = columns.completeOrthogonalDecomposition().solve(rhs);
        bool inside = true;
        for (std::size_t k = 0; k < free.size(); k++) {
            const Eigen::Index i = free[k];
            const Unknown &unknown = unknowns_[static_cast<std::size_t>(i)];
            const double wanted = x[i] + step[static_cast<Eigen::Index>(k)] * scale[i];
            next[i] = std::clamp(wanted, unknown.least, unknown.most);
            if (next[i] != wanted) {
                fixed[static_cast<std::size_t>(i)] = true;
                inside = false;
            }
        }
        if (inside) {
            break;
        }
    }
    return next;
}

} // namespace edgefront
