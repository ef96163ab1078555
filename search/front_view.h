// What of a large front is shown, and which of its points stand out.
#pragma once

#include "search/run_directory.h"

#include <cstddef>
#include <vector>

namespace edgefront {

/// One row per point, one column per objective.
using Rows = std::vector<std::vector<double>>;

/// Their values where all have second figures (refine.h), else the first figures of all: the two
/// kinds are not compared with each other.
Rows values_of(const std::vector<RunPoint> &points);

/// The row with the best value of a column; the first of equals.
std::size_t index_of_best(const Rows &values, std::size_t column, Sense sense);

/// The `most` rows that cover all of them best, as indices, most important first: those of `always`
/// and the best of every column, which are kept even where they are more than `most`; then the
/// worst of every column, and again and again the row farthest from all kept ones, with each column
/// scaled to the range it has in `values`. Fewer rows are the first ones of more.
std::vector<std::size_t> covering(const Rows &values, const std::vector<Sense> &senses,
                                  std::size_t most, const std::vector<std::size_t> &always = {});

/// The same sorted by index; all rows when there are no more than `most`.
std::vector<std::size_t> thin(const Rows &values, const std::vector<Sense> &senses,
                              std::size_t most, const std::vector<std::size_t> &always = {});

/// The index of the point nearest to the best value of every objective at once, each scaled to the
/// range it has in `values`.
std::size_t knee(const Rows &values, const std::vector<Sense> &senses);

} // namespace edgefront
