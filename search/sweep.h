// One sweep: a space, a strategy and a folder that holds the state, so that a run can stop anywhere
// and go on later with the same result.
#pragma once

#include "dsl/zoo.h"
#include "search/accuracy.h"
#include "search/netadapt.h"
#include "search/reward.h"
#include "search/run_directory.h"
#include "search/strategy.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace edgefront {

/// The seed of a sweep that names none.
constexpr std::uint64_t default_seed = 1;

struct SweepRequest {
    std::string strategy = "auto";
    std::uint64_t seed = default_seed;
    /// Budget. Without one reward is exact, where top1 does not count.
    std::optional<std::int64_t> evaluations;
    std::optional<std::int64_t> generations;  ///< where there is a population: instead, in those
    std::optional<int> population;            ///< nsga2: a multiple of 4; evolution, reward; 400
    std::optional<double> epsilon;            ///< exact, local: see RunConfig
    std::optional<std::int64_t> memory_bytes; ///< exact, local, reward: for labels
    /// nsga2, evolution, local: see RunConfig.
    std::optional<std::int64_t> patience;
    std::optional<double> min_gain;
    NetAdaptRequest netadapt;
    RewardRequest reward;
};

/// The configuration with everything decided. Throws UserError for a request that cannot be, that
/// run.json could not hold, or of which the strategy would ignore a part.
RunConfig resolve(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                  const SweepRequest &request, const std::string &tool_version);

/// How far a sweep is.
struct SweepProgress {
    std::int64_t done = 0;
    std::int64_t planned = 0;
    const ParetoFront &front;
    double hypervolume = 0; ///< that of the trace's last point
};

struct SweepHooks {
    std::function<bool()> stop;                          ///< asked between steps
    std::function<void(const SweepProgress &)> progress; ///< told after every step
    std::function<void(const CostTables &)> priced;      ///< told once the tables are filled
    int threads = 1;                                     ///< never changes the result
    AccuracyHooks accuracy;                              ///< its folder is the run's
};

enum class SweepEnd {
    finished,
    already_finished, ///< the folder held this run's result
    interrupted,      ///< the state is saved; the same call goes on
};

struct SweepOutcome {
    SweepEnd end = SweepEnd::finished;
    RunResult result;
};

/// Runs or continues the sweep of `config` in `directory`. Throws UserError when the folder belongs
/// to another configuration (with the differences) or cannot be written; what was there before
/// stays. The state is saved after the first step, then about five times a second as long as that
/// takes a tenth of the time at most, and when stopped.
SweepOutcome run_sweep(const RunConfig &config, const std::filesystem::path &directory,
                       const Zoo &zoo, const SweepHooks &hooks);

/// The members where `a` and `b` differ: "/seed: 1 -> 2"; at most `limit` of them.
std::vector<std::string> differences(const Json &a, const Json &b, std::size_t limit = 10);

/// Writes the run.json of an empty folder; one that has it must be of the same configuration, else
/// UserError with the differences. Returns whether it was there.
bool claim_folder(const std::filesystem::path &directory, const RunConfig &config);

/// Throws UserError, with the differences, unless what a folder's run.json holds is what is wanted.
void require_same_run(const std::filesystem::path &path, const Json &there, const Json &wanted);

/// The network of a point of a sweep's front.
Network network_of(const RunResult &result, const RunPoint &point, const Zoo &zoo);

} // namespace edgefront
