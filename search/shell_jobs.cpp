#include "search/shell_jobs.h"

#include "base/error.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

struct Running {
    pid_t group = 0; ///< and its first process
    std::size_t job = 0;
    Clock::time_point begin;
};

pid_t start(const ShellJob &job) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&files, 1, job.output.c_str(), flags, 0644);
    posix_spawn_file_actions_addopen(&files, 2, job.errors.c_str(), flags, 0644);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    std::string shell = "sh", option = "-c", command = job.command;
    char *const arguments[] = {shell.data(), option.data(), command.data(), nullptr};
    pid_t child = 0;
    const int error = ::posix_spawn(&child, "/bin/sh", &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) {
        throw UserError("cannot run /bin/sh -c '" + job.command + "': " + std::strerror(error));
    }
    return child;
}

/// Asks all to end, and after two seconds no longer asks.
void end_all(const std::vector<Running> &running) {
    for (const Running &r : running) {
        ::kill(-r.group, SIGTERM);
    }
    const auto patience = Clock::now() + std::chrono::seconds(2);
    for (const Running &r : running) {
        int status = 0;
        pid_t ended = 0;
        while ((ended = ::waitpid(r.group, &status, WNOHANG)) == 0 && Clock::now() < patience) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        // What the shell left behind is in the same group; while any of it lives, no other
        // process can have the number.
        ::kill(-r.group, SIGKILL);
        if (ended == 0) {
            ::waitpid(r.group, &status, 0);
        }
    }
}

} // namespace

std::string shell_quoted(const std::string &word) {
    std::string quoted = "'";
    for (const char c : word) {
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return quoted + "'";
}

bool run_shell_jobs(const std::vector<ShellJob> &jobs, const ShellHooks &hooks) {
    std::vector<Running> running;
    std::size_t next = 0;
    auto pause = std::chrono::milliseconds(1);
    while (next < jobs.size() || !running.empty()) {
        if (hooks.stop && hooks.stop()) {
            end_all(running);
            return false;
        }
        while (next < jobs.size() && running.size() < static_cast<std::size_t>(hooks.jobs)) {
            try {
                running.push_back({start(jobs[next]), next, Clock::now()});
            } catch (const UserError &) {
                end_all(running);
                throw;
            }
            next++;
        }
        bool ended_any = false;
        for (auto it = running.begin(); it != running.end();) {
            ShellEnd outcome;
            int status = 0;
            if (::waitpid(it->group, &status, WNOHANG) != 0) {
                outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
                outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
            } else if (Clock::now() - it->begin > std::chrono::seconds(hooks.timeout_s)) {
                outcome.too_long = true;
                end_all({*it});
            } else {
                ++it;
                continue;
            }
            hooks.ended(it->job, outcome);
            it = running.erase(it);
            ended_any = true;
        }
        // Short commands are noticed at once, long ones cost nothing to wait for.
        pause = ended_any ? std::chrono::milliseconds(1)
                          : std::min(2 * pause, std::chrono::milliseconds(50));
        if (!ended_any) {
            std::this_thread::sleep_for(pause);
        }
    }
    return true;
}

} // namespace edgefront
