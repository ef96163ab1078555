// Which mappings are legal for a layer on an array and its scratchpad. Everything that follows
// depends on the hardware's sizes only as an upper limit, so that larger hardware has every mapping
// of smaller hardware.
#pragma once

#include "schedules/array_nest.h"
#include "schedules/loop_nest.h"

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
    // Of a vector processor: its arrays are the register files of its units, rows and columns are
    // as many as the registers hold.
    int registers = 0;      ///< of a unit; 0: arrays of `rows` x `columns`
    int register_bytes = 1; ///< of one vector
    int vector_channels = 1;
    int vector_pixels = 1;

    bool vectors() const { return registers > 0; }
};

/// "scratchpad bytes: the mapping takes 10, the hardware has 2 (input 4, output 6)", of `what`.
std::string scratchpad_text(const std::string &what,
                            std::initializer_list<std::pair<const char *, Bytes>> parts,
                            Bytes limit);
/// Registers of a vector unit that the mapping takes, for elements of so many bytes: what stays (an
/// output stationary tile keeps sums), and one for each of the operands that pass.
std::int64_t registers_in_use(const Mapping &mapping, const ArrayLimits &limits,
                              std::int64_t element);

/// The first limit of the arrays that a mapping breaks, with its figures and, of registers, the
/// nearest change that would keep it; "" when there is none.
std::string too_large(const Layer &layer, const Mapping &mapping, const ArrayLimits &limits);
/// Whether the plan is a mapping that breaks none of them.
bool fits_arrays(const Layer &layer, const Plan &plan, const ArrayLimits &limits);
/// The first limit of arrays and scratchpad that a mapping breaks, with its figures and the nearest
/// change that would keep it, as a sentence; "" when it is legal.
std::string mapping_problem(const Layer &layer, const Mapping &mapping, const ArrayLimits &limits);

/// The legal choices, apart from each other. Sizes are those that cut a loop of n into t about
/// equal parts, ceil(n / t) for t = 1, 2, ..., the divisors among them; tiles of channels and of
/// the reduction also whole multiples of what the array holds, with a smaller last one. Of a vector
/// processor all sizes are in whole vectors.
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

    /// An output (or vector of outputs) at a time, and the smallest tile.
    Mapping smallest() const;
    /// Every dataflow and sharing; columns, rows and tile are left at 1.
    void for_each_sharing(const std::function<void(const Mapping &)> &visit) const;
    /// Everything but tile, order and buffers.
    void for_each_array(const std::function<void(const Mapping &)> &visit) const;
    /// Every mapping of the space, those that the scratchpad cannot hold among them.
    void for_each(const std::function<void(const Mapping &)> &visit) const;

private:
    /// Dataflow and all sharing at 1, vectors as the hardware has them.
    Mapping first() const;
    /// Columns of one group that the hardware has for the other knobs of `m`.
    std::int64_t most_columns(const Mapping &m) const;

    ArrayProblem problem_;
    ArrayLimits limits_;
    std::vector<std::pair<int, int>> sharing_;
};

} // namespace edgefront
