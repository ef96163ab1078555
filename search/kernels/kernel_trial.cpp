#include "search/kernels/kernel_trial.h"

#include "dsl/reference.h"
#include "schedules/emit.h"
#include "schedules/fusion.h"
#include "schedules/package/layer_check.h"
#include "schedules/packing.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double slice_seconds = 0.7e-3;

std::size_t size(const Shape &shape) {
    return static_cast<std::size_t>(shape.elements());
}

/// About unit variance at the output, as random weights of whole networks have it.
std::vector<float> random_values(std::size_t count, double scale, Random &random) {
    std::vector<float> values(count);
    for (float &v : values) {
        v = static_cast<float>(random.normal() * scale);
    }
    return values;
}

/// A kernel for this machine.
class JitTrial : public TrialKernel {
public:
    JitTrial(TrialData &data, const KernelPlan &plan)
        : kernel_(data.layers(), plan, host_kernel_target()) {
        std::vector<const float *> operands = data.inputs();
        const auto add = [&](const std::vector<float> &packed) {
            packed_.push_back(std::make_unique<GuardedFloats>(packed));
            operands.push_back(packed_.back()->data());
        };
        for (std::size_t i = 0; i < data.layers().size(); i++) {
            const Layer &layer = data.layers()[i];
            if (layer.has_weights()) {
                add(pack_weights(layer, plan.members[i], data.weights(i)));
                add(pack_bias(layer, plan.members[i], data.bias(i)));
            }
        }
        kernel_.bind(operands, data.output());
    }
    void run() override { kernel_.run(); }

private:
    JitKernel kernel_;
    std::vector<std::unique_ptr<GuardedFloats>> packed_;
};

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Seconds per run of enough runs to fill a slice, after one that brings the operands near.
double time_slice(TrialKernel &kernel) {
    Clock::time_point start = Clock::now();
    kernel.run();
    const double first = seconds_since(start);
    const int runs = std::max(1, static_cast<int>(slice_seconds / std::max(first, 1e-7)));
    start = Clock::now();
    for (int i = 0; i < runs; i++) {
        kernel.run();
    }
    return seconds_since(start) / runs;
}

} // namespace

TrialData::TrialData(const std::vector<Layer> &layers) : layers_(layers) {
    Random random(derive_seed(1, key(layers)));
    const auto input = [&](const Shape &shape) {
        inputs_.push_back(std::make_unique<GuardedFloats>(size(shape), random));
        return inputs_.back()->data();
    };
    for (std::size_t i = 0; i < layers.size(); i++) {
        const Layer &l = layers[i];
        LayerOperands operands;
        const std::vector<float> previous = std::move(expected_);
        operands.input = i == 0 ? input(l.input) : previous.data();
        for (const Shape &other : l.others) {
            operands.others.push_back(input(other));
        }
        operands.residual = l.residual ? input(l.output) : nullptr;
        const auto count = static_cast<std::size_t>(weight_count(l).count());
        const double fan_in = static_cast<double>(count) / l.output.channels;
        weights_.push_back(
            random_values(count, l.per_channel_weights() ? 1 : 1 / std::sqrt(fan_in), random));
        bias_.push_back(random_values(
            l.bias ? static_cast<std::size_t>(l.output.channels) : std::size_t{0}, 1, random));
        operands.weights = weights_.back().data();
        operands.bias = l.bias ? bias_.back().data() : nullptr;
        expected_ = run_reference(l, operands);
    }
    output_ = std::make_unique<GuardedFloats>(expected_.size());
}

std::vector<const float *> TrialData::inputs() const {
    std::vector<const float *> pointers;
    for (const auto &input : inputs_) {
        pointers.push_back(input->data());
    }
    return pointers;
}

void TrialData::spoil_output() {
    std::fill(output_->data(), output_->data() + output_->size(),
              std::numeric_limits<float>::quiet_NaN());
}

std::string TrialData::complaint() const {
    if (!output_->mark_is_intact()) {
        return "wrong: it writes beside its output";
    }
    const naive_difference d = naive_compare(expected_.data(), output_->data(), expected_.size());
    // A layer whose reference is constant has nothing to tell right from wrong by, but itself.
    const bool passes = naive_passes(&d, expected_.size(), EDGEFRONT_TOLERANCE) != 0;
    return passes ? ""
                  : fmt::format("wrong: off by {:.2g} of its range",
                                d.range > 0 ? d.error / d.range : d.error);
}

std::unique_ptr<TrialKernel> HostKernels::compile(TrialData &data, const std::string &plan) {
    return std::make_unique<JitTrial>(data, parse_kernel_plan(plan));
}

Json write_request(const TrialRequest &request) {
    return {{"work", request.work}, {"plans", request.plans}, {"slices", request.slices}};
}

TrialRequest read_request(const Json &json) {
    return {json.at("work").get<std::size_t>(), json.at("plans").get<std::vector<std::string>>(),
            json.at("slices").get<int>()};
}

TrialBench::TrialBench(const std::vector<std::vector<Layer>> &works, KernelSource &source,
                       SharedNumber &busy)
    : works_(works), source_(source), busy_(busy) {}

Json TrialBench::serve(const Json &json) {
    const TrialRequest request = read_request(json);
    turn_to(request.work);
    return request.slices == 0 ? prepare(request) : time(request);
}

void TrialBench::turn_to(std::size_t work) {
    if (!data_ || work != work_) {
        kernels_.clear();
        data_ = std::make_unique<TrialData>(works_.at(work));
        work_ = work;
    }
}

Json TrialBench::prepare(const TrialRequest &request) {
    for (auto kernel = kernels_.begin(); kernel != kernels_.end();) {
        const bool keep = std::find(request.plans.begin(), request.plans.end(), kernel->first) !=
                          request.plans.end();
        kernel = keep ? std::next(kernel) : kernels_.erase(kernel);
    }
    busy_.set(0);
    const std::string &plan = request.plans.at(0);
    std::string refused;
    bool spoilt = false;
    if (kernels_.count(plan) == 0) {
        try {
            std::unique_ptr<TrialKernel> kernel = source_.compile(*data_, plan);
            data_->spoil_output();
            kernel->run();
            refused = data_->complaint();
            spoilt = !refused.empty();
            if (!spoilt) {
                kernels_[plan] = std::move(kernel);
            }
        } catch (const std::exception &e) {
            refused = std::string("does not compile: ") + e.what();
        }
    }
    return {{"refused", refused}, {"spoilt", spoilt}};
}

Json TrialBench::time(const TrialRequest &request) {
    std::vector<std::vector<double>> seconds(request.plans.size());
    for (int slice = 0; slice < request.slices; slice++) {
        for (std::size_t i = 0; i < request.plans.size(); i++) {
            busy_.set(static_cast<int>(i));
            seconds[i].push_back(time_slice(*kernels_.at(request.plans[i])));
        }
    }
    return {{"seconds", seconds}};
}

} // namespace edgefront
