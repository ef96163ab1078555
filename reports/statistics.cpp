#include "reports/statistics.h"

#include <Eigen/Dense>

#include <algorithm>
#include <cassert>
#include <numeric>

namespace edgefront {

std::optional<double> percentile(std::vector<double> values, double p) {
    if (values.empty()) {
        return std::nullopt;
    }
    std::sort(values.begin(), values.end());
    const double place = p * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

namespace {

/// 1 for the smallest; equal values share the mean of their places.
Eigen::VectorXd ranks(const std::vector<double> &values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
    Eigen::VectorXd result(static_cast<Eigen::Index>(values.size()));
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin + 1;
        while (end < order.size() && values[order[end]] == values[order[begin]]) {
            end++;
        }
        const double mean = static_cast<double>(begin + 1 + end) / 2;
        for (; begin < end; begin++) {
            result[static_cast<Eigen::Index>(order[begin])] = mean;
        }
    }
    return result;
}

} // namespace

std::optional<double> spearman(const std::vector<double> &a, const std::vector<double> &b) {
    assert(a.size() == b.size());
    if (a.size() < 3) {
        return std::nullopt;
    }
    const Eigen::VectorXd x = ranks(a).array() - static_cast<double>(a.size() + 1) / 2;
    const Eigen::VectorXd y = ranks(b).array() - static_cast<double>(b.size() + 1) / 2;
    const double norms = x.norm() * y.norm();
    if (norms == 0) {
        return std::nullopt;
    }
    return x.dot(y) / norms;
}

std::vector<double> non_negative_least_squares(const std::vector<std::vector<double>> &rows,
                                               const std::vector<double> &values) {
    const std::size_t n = rows.at(0).size();
    const auto m = static_cast<Eigen::Index>(rows.size());
    const Eigen::Map<const Eigen::VectorXd> b(values.data(), m);
    std::vector<double> best(n, 0.0);
    double best_error = b.squaredNorm();
    // The solution has some unknowns at zero and is the plain solution in the others: try them all.
    for (unsigned chosen = 1; chosen < (1U << n); chosen++) {
        std::vector<std::size_t> columns;
        for (std::size_t i = 0; i < n; i++) {
            if ((chosen >> i & 1U) != 0) {
                columns.push_back(i);
            }
        }
        const auto k = static_cast<Eigen::Index>(columns.size());
        Eigen::MatrixXd a(m, k);
        for (Eigen::Index r = 0; r < m; r++) {
            for (Eigen::Index c = 0; c < k; c++) {
                a(r, c) = rows[static_cast<std::size_t>(r)][columns[static_cast<std::size_t>(c)]];
            }
        }
        // Columns of equal length: terms in bytes and in milliseconds differ by many magnitudes.
        const Eigen::VectorXd lengths = a.colwise().norm();
        if ((lengths.array() == 0).any()) {
            continue;
        }
        const Eigen::MatrixXd scaled = a * lengths.cwiseInverse().asDiagonal();
        const Eigen::VectorXd x = scaled.colPivHouseholderQr().solve(b);
        const double error = (scaled * x - b).squaredNorm();
        if ((x.array() >= 0).all() && error < best_error) {
            best_error = error;
            std::fill(best.begin(), best.end(), 0.0);
            for (Eigen::Index c = 0; c < k; c++) {
                best[columns[static_cast<std::size_t>(c)]] = x[c] / lengths[c];
            }
        }
    }
    return best;
}

} // namespace edgefront
