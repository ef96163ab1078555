// A part of the work in a process of its own, so that a crash costs that part only.
#pragma once

#include "base/json_reader.h"
#include "search/kernels/measure.h"

#include <functional>
#include <optional>
#include <string>

namespace edgefront {

/// How a child process ended; `failure` and `answer` are empty when it was asked to.
struct ChildEnd {
    std::optional<Json> answer; ///< what `body` returned
    std::string failure;        ///< what it threw, or the signal that ended it
    bool interrupted = false;   ///< `stop` said so, and there is neither
};

/// Runs `body` in a child process. Whatever it tells is heard in this process, at once. When `stop`
/// says so, the child is asked to end (SIGTERM), and killed when it has not within ten seconds.
/// Call it while this process has one thread: it forks. Throws UserError when the system has no
/// room for another process.
ChildEnd
run_in_child(const std::function<Json(const std::function<void(const Json &)> &tell)> &body,
             const std::function<void(const Json &)> &heard, const std::function<bool()> &stop);

/// `measure` in a child process.
Measurement measure_apart(const Network &network, const MeasureOptions &options);

} // namespace edgefront
