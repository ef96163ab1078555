// Local search from the front of a relaxed space, for spaces whose exact front takes too long (four
// and more objectives, peak memory) or has no sums to search by.
//
// Relaxed, the space keeps what adds up along the blocks: objectives and constraints on peak memory
// are left out, and of the sums only one in 1 + epsilon stays, fewer when memory runs out. Where an
// objective to maximise is left out, MACs and parameters stand in for it: of what is not priced by
// sums, capacity is the best guess. Label setting (exact.h) finds the front of that; then, all
// objectives and constraints counting, networks one axis away from members of the front are tried
// until no member is left whose neighbours are unknown (Pareto local search, Paquete et al. 2004),
// or the budget is spent. It is about the neighbours: the relaxed front is priced in full, also
// when that alone takes more evaluations. While nothing feasible is known, those nearest to the
// rules are members.
#pragma once

#include "search/strategy.h"

namespace edgefront {

/// The space as the label setting sees it.
DesignSpace relaxed(const DesignSpace &space);
/// What is left out of it, in a few words; "" when only labels are thinned.
std::string relaxation(const DesignSpace &space);

/// `tables` must outlive the strategy.
std::unique_ptr<Strategy> make_local(const DesignSpace &space, const CostTables &tables,
                                     const RunConfig &config);

} // namespace edgefront
