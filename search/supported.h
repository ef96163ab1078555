// Networks for a search to begin with, from the cost tables alone: those with the least weighted
// sum of objectives, a shortest path over the rows. They are the corners of the front's hull as far
// as costs add up; no network is priced.
#pragma once

#include "search/cost_tables.h"

namespace edgefront {

/// At most `most` different networks, the best of each objective first, then those of weights drawn
/// from `seed`. What a constraint or the spatial-mixing guard bounds is weighted like an objective,
/// so that some keep the bounds; not all do.
std::vector<Choices> supported_networks(const DesignSpace &space, const CostTables &tables,
                                        std::uint64_t seed, std::size_t most);

} // namespace edgefront
