// Runs a network on this machine: the library that `generate` ships, built into a cache and loaded.
// What is measured here is what leaves in a package.
#pragma once

#include "base/json_reader.h"
#include "base/units.h"
#include "dsl/naive.h"
#include "schedules/package.h"
#include "schedules/package/edgefront_trace.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace edgefront {

/// $EDGEFRONT_CACHE, else $XDG_CACHE_HOME/edgefront, else ~/.cache/edgefront; throws UserError when
/// none of them is known.
std::filesystem::path cache_directory();

/// One instance of a network with its weights, threads and memory; move-only.
class Runner {
public:
    /// Builds what the cache lacks, loads it and hands it the weights. Throws UserError when the
    /// package cannot be built or this CPU lacks an instruction set.
    Runner(const PackagePlan &plan, const NetworkWeights &weights, const BuildContext &context,
           int threads = 1);
    ~Runner();
    Runner(Runner &&) noexcept;
    Runner &operator=(Runner &&) noexcept;

    const Network &network() const;
    /// In the order of their calls: of the layer, or of the layers of a chain.
    const std::vector<std::string> &kernel_names() const;
    int threads() const;

    /// NHWC fp32; throws std::logic_error when `input` has another size than the network's.
    std::vector<float> run(const std::vector<float> &input);

    using Trace = std::function<void(const edgefront_layer_run &)>;
    /// The same, telling every kernel's operands and time. A trace may throw.
    std::vector<float> run(const std::vector<float> &input, const Trace &trace);

    /// Once more on the input of the last `run`, without copying anything: for timing.
    void rerun();
    void rerun(const Trace &trace);

private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

/// One kernel against the naive reference, computed from the very operands it had.
struct LayerCheck {
    std::string name; ///< of its layer or layers
    naive_difference difference{};
    bool passed = false;

    /// Largest error as a part of the reference's range.
    double relative_error() const;
};

/// `progress` is told how many kernels are checked; it may be empty, and may throw to stop.
std::vector<LayerCheck> check_layers(Runner &runner, const std::vector<float> &input,
                                     const std::function<void(int done)> &progress = {});

/// Of repeated runs.
struct Timing {
    Seconds median;
    Seconds least;
    Seconds p90;
    int runs = 0;
};

/// In seconds, between processes.
Json write_timing(const Timing &timing);
Timing read_timing(const Json &json);

/// Nearest-rank percentiles; `times` must not be empty.
Timing summarise(std::vector<Seconds> times);

struct BenchOptions {
    int repeats = 0; ///< timed runs; 0: as many as fit into `duration`
    Seconds duration = Seconds(1.0);
};

struct BenchResult {
    Timing network;              ///< undisturbed runs
    std::vector<Timing> kernels; ///< by call, from further runs with a clock reading per kernel
};

/// `progress` is told the share that is done, 0 to 1; it may be empty, and may throw to stop.
Timing time_runs(Runner &runner, const std::vector<float> &input, const BenchOptions &options,
                 const std::function<void(double)> &progress);

/// The same, and the kernels.
BenchResult bench(Runner &runner, const std::vector<float> &input, const BenchOptions &options,
                  const std::function<void(double)> &progress);

} // namespace edgefront
