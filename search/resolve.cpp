// What was asked of a sweep becomes its configuration, with everything decided.
#include "search/design_space_json.h"
#include "search/sweep.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

constexpr std::int64_t default_evaluations = 100000;
constexpr int default_population = 400;
constexpr std::int64_t default_memory = std::int64_t{1} << 30;
/// Rough labels, so that time is left for neighbours.
constexpr std::int64_t local_evaluations = 1000000, local_memory = std::int64_t{1} << 24;
constexpr double local_epsilon = 0.05;
constexpr double default_min_gain = 0.001;
/// Up to so many objectives label setting takes seconds on the largest shipped spaces
/// (bench_search), with this epsilon when none is given.
constexpr std::size_t few_objectives = 3;
constexpr double auto_epsilon = 0.01;

/// The request's population, or the default one.
int population_of(const SweepRequest &request, int multiple) {
    const int population = request.population.value_or(default_population);
    if (population < 8 || population % multiple != 0) {
        throw UserError(fmt::format(
            "the population must be {}at least 8, found {}",
            multiple > 1 ? fmt::format("a multiple of {} and ", multiple) : "", population));
    }
    return population;
}

/// The request's budget; no network is evaluated twice.
std::int64_t budget_of(const SweepRequest &request, const DesignSpace &space, int population,
                       std::int64_t otherwise) {
    std::int64_t budget = request.evaluations.value_or(otherwise);
    if (request.generations) {
        const double product = static_cast<double>(*request.generations) * population;
        budget = static_cast<std::int64_t>(std::min(product, 9e18));
    }
    return space.size() < static_cast<double>(budget) ? static_cast<std::int64_t>(space.size())
                                                      : budget;
}

/// What "auto" stands for: the whole space where it is small, the exact front where that is quick,
/// else NSGA-II; options that only some strategies have decide before.
std::string chosen_strategy(const DesignSpace &space, const SweepRequest &request) {
    if (request.evaluations || request.generations || request.population || request.patience) {
        return "nsga2";
    }
    const bool labels = request.epsilon || request.memory_bytes;
    if (space.size() <= exhaustive_limit && !labels) {
        return "exhaustive";
    }
    std::size_t objectives = 0;
    for (const auto &objective : space.objectives) {
        const auto &over = objective.measure.over;
        objectives += over ? over->targets.size() : 1;
    }
    const bool quick = objectives <= few_objectives && !space.uses_top1();
    return labels || quick ? "exact" : "nsga2";
}

/// An option that was given, and the key of run.json's options that it is about.
struct Given {
    bool given;
    const char *option;
    const char *key;
};

/// Options that the strategy would ignore. Exhaustive search has none: its budget is the space.
void require_used(const std::string &strategy, const SweepRequest &request) {
    const NetAdaptRequest &n = request.netadapt;
    const RewardRequest &r = request.reward;
    for (const Given &g : {Given{request.evaluations.has_value(), "--evaluations", "evaluations"},
                           {request.generations.has_value(), "--generations", "population"},
                           {request.population.has_value(), "--population", "population"},
                           {request.epsilon.has_value(), "--epsilon", "epsilon"},
                           {request.memory_bytes.has_value(), "--memory", "memory_bytes"},
                           {request.patience.has_value(), "--patience", "patience"},
                           {!n.from.empty(), "--from", "netadapt"},
                           {!n.toward.empty(), "--toward", "netadapt"},
                           {n.step.has_value(), "--step", "netadapt"},
                           {n.decay.has_value(), "--decay", "netadapt"},
                           {n.until.has_value(), "--until", "netadapt"},
                           {!n.weights.empty(), "--weight", "netadapt"},
                           {!r.quality.empty(), "--reward-quality", "reward"},
                           {!r.target.empty(), "--reward-target", "reward"},
                           {!r.exponents.empty(), "--reward-exponent", "reward"}}) {
        const auto uses = [&](const std::string &name) {
            return name != "auto" && name != "exhaustive" && has_option(name, g.key);
        };
        if (g.given && !uses(strategy)) {
            std::vector<std::string> users;
            std::copy_if(strategy_names().begin(), strategy_names().end(),
                         std::back_inserter(users), uses);
            throw UserError(fmt::format("{} is an option of the strateg{} {}, not of {}", g.option,
                                        users.size() == 1 ? "y" : "ies", join(users), strategy));
        }
    }
    if (request.min_gain && !request.patience) {
        throw UserError("--min-gain needs --patience: the evaluations it is about");
    }
}

/// Reward is exact where there is no budget and top1 does not count.
void decide_reward(RunConfig &config, const DesignSpace &space, const SweepRequest &request) {
    config.reward = resolve_reward(space, request.reward);
    const bool exact = !request.evaluations && !request.generations && !space.uses_top1();
    if (exact && request.population) {
        throw UserError("--population: without --evaluations or --generations reward is exact and "
                        "has no population");
    }
    if (!exact && request.memory_bytes) {
        throw UserError("--memory: reward keeps labels only where it is exact, without "
                        "--evaluations, --generations and top1");
    }
    config.population = population_of(request, 1);
    config.evaluations =
        budget_of(request, space, config.population, exact ? 0 : default_evaluations);
    config.memory_bytes = request.memory_bytes.value_or(default_memory);
}

void decide(RunConfig &config, const DesignSpace &space, const std::vector<PricedTarget> &targets,
            const SweepRequest &request) {
    const std::string &strategy = config.strategy;
    if (request.patience) {
        config.patience = *request.patience;
        config.min_gain = request.min_gain.value_or(default_min_gain);
    }
    if (strategy == "exhaustive") {
        if (space.size() > 1e9) {
            throw UserError(fmt::format("{:.3g} networks are too many to enumerate; use the "
                                        "strategy exact or nsga2",
                                        space.size()));
        }
        config.evaluations = static_cast<std::int64_t>(space.size());
        return;
    }
    if (strategy == "exact") {
        config.epsilon = request.epsilon.value_or(0);
        config.memory_bytes = request.memory_bytes.value_or(default_memory);
        return;
    }
    if (space.size() < 2) {
        throw UserError("a space of one network needs no search; use the strategy exhaustive");
    }
    if (strategy == "nsga2" || strategy == "evolution") {
        config.population = population_of(request, strategy == "nsga2" ? 4 : 1);
        config.evaluations = budget_of(request, space, config.population, default_evaluations);
    } else if (strategy == "netadapt") {
        config.netadapt = resolve_netadapt(space, targets, request.netadapt);
    } else if (strategy == "local") {
        config.evaluations = budget_of(request, space, 0, local_evaluations);
        config.epsilon = request.epsilon.value_or(local_epsilon);
        config.memory_bytes = request.memory_bytes.value_or(local_memory);
    } else {
        decide_reward(config, space, request);
    }
}

} // namespace

RunConfig resolve(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                  const SweepRequest &request, const std::string &tool_version) {
    const auto &names = strategy_names();
    if (std::count(names.begin(), names.end(), request.strategy) == 0) {
        throw UserError(fmt::format("unknown strategy '{}', expected one of {}{}", request.strategy,
                                    join(names), did_you_mean(request.strategy, names)));
    }
    RunConfig config;
    config.tool_version = tool_version;
    SweepRequest wanted = request;
    if (request.strategy == "auto") {
        wanted.strategy = chosen_strategy(space, request);
        if (wanted.strategy == "exact" && !request.epsilon) {
            wanted.epsilon = auto_epsilon;
        }
    }
    check_accuracy(space, wanted.strategy);
    DesignSpace resolved = space;
    if (space.accuracy) {
        resolved.accuracy = pinned(*space.accuracy);
    }
    config.space = write_space(resolved);
    config.seed = request.seed;
    config.strategy = wanted.strategy;
    for (const auto &target : targets) {
        config.targets.push_back({target.name, target.model->target().hash,
                                  to_string(target.workload.precision), target.workload.threads});
    }
    require_used(config.strategy, wanted);
    decide(config, space, targets, wanted);
    // What could not be read back could not be gone on with.
    return read_run_config(JsonReader::parse(to_json(config).dump(), "the options of this sweep"));
}

} // namespace edgefront
