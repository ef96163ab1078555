// edgefront merge RUN... -o DIR: the fronts of several sweeps of one space as one.
#include "app/command.h"
#include "search/front_summary.h"
#include "search/merge.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace edgefront {

namespace {

struct Options {
    std::vector<std::string> runs;
    std::string directory;
};

/// What each folder contributes, and how many runs they were.
void describe_merge(const std::vector<FoundRun> &runs, const RunResult &merged) {
    std::set<std::vector<std::string>> stay;
    for (const auto &point : merged.points) {
        stay.insert(point.choices);
    }
    for (const auto &run : runs) {
        const auto &points = run.result.points;
        const auto kept = std::count_if(points.begin(), points.end(), [&](const RunPoint &point) {
            return stay.count(point.choices) > 0;
        });
        std::fprintf(stderr, "%s: %td of its %zu points stay%s\n", run.folder.c_str(), kept,
                     points.size(), run.result.finished ? "" : " (the sweep is not finished)");
    }
    const std::size_t different = merged.config.merged.size();
    std::fprintf(stderr, "%zu different run%s\n", different, different == 1 ? "" : "s");
}

int run_merge(const Options &options, bool quiet) {
    std::vector<FoundRun> runs;
    for (const auto &folder : options.runs) {
        runs.push_back({folder, read_run(folder)});
    }
    const RunResult merged = merge_runs(runs, Zoo());
    write_merged(options.directory, merged);
    if (!quiet) {
        describe_merge(runs, merged);
    }
    if (merged.points.empty()) {
        std::fprintf(stderr, "edgefront: none of these runs found a feasible network\n");
        return exit_infeasible;
    }
    OutputOptions().write(summary(merged));
    return exit_ok;
}

} // namespace

void add_merge(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("merge", "Join the fronts of several sweeps of a space");
    command->add_option("run", options->runs, "Folders of sweeps, or of fronts merged before")
        ->required();
    command
        ->add_option("-o,--output", options->directory,
                     "Folder of the joined front: a run for front, report and --run DIR --point ID")
        ->required();
    command->footer(
        "The runs must share space, targets and version; seed, strategy and budget may differ. "
        "Their order does\nnot matter, and a run that is given twice counts once. The counts are "
        "sums: a network that several\nruns evaluated counts in each.\nExamples:\n"
        "  edgefront sweep data/spaces/uib_small.json --run runs/seed2 --seed 2\n"
        "  edgefront merge runs/first runs/seed2 -o runs/both");
    command->callback([=, &session] {
        session.action = [=, &session] { return run_merge(*options, session.quiet); };
    });
}

} // namespace edgefront
