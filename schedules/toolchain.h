// The system's C compiler, archiver and object editor, run as child processes. $CC, $AR and
// $OBJCOPY replace `cc`, `ar` and `objcopy`.
#pragma once

#include <filesystem>
#include <map>
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

/// Gives symbols, defined or not, other names in an object file; those it has not are left out.
void rename_symbols(const std::filesystem::path &object,
                    const std::map<std::string, std::string> &names);

} // namespace edgefront
