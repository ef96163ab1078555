// The C compiler, archiver and object editor, run as child processes. For this machine $CC, $AR and
// $OBJCOPY replace `cc`, `ar` and `objcopy`; for another architecture $CROSS_COMPILE replaces the
// prefix of the names of its tools ("aarch64-linux-gnu-").
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace edgefront {

/// Whose code the tools make.
struct Toolchain {
    std::string prefix;   ///< of their names; "": this machine's
    std::string package;  ///< the Debian package that brings the C compiler
    std::string emulator; ///< runs here what they make; "": nothing is needed

    bool is_cross() const { return !prefix.empty(); }
};

/// The tools for a Halide target ("arm-64-linux"). Throws UserError when none are known for it.
Toolchain toolchain_for(const std::string &halide_target);

/// Runs `<C compiler> arguments...` in `directory`. Throws UserError when it is missing, or with
/// its first lines of complaint when it fails.
void run_c_compiler(const Toolchain &toolchain, const std::vector<std::string> &arguments,
                    const std::filesystem::path &directory);

/// A static library of these object files, with the same bytes for the same objects.
void make_archive(const Toolchain &toolchain, const std::filesystem::path &archive,
                  const std::vector<std::filesystem::path> &objects);

/// Gives symbols, defined or not, other names in an object file; those it has not are left out.
void rename_symbols(const Toolchain &toolchain, const std::filesystem::path &object,
                    const std::map<std::string, std::string> &names);

} // namespace edgefront
