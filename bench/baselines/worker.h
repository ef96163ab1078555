// What the peers written in C++ share: a process that holds one network ready and answers a driver
// line by line, so that peers can take turns. Every answer is one line of JSON.
//
//   (at the start)  {"ready": true}
//   input FILE      writes the network's input, NHWC float32
//   output FILE     runs once and writes the output
//   time SECONDS    repeats runs for so long; {"median_ms", "least_ms", "runs"}
#pragma once

#include "search/kernels/runner.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace edgefront {

struct WorkerOptions {
    std::string network;
    std::uint64_t seed = 1; ///< of weights and input
    int threads = 1;
    std::string db; ///< of tuned plans, for a peer that takes them
};

/// A network that a peer holds ready; its input is inside already.
struct PreparedNetwork {
    std::function<void()> run;
    std::function<std::vector<float>()> output; ///< of the last run
};

/// Runs of `prepared`, after one that wakes threads and fills caches.
Timing time_runs(const PreparedNetwork &prepared, Seconds duration);

using Prepare =
    std::function<PreparedNetwork(const Network &, const NetworkWeights &,
                                  const std::vector<float> &input, const WorkerOptions &)>;

/// The whole program: `worker NETWORK [--threads N] [--seed S] [--db FILE]`; `prepare` is told the
/// network with its seeded weights and input. Returns the exit code.
int run_worker(int argc, char **argv, const Prepare &prepare);

} // namespace edgefront
