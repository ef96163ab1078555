#include "dsl/family.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

int make_divisible(double value, int divisor, int minimum) {
    int n =
        std::max(minimum, static_cast<int>(std::floor(value + divisor / 2.0)) / divisor * divisor);
    if (n < 0.9 * value) {
        n += divisor;
    }
    return n;
}

int WidthRule::scale(double channels, double width) const {
    switch (rounding) {
    case Rounding::divisible: return make_divisible(channels * width, divisor, minimum);
    case Rounding::truncate: return std::max(static_cast<int>(channels * width), minimum);
    case Rounding::none: return std::max(static_cast<int>(std::lround(channels * width)), 1);
    }
    return 0;
}

Shape input_shape(const Family &family, const Variant &variant) {
    if (variant.resolution == 0) {
        const int own = family.input_width > 0 ? family.input_width : family.resolution;
        return {family.resolution, variant.input_width > 0 ? variant.input_width : own, 3};
    }
    return {variant.resolution, variant.input_width > 0 ? variant.input_width : variant.resolution,
            3};
}

std::string variant_name(const Family &family, const Variant &variant) {
    const Shape input = input_shape(family, variant);
    const bool usual = input == input_shape(family, {});
    std::string name = family.name;
    if (variant.width != 1.0 || !usual) {
        name += fmt::format("@{}", variant.width);
    }
    if (!usual) {
        name += fmt::format(",{}", input.height);
        name += input.width != input.height ? fmt::format("x{}", input.width) : "";
    }
    return name;
}

} // namespace edgefront
