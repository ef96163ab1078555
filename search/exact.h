// The exact front without trying every network: multi-objective label setting over the sequence of
// blocks. A label is a network of which the first blocks are chosen; labels with the same
// resolution, width, activation, position and channels have the same completions, so of these only
// those stay whose sums nothing beats (exact_problem.h says how sums compare). What is left behind
// the last block are the networks of the front.
//
// With `epsilon`, and when labels would take more than the memory given, labels go that others
// match within a small factor; the factors multiply along the blocks and their product is the
// certificate.
#pragma once

#include "search/strategy.h"

#include <functional>

namespace edgefront {

/// `tables` must outlive the strategy. Evaluates the networks of the front only.
std::unique_ptr<Strategy> make_exact(const DesignSpace &space, const CostTables &tables,
                                     const RunConfig &config);

struct CheapestNetwork {
    double amount = 0;
    Choices choices;
};

/// The network of a context with the least amount, a shortest path over the rows: `amount` of each
/// row, two of them `joined` (added, say: nowhere falling in either). Constraints aside.
CheapestNetwork
cheapest_network(const DesignSpace &space, const CostTables &tables, std::size_t context,
                 const std::function<double(const std::int64_t *)> &amount,
                 const std::function<double(double, double)> &joined = std::plus<>());

/// The network of a context that has least of a column (times `sign`), constraints aside.
Choices extreme_network(const DesignSpace &space, const CostTables &tables, std::size_t context,
                        std::size_t column, int sign);

} // namespace edgefront
