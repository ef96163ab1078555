// The system's C compiler and archiver, run as child processes. $CC and $AR replace `cc` and `ar`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

/// Runs `<C compiler> arguments...` in `directory`. Throws UserError when it is missing, or with
/// its first lines of complaint when it fails.
void run_c_compiler(const std::vector<std::string> &arguments,
                    const std::filesystem::path &directory);

/// A static library of these object files, with the same bytes for the same objects.
void make_archive(const std::filesystem::path &archive,
                  const std::vector<std::filesystem::path> &objects);

} // namespace edgefront
