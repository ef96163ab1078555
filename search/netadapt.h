// NetAdapt (Yang et al., ECCV 2018): from a network downwards, step by step, on the device's own
// numbers. In every step each change of one axis that takes at least the step's amount from the
// resource is a proposal, and the one that loses least quality is taken.
//
// The paper trains every proposal for a while; here quality is what the space maximises. A proposal
// loses sum_o w_o (1 - q_o / q_o before the step), over the maximised objectives o with weights w_o
// (1 unless given); of equal losses the one with less of the resource counts, then the first.
#pragma once

#include "search/cost_tables.h"
#include "search/strategy.h"

namespace edgefront {

/// What was asked for; what is left out is decided by `resolve_netadapt`.
struct NetAdaptRequest {
    /// "mobilenet_v4_conv_small@1,224", "runs/a:3f2a" (a point of a run) or the choices, with ";"
    /// between them.
    std::string from;
    std::string toward;          ///< a minimised objective
    std::optional<double> step;  ///< in the objective's unit; else 5 % of where it starts
    std::optional<double> decay; ///< else 1: all steps are alike
    std::optional<double> until;
    std::vector<std::string> weights; ///< "macs=2"; 1 where an objective is not named
};

/// Throws UserError for a network outside the space (with the reason) or one that a target cannot
/// run, and for names that are no objectives.
NetAdaptOptions resolve_netadapt(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                                 const NetAdaptRequest &request);

/// Goes on until the resource is down to the wanted value, or no change takes the step's amount.
/// The last step need only reach the wanted value. Networks on the way keep every rule of the space
/// that the first one keeps; if that breaks some, each step comes nearer to them.
std::unique_ptr<Strategy> make_netadapt(const DesignSpace &space, const RunConfig &config);

} // namespace edgefront
