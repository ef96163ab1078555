// The few statistics that comparisons report.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace edgefront {

/// The value below which the fraction `p` (0 to 1) of the values lies, interpolated linearly
/// between neighbours; nothing for no values.
std::optional<double> percentile(std::vector<double> values, double p);

/// Rank correlation of two equally long lists, equal values sharing the mean of their ranks; -1
/// to 1. Nothing for fewer than three pairs, or when one list has a single value.
std::optional<double> spearman(const std::vector<double> &a, const std::vector<double> &b);

/// The place of `value` among `values`, 1 for the largest (or the smallest); equal ones share the
/// better place.
std::int64_t place_of(double value, const std::vector<double> &values, bool largest_first);

/// The least-squares solution of `rows` * x = `values`. Every row has as many entries as there are
/// unknowns, and there are at least as many rows; where they do not determine x, the shortest one
/// (with columns scaled to equal length).
std::vector<double> least_squares(const std::vector<std::vector<double>> &rows,
                                  const std::vector<double> &values);

/// How many of the columns of `rows` are independent.
std::size_t rank(const std::vector<std::vector<double>> &rows);

} // namespace edgefront
