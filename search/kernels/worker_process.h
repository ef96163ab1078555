// A child process that answers requests, one line of JSON each way: a crash, or a kill when it
// takes too long, costs the request it was busy with.
#pragma once

#include "base/json_reader.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

namespace edgefront {

/// Memory that parent and child share: what the child is busy with survives its death.
class SharedNumber {
public:
    SharedNumber();
    ~SharedNumber();
    SharedNumber(const SharedNumber &) = delete;
    SharedNumber &operator=(const SharedNumber &) = delete;

    void set(int value) { *value_ = value; }
    int get() const { return *value_; }

private:
    std::atomic<int> *value_;
};

/// Forks when made, and the child is killed with it; move nothing, make another one. The parent has
/// to have one thread.
class WorkerProcess {
public:
    using Say = std::function<void(const Json &)>;
    /// In the child: answers one request, and may say something before, which arrives as
    /// {"said": ...}. What it throws arrives as {"failure": what} and ends the child.
    using Serve = std::function<Json(const Json &request, const Say &say)>;

    enum class Signals {
        end_it,  ///< it has nothing to put in order
        as_here, ///< what this process does on SIGINT, SIGTERM and SIGHUP
    };

    /// Throws UserError when the system has no room for another process.
    explicit WorkerProcess(const Serve &serve, Signals signals = Signals::end_it);
    ~WorkerProcess();
    WorkerProcess(const WorkerProcess &) = delete;
    WorkerProcess &operator=(const WorkerProcess &) = delete;

    void ask(const Json &request);
    int descriptor() const { return answers_; } ///< readable when there is something to take
    /// What has come so far: an answer, something said before, or nothing yet.
    std::optional<Json> take();
    /// After `take` found the other end closed: how the child ended ("Segmentation fault"). Empty
    /// while it lives.
    const std::string &end() const { return end_; }
    /// Whether someone else ended it: the system when memory is short, a terminal that closes.
    bool killed_from_outside() const { return killed_from_outside_; }
    void ask_to_end(); ///< by SIGTERM
    /// Ends the child; `end` is then `reason`.
    void kill(const std::string &reason);

private:
    void reap();

    pid_t pid_ = -1;
    int requests_ = -1;
    int answers_ = -1;
    std::string text_;
    std::string end_;
    bool killed_from_outside_ = false;
};

} // namespace edgefront
