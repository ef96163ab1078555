// Times a network that nobody has looked at yet: one whose kernels do not build costs a message.
#pragma once

#include "search/kernels/runner.h"

#include <functional>
#include <optional>
#include <string>

namespace edgefront {

struct MeasureOptions {
    int threads = 1;
    std::filesystem::path db; ///< of tuned plans; empty: defaults
    BenchOptions bench;
    BuildContext build;         ///< its own `progress` is not used
    std::function<bool()> stop; ///< asked between kernels and between runs; may be empty
    /// Told the share of this network that is done, 0 to 1, and what comes next; may be empty.
    std::function<void(double share, const std::string &doing)> progress;
};

struct Measurement {
    std::optional<Timing> time; ///< fp32, random weights, whole runs
    std::string failure;        ///< why there is none
    bool interrupted = false;   ///< by `stop`: neither of them
};

/// Builds what the cache lacks and times the network as `bench` does. What fails is in the result.
Measurement measure(const Network &network, const MeasureOptions &options);

} // namespace edgefront
