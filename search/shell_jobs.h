// The user's own programs, several at once: /bin/sh runs each command line in a process group of
// its own, without input, its output in files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace edgefront {

/// A word that the shell takes as it is.
std::string shell_quoted(const std::string &word);

struct ShellJob {
    std::string command;
    std::filesystem::path output; ///< stdout goes here
    std::filesystem::path errors; ///< stderr goes here
};

struct ShellEnd {
    bool too_long = false; ///< ended by us
    int exit_code = 0;     ///< when it ended by itself
    int signal = 0;        ///< when a signal ended it

    bool well() const { return !too_long && exit_code == 0 && signal == 0; }
};

struct ShellHooks {
    int jobs = 1; ///< at the same time
    int timeout_s = 3600;
    std::function<bool()> stop;
    /// Told of every job that ended by itself or took too long, by index, as it ends.
    std::function<void(std::size_t, const ShellEnd &)> ended;
};

/// Runs them all. Once `stop` says so, those that run are ended with everything they started, and
/// the result is false; so they are when a hook throws, and (on Linux) when this program is killed.
/// What a command leaves running when it ends is ended. Throws UserError when none can be started
/// or a file cannot be written.
bool run_shell_jobs(const std::vector<ShellJob> &jobs, const ShellHooks &hooks);

} // namespace edgefront
