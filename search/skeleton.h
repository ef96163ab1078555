// A skeleton of networks: a fixed stem and head, and stages of positions between them. Its own
// numbers count its own values: the second of a stage's channels, the third option of a position.
// `Menu` translates them to the axes of the space, which may have other skeletons too.
#pragma once

#include "dsl/block.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

using Choices = std::vector<int>;
constexpr int absent = -1;

/// What may stand at a position.
struct Option {
    std::string name; ///< "a5_k5_e3", "none", or as the space calls it
    /// Of a UIB the stage sets channels and stride; another row keeps the shape it is given.
    /// Nothing: the position stays empty.
    std::optional<Block> block;

    bool operator==(const Option &o) const { return name == o.name && block == o.block; }
    bool is_uib() const { return block && block->kind == BlockKind::uib; }
};

constexpr const char *no_block = "none";

/// A UIB as an option, named without repeats, stride and channels.
Option uib_option(const Block &uib);
/// The four types of `uib_type`: ExtraDW, IB, ConvNext, FFN.
const std::vector<std::string> &uib_types();
/// Of a UIB one of these, of another block the option's name, "" when there is none.
std::string option_type(const Option &option);

/// Blocks of one spatial size; the first one, always a UIB, carries the stride.
struct Stage {
    int stride = 1;
    std::vector<int> channels; ///< output channels at width 1
    std::vector<int> depths;   ///< numbers of positions, ascending
    std::vector<std::vector<Option>> positions;

    /// The option's row with what the stage sets; `channels` is an own number.
    Block placed(const Option &option, std::size_t position, std::size_t channels) const;
    double size() const; ///< different stages
};

/// The values of one axis that a skeleton offers.
struct Menu {
    std::vector<int> choices; ///< by own number; empty when the skeleton lacks the axis
    std::vector<int> nearest; ///< by choice: own number of the nearest value there is

    /// The own number; of `absent` the first.
    std::size_t own(int choice) const {
        return choice == absent
                   ? 0
                   : static_cast<std::size_t>(nearest[static_cast<std::size_t>(choice)]);
    }
};

struct Skeleton {
    std::string name; ///< empty when it is the only one
    std::vector<int> resolutions;
    std::vector<double> widths;
    std::vector<Activation> activations; ///< of every block that names none
    std::vector<Block> stem;
    std::vector<Stage> stages;
    std::vector<Block> head;

    // Filled by DesignSpace::lay_out.
    std::vector<Menu> menus;       ///< by axis
    std::size_t first_context = 0; ///< index of its contexts' first

    double size() const; ///< different networks; exact below 2^53
    /// Before each other block of a network: "small.s1", "s1" without a name.
    std::string stage_name(std::size_t stage) const;
};

} // namespace edgefront
