#include "dsl/tensor.h"

#include "base/error.h"

namespace edgefront {

std::string to_string(DataType type) {
    switch (type) {
    case DataType::fp32: return "fp32";
    case DataType::fp16: return "fp16";
    case DataType::int8: return "int8";
    }
    return "";
}

DataType parse_data_type(const std::string &text) {
    for (const DataType type : {DataType::fp32, DataType::fp16, DataType::int8}) {
        if (text == to_string(type)) {
            return type;
        }
    }
    throw UserError("unknown precision '" + text + "', expected fp32, fp16 or int8" +
                    did_you_mean(text, {"fp32", "fp16", "int8"}));
}

int size_of(DataType type) {
    switch (type) {
    case DataType::fp32: return 4;
    case DataType::fp16: return 2;
    case DataType::int8: return 1;
    }
    return 0;
}

std::string to_string(const Shape &shape) {
    return std::to_string(shape.height) + "x" + std::to_string(shape.width) + "x" +
           std::to_string(shape.channels);
}

} // namespace edgefront
