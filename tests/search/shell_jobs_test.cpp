#include "base/error.h"
#include "base/files.h"
#include "search/shell_jobs.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace edgefront {
namespace {

class ShellJobsTest : public ::testing::Test {
protected:
    ShellJob job(const std::string &command, const std::string &name = "job") const {
        return {"cd " + shell_quoted(root_.string()) + "; " + command, root_ / (name + ".out"),
                root_ / (name + ".err")};
    }
    std::vector<ShellEnd> run(const std::vector<ShellJob> &jobs, int at_once = 1) const {
        std::vector<ShellEnd> ends(jobs.size());
        ShellHooks hooks;
        hooks.jobs = at_once;
        hooks.ended = [&](std::size_t i, const ShellEnd &end) { ends[i] = end; };
        EXPECT_TRUE(run_shell_jobs(jobs, hooks));
        return ends;
    }
    /// Of the process whose number the file will hold; false when it is gone, at the latest soon.
    bool lives(const std::string &file) const {
        const pid_t pid = std::stoi(wait_for(file));
        for (int tries = 0; tries < 500 && ::kill(pid, 0) == 0 && !is_zombie(pid); tries++) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return ::kill(pid, 0) == 0 && !is_zombie(pid);
    }
    std::string wait_for(const std::string &file) const {
        for (int tries = 0; tries < 1000; tries++) {
            if (std::filesystem::exists(root_ / file)) {
                const std::string text = read_file(root_ / file);
                if (!text.empty() && text.back() == '\n') {
                    return text;
                }
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ADD_FAILURE() << file << " was not written";
        return "1";
    }

    TemporaryFolder temporary_{::testing::TempDir() + "edgefront shell's"};
    const std::filesystem::path &root_ = temporary_.path();

private:
    /// Nobody may be there to wait for an orphan.
    static bool is_zombie(pid_t pid) {
        const std::filesystem::path stat = "/proc/" + std::to_string(pid) + "/stat";
        std::error_code ec;
        return std::filesystem::exists(stat, ec) &&
               read_file(stat).find(") Z ") != std::string::npos;
    }
};

TEST_F(ShellJobsTest, the_end_is_that_of_the_shell) {
    const auto ends = run({job("echo hello; exit 3"), job("kill -KILL $$"), job("true")});
    EXPECT_EQ(ends[0].exit_code, 3);
    EXPECT_EQ(ends[1].signal, SIGKILL);
    EXPECT_TRUE(ends[2].well());
}

TEST_F(ShellJobsTest, failures_are_seen_where_children_are_ignored) {
    struct sigaction ignored = {}, before = {};
    ignored.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &ignored, &before);
    EXPECT_EQ(run({job("exit 3")})[0].exit_code, 3);
    sigaction(SIGCHLD, nullptr, &ignored);
    EXPECT_EQ(ignored.sa_handler, SIG_IGN) << "left as it was";
    sigaction(SIGCHLD, &before, nullptr);
}

TEST_F(ShellJobsTest, what_a_command_leaves_running_is_ended) {
    EXPECT_TRUE(run({job("sleep 300 & echo $! >pid")})[0].well());
    EXPECT_FALSE(lives("pid"));
}

TEST_F(ShellJobsTest, all_are_ended_when_a_hook_throws) {
    ShellHooks hooks;
    hooks.jobs = 2;
    hooks.ended = [](std::size_t, const ShellEnd &) { throw std::runtime_error("disk full"); };
    const std::vector<ShellJob> jobs = {job("sleep 300 & echo $! >pid; wait", "long"),
                                        job("until [ -s pid ]; do sleep 0.01; done", "short")};
    EXPECT_THROW(run_shell_jobs(jobs, hooks), std::runtime_error);
    EXPECT_FALSE(lives("pid"));
}

TEST_F(ShellJobsTest, all_are_ended_when_the_program_is_killed) {
    const pid_t program = ::fork();
    if (program == 0) {
        ShellHooks hooks;
        hooks.ended = [](std::size_t, const ShellEnd &) {};
        run_shell_jobs({job("sleep 300 & echo $! >pid; wait")}, hooks);
        ::_exit(0);
    }
    wait_for("pid");
    ::kill(program, SIGKILL);
    ::waitpid(program, nullptr, 0);
    EXPECT_FALSE(lives("pid"));
}

TEST_F(ShellJobsTest, who_has_an_older_output_open_does_not_write_into_the_new_one) {
    std::ofstream old(root_ / "job.out");
    EXPECT_TRUE(run({job("echo new")})[0].well());
    old << "old" << std::flush;
    EXPECT_EQ(read_file(root_ / "job.out"), "new\n");
    EXPECT_THROW(run({ShellJob{"true", root_ / "none" / "a", root_ / "b"}}), UserError);
}

} // namespace
} // namespace edgefront
