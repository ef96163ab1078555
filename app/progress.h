// How far a long command is, on stderr: one line that is overwritten on a terminal, else a log line
// every 30 s.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace edgefront {

class Progress {
public:
    /// `what` names the unit of work: "networks"; "s" is a budget of seconds. `quiet` prints
    /// nothing.
    Progress(std::string what, bool quiet);
    ~Progress();
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;

    /// Prints done/total, rate and time left when it is due; `detail` is only called then.
    void update(std::int64_t done, std::int64_t total, const std::function<std::string()> &detail);

private:
    using Clock = std::chrono::steady_clock;

    std::string what_;
    bool quiet_;
    bool terminal_;
    bool line_open_ = false;
    std::int64_t first_ = -1; ///< done at the first update: a resumed run's rate is its own
    Clock::time_point begin_ = Clock::now();
    Clock::time_point printed_ = begin_;
};

} // namespace edgefront
