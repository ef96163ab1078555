#include "app/refinement.h"

#include "app/child_process.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "reports/refinement_view.h"
#include "search/front_summary.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <filesystem>

namespace edgefront {

void RefineOptions::add_to(CLI::App &command) {
    auto *refine =
        command
            .add_option("--refine", points,
                        "Once the sweep is finished: price or measure the N most promising points "
                        "anew, which replaces their first figures, and rank them anew")
            ->check(CLI::Range(1, 1000000));
    command
        .add_option("--refine-by", by,
                    "search: fused groups and the full search of mappings, on targets that have "
                    "one; measure: time the kernels on this machine, for latencies on host "
                    "(default: search where the objectives allow it)")
        ->check(CLI::IsMember(refine_by_names()))
        ->needs(refine);
    command
        .add_option("--refine-seconds", seconds,
                    "measure: time to spend on timed runs per network (2)")
        ->check(CLI::Range(0.001, 3600.0))
        ->needs(refine);
    command
        .add_option("--refine-db", db,
                    "measure: take plans from this tuning database where it has them")
        ->check([](const std::string &path) { // now, not once the sweep is done
            std::error_code ignored;
            return std::filesystem::exists(path, ignored)
                       ? std::string()
                       : path + ": there is no such tuning database; `edgefront tune` makes one";
        })
        ->needs(refine);
}

int refine_run(const std::string &directory, const RefineOptions &options, int threads,
               bool quiet) {
    RefineRequest request;
    request.points = options.points;
    request.timed = options.seconds.has_value() || !options.db.empty();
    request.db = options.db;
    request.bench.duration = Seconds(options.seconds.value_or(2));
    for (std::size_t i = 0; i < refine_by_names().size(); i++) {
        if (options.by == refine_by_names()[i]) {
            request.by = static_cast<RefineBy>(i);
        }
    }
    const InterruptGuard guard;
    RefineOutcome outcome;
    {
        constexpr std::int64_t parts = 100; // of a network: compiling one can take minutes
        Progress progress("% of networks to refine", quiet);
        RefineHooks hooks;
        hooks.threads = threads;
        hooks.stop = InterruptGuard::requested;
        hooks.build.tool_version = EDGEFRONT_VERSION;
        hooks.measure = measure_apart;
        hooks.progress = [&](const RefineProgress &p) {
            const auto part = static_cast<std::int64_t>(std::floor(p.share * parts));
            progress.update(static_cast<std::int64_t>(p.done) * parts + part,
                            static_cast<std::int64_t>(p.planned) * parts, [&] {
                                return fmt::format("{} of {} done, {}", p.done, p.planned, p.doing);
                            });
        };
        outcome = refine(directory, Zoo(), request, hooks);
    }
    if (outcome.interrupted) {
        std::fprintf(stderr,
                     "edgefront: interrupted, what is refined is saved; `edgefront sweep --run %s "
                     "--refine %zu` goes on\n",
                     directory.c_str(), options.points);
        return exit_interrupted;
    }
    if (outcome.refined == 0 && !quiet) {
        std::fprintf(stderr, "edgefront: the points asked for are refined already\n");
    }
    OutputOptions().write(summary(outcome.result) + "\n" +
                          render(refinement_table(outcome.result), Format::table));
    return exit_ok;
}

} // namespace edgefront
