// Published networks inside a space: where they stand against the front.
#pragma once

#include "dsl/zoo.h"
#include "search/cost_tables.h"
#include "search/run_directory.h"

#include <functional>
#include <variant>
#include <vector>

namespace edgefront {

/// The choices that make `network` ("mobilenet_v4_conv_small", "...@0.5,160"), or why there are
/// none. Blocks are compared one by one with repeats expanded; a match is only claimed when the
/// network built from the choices has exactly the published layers. Throws UserError for an unknown
/// name.
std::variant<Choices, std::string> find_in_space(const DesignSpace &space, const Zoo &zoo,
                                                 const std::string &network);

/// Fills in whether a priced mark is on the front, and what of the front dominates it.
void compare_with_front(PublishedMark &mark, const DesignSpace &space, const ParetoFront &front);

/// Prices candidates, in order.
using Evaluate = std::function<std::vector<Evaluation>(const std::vector<Choices> &)>;

/// Every mark of the space, priced with `evaluate`, against the front.
std::vector<PublishedMark> mark_published(const DesignSpace &space, const Zoo &zoo,
                                          const CostTables &tables, const Evaluate &evaluate,
                                          const ParetoFront &front);

} // namespace edgefront
