// The options of a sweep's strategy as run.json has them: under "options", only those the strategy
// in use has.
#pragma once

#include "base/json_reader.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edgefront {

struct RunConfig;

/// The way down from a network (netadapt.h).
struct NetAdaptOptions {
    std::string from;               ///< the network it starts from, as it was named
    std::vector<std::string> start; ///< its choices
    std::string toward;             ///< the objective that shrinks: "latency_ms:pixel6-cpu"
    std::optional<double> step;     ///< by at least so much at first, in its unit; else 5 % of it
    double decay = 1;               ///< of the step, from one to the next
    std::optional<double> until;    ///< the value it goes to; nothing: as far as steps go
    /// By maximised objective: how much a share of it counts as a loss.
    std::vector<std::pair<std::string, double>> weights;
};

/// What makes one network of a front the best (reward.h).
struct RewardOptions {
    std::string quality;  ///< a maximised objective: "macs"
    std::string resource; ///< a minimised one: "latency_ms:pixel6-cpu"
    double target = 0;    ///< the resource's wanted value, in its unit
    double exponent = 0;  ///< up to the target; not positive
    double beyond = 0;    ///< the exponent beyond the target
};

/// {"evaluations": ..., "population": ...}: those of `config.strategy`. Throws UserError for an
/// unknown strategy.
Json write_options(const RunConfig &config);
/// Whether a strategy has the keys of an option: "evaluations", "population", "epsilon",
/// "memory_bytes", "patience", "netadapt" or "reward". Throws UserError for an unknown strategy.
bool has_option(const std::string &strategy, const std::string &option);
/// Reads them for `config.strategy`, all of them and no other; throws UserError.
void read_options(const JsonReader &json, RunConfig &config);

} // namespace edgefront
