// What of a large front is shown, and which of its points stand out.
#pragma once

#include "search/pareto.h"

#include <cstddef>
#include <vector>

namespace edgefront {

/// One row per point, one column per objective.
using Rows = std::vector<std::vector<double>>;

/// The row with the best value of a column; the first of equals.
std::size_t index_of_best(const Rows &values, std::size_t column, Sense sense);

/// At most `most` indices of `values` (one row per point, equally long), spread so that the gaps
/// between the kept points are as even as can be: first those of `always`, then the extremes of
/// every column, then again and again the point farthest from all kept ones. Sorted.
std::vector<std::size_t> thin(const Rows &values, std::size_t most,
                              const std::vector<std::size_t> &always);

/// The index of the point nearest to the best value of every objective at once, each scaled to the
/// range it has in `values`.
std::size_t knee(const Rows &values, const std::vector<Sense> &senses);

} // namespace edgefront
