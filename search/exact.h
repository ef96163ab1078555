// The exact front without trying every network: multi-objective label setting over the sequence of
// blocks. A label is a network of which the first blocks are chosen; labels with the same skeleton,
// resolution, width, activation, position and channels have the same completions, so of these only
// those stay whose sums nothing beats (Criteria in labels.h says how sums compare). Runs of blocks
// are put behind the labels at once, thinned in the same way (block_runs.h). What is left behind
// the last block of all contexts and skeletons are the networks of the front, and where objectives
// are combined over targets some more, which only their prices tell apart.
//
// Of networks that cost the same in all objectives one stands for all. Where costs are equal only
// once they are combined (the worst of several targets), that may be another one than enumeration
// keeps: the values of the front are the same, ids may differ.
//
// With `epsilon`, and when labels would take more than the memory given, labels go that others
// match within a small factor; the factors multiply along the blocks and their product is the
// certificate.
#pragma once

#include "search/strategy.h"

#include <functional>

namespace edgefront {

/// `tables` must outlive the strategy. Evaluates what is left behind the last block alone, or,
/// where that is nothing, the networks nearest to keeping each rule.
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
