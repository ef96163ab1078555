#include "app/front_axes.h"

#include "app/interrupt.h"
#include "app/progress.h"
#include "reports/axis_report.h"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace edgefront {

void AxesOptions::add_to(CLI::App &command) {
    command.add_flag("--axes", axes,
                     "Instead of the points: how many of them stay when MACs, parameters or top1 "
                     "alone are the quality (--format json: which)");
    auto *scores =
        command
            .add_option("--rank-hint", rank_hint,
                        "Instead of the points: NASWOT scores of the n points that cover the front "
                        "best, beside their parameters. Seconds per network; a hint, no accuracy")
            ->check(CLI::Range(3, 100000));
    command
        .add_option("--hint-resolution", hint.resolution,
                    "Score all networks at this resolution (default: each at its own)")
        ->check(CLI::Range(16, 4096))
        ->needs(scores);
    command.add_option("--hint-images", hint.naswot.images, "Images of noise for the scores")
        ->check(CLI::Range(2, 1024))
        ->needs(scores)
        ->capture_default_str();
    command.add_option("--hint-seed", hint.naswot.seed, "Seed of weights and images")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 53))
        ->needs(scores)
        ->capture_default_str();
    hint.naswot.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    command.add_option("--threads", hint.naswot.threads, "For the scores; never changes them")
        ->check(CLI::Range(1, 1024))
        ->needs(scores)
        ->capture_default_str();
    accuracy.add_to(command);
}

void AxesOptions::check() const {
    if (!axes && (accuracy.given() || accuracy.about_commands())) {
        throw UserError("a source of accuracies is an axis of --axes");
    }
    accuracy.require_used(accuracy.given() ? std::optional(accuracy.spec()) : std::nullopt);
}

namespace {

int interrupted(const char *what) {
    std::fprintf(stderr, "edgefront: interrupted%s\n", what);
    return exit_interrupted;
}

} // namespace

int print_axes(const AxesOptions &options, const RunResult &result,
               const std::vector<RunPoint> &points, const std::string &run,
               const OutputOptions &output, bool quiet) {
    const Zoo zoo;
    const InterruptGuard guard;
    std::vector<QualityAxis> all = own_axes(result, points, zoo);
    Json json = {{"run", run}, {"finished", result.finished}};
    Table table;
    if (options.accuracy.given()) {
        AccuracyHooks hooks = options.accuracy.hooks;
        hooks.folder = run;
        hooks.stop = InterruptGuard::requested;
        all.erase(std::remove_if(
                      all.begin(), all.end(), // the run's own makes room
                      [](const QualityAxis &axis) { return axis.name == to_string(Metric::top1); }),
                  all.end());
        try {
            all.push_back(accuracy_axis(result, points, zoo, options.accuracy.spec(), hooks));
        } catch (const AccuracyInterrupted &) {
            return interrupted(", what is known is kept");
        }
    }
    if (options.rank_hint > 0) {
        RankHintRequest request = options.hint;
        request.naswot.stop = InterruptGuard::requested;
        Progress progress("networks", quiet);
        request.progress = [&](std::size_t done) {
            progress.update(static_cast<std::int64_t>(done),
                            static_cast<std::int64_t>(points.size()), [] { return ""; });
        };
        try {
            all.push_back(rank_hint_axis(result, points, zoo, request));
        } catch (const NaswotInterrupted &) {
            return interrupted("");
        }
        const std::vector<QualityAxis> others(all.begin(), all.end() - 1);
        json["rank_hint"] = hint_json(points, others, all.back(), request);
        table = hint_table(result, points, others, all.back(), request);
    }
    if (options.axes) {
        const AxisSwap swap = swap_axes(result, points, std::move(all));
        json["axes"] = to_json(swap, points);
        const std::vector<std::string> notes = table.notes;
        table = to_table(swap, points);
        table.notes.insert(table.notes.end(), notes.begin(), notes.end());
    }
    output.write(table, json);
    return exit_ok;
}

} // namespace edgefront
