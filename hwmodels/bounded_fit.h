// Least squares within bounds for functions that are nearly piecewise linear: a look at points all
// over the bounds, then Gauss-Newton steps within the bounds from the best of them. Deterministic.
#pragma once

#include <Eigen/Dense>

#include <functional>
#include <utility>
#include <vector>

namespace edgefront {

/// One unknown of a fit.
struct Unknown {
    double least;
    double most;
    /// First looks are spread evenly on a logarithmic scale from here to `most`; above zero.
    double looks_from;
    double scale; ///< a change that counts where the unknown is zero
};

/// The middle of each unknown's bounds, on the scale of the first looks.
Eigen::VectorXd middle(const std::vector<Unknown> &unknowns);

class BoundedFit {
public:
    using Vector = Eigen::VectorXd;
    /// One residual per observation.
    using Residuals = std::function<Vector(const Vector &)>;

    BoundedFit(std::vector<Unknown> unknowns, Residuals residuals);

    Vector best() const;
    /// As if there had been no such observation.
    Vector best_without(Eigen::Index observation) const;
    /// The same for several, descending from `start` alone.
    Vector best_without(const std::vector<Eigen::Index> &observations, const Vector &start) const;
    /// Unknowns of which one percent more or less changes no residual at `x`.
    std::vector<std::size_t> undetermined(const Vector &x) const;

private:
    struct Look {
        Vector x;
        Vector residuals;
    };
    using Score = std::pair<double, Vector>; ///< sum of squares, at x

    Vector best_of(const Residuals &residuals, const std::vector<Score> &looks) const;
    Score descend(const Residuals &residuals, Vector x) const;
    Vector step_from(const Residuals &residuals, const Vector &x, const Vector &r) const;

    std::vector<Unknown> unknowns_;
    Residuals residuals_;
    std::vector<Look> looks_; ///< taken once, whatever observation is left out later
};

} // namespace edgefront
