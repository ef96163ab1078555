// What run, bench and generate share: a network with its numbers and kernels for this machine.
#pragma once

#include "app/command.h"
#include "dsl/weights.h"
#include "schedules/package.h"

#include <functional>

namespace edgefront {

/// Flags of a command that needs kernels.
struct HostOptions : NumberedOptions {
    int threads = 1;
    std::string db; ///< of tuned plans; empty: defaults

    void add_to(CLI::App &command);
};

/// The network with kernels for this machine or another, and its weights.
struct HostNetwork {
    PackagePlan plan;
    NetworkWeights weights;
    std::size_t tuned = 0; ///< layers whose plan comes from the database

    /// "53 of 53 layers tuned"; "" where nobody asked for a database.
    std::string tuned_note(const HostOptions &options) const;
};
/// For this machine.
HostNetwork prepare(const HostOptions &options);
/// For another one, with default schedules.
HostNetwork prepare(const HostOptions &options, const KernelTarget &target, const CoreInfo &core);

/// Compiles into the user's cache, with progress on stderr; stops when the user interrupts.
BuildContext build_context(bool quiet);

/// Thrown out of a callback when the user has asked to stop.
struct Interrupted {};
/// Throws Interrupted after Ctrl-C.
void stop_if_interrupted();

/// Runs `body` so that Ctrl-C ends it at the next callback, everything half-written removed.
int interruptible(const std::function<int()> &body);

} // namespace edgefront
