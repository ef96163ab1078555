// Regularised evolution (Real et al., AAAI 2019): of a population the best of a random sample has a
// child one gene away, and the oldest member dies, however good it is.
//
// With several objectives "best" changes with every tournament: it is won by the least of
// max_o w_o (f_o - least_o) / (largest_o - least_o) for weights w drawn anew from the simplex
// (Chebyshev; Knowles' ParEGO 2006 draws them so). Ranks by dominance would not do: with four or
// five objectives hardly any member of a sample is dominated, and an aging population cannot hold
// a front that is larger than itself. The sample therefore also has members of the front of all
// that was evaluated, as many as of the population: age takes a member from the population but not
// what was found from the search.
#pragma once

#include "search/strategy.h"

#include <functional>

namespace edgefront {

/// How good a network is: less is better in each number; 1e30 and more breaks a rule.
using Fitness = std::function<std::vector<double>(const Evaluation &)>;

/// `config.evaluations` networks, no network twice, in steps of an eighth of the population. Ends
/// early where nothing new is found. By default a network is as good as the space's objectives say.
std::unique_ptr<Strategy> make_evolution(const DesignSpace &space, const RunConfig &config,
                                         Fitness fitness = {});

} // namespace edgefront
