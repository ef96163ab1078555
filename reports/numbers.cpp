#include "reports/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

std::string significant(double value, int digits) {
    if (value == 0) {
        return "0";
    }
    const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
    return fmt::format("{:.{}f}", value, std::max(0, digits - 1 - magnitude));
}

std::string grouped(std::int64_t count) {
    std::string text = std::to_string(count);
    const std::size_t sign = count < 0 ? 1 : 0;
    for (std::size_t end = text.size(); end > sign + 3; end -= 3) {
        text.insert(end - 3, ",");
    }
    return text;
}

} // namespace edgefront
