// Reader and writer of safetensors files (huggingface/safetensors, format 1): 8 bytes header length
// (little-endian), a JSON header {"name": {"dtype", "shape", "data_offsets": [begin, end]}}, then
// the tensors' bytes. Strict: tensors must fill the data without holes or overlaps.
#pragma once

#include "base/json_reader.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace edgefront {

/// Row-major fp32.
struct FloatTensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
    bool operator==(const FloatTensor &o) const { return shape == o.shape && values == o.values; }
};

using TensorMap = std::map<std::string, FloatTensor>;

class TensorFile {
public:
    /// `file` names the source in messages. Throws UserError on anything out of order.
    static TensorFile parse(std::string bytes, const std::string &file);
    static TensorFile read(const std::filesystem::path &path);

    /// Sorted.
    std::vector<std::string> names() const;
    bool has(const std::string &name) const { return entries_.count(name) > 0; }

    /// The values of `name`, which must be F32, of exactly this shape and finite; UserError
    /// otherwise, with the nearest name when it is missing.
    FloatTensor floats(const std::string &name, const std::vector<std::int64_t> &shape) const;

    const std::string &file() const { return file_; }

private:
    struct Entry {
        std::string dtype;
        std::vector<std::int64_t> shape;
        std::size_t begin = 0; ///< within the file's bytes
        std::size_t end = 0;
    };
    static Entry read_entry(const JsonReader &json, std::size_t data_size);
    void check_coverage(std::size_t data_size) const;

    std::string file_;
    std::string bytes_;
    std::size_t data_ = 0; ///< where the tensors' bytes start
    std::map<std::string, Entry> entries_;
};

/// A whole file with these tensors as F32, in the order of their names.
std::string write_safetensors(const TensorMap &tensors);

/// "[32, 3, 3, 3]"
std::string shape_text(const std::vector<std::int64_t> &shape);

} // namespace edgefront
