// The nest analysis of a fused group: strips of rows, slices of channels, line buffers. Every step
// (a member, on one strip and slice) is a nest of its own, counted by the parts of `array_nest`;
// here stands what strips and slices make of them.
#pragma once

#include "schedules/array_nest.h"
#include "schedules/fusion.h"
#include "schedules/loop_nest.h"

#include <array>
#include <vector>

namespace edgefront {

/// Equally high steps of one member or tensor.
struct RowRun {
    std::int64_t rows;
    std::int64_t times;
};

/// The rows of one tensor over all strips of a pass.
struct TensorRows {
    std::vector<RowRun> fresh; ///< rows that a strip makes or fetches, by height; no empty ones
    std::int64_t all = 0;      ///< of these, in sum: more than the tensor has where some recur
    std::int64_t most_fresh = 0;
    std::int64_t most_held = 0; ///< fresh ones and those that earlier strips left
    std::int64_t most_kept = 0; ///< that earlier strips left
};

/// How strips of `rows` rows of a group's output divide its tensors. A strip needs of each tensor
/// the rows from the first to the last that its windows touch, those that strides step over among
/// them; what lies outside is not made. The last strip makes all that is left, so that every tensor
/// is made whole whatever the plan.
struct Strips {
    std::int64_t count = 0;
    std::vector<TensorRows> tensors; ///< the group's input, then each member's output
};

/// A group as products, with what slices cut of each member.
class FusedProblem {
public:
    /// `fusion_obstacle(layers)` is empty.
    explicit FusedProblem(const std::vector<Layer> &layers);

    const std::vector<ArrayProblem> &members() const { return members_; }
    std::size_t size() const { return members_.size(); }
    /// Channels of the middle tensors that a plan works on at a time, and in how many slices.
    std::int64_t slice(const Fusion &plan) const;
    std::int64_t slices(const Fusion &plan) const;

    Strips strips(std::int64_t rows, bool keep_lines) const;
    /// Member `i` on `rows` output rows and, if slices cut it, `channels` of the middle tensors.
    ArrayProblem step(std::size_t i, std::int64_t rows, std::int64_t channels) const;
    /// Of all steps: cycles and elements that cross the arrays' border; no buffers.
    ArrayCounts count_steps(std::size_t i, const Mapping &arrays, const std::vector<RowRun> &rows,
                            std::int64_t slice) const;
    /// Whether a member's sums leave the array before they are complete, within one step.
    bool partial_sums(std::size_t i, const Mapping &arrays, std::int64_t slice) const;
    /// The member with all rows that it computes, those computed again among them.
    ArrayProblem worked(std::size_t i, const Strips &strips) const;

private:
    friend struct FusedTiles fused_tiles(const FusedProblem &, const Fusion &, const Strips &,
                                         unsigned);
    std::vector<ArrayProblem> members_;
    std::vector<std::int64_t> channels_; ///< of the group's input and the members' outputs
    bool sliced_ = false;
};

/// What of a plan lies in the scratchpad and crosses the border to the memory behind it.
struct FusedTiles {
    TileLevel tiles; ///< the group's input, all members' weights, output and residual
    Bytes lines;     ///< room for the tensors in between, which never leave

    Bytes footprint() const { return tiles.footprint() + lines; }
};

/// Independent of how the arrays are used, but for the members whose sums leave them early
/// (bit i of `partial`).
FusedTiles fused_tiles(const FusedProblem &problem, const Fusion &plan, const Strips &strips,
                       unsigned partial);

struct FusedNest {
    Fusion plan;
    std::vector<LoopNest> members; ///< their `tiles` are empty, the group's stand below
    std::vector<Layer> worked;     ///< members as high as what they compute, repetitions included
    FusedTiles level;

    Macs macs() const;     ///< useful ones; independent of the plan
    Macs repeated() const; ///< multiplied again because rows were not kept
    Bytes traffic() const; ///< across the arrays' border
};

/// Counts for any knob values from 1 up and as many members as layers; `rows` and `channels` above
/// the tensors' mean all of them, and `channels` is all where slices are not possible.
/// `fusion_obstacle(layers)` is empty.
///
/// Input, output and weights cross the border to the memory once, but
///   weights          strips times, if strips are outside of several slices and not all stay
///   input            slices times, if slices are outside of several strips; its halo rows again
///                    for every strip when lines are not kept
///   partial sums     slices - 1 times out and back, 4 bytes each, in the latter order.
FusedNest analyse(const std::vector<Layer> &layers, const Fusion &plan);

} // namespace edgefront
