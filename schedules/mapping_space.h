// Which mappings are legal for a layer on an array and its scratchpad. Everything that follows
// depends on the hardware's sizes only as an upper limit, so that larger hardware has every mapping
// of smaller hardware.
#pragma once

#include "schedules/array_nest.h"

#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace edgefront {

/// What a mapping needs to know of the hardware.
struct ArrayLimits {
    int rows = 1;
    int columns = 1;
    int arrays = 1;
    int groups_at_once = 1; ///< columns that may work on groups of their own (1: plain systolic)
    bool preload = false;   ///< what stays in the array has a second set of registers
    Bytes scratchpad;
};

/// "scratchpad bytes: the mapping takes 10, the hardware has 2 (input 4, output 6)".
std::string scratchpad_text(std::initializer_list<std::pair<const char *, Bytes>> parts,
                            Bytes limit);
/// The first limit of the arrays that a mapping breaks, with its figures; "" when there is none.
std::string too_large(const Mapping &mapping, const ArrayLimits &limits);
/// The first limit of arrays and scratchpad that a mapping breaks, with its figures and the nearest
/// change that would keep it, as a sentence; "" when it is legal.
std::string mapping_problem(const Layer &layer, const Mapping &mapping, const ArrayLimits &limits);

/// The legal choices, apart from each other. Sizes are those that cut a loop of n into t about
/// equal parts, ceil(n / t) for t = 1, 2, ..., the divisors among them; tiles of channels and of
/// the reduction also whole multiples of what the array holds, with a smaller last one.
class MappingSpace {
public:
    MappingSpace(const Layer &layer, const ArrayLimits &limits);

    const ArrayProblem &problem() const { return problem_; }
    const ArrayLimits &limits() const { return limits_; }

    /// How arrays share a tile: (pixel_arrays, channel_arrays), pixels and channels in even parts.
    const std::vector<std::pair<int, int>> &sharing() const { return sharing_; }
    std::vector<int> groups_at_once(int channel_arrays) const; ///< descending
    /// Of the array in use, for the other knobs of `m`, descending.
    std::vector<int> array_columns(const Mapping &m) const;
    std::vector<int> array_rows(const Mapping &m) const;

    std::vector<std::int64_t> group_tiles(const Mapping &m) const; ///< these, too, descending
    std::vector<std::int64_t> row_tiles() const;
    std::vector<std::int64_t> column_tiles() const;
    std::vector<std::int64_t> channel_tiles(const Mapping &m) const;
    std::vector<std::int64_t> reduction_tiles(const Mapping &m) const;

    /// Every dataflow and sharing; columns, rows and tile are left at 1.
    void for_each_sharing(const std::function<void(const Mapping &)> &visit) const;
    /// Everything but tile, order and buffers.
    void for_each_array(const std::function<void(const Mapping &)> &visit) const;
    /// Every mapping of the space, those that the scratchpad cannot hold among them.
    void for_each(const std::function<void(const Mapping &)> &visit) const;

private:
    ArrayProblem problem_;
    ArrayLimits limits_;
    std::vector<std::pair<int, int>> sharing_;
};

} // namespace edgefront
