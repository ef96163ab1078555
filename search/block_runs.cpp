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

BlockRun longest_run(const DesignSpace &space, std::size_t stage, std::size_t first) {
    const Stage &s = space.stages[stage];
    std::size_t end = s.positions.size();
    for (const int depth : s.depths) {
        if (static_cast<std::size_t>(depth) > first) {
            end = std::min(end, static_cast<std::size_t>(depth));
        }
    }
    // The first block has rows of its own, by the channels before it.
    return {stage, first, first == 0 ? 1 : end - first};
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
        note_options(options, parents, space_.stage_axis(run.stage) + 2 + p);
    }
    return options;
}

/// All labels with every option of a position.
Labels BlockRuns::extended(std::size_t context, const BlockRun &run, std::size_t position,
                           std::size_t in, std::size_t out, const Labels &labels) const {
    Labels result{labels.sums, labels.words, {}, 1};
    const std::size_t axis = space_.stage_axis(run.stage);
    const bool choosy = labels.factor == 1 && position > run.first &&
                        like_before(context, run.stage, position, out);
    for (std::size_t o = 0; o < space_.stages[run.stage].positions[position].size(); o++) {
        const std::int64_t *row =
            tables_.block_row(run.stage, position, context, position == 0 ? in : 0, out, o);
        for (std::size_t i = 0; problem_.allowed(row) && i < labels.size(); i++) {
            if (choosy && !noted(labels.note(i), o)) {
                continue;
            }
            std::int64_t *label = result.push(labels.at(i));
            problem_.add(label, row);
            bits_.set(label + result.sums, axis + 2 + position, static_cast<int>(o));
            if (position == 0) {
                bits_.set(label + result.sums, axis, static_cast<int>(out));
            }
            result.note(result.size() - 1) = static_cast<std::int64_t>(i);
        }
    }
    return result;
}

bool BlockRuns::like_before(std::size_t context, std::size_t stage, std::size_t position,
                            std::size_t out) const {
    const auto &positions = space_.stages[stage].positions;
    if (position < 2 || positions[position].size() != positions[position - 1].size()) {
        return false;
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

void BlockRuns::note_options(Labels &labels, std::size_t parents, std::size_t axis) const {
    std::vector<std::uint64_t> found(parents, 0);
    const auto option = [&](std::size_t i) {
        return static_cast<std::size_t>(bits_.get(labels.choices(i), axis));
    };
    for (std::size_t i = 0; i < labels.size(); i++) {
        if (option(i) < 64) {
            found[static_cast<std::size_t>(labels.note(i))] |= std::uint64_t{1} << option(i);
        }
    }
    for (std::size_t i = 0; i < labels.size(); i++) {
        const std::uint64_t later = option(i) < 64 ? ~std::uint64_t{0} << option(i) : 0;
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
