#include "search/statistics.h"

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

namespace {

Eigen::MatrixXd matrix(const std::vector<std::vector<double>> &rows) {
    Eigen::MatrixXd a(rows.size(), rows.at(0).size());
    for (Eigen::Index r = 0; r < a.rows(); r++) {
        for (Eigen::Index c = 0; c < a.cols(); c++) {
            a(r, c) = rows[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)];
        }
    }
    return a;
}

/// Columns of equal length: terms in bytes and in milliseconds differ by many magnitudes.
Eigen::VectorXd lengths_of(const Eigen::MatrixXd &a) {
    const Eigen::VectorXd lengths = a.colwise().norm();
    return (lengths.array() == 0).select(1.0, lengths);
}

} // namespace

std::int64_t place_of(double value, const std::vector<double> &values, bool largest_first) {
    return 1 + std::count_if(values.begin(), values.end(), [&](double other) {
               return largest_first ? other > value : other < value;
           });
}

std::vector<double> least_squares(const std::vector<std::vector<double>> &rows,
                                  const std::vector<double> &values) {
    const Eigen::MatrixXd a = matrix(rows);
    const Eigen::VectorXd lengths = lengths_of(a);
    const Eigen::MatrixXd scaled = a * lengths.cwiseInverse().asDiagonal();
    const Eigen::Map<const Eigen::VectorXd> b(values.data(), a.rows());
    const Eigen::VectorXd x = scaled.completeOrthogonalDecomposition().solve(b);
    std::vector<double> solution;
    for (Eigen::Index c = 0; c < a.cols(); c++) {
        solution.push_back(x[c] / lengths[c]);
    }
    return solution;
}

std::size_t rank(const std::vector<std::vector<double>> &rows) {
    const Eigen::MatrixXd a = matrix(rows);
    Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(a * lengths_of(a).cwiseInverse().asDiagonal());
    qr.setThreshold(1e-9);
    return static_cast<std::size_t>(qr.rank());
}

} // namespace edgefront
