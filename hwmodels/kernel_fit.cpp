#include "hwmodels/kernel_fit.h"

#include "base/error.h"
#include "hwmodels/bounded_fit.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/kernel_prices.h"
#include "hwmodels/timed_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

namespace edgefront {

namespace {

using Vector = BoundedFit::Vector;

constexpr double network_weight = 2; // a network's error counts like that of four such layers
/// What no layer speaks of costs nothing: a constant on its most expensive bound counts this much.
constexpr double prior_weight = 1e-3;

const Workload workload{DataType::fp32, 1};

/// A network with what fitted constants do not change.
struct Sample {
    struct Part {
        Layer layer;
        LoopNest nest;
        double measured_s;
        double weights; ///< share of the network's
    };
    std::vector<Part> parts;
    NetworkTotals sums;
    double whole_s;
    double layers_s = 0; ///< sum of the parts
};

Sample sample_of(const CostModel &model, const TimedKernels &timed) {
    Sample s{{}, totals(model, timed.network, workload), timed.whole.count()};
    const auto all = static_cast<double>(std::max<std::int64_t>(1, s.sums.weights.count()));
    for (std::size_t i = 0; i < timed.layers.size(); i++) {
        const Layer &layer = timed.network.nodes[i].layer;
        s.parts.push_back({layer, analyse(layer, timed.schedules[i]), timed.layers[i].count(),
                           static_cast<double>(weight_bytes(layer).count()) / all});
        s.layers_s += timed.layers[i].count();
    }
    return s;
}

/// Of every layer, then of the whole.
std::vector<double> predicted_s(const CostModel &model, const Sample &sample) {
    const double once = model.network_cost(sample.sums, workload).latency.count();
    std::vector<double> seconds;
    double sum = once;
    for (const Sample::Part &part : sample.parts) {
        const Verdict verdict = model.price(part.layer, part.nest, workload);
        const Cost *cost = std::get_if<Cost>(&verdict);
        const double layer = cost != nullptr ? cost->latency.count() : 0;
        sum += layer;
        // What comes from DRAM once per inference is waited for where the weights are used.
        seconds.push_back(layer + once * part.weights);
    }
    seconds.push_back(sum);
    return seconds;
}

/// One fitted constant in the form in which latencies are about linear.
struct Axis {
    std::string key;
    bool reciprocal;
    Unknown unknown;

    double value(double x) const { return reciprocal ? 1 / x : x; }
};

Axis axis_for(const Target &target, const std::string &key) {
    // Where fits of real machines end up; far beyond, a constant explains what it does not mean.
    const std::map<std::string, std::pair<double, double>> ranges = {
        {"dense_efficiency_fp32", {0.2, 1}},
        {"depthwise_efficiency_fp32", {0.1, 1}},
        {"elements_per_cycle_fp32", {0.5, 100}},
        {"exp_elements_per_cycle", {0.1, 20}},
        {"tap_cycles", {0, 50}},
        {"window_load_cycles", {0, 10}},
        {"edge_factor", {0, 20}},
        {"input_gb_per_s", {5, 5000}},
        {"weight_gb_per_s", {5, 5000}},
        {"spill_gb_per_s", {5, 5000}},
        {"turnover", {0, 20}},
        {"kept_mib", {0, 64}},
        {"kernel_overhead_us", {0, 20}}};
    const auto [least, most] = ranges.at(key);
    for (const ConstantSpec &spec : constant_specs(target)) {
        if (spec.key == key && spec.is(ConstantSpec::rate)) {
            return {key, true, {1 / most, 1 / least, 1 / most, 1 / most}};
        }
    }
    return {key, false, {least, most, most * 1e-3, most * 1e-3}};
}

/// What is fitted: efficiencies, and prices of kernels.
std::vector<std::string> fitted_keys() {
    std::vector<std::string> keys = {"dense_efficiency_fp32", "depthwise_efficiency_fp32",
                                     "elements_per_cycle_fp32"};
    const auto &more = KernelPrices::fitted_keys();
    keys.insert(keys.end(), more.begin(), more.end());
    return keys;
}

/// Peaks and rates as measured; the constants that the fit needs, with any values.
Target prepared(const Target &given, const KernelTimings &timings) {
    Target target = timed_machine(given, timings);
    for (const std::string &key : fitted_keys()) {
        if (!target.has(key)) {
            const Axis axis = axis_for(target, key);
            target.constants[key] = {axis.value(axis.unknown.looks_from), {}};
        }
    }
    return target;
}

class Fit {
public:
    Fit(const Target &target, const KernelTimings &timings) : target_(target) {
        for (const std::string &key : fitted_keys()) {
            axes_.push_back(axis_for(target, key));
        }
        const auto model = make_cost_model(target);
        Eigen::Index row = 0;
        for (const TimedKernels &network : timings.networks) {
            samples_.push_back(sample_of(*model, network));
            first_row_.push_back(row);
            row += static_cast<Eigen::Index>(samples_.back().parts.size()) + 1;
        }
        first_row_.push_back(row);
        std::vector<Unknown> unknowns;
        for (const Axis &axis : axes_) {
            unknowns.push_back(axis.unknown);
        }
        fit_ = std::make_unique<BoundedFit>(unknowns,
                                            [this](const Vector &x) { return residuals(x); });
        best_ = fit_->best();
        look_around();
    }

    Target best() const { return at(best_); }

    /// What a fit to all other networks says of this one. It descends from the common optimum only.
    double held_out_s(std::size_t network) const {
        std::vector<Eigen::Index> rows;
        for (Eigen::Index row = first_row_[network]; row < first_row_[network + 1]; row++) {
            rows.push_back(row);
        }
        const Vector x = fit_->best_without(rows, best_);
        return predicted_s(*make_cost_model(at(x)), samples_[network]).back();
    }

    const std::vector<Sample> &samples() const { return samples_; }

private:
    /// What the last cache keeps enters with a kink, behind which another minimum may be lower.
    void look_around() {
        for (const double turnover : {0.5, 1.5, 3.0, 5.0}) {
            for (const double kept : {2.0, 6.0, 10.0, 14.0, 20.0}) {
                Vector start = best_;
                start[axis("turnover")] = turnover;
                start[axis("kept_mib")] = kept;
                descend(start);
            }
        }
    }

    Eigen::Index axis(const std::string &key) const {
        const auto found = std::find_if(axes_.begin(), axes_.end(),
                                        [&](const Axis &axis) { return axis.key == key; });
        return found - axes_.begin();
    }

    void descend(const Vector &start) {
        const Vector end = fit_->best_without({}, start);
        if (residuals(end).squaredNorm() < residuals(best_).squaredNorm()) {
            best_ = end;
        }
    }

    Target at(const Vector &x) const {
        Target target = target_;
        for (std::size_t i = 0; i < axes_.size(); i++) {
            target.constants[axes_[i].key].value =
                four_digits(axes_[i].value(x[static_cast<Eigen::Index>(i)]));
        }
        return target;
    }

    Target exactly_at(const Vector &x) const {
        Target target = target_;
        for (std::size_t i = 0; i < axes_.size(); i++) {
            target.constants[axes_[i].key].value = axes_[i].value(x[static_cast<Eigen::Index>(i)]);
        }
        return target;
    }

    Vector residuals(const Vector &x) const {
        const auto model = make_cost_model(exactly_at(x));
        Vector r(first_row_.back() + x.size());
        Eigen::Index row = 0;
        for (const Sample &sample : samples_) {
            const std::vector<double> predicted = predicted_s(*model, sample);
            for (std::size_t i = 0; i < sample.parts.size(); i++) {
                const double measured = sample.parts[i].measured_s;
                r[row++] = measured > 0 ? (predicted[i] / measured - 1) *
                                              std::sqrt(measured / sample.layers_s)
                                        : 0;
            }
            r[row++] = network_weight * (predicted.back() / sample.whole_s - 1);
        }
        for (std::size_t i = 0; i < axes_.size(); i++) {
            r[row++] = prior_weight * x[static_cast<Eigen::Index>(i)] / axes_[i].unknown.most;
        }
        return r;
    }

    Target target_;
    std::vector<Axis> axes_;
    std::vector<Sample> samples_;
    std::vector<Eigen::Index> first_row_; ///< of a network; one more: how many there are
    std::unique_ptr<BoundedFit> fit_;
    Vector best_;
};

double rms(const std::vector<double> &errors) {
    double sum = 0;
    for (const double e : errors) {
        sum += e * e;
    }
    return errors.empty() ? 0 : std::sqrt(sum / static_cast<double>(errors.size()));
}

KernelErrors errors_of(const CostModel &model, const std::vector<Sample> &samples) {
    std::vector<double> layers, networks;
    for (const Sample &sample : samples) {
        const std::vector<double> predicted = predicted_s(model, sample);
        for (std::size_t i = 0; i < sample.parts.size(); i++) {
            if (sample.parts[i].measured_s > 0) {
                layers.push_back(std::abs(predicted[i] / sample.parts[i].measured_s - 1));
            }
        }
        networks.push_back(predicted.back() / sample.whole_s - 1);
    }
    std::sort(layers.begin(), layers.end());
    KernelErrors e;
    e.layers = static_cast<int>(layers.size());
    if (!layers.empty()) {
        e.median = layers[layers.size() / 2];
        e.p90 = layers[std::min(layers.size() - 1, layers.size() * 9 / 10)];
    }
    e.network_rms = rms(networks);
    return e;
}

} // namespace

Target fit_kernels(const Target &target, const KernelTimings &timings) {
    if (timings.networks.size() < 2) {
        throw UserError("a fit takes timings of at least two networks, there is " +
                        std::to_string(timings.networks.size()));
    }
    const Fit fit(prepared(target, timings), timings);
    Target result = fit.best();
    const auto model = make_cost_model(result);

    Calibration calibration;
    calibration.fitted = fitted_keys();
    std::vector<double> held_out;
    for (std::size_t i = 0; i < fit.samples().size(); i++) {
        const Sample &sample = fit.samples()[i];
        const double without = fit.held_out_s(i);
        held_out.push_back(without / sample.whole_s - 1);
        calibration.rows.push_back(
            {timings.networks[i].network.name, DataType::fp32, 1, four_digits(sample.whole_s * 1e3),
             four_digits(predicted_s(*model, sample).back() * 1e3), four_digits(without * 1e3)});
    }
    const KernelErrors errors = errors_of(*model, fit.samples());
    calibration.measured = fmt::format(
        "{} layers of {} random networks of seed {}, kernels with default schedules inside running "
        "networks, fp32, one thread; {}, {}, {:.0f} GFLOP/s. Relative errors of layers: median "
        "{:.1f} %, 90th percentile {:.1f} %; of networks: root mean square {:.1f} %, each left "
        "out and refitted from the common optimum {:.1f} %",
        errors.layers, timings.networks.size(), timings.seed, timings.machine, timings.when,
        timings.rates.peak_gflops, 100 * errors.median, 100 * errors.p90, 100 * errors.network_rms,
        100 * rms(held_out));
    for (const std::string &key : calibration.fitted) {
        result.constants[key].provenance = {
            fmt::format("least squares of the relative error on {} layers of {} random networks; "
                        "{}, {} (edgefront calibrate)",
                        errors.layers, timings.networks.size(), timings.machine, timings.when),
            "fitted"};
    }
    result.calibration = calibration;
    result.hash = price_hash(result);
    return result;
}

KernelErrors kernel_errors(const Target &target, const KernelTimings &timings) {
    const auto model = make_cost_model(target);
    std::vector<Sample> samples;
    for (const TimedKernels &network : timings.networks) {
        samples.push_back(sample_of(*model, network));
    }
    return errors_of(*model, samples);
}

} // namespace edgefront
