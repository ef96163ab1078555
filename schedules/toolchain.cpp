#include "schedules/toolchain.h"

#include "base/error.h"
#include "schedules/emit.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char **environ;

namespace edgefront {

namespace {

/// The words of $NAME ("ccache gcc"), or the default.
std::vector<std::string> words_of(const char *variable, const std::string &fallback) {
    const char *value = std::getenv(variable);
    std::istringstream words(value == nullptr ? "" : value);
    std::vector<std::string> command;
    for (std::string word; words >> word;) {
        command.push_back(word);
    }
    return command.empty() ? std::vector<std::string>{fallback} : command;
}

constexpr const char *prefix_variable = "CROSS_COMPILE";

/// One of the programs: what it is, how people choose another one, how it is called.
struct Tool {
    std::string what;
    std::string variable;
    std::vector<std::string> command;
};

/// `names`: the tool's name here, and in other toolchains after their prefix.
Tool tool(const Toolchain &toolchain, const std::string &what, const char *variable,
          const std::pair<std::string, std::string> &names) {
    if (!toolchain.is_cross()) {
        return {what, variable, words_of(variable, names.first)};
    }
    Tool tool{what, prefix_variable, words_of(prefix_variable, toolchain.prefix)};
    tool.command.back() += names.second;
    return tool;
}

/// Architecture, bits and system of a Halide target: "arm-64-linux".
std::string machine(const std::string &halide_target) {
    std::size_t end = 0;
    for (int part = 0; part < 3 && end != std::string::npos; part++) {
        end = halide_target.find('-', part == 0 ? 0 : end + 1);
    }
    return halide_target.substr(0, end);
}

/// What the child said and how it ended.
struct Outcome {
    int spawn_error = 0; ///< errno when the program could not be started
    int status = 0;      ///< as of waitpid
    std::string output;  ///< stdout and stderr
};

Outcome run(const std::vector<std::string> &command, const std::string &directory) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return {errno, 0, ""};
    }
    std::vector<char *> arguments;
    for (const std::string &word : command) {
        arguments.push_back(const_cast<char *>(word.c_str()));
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    pid_t child = 0;
    Outcome outcome;
    outcome.spawn_error =
        ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = ::read(ends[0], buffer.data(), buffer.size())) != 0;) {
        if (n > 0) {
            outcome.output.append(buffer.data(), static_cast<std::size_t>(n));
        } else if (errno != EINTR) {
            break;
        }
    }
    ::close(ends[0]);
    if (outcome.spawn_error == 0) {
        while (::waitpid(child, &outcome.status, 0) < 0 && errno == EINTR) {
        }
    }
    return outcome;
}

/// The first few lines: the cause stands there.
std::string head(const std::string &text) {
    std::istringstream lines(text);
    std::string result;
    int count = 0;
    for (std::string line; count < 8 && std::getline(lines, line); count++) {
        result += "\n  " + line;
    }
    return result;
}

void run_or_throw(const Toolchain &toolchain, const Tool &tool,
                  const std::vector<std::string> &arguments, const std::string &directory) {
    std::vector<std::string> command = tool.command;
    const std::string program = command[0];
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Outcome outcome = run(command, directory);
    if (outcome.spawn_error == ENOENT) {
        throw UserError("no " + tool.what + ": '" + program +
                        "' is not on the PATH; install one (Debian: apt install " +
                        toolchain.package + ") or name " +
                        (toolchain.is_cross() ? "its prefix" : "it") + " with $" + tool.variable);
    }
    if (outcome.spawn_error != 0) {
        throw UserError("cannot run the " + tool.what + " '" + program +
                        "': " + std::strerror(outcome.spawn_error));
    }
    if (!WIFEXITED(outcome.status) || WEXITSTATUS(outcome.status) != 0) {
        throw UserError("the " + tool.what + " '" + program + "' failed" + head(outcome.output));
    }
}

} // namespace

Toolchain toolchain_for(const std::string &halide_target) {
    const std::string wanted = machine(halide_target);
    if (wanted == machine(host_kernel_target().text)) {
        return {"", "gcc", ""};
    }
    if (wanted == "arm-64-linux") {
        return {"aarch64-linux-gnu-", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
                "qemu-aarch64"};
    }
    if (wanted == "x86-64-linux") {
        return {"x86_64-linux-gnu-", "gcc-x86-64-linux-gnu libc6-dev-amd64-cross", "qemu-x86_64"};
    }
    throw UserError("no C compiler is known for the Halide target '" + halide_target +
                    "', expected arm-64-linux or x86-64-linux");
}

void run_c_compiler(const Toolchain &toolchain, const std::vector<std::string> &arguments,
                    const std::filesystem::path &directory) {
    run_or_throw(toolchain, tool(toolchain, "C compiler", "CC", {"cc", "gcc"}), arguments,
                 directory.string());
}

void make_archive(const Toolchain &toolchain, const std::filesystem::path &archive,
                  const std::vector<std::filesystem::path> &objects) {
    std::vector<std::string> arguments = {"rcsD", archive.string()};
    for (const auto &object : objects) {
        arguments.push_back(object.string());
    }
    run_or_throw(toolchain, tool(toolchain, "archiver", "AR", {"ar", "ar"}), arguments, ".");
}

void rename_symbols(const Toolchain &toolchain, const std::filesystem::path &object,
                    const std::map<std::string, std::string> &names) {
    std::vector<std::string> arguments;
    for (const auto &[from, to] : names) {
        arguments.insert(arguments.end(), {"--redefine-sym", from + "=" + to});
    }
    arguments.push_back(object.string());
    run_or_throw(toolchain, tool(toolchain, "object editor", "OBJCOPY", {"objcopy", "objcopy"}),
                 arguments, ".");
}

} // namespace edgefront
