#include "search/shell_jobs.h"

#include "base/error.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
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

/// A file that a command writes. One of that name stays with who has it open: what an earlier run
/// has left behind must not write into this one's.
int output_file(const std::filesystem::path &path) {
    ::unlink(path.c_str());
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) {
        throw UserError({path.string(), ""}, std::string("cannot write: ") + std::strerror(errno));
    }
    return file;
}

/// Of a child that cannot go on.
[[noreturn]] void give_up() {
    for (;;) {
        ::kill(::getpid(), SIGKILL);
    }
}

[[noreturn]] void run_shell(const char *command) {
    ::signal(SIGTERM, SIG_DFL);
    ::signal(SIGUSR2, SIG_DFL);
    ::execl("/bin/sh", "sh", "-c", command, static_cast<char *>(nullptr));
    give_up();
}

/// The first process of a command's group, which sees that nothing of it outlives this program,
/// even when that is killed. It ends as the shell does.
[[noreturn]] void run_group(const char *command, pid_t parent, int output, int errors) {
    ::setpgid(0, 0);
    ::signal(SIGTERM, SIG_IGN); // it ends last
    ::signal(SIGUSR2, [](int) { ::kill(0, SIGKILL); });
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGUSR2);
    if (::getppid() != parent) {
        give_up();
    }
#endif
    const int input = ::open("/dev/null", O_RDONLY);
    if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(errors, 2) < 0) {
        give_up();
    }
    constexpr int most_files = 1024;
    for (int file = 3; file < most_files; file++) {
        ::close(file); // the lock of the folder among them
    }
    const pid_t shell = ::fork();
    if (shell == 0) {
        run_shell(command);
    }
    int status = 0;
    while (shell < 0 || ::waitpid(shell, &status, 0) != shell) {
        if (shell < 0 || errno != EINTR) {
            give_up();
        }
    }
    if (WIFSIGNALED(status)) {
        ::signal(WTERMSIG(status), SIG_DFL);
        ::kill(::getpid(), WTERMSIG(status));
    }
    run_shell(("exit " + std::to_string(WEXITSTATUS(status))).c_str());
}

pid_t start(const ShellJob &job) {
    const int output = output_file(job.output);
    int errors = -1;
    try {
        errors = output_file(job.errors);
    } catch (const UserError &) {
        ::close(output);
        throw;
    }
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        run_group(job.command.c_str(), parent, output, errors);
    }
    const int error = errno;
    ::close(output);
    ::close(errors);
    if (child < 0) {
        throw UserError("cannot run /bin/sh -c '" + job.command + "': " + std::strerror(error));
    }
    ::setpgid(child, child); // whichever of the two comes first
    return child;
}

/// Whether the group's first process has ended, which keeps its number until it is waited for.
bool has_ended(pid_t group) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(group), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        throw UserError(std::string("cannot wait for a command: ") + std::strerror(errno));
    }
    return info.si_pid != 0;
}

/// What the shell left behind is in the same group.
int end_group(pid_t group) {
    ::kill(-group, SIGKILL);
    int status = 0;
    while (::waitpid(group, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/// Asks all to end, and after two seconds no longer asks.
void end_all(const std::vector<Running> &running) {
    for (const Running &r : running) {
        ::kill(-r.group, SIGTERM);
    }
    const auto patience = Clock::now() + std::chrono::seconds(2);
    const auto waits = [](const Running &r) {
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(r.group), &info, WEXITED | WNOHANG | WNOWAIT) ==
                   0 &&
               info.si_pid == 0;
    };
    while (std::any_of(running.begin(), running.end(), waits) && Clock::now() < patience) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    for (const Running &r : running) {
        end_group(r.group);
    }
}

/// The commands that run; those that still do when it goes are ended.
struct Commands {
    std::vector<Running> running;

    Commands() {
        // Where it is ignored, as a parent may have left it, nobody learns how a process ended.
        struct sigaction usual = {};
        usual.sa_handler = SIG_DFL;
        sigaction(SIGCHLD, &usual, &before_);
    }
    ~Commands() {
        end_all(running);
        sigaction(SIGCHLD, &before_, nullptr);
    }
    Commands(const Commands &) = delete;
    Commands &operator=(const Commands &) = delete;

private:
    struct sigaction before_ = {};
};

} // namespace

std::string shell_quoted(const std::string &word) {
    std::string quoted = "'";
    for (const char c : word) {
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return quoted + "'";
}

bool run_shell_jobs(const std::vector<ShellJob> &jobs, const ShellHooks &hooks) {
    Commands commands;
    std::vector<Running> &running = commands.running;
    std::size_t next = 0;
    auto pause = std::chrono::milliseconds(1);
    while (next < jobs.size() || !running.empty()) {
        if (hooks.stop && hooks.stop()) {
            return false;
        }
        while (next < jobs.size() && running.size() < static_cast<std::size_t>(hooks.jobs)) {
            running.push_back({start(jobs[next]), next, Clock::now()});
            next++;
        }
        bool ended_any = false;
        for (auto it = running.begin(); it != running.end();) {
            ShellEnd outcome;
            if (has_ended(it->group)) {
                const int status = end_group(it->group);
                outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
                outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
            } else if (Clock::now() - it->begin > std::chrono::seconds(hooks.timeout_s)) {
                outcome.too_long = true;
                end_all({*it});
            } else {
                ++it;
                continue;
            }
            const std::size_t job = it->job;
            it = running.erase(it); // first: what it is told to may throw
            hooks.ended(job, outcome);
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
