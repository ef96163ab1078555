#include "dsl/array_file.h"

#include "base/error.h"
#include "base/files.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <string>

namespace edgefront {

namespace {

const std::string magic = "\x93NUMPY";

struct Npy {
    std::string type;  ///< "<f4"
    std::string order; ///< "True" for Fortran's
    std::string shape; ///< "224, 224, 3"
    std::size_t data = 0;
};

/// What stands between `open` and `close` after "'key':" in a Python dictionary.
std::optional<std::string> value_of(const std::string &dictionary, const std::string &key,
                                    const std::string &open, const std::string &close) {
    const std::string start = "'" + key + "': " + open;
    const std::size_t at = dictionary.find(start);
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t begin = at + start.size();
    const std::size_t end = dictionary.find(close, begin);
    if (end == std::string::npos) {
        return std::nullopt;
    }
    return dictionary.substr(begin, end - begin);
}

/// The header of numpy's format: magic, version, header length, a Python dictionary.
Npy parse_header(const std::string &bytes, const Where &where) {
    const auto byte = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
    };
    const std::size_t start = bytes.size() > 7 && byte(6) >= 2 ? 12 : 10;
    if (bytes.size() < start) {
        throw UserError(where, "not a whole .npy file");
    }
    std::size_t length = byte(8) + (byte(9) << 8);
    if (start == 12) {
        length += (byte(10) << 16) + (byte(11) << 24);
    }
    if (length > bytes.size() - start || length > 4096) {
        throw UserError(where, "not a whole .npy file");
    }
    const std::string header = bytes.substr(start, length);
    const auto type = value_of(header, "descr", "'", "'");
    const auto order = value_of(header, "fortran_order", "", ",");
    const auto shape = value_of(header, "shape", "(", ")");
    if (!type || !order || !shape) {
        throw UserError(where, "its .npy header has no descr, fortran_order and shape");
    }
    return {*type, *order, *shape, start + length};
}

} // namespace

std::vector<float> read_tensor(const std::filesystem::path &path, const Shape &shape) {
    const std::string bytes = read_file(path);
    const Where where{path.string(), ""};
    std::size_t data = 0;
    if (bytes.compare(0, magic.size(), magic) == 0) {
        const Npy npy = parse_header(bytes, where);
        const std::string plain = std::to_string(shape.height) + ", " +
                                  std::to_string(shape.width) + ", " +
                                  std::to_string(shape.channels);
        if (npy.type != "<f4" || npy.order != "False" ||
            (npy.shape != plain && npy.shape != "1, " + plain)) {
            throw UserError(where, "expected little-endian float32 (<f4) in C order of shape (" +
                                       plain + "), found " + npy.type + ", fortran_order " +
                                       npy.order + ", shape (" + npy.shape + ")");
        }
        data = npy.data;
    }
    const std::size_t expected = static_cast<std::size_t>(shape.elements()) * sizeof(float);
    if (bytes.size() - data != expected) {
        throw UserError(where, "expected " + std::to_string(expected) + " bytes of float32 for " +
                                   to_string(shape) + ", found " +
                                   std::to_string(bytes.size() - data));
    }
    std::vector<float> values(expected / sizeof(float));
    std::memcpy(values.data(), bytes.data() + data, expected);
    for (std::size_t i = 0; i < values.size(); i++) {
        if (!std::isfinite(values[i])) {
            throw UserError(where, "value " + std::to_string(i) + " is not finite");
        }
    }
    return values;
}

void write_tensor(const std::filesystem::path &path, const std::vector<float> &values,
                  const Shape &shape) {
    std::string bytes;
    if (path.extension() == ".npy") {
        std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                             std::to_string(shape.height) + ", " + std::to_string(shape.width) +
                             ", " + std::to_string(shape.channels) + "), }";
        header.resize(117, ' '); // 128 bytes with what stands around it
        bytes = magic + '\x01' + '\0' + '\x76' + '\0' + header + '\n';
    }
    bytes.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float));
    write_file(path, bytes);
}

} // namespace edgefront
