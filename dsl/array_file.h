// Plain fp32 arrays from and to files: numpy's .npy (format 1 to 3, little-endian float32, C
// order), or raw little-endian floats in any other file.
#pragma once

#include "dsl/tensor.h"

#include <filesystem>
#include <vector>

namespace edgefront {

/// An NHWC tensor of this shape; a .npy file may have a leading batch of 1. Throws UserError naming
/// what was expected and found.
std::vector<float> read_tensor(const std::filesystem::path &path, const Shape &shape);

/// An NHWC tensor, as .npy of three dimensions where `path` ends so, raw otherwise. Whole or not at
/// all; throws UserError when it cannot be written.
void write_tensor(const std::filesystem::path &path, const std::vector<float> &values,
                  const Shape &shape);

} // namespace edgefront
