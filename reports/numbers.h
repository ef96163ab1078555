// How reports write numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace edgefront {

/// `digits` significant digits, never an exponent: "0.6531", "12.35", "14695".
std::string significant(double value, int digits = 4);

/// "14,695"
std::string grouped(std::int64_t count);

} // namespace edgefront
