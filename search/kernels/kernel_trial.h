// One trial of a kernel: a piece of work (a layer, or the members of a fused group) under a plan,
// compiled, compared with the naive reference before it has a time, and timed in short slices that
// alternate with those of its rivals. All of this happens in a worker process (trial_pool.h).
#pragma once

#include "base/json_reader.h"
#include "dsl/layer.h"
#include "schedules/guarded_floats.h"
#include "search/kernels/worker_process.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace edgefront {

/// Seeded operands of a piece of work and what the naive reference makes of them.
class TrialData {
public:
    explicit TrialData(const std::vector<Layer> &layers);

    const std::vector<Layer> &layers() const { return layers_; }
    /// Activations from outside, in the order a kernel takes them.
    std::vector<const float *> inputs() const;
    /// In the layouts of dsl/layer.h, by member.
    const std::vector<float> &weights(std::size_t member) const { return weights_[member]; }
    const std::vector<float> &bias(std::size_t member) const { return bias_[member]; }
    float *output() { return output_->data(); }

    /// Fills the output with what no kernel writes.
    void spoil_output();
    /// Why the output cannot be what the work asks for; empty when it is.
    std::string complaint() const;

private:
    std::vector<Layer> layers_;
    std::vector<std::unique_ptr<GuardedFloats>> inputs_;
    std::vector<std::vector<float>> weights_, bias_;
    std::unique_ptr<GuardedFloats> output_;
    std::vector<float> expected_;
};

/// Compiled code, bound to the operands of a TrialData.
class TrialKernel {
public:
    virtual ~TrialKernel() = default;
    virtual void run() = 0;
};

/// Where trials get their kernels from. Tests bring kernels that crash, hang or err.
class KernelSource {
public:
    virtual ~KernelSource() = default;
    /// Called in a worker process. Throws when there is no such kernel.
    virtual std::unique_ptr<TrialKernel> compile(TrialData &data, const std::string &plan) = 0;
};

/// Kernels for this machine, compiled into the process.
class HostKernels : public KernelSource {
public:
    std::unique_ptr<TrialKernel> compile(TrialData &data, const std::string &plan) override;
};

/// Asks a worker for something.
struct TrialRequest {
    std::size_t work = 0; ///< index into the works that the worker knows
    /// To prepare: the plan to compile and check, then those to keep in memory. To time: the plans,
    /// one slice of each in turn; a plan may stand there twice.
    std::vector<std::string> plans;
    int slices = 0; ///< of each; 0: prepare
};
Json write_request(const TrialRequest &request);
TrialRequest read_request(const Json &json);

/// The inside of a worker process. It keeps the kernels of one piece of work.
class TrialBench {
public:
    /// `busy` tells others which of the plans of a request is running.
    TrialBench(const std::vector<std::vector<Layer>> &works, KernelSource &source,
               SharedNumber &busy);

    /// {"refused": why, "spoilt": whether it ran} for a plan to prepare, empty when it computes
    /// what it should: the memory of a process in which a wrong kernel ran may hold anything;
    /// {"seconds": [[...], ...]} for plans to time, one list per plan: seconds per run, by slice.
    Json serve(const Json &request);

private:
    Json prepare(const TrialRequest &request);
    Json time(const TrialRequest &request);
    void turn_to(std::size_t work);

    const std::vector<std::vector<Layer>> &works_;
    KernelSource &source_;
    SharedNumber &busy_;
    std::size_t work_ = 0;
    std::unique_ptr<TrialData> data_;
    std::map<std::string, std::unique_ptr<TrialKernel>> kernels_;
};

} // namespace edgefront
