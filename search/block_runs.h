// What the exact search (exact.h) puts behind its labels: the choices for a run of block positions
// taken at once. Of these, too, only those stay that no other beats, whatever stands before and
// behind them.
#pragma once

#include "search/labels.h"

namespace edgefront {

/// Positions `first` to `first + length - 1` of a stage; a network has all of them or none.
struct BlockRun {
    std::size_t stage = 0;
    std::size_t first = 0, length = 1;
};

/// The longest run that begins at a position of the stage with this index.
BlockRun longest_run(const Stage &stage, std::size_t index, std::size_t first);

class BlockRuns {
public:
    BlockRuns(const DesignSpace &space, const CostTables &tables, const ExactProblem &problem,
              const ChoiceBits &bits)
        : space_(space), tables_(tables), problem_(problem), bits_(bits) {}

    /// The run's useful choices as labels (sums and choices of these blocks alone), between blocks
    /// with sums of `before` and those that follow. `in`, `out`: choices of channels before and in
    /// the stage. Many of them are merged within the factor `allowed`; the result's factor says
    /// whether. A run with too many is shortened.
    Labels options(std::size_t context, BlockRun &run, const Rest &before, std::size_t in,
                   std::size_t out, double allowed) const;

    /// Whether a position has the rows of the one before it, so that both orders of two options
    /// cost the same: only the one with ascending options needs to be looked at.
    bool like_before(std::size_t context, std::size_t stage, std::size_t position,
                     std::size_t out) const;
    /// Notes the options, by bit, that a label needs to be extended by at the next position when
    /// that is like this one: `parents` labels were extended into these by options of the run's
    /// last position. Those before the label's own lead to what another label leads to; one that
    /// its parent could not be extended by is beaten here as well.
    void note_options(Labels &labels, std::size_t parents, std::size_t context,
                      const BlockRun &run) const;
    /// The option, an own number, that choices have at a position.
    std::size_t option(const std::int64_t *choices, std::size_t context, std::size_t stage,
                       std::size_t position) const;
    /// Notes that every option is needed.
    static void note_all(Labels &labels);
    static bool noted(std::int64_t note, std::size_t option) {
        return option >= 64 || (static_cast<std::uint64_t>(note) >> option & 1) != 0;
    }

private:
    Labels extended(std::size_t context, const BlockRun &run, std::size_t position, std::size_t in,
                    std::size_t out, const Labels &labels) const;

    const DesignSpace &space_;
    const CostTables &tables_;
    const ExactProblem &problem_;
    const ChoiceBits &bits_;
};

} // namespace edgefront
