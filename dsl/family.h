// A network family: its table of blocks and its own rules for width. `build` is the only way from
// the table to layers; the JSON files in data/networks/ are the same thing as data (family_json.h).
#pragma once

#include "dsl/block.h"
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

enum class Padding {
    same,      ///< TensorFlow: total padding split with the odd row at the bottom and right
    symmetric, ///< PyTorch: kernel / 2 on every side
};

struct Family {
    std::string name;
    std::vector<std::string> aliases; ///< timm's names for width 1 and other spellings
    std::string paper;
    std::string source;
    int resolution = 224;
    std::vector<int> resolutions;
    int classes = 1000;
    Activation activation = Activation::relu;
    Padding padding = Padding::symmetric;
    double batch_norm_epsilon = 1e-5;
    WidthRule width;
    double base_width = 1; ///< of a scaled size (EfficientNet-B2: 1.1); the multiplier comes on top
    double depth = 1;      ///< of a scaled size: bottlenecks repeat ceil(depth * repeat) times
    std::vector<Block> blocks; ///< body and head, in order
};

/// One member of a family.
struct Variant {
    double width = 1.0;
    int resolution = 0;                       ///< 0: the family's default
    std::optional<int> classes;               ///< the family's default when empty
    std::optional<int> last_channels;         ///< replaces the width-1 channels of `Block::last`
    std::optional<WidthRule::Stem> stem_rule; ///< replaces the family's
};

/// Expands every block to layers. Throws UserError for a width or resolution that cannot be built.
Network build(const Family &family, const Variant &variant = {});

/// "mobilenet_v2", "mobilenet_v2@0.5" or "mobilenet_v2@0.5,160": the canonical name of a variant.
std::string variant_name(const Family &family, const Variant &variant);

} // namespace edgefront
