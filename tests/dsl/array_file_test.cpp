// Tensors from and to files: numpy's format and raw floats, exactly of the expected shape.
#include "base/error.h"
#include "base/files.h"
#include "dsl/array_file.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

std::string npy(const std::string &dictionary, const std::string &data, char version = 1) {
    std::string header = dictionary + "\n";
    std::string bytes = "\x93NUMPY";
    bytes += version;
    bytes += '\0';
    bytes += static_cast<char>(header.size());
    bytes += '\0';
    if (version >= 2) {
        bytes += std::string(2, '\0');
    }
    return bytes + header + data;
}

const std::string six_floats(24, '\0');

class ArrayFile : public ::testing::Test {
protected:
    ArrayFile() : folder_(::testing::TempDir() + "/edgefront-arrays") {}

    std::string message(const std::string &bytes) {
        write_file(folder_.path() / "x", bytes);
        try {
            EXPECT_EQ(read_tensor(folder_.path() / "x", {1, 2, 3}).size(), 6u);
        } catch (const UserError &e) {
            return e.what();
        }
        return "";
    }

    TemporaryFolder folder_;
};

TEST_F(ArrayFile, NumpyAndRawFilesOfTheRightSizeAreRead) {
    const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }";
    EXPECT_EQ(message(npy(good, six_floats)), "");
    EXPECT_EQ(message(npy(good, six_floats, 2)), "");
    EXPECT_EQ(
        message(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2, 3)}", six_floats)),
        "");
    EXPECT_EQ(message(six_floats), "");
}

TEST_F(ArrayFile, WhatIsWrittenIsReadAgain) {
    const std::vector<float> values = {1, -2.5f, 3, 1e-20f, 5, 6};
    for (const char *name : {"x.npy", "x.bin"}) {
        const std::filesystem::path path = folder_.path() / name;
        write_tensor(path, values, {1, 2, 3});
        EXPECT_EQ(read_tensor(path, {1, 2, 3}), values) << name;
        const bool numpy = path.extension() == ".npy";
        EXPECT_EQ(read_file(path).size(), values.size() * sizeof(float) + (numpy ? 128 : 0));
    }
    EXPECT_THROW(read_tensor(folder_.path() / "x.npy", {2, 1, 3}), UserError);
}

TEST_F(ArrayFile, AnotherTypeOrderShapeOrSizeIsRefused) {
    const auto refused = [&](const std::string &bytes, const std::string &part) {
        const std::string text = message(bytes);
        EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' not in: " << text;
    };
    refused(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 3)}", six_floats), "<f8");
    refused(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2, 3)}", six_floats),
            "fortran_order True");
    refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 2)}", six_floats),
            "(3, 1, 2)");
    refused(
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)}", six_floats.substr(4)),
        "found 20");
    refused(npy("{}", six_floats), "no descr");
    refused("\x93NUMPY", "not a whole");
    refused(std::string("\x93NUMPY\x01\0\xff\x7f{", 11), "not a whole");
    refused(six_floats + "x", "found 25");
    refused("", "found 0");
    refused(std::string(20, '\0') + std::string("\0\0\x80\x7f", 4), "not finite");
}

} // namespace
} // namespace edgefront
