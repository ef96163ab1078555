#include "search/accuracy.h"

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "search/accuracy_anchored.h"
#include "search/accuracy_user.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

std::unique_ptr<AccuracySource> make_accuracy(const DesignSpace &space, const Zoo &zoo,
                                              const CostTables &tables, std::uint64_t seed,
                                              const AccuracyHooks &hooks) {
    if (!space.accuracy) {
        return nullptr;
    }
    switch (space.accuracy->source) {
    case AccuracySpec::Source::anchored: return make_anchored(space, zoo);
    case AccuracySpec::Source::csv: return make_accuracy_table(space, tables, seed);
    case AccuracySpec::Source::command: return make_accuracy_command(space, tables, seed, hooks);
    }
    return nullptr;
}

AccuracySpec pinned(const AccuracySpec &spec) {
    AccuracySpec now = spec;
    switch (spec.source) {
    case AccuracySpec::Source::anchored:
        now.hash = AnchoredFit(spec.family, spec.recipe).hash();
        break;
    case AccuracySpec::Source::csv: now.hash = stable_hash_hex(read_file(spec.file)); break;
    case AccuracySpec::Source::command: break;
    }
    if (!spec.hash.empty() && now.hash != spec.hash) {
        throw UserError(fmt::format("the values of the accuracy source {} are no longer those this "
                                    "run began with (hash {} then, {} now)",
                                    write_accuracy_spec(spec).dump(), spec.hash, now.hash));
    }
    return now;
}

void check_accuracy(const DesignSpace &space, const std::string &strategy) {
    const bool wanted = space.uses_top1();
    if (wanted && !space.accuracy) {
        throw UserError("top1 needs a source of accuracies: the space's key \"accuracy\", or "
                        "--accuracy-anchored, --accuracy-csv or --accuracy-command");
    }
    if (!wanted && space.accuracy) {
        throw UserError("the space names a source of accuracies, but neither an objective nor a "
                        "constraint asks for top1");
    }
    if (wanted && strategy == "exact") {
        throw UserError("the strategy exact adds up blocks, and top1 is no sum over blocks; use "
                        "exhaustive, nsga2, evolution, netadapt, local or reward");
    }
}

void add_top1(Evaluation &evaluation, const Top1 &top1, const DesignSpace &space,
              const CostTables &tables) {
    if (top1.refused) {
        evaluation.broken.push_back({tables.first_accuracy_rule() + *top1.refused, 0});
        evaluation.violation += 1;
        evaluation.priced = false;
        evaluation.reason = top1.reason;
        return;
    }
    for (std::size_t o = 0; o < space.objectives.size(); o++) {
        if (space.objectives[o].measure.metric == Metric::top1) {
            evaluation.values[o] = top1.percent;
        }
    }
    for (std::size_t c = 0; c < space.constraints.size(); c++) {
        const Constraint &constraint = space.constraints[c];
        if (constraint.measure.metric == Metric::top1) {
            tables.judge(evaluation, c, top1.percent);
        }
    }
}

} // namespace edgefront
