#include "hwmodels/calibrate.h"

#include "base/error.h"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace edgefront {

namespace {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

/// A row with everything that fitted constants do not change, counted once.
struct Sample {
    struct Part {
        Layer layer;
        LoopNest nest;
        int times;
    };
    std::vector<Part> parts;
    NetworkTotals sums;
    Workload workload;
    double seconds;
};

/// One fitted constant in the form in which latencies are linear: x = value, or 1 / value.
struct Axis {
    std::string key;
    bool reciprocal;
    double least;
    double most;

    double value(double x) const { return reciprocal ? 1 / x : x; }
};

Sample sample_of(const CostModel &model, const TimedNetwork &row) {
    Sample s{{}, totals(row.network, row.workload), row.workload, row.latency.count()};
    const Estimate e = estimate(model, row.network, row.workload);
    if (!e.supported()) {
        throw UserError("target " + model.target().name + " cannot run " + row.network.name +
                        ", a row to fit: " + e.unsupported.front());
    }
    for (const LayerEstimate &l : e.layers) {
        const auto same = std::find_if(s.parts.begin(), s.parts.end(),
                                       [&](const Sample::Part &p) { return p.layer == l.layer; });
        if (same != s.parts.end()) {
            same->times++;
        } else {
            s.parts.push_back({l.layer, analyse(l.layer, l.mapping), 1});
        }
    }
    return s;
}

double seconds(const CostModel &model, const Sample &sample) {
    double total = model.network_cost(sample.sums, sample.workload).latency.count();
    for (const Sample::Part &p : sample.parts) {
        const Verdict v = model.price(p.layer, p.nest, sample.workload);
        total += p.times * std::get<Cost>(v).latency.count();
    }
    return total;
}

Axis axis_for(const Target &target, const std::string &key) {
    std::vector<std::string> known;
    for (const ConstantSpec &spec : constant_specs(target)) {
        if (!spec.is(ConstantSpec::rate) && !spec.is(ConstantSpec::time)) {
            continue;
        }
        if (spec.key == key) {
            const bool rate = spec.is(ConstantSpec::rate);
            return {key, rate, rate ? 1 / spec.most : spec.least,
                    rate ? 1 / spec.least : spec.most};
        }
        known.push_back(spec.key);
    }
    throw UserError("'" + key + "' cannot be fitted" + did_you_mean(key, known) +
                    "; expected one of " + join(known));
}

class Fit {
public:
    Fit(Target target, std::vector<Axis> axes, std::vector<Sample> samples)
        : target_(std::move(target)), axes_(std::move(axes)), samples_(std::move(samples)) {}

    Vector best() const {
        std::vector<std::pair<double, Vector>> starts = grid();
        std::stable_sort(starts.begin(), starts.end(),
                         [](const auto &a, const auto &b) { return a.first < b.first; });
        starts.resize(std::min<std::size_t>(starts.size(), 8));
        std::pair<double, Vector> best = {INFINITY, {}};
        for (const auto &start : starts) {
            const auto end = descend(start.second);
            if (end.first < best.first) {
                best = end;
            }
        }
        return best.second;
    }

    Target with(const Vector &x) const {
        Target t = target_;
        for (std::size_t i = 0; i < axes_.size(); i++) {
            t.constants[axes_[i].key].value = axes_[i].value(x[static_cast<Eigen::Index>(i)]);
        }
        return t;
    }

    /// The first constant that one percent more or less of changes no row; "" when there is none.
    std::string undetermined(const Vector &x) const {
        const Vector r = residuals(x);
        for (std::size_t i = 0; i < axes_.size(); i++) {
            const auto k = static_cast<Eigen::Index>(i);
            Vector low = x;
            Vector high = x;
            low[k] = std::max(axes_[i].least, x[k] * 0.99);
            high[k] = std::min(axes_[i].most, x[k] * 1.01 + 1e-3 * !axes_[i].reciprocal);
            const double change = (residuals(low) - r).norm() + (residuals(high) - r).norm();
            if (change < 1e-9) {
                return axes_[i].key;
            }
        }
        return "";
    }

private:
    /// Relative errors of all rows.
    Vector residuals(const Vector &x) const {
        const auto model = make_cost_model(with(x));
        Vector r(static_cast<Eigen::Index>(samples_.size()));
        for (std::size_t i = 0; i < samples_.size(); i++) {
            r[static_cast<Eigen::Index>(i)] =
                seconds(*model, samples_[i]) / samples_[i].seconds - 1;
        }
        return r;
    }

    /// Points spaced evenly on a logarithmic scale over the bounds (times from 0.1 up).
    std::vector<std::pair<double, Vector>> grid() const {
        constexpr int points = 15;
        const auto n = static_cast<Eigen::Index>(axes_.size());
        std::vector<Vector> all(1, Vector(n));
        for (Eigen::Index i = 0; i < n; i++) {
            const Axis &axis = axes_[static_cast<std::size_t>(i)];
            const double low = std::max(axis.least, axis.reciprocal ? 0.0 : 0.1);
            std::vector<Vector> next;
            for (const Vector &x : all) {
                for (int k = 0; k < points; k++) {
                    next.push_back(x);
                    next.back()[i] = low * std::pow(axis.most / low, k / (points - 1.0));
                }
            }
            all = std::move(next);
        }
        std::vector<std::pair<double, Vector>> scored;
        for (const Vector &x : all) {
            scored.emplace_back(residuals(x).squaredNorm(), x);
        }
        return scored;
    }

    /// Gauss-Newton with the step shortened until it helps; a coordinate that hits a bound stays on
    /// it for the rest of that step.
    std::pair<double, Vector> descend(Vector x) const {
        Vector r = residuals(x);
        for (int round = 0; round < 60; round++) {
            const Vector target = step_from(x, r);
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

    Vector step_from(const Vector &x, const Vector &r) const {
        const auto n = x.size();
        Matrix jacobian(r.size(), n);
        Vector scale(n);
        for (Eigen::Index i = 0; i < n; i++) {
            const Axis &axis = axes_[static_cast<std::size_t>(i)];
            scale[i] = std::max(std::abs(x[i]), axis.reciprocal ? axis.least : 1e-3);
            Vector moved = x;
            const double room = x[i] + 1e-6 * scale[i] <= axis.most ? 1e-6 : -1e-6;
            moved[i] += room * scale[i];
            jacobian.col(i) = (residuals(moved) - r) / room; // per unit of x / scale
        }
        // Solve within the bounds: a coordinate that leaves them is fixed there, the rest solved
        // again.
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
                const Axis &axis = axes_[static_cast<std::size_t>(i)];
                const double wanted = x[i] + step[static_cast<Eigen::Index>(k)] * scale[i];
                next[i] = std::clamp(wanted, axis.least, axis.most);
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

    Target target_;
    std::vector<Axis> axes_;
    std::vector<Sample> samples_;
};

/// To `digits` significant decimal digits, as a file shows them.
double rounded(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return std::stod(text);
}

Target rounded_fit(const Fit &fit, const Vector &best, const std::vector<std::string> &fitted) {
    Target t = fit.with(best);
    for (const std::string &key : fitted) {
        t.constants[key].value = rounded(t.constants[key].value, 6);
    }
    return t;
}

} // namespace

CalibrationSet calibration_set(const Target &target, const std::vector<LatencyRow> &rows,
                               const Zoo &zoo) {
    CalibrationSet set;
    for (const LatencyRow &row : rows) {
        if (row.target != target.name || row.split != Split::calibrate) {
            continue;
        }
        const Family *family = zoo.find(row.network);
        if (family == nullptr) {
            if (std::find(set.skipped.begin(), set.skipped.end(), row.network) ==
                set.skipped.end()) {
                set.skipped.push_back(row.network);
            }
            continue;
        }
        Variant variant;
        variant.width = row.width;
        variant.resolution = row.resolution;
        set.rows.push_back({build(*family, variant),
                            workload_for(target, row.precision, row.threads), row.latency});
    }
    return set;
}

Target calibrate(const Target &target, const std::vector<std::string> &fitted,
                 const std::vector<TimedNetwork> &rows) {
    if (fitted.empty() || rows.size() < 2 * fitted.size()) {
        throw UserError("fitting " + std::to_string(fitted.size()) + " constants of " +
                        target.name + " takes at least " + std::to_string(2 * fitted.size()) +
                        " rows (two for each), there are " + std::to_string(rows.size()));
    }
    std::vector<Axis> axes;
    for (const std::string &key : fitted) {
        axes.push_back(axis_for(target, key));
    }
    const auto before = make_cost_model(target);
    std::vector<Sample> samples;
    for (const TimedNetwork &row : rows) {
        samples.push_back(sample_of(*before, row));
    }

    const Fit fit(target, axes, samples);
    const Vector best = fit.best();
    const std::string loose = fit.undetermined(best);
    if (!loose.empty()) {
        throw UserError("the rows of " + target.name + " do not determine " + loose +
                        ": at the best fit they do not depend on it; leave it out");
    }
    Target result = rounded_fit(fit, best, fitted);
    const auto model = make_cost_model(result);
    Calibration calibration{fitted, {}};
    for (std::size_t i = 0; i < rows.size(); i++) {
        std::vector<Sample> others = samples;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
        const Fit other_fit(target, axes, others);
        const auto without = make_cost_model(rounded_fit(other_fit, other_fit.best(), fitted));
        calibration.rows.push_back({rows[i].network.name, rows[i].workload.precision,
                                    rows[i].workload.threads, rounded(samples[i].seconds * 1e3, 6),
                                    rounded(seconds(*model, samples[i]) * 1e3, 4),
                                    rounded(seconds(*without, samples[i]) * 1e3, 4)});
    }
    for (const std::string &key : fitted) {
        result.constants[key].provenance = {"least squares of the relative error on " +
                                                std::to_string(rows.size()) +
                                                " calibrate rows (edgefront calibrate)",
                                            "fitted"};
    }
    result.calibration = calibration;
    result.hash = price_hash(result);
    return result;
}

} // namespace edgefront
