// Shapes and element types. Batch is always 1; the layout at every border is NHWC, channels
// innermost, so element (y, x, c) stands at (y * width + x) * channels + c.
#pragma once

#include "base/units.h"

#include <cstdint>
#include <string>

namespace edgefront {

enum class DataType { fp32, fp16, int8 };

std::string to_string(DataType type);
/// Parses "fp32", "fp16" or "int8"; throws UserError otherwise.
DataType parse_data_type(const std::string &text);
/// Bytes of one element.
int size_of(DataType type);

struct Shape {
    int height = 0;
    int width = 0;
    int channels = 0;

    std::int64_t elements() const { return std::int64_t{1} * height * width * channels; }
    bool operator==(const Shape &o) const {
        return height == o.height && width == o.width && channels == o.channels;
    }
    bool operator!=(const Shape &o) const { return !(*this == o); }
};

/// "112x112x32" (height, width, channels).
std::string to_string(const Shape &shape);

} // namespace edgefront
