// The strict reader: what is written is read back, and every kind of damage has its message.
#include "base/random.h"
#include "dsl/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace edgefront {
namespace {

TensorMap two_tensors() {
    return {{"a.weight", {{2, 3}, {1, 2, 3, 4, 5, 6}}}, {"b.bias", {{2}, {-1, 0.5f}}}};
}

/// A file with this header and `data` bytes of zeros.
std::string file_with(const std::string &header, std::size_t data) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; i++) {
        bytes[i] = static_cast<char>(header.size() >> (8 * i) & 255);
    }
    return bytes + header + std::string(data, '\0');
}

/// The message of the error that `parse` throws, or "" when it throws none.
std::string message(const std::string &bytes) {
    try {
        TensorFile::parse(bytes, "w.safetensors");
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

void expect_mentions(const std::string &text, const std::vector<std::string> &parts) {
    for (const std::string &part : parts) {
        EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
    }
}

TEST(Safetensors, WhatIsWrittenIsReadBack) {
    const TensorFile file = TensorFile::parse(write_safetensors(two_tensors()), "w");
    EXPECT_EQ(file.names(), (std::vector<std::string>{"a.weight", "b.bias"}));
    EXPECT_EQ(file.floats("a.weight", {2, 3}), two_tensors().at("a.weight"));
    EXPECT_EQ(file.floats("b.bias", {2}), two_tensors().at("b.bias"));
}

TEST(Safetensors, MetadataAndTensorsInAnyOrderAreAccepted) {
    const std::string header = R"({"__metadata__":{"format":"pt"},)"
                               R"("z":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                               R"("a":{"dtype":"I64","shape":[],"data_offsets":[4,12]}})";
    EXPECT_EQ(message(file_with(header, 12)), "");
}

TEST(Safetensors, ATruncatedFileIsRefusedAtEveryLength) {
    const std::string whole = write_safetensors(two_tensors());
    for (std::size_t n = 0; n < whole.size(); n++) {
        expect_mentions(message(whole.substr(0, n)), {"w.safetensors"});
    }
}

TEST(Safetensors, OverlapsHolesAndLeftOverBytesAreRefused) {
    const auto two = [](const std::string &offsets) {
        return R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":)" +
               offsets + "}}";
    };
    EXPECT_EQ(message(file_with(two("[8,16]"), 16)), "");
    expect_mentions(message(file_with(two("[4,12]"), 12)), {"/y/data_offsets", "overlaps", "x"});
    expect_mentions(message(file_with(two("[12,20]"), 20)), {"/y/data_offsets", "hole of 4 bytes"});
    expect_mentions(message(file_with(two("[8,16]"), 20)), {"20 bytes", "take 16"});
    expect_mentions(message(file_with(two("[8,16]"), 12)), {"/y/data_offsets/1"});
    expect_mentions(message(file_with(two("[16,8]"), 16)), {"/y/data_offsets", "begin <= end"});
    expect_mentions(message(file_with(two("[8,12]"), 12)), {"does not take"});
}

TEST(Safetensors, ABadHeaderSaysWhereItIsBad) {
    expect_mentions(message(file_with("{\"x\":", 0)), {"not valid JSON"});
    expect_mentions(message(file_with("[]", 0)), {"an object"});
    expect_mentions(
        message(file_with(R"({"x":{"dtype":"F31","shape":[],"data_offsets":[0,4]}})", 4)),
        {"/x/dtype", "F31", "F32"});
    expect_mentions(message(file_with(R"({"x":{"dtype":"F32","shape":[1]}})", 0)),
                    {"/x", "data_offsets"});
    expect_mentions(
        message(file_with(R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4)),
        {"/x/shape/0"});
    expect_mentions(
        message(file_with(R"({"x":{"dtype":"F32","shape":[],"data_offsets":[0,4],"e":1}})", 4)),
        {"/x", "unknown key", "e"});
    const std::string huge =
        R"({"x":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,4]}})";
    expect_mentions(message(file_with(huge, 4)), {"/x/data_offsets"});
    expect_mentions(message(std::string(8, '\xff') + "{}"), {"header"});
}

TEST(Safetensors, AWrongTypeShapeNameOrValueNamesTheTensor) {
    TensorMap tensors = two_tensors();
    tensors["b.bias"].values[1] = std::numeric_limits<float>::quiet_NaN();
    const TensorFile file = TensorFile::parse(write_safetensors(tensors), "w");
    const auto asked = [&](const std::string &name, const std::vector<std::int64_t> &shape) {
        try {
            file.floats(name, shape);
        } catch (const UserError &e) {
            return std::string(e.what());
        }
        return std::string();
    };
    expect_mentions(asked("a.weight", {3, 2}), {"a.weight", "[3, 2]", "[2, 3]"});
    expect_mentions(asked("a.weigth", {2, 3}), {"a.weigth", "missing", "did you mean 'a.weight'"});
    expect_mentions(asked("b.bias", {2}), {"b.bias", "element 1", "not finite"});
}

TEST(Safetensors, MutatedFilesAreReadOrRefusedButNeverCrash) {
    const std::string whole = write_safetensors(two_tensors());
    const std::size_t structured = whole.size() - 32; // length and header
    Random random(7);
    int refused = 0;
    for (int i = 0; i < 4000; i++) {
        std::string bytes = whole;
        for (std::uint64_t n = 1 + random.below(3); n > 0; n--) {
            const std::size_t at = random.below(structured);
            switch (random.below(4)) {
            case 0: bytes[at] = static_cast<char>(random.below(256)); break;
            case 1: bytes[at] = static_cast<char>('0' + random.below(10)); break;
            case 2: bytes.erase(at, 1 + random.below(4)); break;
            case 3: bytes.insert(at, 1 + random.below(3), "[]{}\",:09-"[random.below(10)]); break;
            }
        }
        try {
            const TensorFile file = TensorFile::parse(bytes, "w");
            for (const std::string &name : file.names()) {
                try {
                    file.floats(name, {2, 3});
                } catch (const UserError &) {
                }
            }
        } catch (const UserError &) {
            refused++;
        }
    }
    EXPECT_GT(refused, 3000);
}

} // namespace
} // namespace edgefront
