#include "dsl/safetensors.h"

#include "base/files.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace edgefront {

namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::size_t header_limit = 100'000'000; // the format's own limit

const std::vector<std::string> &dtype_names() {
    static const std::vector<std::string> names = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16",
                                                   "I8",  "U64", "U32", "U16",  "U8",  "BOOL"};
    return names;
}

std::int64_t dtype_bytes(const std::string &dtype) {
    const std::string digits = dtype == "BOOL" ? "8" : dtype.substr(dtype.find_first_of("1368"));
    return std::stoi(digits) / 8;
}

/// Product of the extents, or -1 when it exceeds `limit`.
std::int64_t elements(const std::vector<std::int64_t> &shape, std::int64_t limit) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) {
        if (extent != 0 && count > limit / extent) {
            return -1;
        }
        count *= extent;
    }
    return count;
}

std::uint64_t little_endian(const std::string &bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = length_bytes; i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

} // namespace

std::string shape_text(const std::vector<std::int64_t> &shape) {
    std::string text;
    for (const std::int64_t extent : shape) {
        text += (text.empty() ? "" : ", ") + std::to_string(extent);
    }
    return "[" + text + "]";
}

TensorFile::Entry TensorFile::read_entry(const JsonReader &json, std::size_t data_size) {
    Entry entry;
    const auto limit = static_cast<std::int64_t>(data_size);
    entry.dtype = dtype_names()[json.at("dtype").one_of(dtype_names())];
    entry.shape = json.at("shape").integers(0, INT64_MAX);
    const JsonReader offsets = json.at("data_offsets");
    const std::vector<std::int64_t> range = offsets.integers(0, limit);
    if (range.size() != 2 || range[0] > range[1]) {
        throw offsets.error("expected [begin, end] with begin <= end");
    }
    json.finish();
    const std::int64_t size = dtype_bytes(entry.dtype);
    const std::int64_t count = elements(entry.shape, limit / size);
    if (count < 0 || count * size != range[1] - range[0]) {
        throw offsets.error("the shape " + shape_text(entry.shape) + " of " + entry.dtype +
                            " does not take the " + std::to_string(range[1] - range[0]) +
                            " bytes from " + std::to_string(range[0]) + " to " +
                            std::to_string(range[1]));
    }
    entry.begin = static_cast<std::size_t>(range[0]);
    entry.end = static_cast<std::size_t>(range[1]);
    return entry;
}

void TensorFile::check_coverage(std::size_t data_size) const {
    using Item = std::pair<const std::string, Entry>;
    std::vector<const Item *> order;
    for (const Item &item : entries_) {
        order.push_back(&item);
    }
    std::sort(order.begin(), order.end(), [](const Item *a, const Item *b) {
        return std::pair(a->second.begin, a->second.end) <
               std::pair(b->second.begin, b->second.end);
    });
    std::size_t at = 0;
    std::string before = "the start";
    for (const Item *item : order) {
        const std::size_t begin = item->second.begin;
        if (begin != at) {
            throw UserError({file_, "/" + item->first + "/data_offsets"},
                            begin < at ? "overlaps the tensor \"" + before + "\""
                                       : "leaves a hole of " + std::to_string(begin - at) +
                                             " bytes after " + before);
        }
        at = item->second.end;
        before = item->first;
    }
    if (at != data_size) {
        throw UserError({file_, ""}, "holds " + std::to_string(data_size) +
                                         " bytes of data, but its tensors take " +
                                         std::to_string(at));
    }
}

TensorFile TensorFile::parse(std::string bytes, const std::string &file) {
    TensorFile result;
    result.file_ = file;
    const auto truncated = [&](const std::string &what) {
        return UserError({file, ""}, "not a whole safetensors file: " + what);
    };
    if (bytes.size() < length_bytes) {
        throw truncated("expected at least 8 bytes, found " + std::to_string(bytes.size()));
    }
    const std::uint64_t header = little_endian(bytes);
    if (header > header_limit || header > bytes.size() - length_bytes) {
        throw truncated("its header should take " + std::to_string(header) + " bytes, " +
                        std::to_string(bytes.size() - length_bytes) + " are there");
    }
    result.data_ = length_bytes + static_cast<std::size_t>(header);
    const std::size_t data_size = bytes.size() - result.data_;
    const JsonReader root =
        JsonReader::parse(bytes.substr(length_bytes, static_cast<std::size_t>(header)), file);
    for (const auto &[name, json] : root.members()) {
        if (name == "__metadata__") {
            for (const auto &[key, text] : json.members()) {
                text.string();
            }
        } else {
            result.entries_.emplace(name, read_entry(json, data_size));
        }
    }
    result.check_coverage(data_size);
    result.bytes_ = std::move(bytes);
    return result;
}

TensorFile TensorFile::read(const std::filesystem::path &path) {
    return parse(read_file(path), path.string());
}

std::vector<std::string> TensorFile::names() const {
    std::vector<std::string> result;
    for (const auto &item : entries_) {
        result.push_back(item.first);
    }
    return result;
}

FloatTensor TensorFile::floats(const std::string &name,
                               const std::vector<std::int64_t> &shape) const {
    const auto it = entries_.find(name);
    if (it == entries_.end()) {
        throw UserError({file_, ""}, "the tensor \"" + name + "\" (F32 " + shape_text(shape) +
                                         ") is missing" + did_you_mean(name, names()));
    }
    const Entry &entry = it->second;
    const Where where{file_, "/" + name};
    if (entry.dtype != "F32" || entry.shape != shape) {
        throw UserError(where, "expected F32 " + shape_text(shape) + ", found " + entry.dtype +
                                   " " + shape_text(entry.shape));
    }
    FloatTensor tensor{shape, std::vector<float>((entry.end - entry.begin) / sizeof(float))};
    std::memcpy(tensor.values.data(), bytes_.data() + data_ + entry.begin, entry.end - entry.begin);
    for (std::size_t i = 0; i < tensor.values.size(); i++) {
        if (!std::isfinite(tensor.values[i])) {
            throw UserError(where, "element " + std::to_string(i) + " is not finite");
        }
    }
    return tensor;
}

std::string write_safetensors(const TensorMap &tensors) {
    Json header = Json::object();
    std::string data;
    for (const auto &[name, tensor] : tensors) {
        const std::size_t begin = data.size();
        data.append(reinterpret_cast<const char *>(tensor.values.data()),
                    tensor.values.size() * sizeof(float));
        header[name] = {
            {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    std::string text = header.dump();
    text.resize((text.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
    std::string bytes(length_bytes, '\0');
    for (std::size_t i = 0; i < length_bytes; i++) {
        bytes[i] = static_cast<char>(text.size() >> (8 * i) & 255);
    }
    return bytes + text + data;
}

} // namespace edgefront
