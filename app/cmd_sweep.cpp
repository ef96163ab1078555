// edgefront sweep SPACE.json --run DIR: search the space, keep the front in the folder.
#include "app/accuracy_options.h"
#include "app/command.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "app/refinement.h"
#include "search/design_space_json.h"
#include "search/front_summary.h"
#include "search/local.h"
#include "search/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace edgefront {

namespace {

struct Options {
    std::string space;
    std::string run;
    SweepRequest request;
    RefineOptions refine;
    AccuracyOptions accuracy;
    std::optional<std::int64_t> memory_mib;
    std::vector<const CLI::Option *> search; ///< those that run.json decides
    int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
};

/// From a space; from a run's own run.json, which replays it; or, without either, from the
/// folder's.
RunConfig configure(const Options &options, const Zoo &zoo, bool quiet) {
    const std::filesystem::path own = std::filesystem::path(options.run) / "run.json";
    if (options.space.empty() && !std::filesystem::exists(own)) {
        throw UserError("which space? Give a file (data/spaces/), or a --run folder to continue");
    }
    const JsonReader json =
        JsonReader::parse_file(options.space.empty() ? own.string() : options.space);
    const auto schema = json.find("schema");
    if (schema && schema->is_string() && schema->string() == "edgefront/run/1") {
        for (const CLI::Option *option : options.search) {
            if (option->count() > 0) {
                throw UserError(option->get_name() +
                                ": a run that is repeated or goes on has its options in its "
                                "run.json; leave it out, or give a space and another folder");
            }
        }
        if (options.accuracy.given()) {
            throw UserError("a run that is repeated or goes on has its source of accuracies in its "
                            "run.json; leave out the option");
        }
        return read_run_config(json);
    }
    DesignSpace space = read_space(json, zoo);
    const auto replaced = options.accuracy.apply(space);
    if (!replaced.empty() && !quiet) {
        std::fprintf(stderr, "top1 takes the place of the capacity axes %s\n",
                     join(replaced, " and ").c_str());
    }
    SweepRequest request = options.request;
    if (options.memory_mib) {
        request.memory_bytes = *options.memory_mib << 20;
    }
    return resolve(space, price_targets(space), request, EDGEFRONT_VERSION);
}

std::string shown(double value) {
    return value >= 1e6 ? fmt::format("{:.2f} M", value * 1e-6) : fmt::format("{:.4g}", value);
}

/// The front so far: its hypervolume (trace.h) and the best value of each objective.
std::string watch(const SweepProgress &p, const std::vector<Objective> &objectives) {
    if (p.front.size() == 0) {
        return "nothing feasible yet";
    }
    std::string best;
    for (std::size_t o = 0; o < objectives.size(); o++) {
        const auto by = [&](const Member &a, const Member &b) { return a.values[o] < b.values[o]; };
        const auto [low, high] =
            std::minmax_element(p.front.members().begin(), p.front.members().end(), by);
        const bool minimise = objectives[o].sense == Sense::minimise;
        best += fmt::format(" {} {}", objectives[o].measure.name(),
                            shown(minimise ? low->values[o] : high->values[o]));
    }
    return fmt::format("front {}, hypervolume {:.4f}, best{}", p.front.size(), p.hypervolume, best);
}

/// Exit code 3: what each rule refuses, the strictest first, and how near candidates came.
int explain_infeasible(const RunResult &result) {
    std::fprintf(stderr, "edgefront: no feasible network among the %lld evaluated; refused:\n",
                 static_cast<long long>(result.counters.evaluated));
    std::vector<Refusals> rules = result.counters.refused;
    std::stable_sort(rules.begin(), rules.end(), [](const Refusals &a, const Refusals &b) {
        return a.candidates > b.candidates;
    });
    for (const auto &rule : rules) {
        if (rule.candidates > 0) {
            const std::string nearest =
                rule.nearest ? fmt::format("; the nearest value seen is {}", *rule.nearest) : "";
            std::fprintf(stderr, "  %lld by \"%s\"%s\n", static_cast<long long>(rule.candidates),
                         rule.constraint.c_str(), nearest.c_str());
        }
    }
    return exit_infeasible;
}

/// What a strategy goes by, in a few words.
std::string plan(const RunConfig &config, const DesignSpace &space) {
    const std::string labels =
        fmt::format("epsilon {}, {} MiB for labels", config.epsilon, config.memory_bytes >> 20);
    const std::string budget = fmt::format("{} evaluations", config.evaluations);
    if (config.strategy == "exact") {
        return labels;
    }
    if (config.strategy == "netadapt") {
        return fmt::format("{} down from {}", config.netadapt.toward, config.netadapt.from);
    }
    if (config.strategy == "local") {
        const std::string left_out = relaxation(space);
        return fmt::format("{}; from the front of the relaxed space ({}{}{})", budget, left_out,
                           left_out.empty() ? "" : ", ", labels);
    }
    if (config.strategy == "reward") {
        const RewardOptions &r = config.reward;
        return fmt::format("{} * ({} / {})^w, w = {} up to it and {} beyond, {}", r.quality,
                           r.resource, r.target, r.exponent, r.beyond,
                           config.evaluations > 0 ? budget : "exact");
    }
    return budget;
}

void introduce(const RunConfig &config, const DesignSpace &space, const Options &options,
               const CostTables &tables) {
    std::fprintf(
        stderr,
        "%s: space %s holds %.4g networks; strategy %s, seed %llu, %s; %zu different layers priced "
        "into %zu rows\n",
        options.run.c_str(), space.name.c_str(), space.size(), config.strategy.c_str(),
        static_cast<unsigned long long>(config.seed), plan(config, space).c_str(),
        tables.unique_layers(), tables.rows());
}

int run_sweep_command(const Options &options, bool quiet) {
    const Zoo zoo;
    const RunConfig config = configure(options, zoo, quiet);
    if (options.refine.points > 0 && !config.merged.empty()) { // has a front, and is no sweep
        return refine_run(options.run, options.refine, options.threads, quiet);
    }
    const DesignSpace space =
        read_space(JsonReader::parse(config.space.dump(), "run.json#/space"), zoo);
    options.accuracy.require_used(space.accuracy);
    const InterruptGuard guard;
    SweepOutcome outcome;
    {
        const bool steps =
            config.strategy == "exact" || (config.strategy == "reward" && config.evaluations == 0);
        Progress progress(steps ? "steps" : "networks", quiet);
        SweepHooks hooks;
        hooks.threads = options.threads;
        hooks.stop = InterruptGuard::requested;
        hooks.accuracy = options.accuracy.hooks;
        hooks.accuracy.folder = options.run;
        hooks.accuracy.stop = InterruptGuard::requested;
        Progress commands("commands", quiet);
        hooks.accuracy.progress = [&](std::int64_t done, std::int64_t planned,
                                      std::int64_t failed) {
            commands.update(done, planned, [&] { return fmt::format("{} failed", failed); });
        };
        hooks.priced = [&](const CostTables &tables) {
            if (!quiet) {
                introduce(config, space, options, tables);
            }
        };
        hooks.progress = [&](const SweepProgress &p) {
            progress.update(p.done, p.planned, [&] { return watch(p, space.objectives); });
        };
        outcome = run_sweep(config, options.run, zoo, hooks);
    }
    switch (outcome.end) {
    case SweepEnd::interrupted:
        std::fprintf(stderr, "edgefront: interrupted, %s; `edgefront sweep --run %s` goes on\n",
                     std::filesystem::exists(std::filesystem::path(options.run) / "front.json")
                         ? "the state is saved"
                         : "the answers so far are kept",
                     options.run.c_str());
        return exit_interrupted;
    case SweepEnd::already_finished:
        if (options.refine.points > 0) {
            break; // there is
        }
        std::fprintf(stderr, "edgefront: %s is finished already, nothing to do\n",
                     options.run.c_str());
        if (options.accuracy.hooks.retry) {
            std::fprintf(stderr,
                         "edgefront: to run failed commands again, repeat it elsewhere: `edgefront "
                         "sweep %s/run.json --run NEW --accuracy-cache %s --accuracy-retry`\n",
                         options.run.c_str(),
                         (options.accuracy.hooks.cache.empty()
                              ? std::filesystem::path(options.run) / "accuracy_cache.jsonl"
                              : options.accuracy.hooks.cache)
                             .c_str());
        }
        break;
    case SweepEnd::finished: break;
    }
    if (outcome.result.points.empty()) {
        return explain_infeasible(outcome.result);
    }
    if (options.refine.points > 0) {
        return refine_run(options.run, options.refine, options.threads, quiet);
    }
    OutputOptions().write(summary(outcome.result));
    return exit_ok;
}

void add_netadapt_options(CLI::App &command, NetAdaptRequest &request) {
    command.add_option("--from", request.from,
                       "netadapt: the network it starts from, a name of the zoo, RUN:ID (a point "
                       "of a run) or the choices with ';' between");
    command.add_option("--toward", request.toward,
                       "netadapt: the objective that shrinks, as latency_ms:pixel6-cpu");
    command
        .add_option("--step", request.step,
                    "netadapt: by at least so much per step, in the objective's unit; 5 % of where "
                    "it starts when not given")
        ->check(CLI::PositiveNumber);
    command.add_option("--decay", request.decay, "netadapt: of the step, from one to the next (1)")
        ->check(CLI::Range(1e-6, 1.0));
    command
        .add_option("--until", request.until,
                    "netadapt: the value to reach; as far as it goes when not given")
        ->check(CLI::NonNegativeNumber);
    command.add_option("--weight", request.weights,
                       "netadapt: what a lost share of a maximised objective counts, as macs=2 "
                       "(1); repeatable");
}

void add_reward_options(CLI::App &command, RewardRequest &request) {
    command.add_option("--reward-quality", request.quality,
                       "reward: the maximised objective that counts");
    command.add_option("--reward-target", request.target,
                       "reward: a minimised objective and its wanted value, as "
                       "latency_ms:pixel6-cpu=3");
    command
        .add_option("--reward-exponent", request.exponents,
                    "reward: of value / wanted value (-0.07, meant for accuracy; of MACs as "
                    "quality -1 and less); two with a comma between, up to the "
                    "wanted value and beyond: 0,-1 is a hard limit")
        ->delimiter(',')
        ->expected(1, 2);
}

void add_search_options(CLI::App &command, Options &options) {
    SweepRequest &request = options.request;
    command
        .add_option("--strategy", request.strategy,
                    "auto: exhaustive up to 200000 networks; else exact within 1 % up to three "
                    "objectives, nsga2 beyond")
        ->check(CLI::IsMember(strategy_names()))
        ->capture_default_str();
    command.add_option("--seed", request.seed, "Seed of every random choice")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 53))
        ->capture_default_str();
    auto *evaluations =
        command
            .add_option("--evaluations", request.evaluations,
                        "Budget of nsga2 and evolution (100000), of local (1000000; the front it "
                        "starts from is priced whatever it takes) and of reward, which is exact "
                        "without one")
            ->check(CLI::PositiveNumber);
    command
        .add_option("--generations", request.generations,
                    "nsga2, evolution, reward: the budget as a multiple of the population")
        ->check(CLI::PositiveNumber)
        ->excludes(evaluations);
    command.add_option("--population", request.population,
                       "Of nsga2 (a multiple of 4), evolution and reward with a budget (400)");
    command
        .add_option("--epsilon", request.epsilon,
                    "exact: every network is matched within the factor 1 + epsilon in each "
                    "objective; 0, the default, is exact, 0.01 quicker. local: of the labels it "
                    "starts from (0.05)")
        ->check(CLI::Range(0.0, 10.0));
    command
        .add_option("--memory", options.memory_mib,
                    "exact and reward: MiB for labels (1024); when they need more, epsilon rises "
                    "and the result says how far. local: 16")
        ->check(CLI::Range(1, 1 << 20));
    auto *patience =
        command
            .add_option("--patience", request.patience,
                        "nsga2, evolution and local: end early when over so many evaluations the "
                        "hypervolume grew by less than --min-gain")
            ->check(CLI::PositiveNumber);
    command.add_option("--min-gain", request.min_gain, "See --patience (0.001: 0.1 %)")
        ->check(CLI::Range(0.0, 1.0))
        ->needs(patience);
}

} // namespace

void add_sweep(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command =
        app.add_subcommand("sweep", "Search a design space for the networks no other beats");
    command->add_option("space", options->space,
                        "Space file, or the run.json of another run to repeat it; left out, the "
                        "run in --run goes on");
    command->add_option("--run", options->run, "Folder of the run; made, or continued")->required();
    command->add_option("--threads", options->threads, "Never changes the result")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    const auto others = command->get_options();
    command->option_defaults()->group("Search");
    add_search_options(*command, *options);
    command->option_defaults()->group("NetAdapt");
    add_netadapt_options(*command, options->request.netadapt);
    command->option_defaults()->group("Reward");
    add_reward_options(*command, options->request.reward);
    for (const CLI::Option *option : command->get_options()) {
        if (std::count(others.begin(), others.end(), option) == 0) {
            options->search.push_back(option);
        }
    }
    command->option_defaults()->group("Accuracy");
    options->accuracy.add_to(*command);
    command->option_defaults()->group("Refinement");
    options->refine.add_to(*command);
    command->footer(
        "Examples:\n  edgefront sweep data/spaces/uib_small.json --run runs/first\n"
        "  edgefront sweep data/spaces/mobilenet_v4_uib.json --run runs/v4 --strategy "
        "exact --epsilon 0.01\n"
        "  edgefront sweep data/spaces/uib_small.json --run runs/down --strategy netadapt "
        "--from mobilenet_v4_conv_small --toward latency_ms:pixel6-cpu --until 1\n"
        "  edgefront sweep data/spaces/uib_small.json --run runs/one --strategy reward "
        "--reward-quality macs --reward-target latency_ms:pixel6-cpu=3\n"
        "  edgefront sweep --run runs/first            # goes on after Ctrl-C\n"
        "  edgefront sweep --run runs/first --refine 20");
    command->callback([=, &session] {
        session.action = [=, &session] { return run_sweep_command(*options, session.quiet); };
    });
}

} // namespace edgefront
