#include "search/sweep.h"

#include "base/files.h"
#include "search/design_space_json.h"
#include "search/genes.h"
#include "search/marks.h"
#include "search/parallel.h"
#include "search/tracer.h"

#include <fmt/format.h>

#include <chrono>

namespace edgefront {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t default_evaluations = 100000;
constexpr std::int64_t default_memory = std::int64_t{1} << 30;
/// Rough labels, so that time is left for neighbours.
constexpr std::int64_t local_evaluations = 1000000, local_memory = std::int64_t{1} << 24;
constexpr double local_epsilon = 0.05;
constexpr double default_min_gain = 0.001;
constexpr const char *state_schema = "edgefront/state/1";

void require_population(int population, int multiple) {
    if (population < 8 || population % multiple != 0) {
        throw UserError(fmt::format(
            "the population must be {}at least 8, found {}",
            multiple > 1 ? fmt::format("a multiple of {} and ", multiple) : "", population));
    }
}

/// No network is evaluated twice.
std::int64_t at_most_all(const DesignSpace &space, std::int64_t evaluations) {
    return space.size() < static_cast<double>(evaluations) ? static_cast<std::int64_t>(space.size())
                                                           : evaluations;
}

/// Options that another strategy would ignore.
void require_used(const std::string &strategy, const SweepRequest &request) {
    const auto refuse = [&](bool given, const char *options, const char *owner) {
        if (given && strategy != owner) {
            throw UserError(fmt::format("{} are options of the strategy {}, not of {}", options,
                                        owner, strategy));
        }
    };
    const NetAdaptRequest &n = request.netadapt;
    refuse(!n.from.empty() || !n.toward.empty() || n.step || n.decay || n.until ||
               !n.weights.empty(),
           "--from, --toward, --step, --decay, --until and --weight", "netadapt");
    const RewardRequest &r = request.reward;
    refuse(!r.quality.empty() || !r.target.empty() || !r.exponents.empty(),
           "--reward-quality, --reward-target and --reward-exponent", "reward");
    if (request.min_gain && !request.patience) {
        throw UserError("--min-gain needs --patience: the evaluations it is about");
    }
    const bool patient = strategy == "nsga2" || strategy == "evolution" || strategy == "local";
    if (request.patience && !patient) {
        throw UserError(fmt::format("--patience is an option of the strategies nsga2, evolution "
                                    "and local, not of {}",
                                    strategy));
    }
}

} // namespace

RunConfig resolve(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                  const SweepRequest &request, const std::string &tool_version) {
    RunConfig config;
    config.tool_version = tool_version;
    config.space = write_space(space);
    config.seed = request.seed;
    config.strategy = request.strategy;
    if (config.strategy == "auto") {
        config.strategy = space.size() <= exhaustive_limit ? "exhaustive" : "nsga2";
    }
    for (const auto &target : targets) {
        config.targets.push_back({target.name, target.model->target().hash,
                                  to_string(target.workload.precision), target.workload.threads});
    }
    require_used(config.strategy, request);
    if (request.patience) {
        config.patience = *request.patience;
        config.min_gain = request.min_gain.value_or(default_min_gain);
    }
    const std::string &strategy = config.strategy;
    const std::int64_t memory = request.memory_bytes.value_or(default_memory);
    const std::int64_t wanted = request.evaluations.value_or(default_evaluations);
    if (strategy == "exhaustive") {
        if (space.size() > 1e9) {
            throw UserError(fmt::format("{:.3g} networks are too many to enumerate; use the "
                                        "strategy exact or nsga2",
                                        space.size()));
        }
        config.evaluations = static_cast<std::int64_t>(space.size());
        return config;
    }
    if (strategy == "exact") {
        config.epsilon = request.epsilon.value_or(0);
        config.memory_bytes = memory;
        return config;
    }
    if (space.size() < 2) {
        throw UserError("a space of one network needs no search; use the strategy exhaustive");
    }
    if (strategy == "nsga2") {
        require_population(request.population, 4);
        config.population = request.population;
        config.evaluations = at_most_all(
            space, request.generations ? *request.generations * request.population : wanted);
    } else if (strategy == "evolution") {
        require_population(request.population, 1);
        config.population = request.population;
        config.evaluations = at_most_all(space, wanted);
    } else if (strategy == "netadapt") {
        config.netadapt = resolve_netadapt(space, targets, request.netadapt);
    } else if (strategy == "local") {
        config.evaluations = at_most_all(space, request.evaluations.value_or(local_evaluations));
        config.epsilon = request.epsilon.value_or(local_epsilon);
        config.memory_bytes = request.memory_bytes.value_or(local_memory);
    } else if (strategy == "reward") {
        config.reward = resolve_reward(space, request.reward);
        require_population(request.population, 1);
        config.population = request.population;
        config.evaluations = at_most_all(space, request.evaluations.value_or(0));
        config.memory_bytes = memory;
    } else {
        throw UserError(fmt::format("unknown strategy '{}', expected one of {}{}", strategy,
                                    join(strategy_names()),
                                    did_you_mean(strategy, strategy_names())));
    }
    return config;
}

namespace {

std::vector<Sense> senses_of(const DesignSpace &space) {
    std::vector<Sense> senses;
    for (const auto &objective : space.objectives) {
        senses.push_back(objective.sense);
    }
    return senses;
}

class Sweep {
public:
    Sweep(const RunConfig &config, const fs::path &directory, const Zoo &zoo,
          const SweepHooks &hooks)
        : config_(config), directory_(directory), zoo_(zoo), hooks_(hooks),
          space_(read_space(JsonReader::parse(config.space.dump(), "run.json#/space"), zoo)),
          targets_(price_targets(space_)), tables_(space_, targets_, hooks.threads),
          strategy_(make_strategy(space_, tables_, config)), front_(senses_of(space_)),
          tracer_(space_, tables_, config) {
        counters_.space_size = space_.size();
        for (const auto &rule : tables_.rules()) {
            counters_.refused.push_back({rule, 0, {}});
        }
        if (hooks_.priced) {
            hooks_.priced(tables_);
        }
    }

    SweepOutcome run() {
        admit_published();
        if (fs::exists(state_path())) {
            restore(JsonReader::parse_file(state_path()));
        }
        std::chrono::steady_clock::time_point saved; // long ago: the first step is saved
        Json saved_state;
        while (!finished()) {
            if (hooks_.stop && hooks_.stop()) {
                save();
                write_result(directory_, result());
                return {SweepEnd::interrupted, result()};
            }
            const std::vector<Choices> batch = strategy_->ask(front_);
            strategy_->tell(batch, admit(batch));
            tracer_.record(front_, counters_.evaluated, strategy_->finished());
            if (hooks_.progress) {
                hooks_.progress({strategy_->done(), strategy_->planned(), front_});
            }
            const auto now = std::chrono::steady_clock::now();
            if (now - saved >= std::chrono::seconds(1) && strategy_->state() != saved_state) {
                save();
                saved = now;
                saved_state = strategy_->state();
            }
        }
        SweepOutcome outcome{SweepEnd::finished, result()};
        write_result(directory_, outcome.result);
        std::error_code ec;
        fs::remove(state_path(), ec);
        return outcome;
    }

private:
    bool finished() const { return strategy_->finished() || tracer_.stalled(); }
    fs::path state_path() const { return directory_ / "state.json"; }

    /// The published networks are points like any other: what the front keeps is not beaten by
    /// them.
    void admit_published() {
        for (const auto &name : space_.marks) {
            const auto found = find_in_space(space_, zoo_, name);
            if (const auto *choices = std::get_if<Choices>(&found)) {
                const Evaluation e = tables_.evaluate(*choices);
                if (e.feasible()) {
                    front_.admit({*choices, e.values});
                }
            }
        }
    }

    /// Prices a batch in parallel, then takes it in one by one, in its order.
    std::vector<Evaluation> admit(const std::vector<Choices> &batch) {
        std::vector<Evaluation> evaluations(batch.size());
        parallel_for(batch.size(), hooks_.threads, 256,
                     [&](std::size_t i) { evaluations[i] = tables_.evaluate(batch[i]); });
        const bool many = batch.size() + front_.size() > 20000 && batch.size() > 500;
        std::vector<Member> feasible;
        for (std::size_t i = 0; i < batch.size(); i++) {
            const Evaluation &e = evaluations[i];
            counters_.evaluated++;
            counters_.feasible += e.feasible();
            if (e.feasible() && many) {
                feasible.push_back({batch[i], e.values});
            } else if (e.feasible()) {
                front_.admit({batch[i], e.values});
            }
            for (const Broken &broken : e.broken) {
                count(broken, batch[i]);
            }
        }
        if (many) {
            front_.admit_all(std::move(feasible));
        }
        return evaluations;
    }

    void count(const Broken &broken, const Choices &choices) {
        Refusals &refusals = counters_.refused[broken.rule];
        if (refusals.candidates == 0 && broken.rule < targets_.size()) {
            refusals.constraint =
                tables_.rules()[broken.rule] + " (" + tables_.refusal(choices, broken.rule) + ")";
        }
        refusals.candidates++;
        if (tables_.has_bound(broken.rule) &&
            (!refusals.nearest || tables_.nearer(broken.rule, broken.value, *refusals.nearest))) {
            refusals.nearest = broken.value;
        }
    }

    void save() const {
        Json members = Json::array();
        for (const auto &member : front_.members()) {
            members.push_back(member.choices);
        }
        write_file(state_path(), dump_lines({{"schema", state_schema},
                                             {"counters", to_json(counters_)},
                                             {"strategy", strategy_->state()},
                                             {"trace", to_json(tracer_.trace().points)},
                                             {"front", members}}));
    }

    void restore(const JsonReader &state) {
        if (state.at("schema").string() != state_schema) {
            throw state.at("schema").error(std::string("expected \"") + state_schema + "\"");
        }
        counters_ = read_counters(state.at("counters"));
        strategy_->restore(state.at("strategy"));
        tracer_.restore(read_trace_points(state.at("trace")));
        const Genes genes(space_);
        std::vector<Member> members;
        for (const auto &row : state.at("front").items()) {
            const Choices choices = genes.read(row);
            members.push_back({choices, tables_.evaluate(choices).values});
        }
        front_.admit_all(std::move(members));
        state.finish();
    }

    RunResult result() const {
        RunResult result;
        result.config = config_;
        result.finished = finished();
        result.epsilon = strategy_->proven_epsilon();
        for (const auto &axis : space_.axes()) {
            result.choice_names.push_back(axis.name);
        }
        for (const auto &objective : space_.objectives) {
            const Measure &measure = objective.measure;
            result.objectives.push_back({measure.name(), to_string(measure.metric), measure.target,
                                         objective.sense, kind_of(measure.metric)});
        }
        result.counters = counters_;
        result.trace = tracer_.trace();
        for (const auto &member : front_.members()) {
            const auto values = space_.describe(member.choices);
            result.points.push_back({DesignSpace::id(values), values, member.values});
        }
        result.marks = mark_published(space_, zoo_, tables_, front_);
        result.block_rates = tables_.block_rates();
        strategy_->annotate(result);
        return result;
    }

    const RunConfig &config_;
    const fs::path &directory_;
    const Zoo &zoo_;
    const SweepHooks &hooks_;
    DesignSpace space_;
    std::vector<PricedTarget> targets_;
    CostTables tables_;
    std::unique_ptr<Strategy> strategy_;
    ParetoFront front_;
    RunCounters counters_;
    Tracer tracer_;
};

} // namespace

std::vector<std::string> differences(const Json &a, const Json &b, std::size_t limit) {
    const Json before = a.flatten(), after = b.flatten();
    std::vector<std::string> lines;
    const auto shown = [](const Json &flat, const std::string &key) {
        return flat.contains(key) ? flat[key].dump() : std::string("absent");
    };
    const auto differ = [&](const std::string &key) {
        if (lines.size() < limit) {
            lines.push_back(key + ": " + shown(before, key) + " -> " + shown(after, key));
        }
    };
    for (const auto &member : before.items()) {
        if (!after.contains(member.key()) || after[member.key()] != member.value()) {
            differ(member.key());
        }
    }
    for (const auto &member : after.items()) {
        if (!before.contains(member.key())) {
            differ(member.key());
        }
    }
    return lines;
}

void require_same_run(const fs::path &path, const Json &there, const Json &wanted) {
    const auto lines = differences(there, wanted);
    if (!lines.empty()) {
        throw UserError({path.string(), ""},
                        "this folder holds another run; choose another or ask for the same. "
                        "Differences:\n  " +
                            join(lines, "\n  "));
    }
}

bool claim_folder(const fs::path &directory, const RunConfig &config) {
    const auto path = directory / "run.json";
    const Json wanted = to_json(config);
    if (fs::exists(path)) {
        require_same_run(path, to_json(read_run_config(JsonReader::parse_file(path))), wanted);
        return true;
    }
    write_file(path, wanted.dump(1) + "\n");
    return false;
}

SweepOutcome run_sweep(const RunConfig &config, const fs::path &directory, const Zoo &zoo,
                       const SweepHooks &hooks) {
    if (!config.merged.empty()) {
        throw UserError("a merged front is no sweep that could go on or be repeated; its runs can "
                        "(\"merged\" in run.json)");
    }
    make_directory(directory);
    const FolderLock lock(directory); // two sweeps would overwrite each other's state
    if (claim_folder(directory, config) && fs::exists(directory / "front.json")) {
        RunResult result = read_run(directory);
        if (result.finished) {
            return {SweepEnd::already_finished, std::move(result)};
        }
    }
    return Sweep(config, directory, zoo, hooks).run();
}

Network network_of(const RunResult &result, const RunPoint &point, const Zoo &zoo) {
    const DesignSpace space =
        read_space(JsonReader::parse(result.config.space.dump(), "run.json#/space"), zoo);
    return space.network(space.parse(point.choices));
}

} // namespace edgefront
