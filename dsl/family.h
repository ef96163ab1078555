// A network family: its table of blocks and its own rules for width. `build` is the only way from
// the table to layers; the JSON files in data/networks/ are the same thing as data (family_json.h).
#pragma once

#include "dsl/block.h"
#include "dsl/definition.h"
#include "dsl/network.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// How channels follow the width multiplier.
struct WidthRule {
    enum class Rounding {
        divisible, ///< nearest multiple of `divisor`, plus one step if that lost more than 10 %
        truncate,  ///< (int) cast, as MobileNetV1 does
        none,      ///< nearest integer: channels are a table of their own
    };
    /// When the last convolution (`Block::last`) scales.
    enum class Last { always, above_one, never };
    /// When the first convolution scales.
    enum class Stem { scaled, fixed_below_one };

    Rounding rounding = Rounding::divisible;
    int divisor = 8;
    int minimum = 8;
    Last last = Last::always;
    Stem stem = Stem::scaled;
    std::vector<double> values; ///< the published multipliers

    int scale(double channels, double width) const;
};

/// Nearest multiple of `divisor` (half rounds up), at least `minimum`, one step more when that lost
/// over 10 % (tensorflow/models and torchvision `_make_divisible`).
int make_divisible(double value, int divisor = 8, int minimum = 8);

struct Family {
    std::string name;
    std::vector<std::string> aliases; ///< timm's names for width 1 and other spellings
    std::string paper;
    std::string source;
    int resolution = 224; ///< height of the input
    int input_width = 0;  ///< its width; 0: as its height
    std::vector<int> resolutions;
    int classes = 1000;
    Activation activation = Activation::relu;
    Padding padding = Padding::symmetric;
    double batch_norm_epsilon = 1e-5;
    bool layer_scale = false; ///< the projections of all UIB blocks have one (Node::layer_scale)
    SqueezeExcite squeeze_excite; ///< where a row says no more than that it has one
    WidthRule width;
    double base_width = 1; ///< of a scaled size (EfficientNet-B2: 1.1); the multiplier comes on top
    double depth = 1;      ///< of a scaled size: bottlenecks repeat ceil(depth * repeat) times
    std::vector<Definition> definitions; ///< further kinds of rows
    std::vector<Block> blocks;           ///< body and head, in order
};

/// One member of a family.
struct Variant {
    double width = 1.0;
    int resolution = 0;                       ///< height of the input; 0: the family's default
    int input_width = 0;                      ///< its width; 0: the family's, or as its height
    std::optional<int> classes;               ///< the family's default when empty
    std::optional<int> last_channels;         ///< replaces the width-1 channels of `Block::last`
    std::optional<WidthRule::Stem> stem_rule; ///< replaces the family's
    std::optional<int> stem_kernel;           ///< replaces the first convolution's

    Variant(double w = 1.0, int r = 0) : width(w), resolution(r) {}
};

/// Height, width and channels of the variant's input.
Shape input_shape(const Family &family, const Variant &variant);

/// Expands every block to layers. Throws UserError for a width or resolution that cannot be built,
/// and for a row whose layers do not fit together, with its place in the file.
Network build(const Family &family, const Variant &variant = {});

/// "mobilenet_v2", "mobilenet_v2@0.5" or "mobilenet_v2@0.5,160": the canonical name of a variant;
/// with an input of 512 by 1024 pixels "mobilenet_v2@0.5,512x1024".
std::string variant_name(const Family &family, const Variant &variant);

} // namespace edgefront
