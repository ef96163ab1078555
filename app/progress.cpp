#include "app/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace edgefront {

namespace {

std::string duration(double seconds) {
    const auto s = static_cast<long>(seconds + 0.5);
    return s < 60     ? fmt::format("{} s", s)
           : s < 3600 ? fmt::format("{}:{:02} min", s / 60, s % 60)
                      : fmt::format("{}:{:02} h", s / 3600, s / 60 % 60);
}

std::string rate(double per_second) {
    return per_second >= 1e6   ? fmt::format("{:.1f} M", per_second / 1e6)
           : per_second >= 1e4 ? fmt::format("{:.0f} k", per_second / 1e3)
                               : fmt::format("{:.0f} ", per_second);
}

/// Characters of a line; a longer one would wrap and could not be overwritten.
std::size_t terminal_columns() {
    struct winsize size = {};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

} // namespace

Progress::Progress(std::string what, bool quiet)
    : what_(std::move(what)), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    if (line_open_) {
        std::fputs("\r\033[K", stderr);
    }
}

void Progress::update(std::int64_t done, std::int64_t total,
                      const std::function<std::string()> &detail) {
    const auto now = Clock::now();
    if (first_ < 0) {
        first_ = done;
    }
    const auto interval = terminal_ ? std::chrono::milliseconds(500) : std::chrono::seconds(30);
    if (quiet_ || now - printed_ < interval) {
        return;
    }
    printed_ = now;
    const double elapsed = std::chrono::duration<double>(now - begin_).count();
    const double speed = static_cast<double>(done - first_) / elapsed;
    std::string line = fmt::format("{}/{} {} ({:.0f} %)", done, total, what_,
                                   100.0 * static_cast<double>(done) / static_cast<double>(total));
    if (what_ == "s") { // a budget of time: what it is for may end earlier
        line += ", " + duration(static_cast<double>(total - done)) + " of them left";
    } else if (speed > 0) {
        line += fmt::format(", {}/s, {} left", rate(speed),
                            duration(static_cast<double>(total - done) / speed));
    }
    line += "; " + detail();
    if (terminal_) {
        line.resize(std::min(line.size(), terminal_columns() - 1));
    }
    std::fputs(terminal_ ? ("\r\033[K" + line).c_str() : (line + "\n").c_str(), stderr);
    std::fflush(stderr);
    line_open_ = terminal_;
}

} // namespace edgefront
