// edgefront sweep SPACE.json --run DIR: search the space, keep the front in the folder.
#include "app/accuracy_options.h"
#include "app/command.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "search/design_space_json.h"
#include "search/front_summary.h"
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
    AccuracyOptions accuracy;
    int memory_mib = 1024;
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
    request.memory_bytes = std::int64_t{options.memory_mib} << 20;
    return resolve(space, price_targets(space), request, EDGEFRONT_VERSION);
}

std::string shown(double value) {
    return value >= 1e6 ? fmt::format("{:.2f} M", value * 1e-6) : fmt::format("{:.4g}", value);
}

/// Best value of each objective so far, and how the volume behind the front has grown.
class Watch {
public:
    std::string operator()(const ParetoFront &front, const std::vector<Objective> &objectives) {
        if (front.size() == 0) {
            return "nothing feasible yet";
        }
        std::string best;
        std::vector<double> worst;
        for (std::size_t o = 0; o < objectives.size(); o++) {
            const auto by = [&](const Member &a, const Member &b) {
                return a.values[o] < b.values[o];
            };
            const auto [low, high] =
                std::minmax_element(front.members().begin(), front.members().end(), by);
            const bool minimise = objectives[o].sense == Sense::minimise;
            best += fmt::format(" {} {}", objectives[o].measure.name(),
                                shown(minimise ? low->values[o] : high->values[o]));
            worst.push_back(minimise ? high->values[o] : low->values[o]);
        }
        if (reference_.empty()) {
            reference_ = worst;
            first_ = front.hypervolume_estimate(reference_);
        }
        std::string line = fmt::format("front {}", front.size());
        if (first_ > 0) {
            line += fmt::format(", hypervolume x{:.3f}",
                                front.hypervolume_estimate(reference_) / first_);
        }
        return line + ", best" + best;
    }

private:
    std::vector<double> reference_; ///< the worst corner of the first front that was watched
    double first_ = 0;
};

/// Exit code 3: which rule refuses most, and how near candidates came.
int explain_infeasible(const RunResult &result) {
    const RunCounters &counters = result.counters;
    const auto most = std::max_element(
        counters.refused.begin(), counters.refused.end(),
        [](const Refusals &a, const Refusals &b) { return a.candidates < b.candidates; });
    std::fprintf(
        stderr,
        "edgefront: no feasible network among the %lld evaluated. \"%s\" excludes most: "
        "%lld of them%s\n",
        static_cast<long long>(counters.evaluated), most->constraint.c_str(),
        static_cast<long long>(most->candidates),
        most->nearest ? fmt::format("; the nearest value seen is {}", *most->nearest).c_str() : "");
    return exit_infeasible;
}

void introduce(const RunConfig &config, const Options &options, const CostTables &tables) {
    const std::string budget = config.strategy == "exact"
                                   ? fmt::format("epsilon {}, {} MiB for labels", config.epsilon,
                                                 config.memory_bytes >> 20)
                                   : fmt::format("{} evaluations", config.evaluations);
    std::fprintf(
        stderr, "%s: strategy %s, seed %llu, %s; %zu different layers priced into %zu rows\n",
        options.run.c_str(), config.strategy.c_str(), static_cast<unsigned long long>(config.seed),
        budget.c_str(), tables.unique_layers(), tables.rows());
}

int run_sweep_command(const Options &options, bool quiet) {
    const Zoo zoo;
    const RunConfig config = configure(options, zoo, quiet);
    const DesignSpace space =
        read_space(JsonReader::parse(config.space.dump(), "run.json#/space"), zoo);
    const InterruptGuard guard;
    SweepOutcome outcome;
    {
        Progress progress(config.strategy == "exact" ? "steps" : "networks", quiet);
        Watch watch;
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
                introduce(config, options, tables);
            }
        };
        hooks.progress = [&](const SweepProgress &p) {
            progress.update(p.done, p.planned, [&] { return watch(p.front, space.objectives); });
        };
        outcome = run_sweep(config, options.run, zoo, hooks);
    }
    switch (outcome.end) {
    case SweepEnd::interrupted:
        std::fprintf(stderr,
                     "edgefront: interrupted, the state is saved; `edgefront sweep --run %s` "
                     "goes on\n",
                     options.run.c_str());
        return exit_interrupted;
    case SweepEnd::already_finished:
        std::fprintf(stderr, "edgefront: %s is finished already, nothing to do\n",
                     options.run.c_str());
        break;
    case SweepEnd::finished: break;
    }
    if (outcome.result.points.empty()) {
        return explain_infeasible(outcome.result);
    }
    OutputOptions().write(summary(outcome.result));
    return exit_ok;
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
    command
        ->add_option("--strategy", options->request.strategy,
                     "auto: exhaustive up to 200000 networks, else nsga2")
        ->check(CLI::IsMember(strategy_names()))
        ->capture_default_str();
    command->add_option("--seed", options->request.seed, "Seed of every random choice")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 53))
        ->capture_default_str();
    auto *evaluations =
        command->add_option("--evaluations", options->request.evaluations, "Budget of nsga2")
            ->check(CLI::PositiveNumber);
    command->add_option("--generations", options->request.generations, "Budget in generations")
        ->check(CLI::PositiveNumber)
        ->excludes(evaluations);
    command
        ->add_option("--population", options->request.population,
                     "nsga2's population, a multiple of 4")
        ->capture_default_str();
    command
        ->add_option("--epsilon", options->request.epsilon,
                     "exact: every network is matched within the factor 1 + epsilon in each "
                     "objective; 0 is exact, 0.01 quicker")
        ->check(CLI::Range(0.0, 10.0))
        ->capture_default_str();
    command
        ->add_option("--memory", options->memory_mib,
                     "exact: MiB for labels; when they need more, epsilon rises and the result "
                     "says how far")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    options->accuracy.add_to(*command);
    command->add_option("--threads", options->threads, "Never changes the result")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    command->footer("Examples:\n  edgefront sweep data/spaces/uib_small.json --run runs/first\n"
                    "  edgefront sweep data/spaces/mobilenet_v4_uib.json --run runs/v4 --strategy "
                    "exact --epsilon 0.01\n"
                    "  edgefront sweep --run runs/first            # goes on after Ctrl-C");
    command->callback([=, &session] {
        session.action = [=, &session] { return run_sweep_command(*options, session.quiet); };
    });
}

} // namespace edgefront
