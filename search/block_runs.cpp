#include "search/block_runs.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// Fewer choices than this for a run are not worth any of epsilon, nor are so many before its end.
constexpr std::size_t few_options = 40, few_on_the_way = 5000;
/// With more choices, exact or not, runs cost more time than they save.
constexpr std::size_t most_exact = 1000, most_merged = 10000;

} // namespace

BlockRun longest_run(const Stage &stage, std::size_t index, std::size_t first) {
    std::size_t end = stage.positions.size();
    for (const int depth : stage.depths) {
        if (static_cast<std::size_t>(depth) > first) {
            end = std::min(end, static_cast<std::size_t>(depth));
        }
    }
    // The first block has rows of its own, by the channels before it.
    return {index, first, first == 0 ? 1 : end - first};
}

Labels BlockRuns::options(std::size_t context, BlockRun &run, const Rest &before, std::size_t in,
                          std::size_t out, double allowed) const {
    Labels options{problem_.sums(), bits_.words(), {}, 1};
    options.push(std::vector<std::int64_t>(options.row(), 0).data());
    // Most of what is allowed is for the end.
    const double at_end = std::pow(allowed, 0.8);
    const double on_the_way = std::pow(allowed / at_end, 1 / static_cast<double>(run.length));
    for (std::size_t n = 0; n < run.length; n++) {
        const std::size_t p = run.first + n;
        // To the options, what stands before and behind them is all to come.
        Rest around = before;
        problem_.append(around, problem_.rest(run.stage, p + 1, out));
        const std::size_t parents = options.size();
        const double factor = options.factor;
        options = prune(problem_, around, bits_, extended(context, run, p, in, out, options), 0);
        options.factor = factor;
        const bool last = n + 1 == run.length;
        if (allowed > 1 && options.size() > (last ? few_options : few_on_the_way)) {
            options =
                prune(problem_, around, bits_, options, {(last ? at_end : on_the_way) - 1, true});
        }
        if (n > 0 && options.size() > (allowed > 1 ? most_merged : most_exact)) {
            run.length = n;
            return this->options(context, run, before, in, out, allowed);
        }
        note_options(options, parents, context, {run.stage, p, 1});
    }
    return options;
}

/// All labels with every option of a position.
Labels BlockRuns::extended(std::size_t context, const BlockRun &run, std::size_t position,
                           std::size_t in, std::size_t out, const Labels &labels) const {
    Labels result{labels.sums, labels.words, {}, 1};
    const Skeleton &skeleton = space_.skeleton(space_.contexts()[context]);
    const std::size_t axis = space_.stage_axis(run.stage);
    const auto choose = [&](std::int64_t *label, std::size_t at, std::size_t own) {
        bits_.set(label + result.sums, at, skeleton.menus[at].choices[own]);
    };
    const bool choosy = labels.factor == 1 && position > run.first &&
                        like_before(context, run.stage, position, out);
    for (std::size_t o = 0; o < skeleton.stages[run.stage].positions[position].size(); o++) {
        const std::int64_t *row =
            tables_.block_row(run.stage, position, context, position == 0 ? in : 0, out, o);
        for (std::size_t i = 0; problem_.allowed(row) && i < labels.size(); i++) {
            if (choosy && !noted(labels.note(i), o)) {
                continue;
            }
            std::int64_t *label = result.push(labels.at(i));
            problem_.add(label, row);
            choose(label, axis + 2 + position, o);
            if (position == 0) {
                choose(label, axis, out);
            }
            result.note(result.size() - 1) = static_cast<std::int64_t>(i);
        }
    }
    return result;
}

bool BlockRuns::like_before(std::size_t context, std::size_t stage, std::size_t position,
                            std::size_t out) const {
    const Skeleton &skeleton = space_.skeleton(space_.contexts()[context]);
    const auto &positions = skeleton.stages[stage].positions;
    if (position < 2 || positions[position].size() != positions[position - 1].size()) {
        return false;
    }
    for (const std::size_t p : {position - 1, position}) {
        const auto &choices = skeleton.menus[space_.stage_axis(stage) + 2 + p].choices;
        if (!std::is_sorted(choices.begin(), choices.end())) {
            return false; // other options would stand first in the order of choices
        }
    }
    for (std::size_t o = 0; o < positions[position].size(); o++) {
        const auto row = [&](std::size_t p) {
            return tables_.block_row(stage, p, context, 0, out, o);
        };
        if (!std::equal(row(position), row(position) + tables_.columns(), row(position - 1))) {
            return false;
        }
    }
    return true;
}

std::size_t BlockRuns::option(const std::int64_t *choices, std::size_t context, std::size_t stage,
                              std::size_t position) const {
    const std::size_t axis = space_.stage_axis(stage) + 2 + position;
    return space_.skeleton(space_.contexts()[context]).menus[axis].own(bits_.get(choices, axis));
}

void BlockRuns::note_options(Labels &labels, std::size_t parents, std::size_t context,
                             const BlockRun &run) const {
    std::vector<std::uint64_t> found(parents, 0);
    const auto option_of = [&](std::size_t i) {
        return option(labels.choices(i), context, run.stage, run.first + run.length - 1);
    };
    for (std::size_t i = 0; i < labels.size(); i++) {
        if (option_of(i) < 64) {
            found[static_cast<std::size_t>(labels.note(i))] |= std::uint64_t{1} << option_of(i);
        }
    }
    for (std::size_t i = 0; i < labels.size(); i++) {
        const std::uint64_t later = option_of(i) < 64 ? ~std::uint64_t{0} << option_of(i) : 0;
        std::int64_t &note = labels.note(i);
        note = static_cast<std::int64_t>(found[static_cast<std::size_t>(note)] & later);
    }
}

void BlockRuns::note_all(Labels &labels) {
    for (std::size_t i = 0; i < labels.size(); i++) {
        labels.note(i) = -1;
    }
}

} // namespace edgefront
