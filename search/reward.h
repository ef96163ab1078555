// For those who want one network: MnasNet's reward (Tan et al., CVPR 2019),
//
//   quality * (resource / target)^w,   w = exponent up to the target, beyond behind it.
//
// Both alike (-0.07 in the paper) make the target soft: twice the latency is worth 5 % of quality.
// 0 and -1 make it hard: below the target quality alone counts.
//
// The reward never falls when quality rises or the resource shrinks, so its maximum lies on the
// front of these two objectives, which the exact search sets labels for: the preferred network is
// proven the best of the space. Where that cannot be (top1 is no sum over blocks) or a budget of
// evaluations is given, evolution looks for it.
#pragma once

#include "search/strategy.h"

namespace edgefront {

/// What was asked for.
struct RewardRequest {
    std::string quality;           ///< a maximised objective; the only one when left out
    std::string target;            ///< "latency_ms:pixel6-cpu=3"
    std::vector<double> exponents; ///< up to the target and beyond; one: both; none: -0.07
};

/// Throws UserError for names that are no objectives and for exponents above 0.
RewardOptions resolve_reward(const DesignSpace &space, const RewardRequest &request);

/// Throws UserError when the reward of these values, one per objective and none worse than that of
/// any network, is too large for a number.
void require_finite_reward(const DesignSpace &space, const RewardOptions &options,
                           const std::vector<double> &best);

double reward_of(const RewardOptions &options, double quality, double resource);

std::unique_ptr<Strategy> make_reward(const DesignSpace &space, const CostTables &tables,
                                      const RunConfig &config);

} // namespace edgefront
