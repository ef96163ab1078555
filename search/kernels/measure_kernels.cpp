#include "search/kernels/measure_kernels.h"

#include "base/error.h"
#include "dsl/weights.h"
#include "search/kernels/calibration_networks.h"
#include "search/kernels/host_plans.h"
#include "search/kernels/peak.h"
#include "search/kernels/time_networks.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double build_share = 0.85;      // of the budget, at most
constexpr std::uint64_t numbers_seed = 1; // of weights and inputs: any take equally long

/// The networks built so far.
struct Built {
    std::vector<TimedKernels> timed;
    std::vector<Runner> runners;
    std::vector<std::vector<float>> inputs;
};

class Measurement {
public:
    explicit Measurement(const MeasureKernelsOptions &options)
        : options_(options), target_(host_kernel_target()) {}

    KernelTimings run() {
        KernelTimings result;
        result.machine = processor_name();
        result.when = today();
        result.kernels = target_.text;
        result.seed = options_.seed;
        tell(0, "micro-benchmarks");
        result.rates = micro_benchmarks();
        build();
        time();
        // The clock wanders: kernels are timed by their fastest runs, so the faster clock counts.
        result.rates.peak_gflops = std::max(result.rates.peak_gflops, peak_gflops());
        result.networks = std::move(built_.timed);
        return result;
    }

private:
    static std::string today() {
        const std::time_t now = std::time(nullptr);
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        char text[16];
        std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
        return text;
    }

    static double peak_gflops() { return measure_peak_flops(1) * 1e-9; }

    static MachineRates micro_benchmarks() {
        MachineRates rates;
        rates.peak_gflops = peak_gflops();
        const std::map<std::string, double MachineRates::*> levels = {
            {"L1", &MachineRates::l1_gb_per_s},
            {"L2", &MachineRates::l2_gb_per_s},
            {"L3", &MachineRates::l3_gb_per_s},
            {"DRAM", &MachineRates::dram_gb_per_s}};
        for (const LevelBandwidth &level : measure_bandwidth(1)) {
            if (const auto rate = levels.find(level.level); rate != levels.end()) {
                rates.*rate->second = level.read_bytes_per_second * 1e-9;
            }
        }
        return rates;
    }

    Seconds elapsed() const {
        return Seconds(std::chrono::duration<double>(Clock::now() - start_).count());
    }

    void tell(double share, const std::string &doing) const {
        if (options_.progress) {
            options_.progress(share, doing);
        }
    }

    /// Share of the building that is done: by networks, or by time when that is shorter.
    double built_share(double networks) const {
        return std::min(1.0, std::max(networks / options_.networks,
                                      elapsed() / (options_.budget * build_share)));
    }

    /// Builds networks until all are there or the next one would take too long.
    void build() {
        for (int i = 0; i < options_.networks; i++) {
            const Seconds before = elapsed();
            build(i);
            longest_ = std::max(longest_, elapsed() - before);
            if (options_.budget * build_share < elapsed() + longest_) {
                break;
            }
        }
        constexpr std::size_t fewest = 2;
        if (built_.runners.size() < fewest) {
            throw UserError("the kernels of " + std::to_string(fewest) +
                            " networks did not compile in time: give it more (--minutes)");
        }
    }

    void build(int index) {
        TimedKernels timed;
        timed.family = calibration_network(options_.seed, index);
        timed.network = edgefront::build(timed.family);
        const std::vector<KernelChoice> kernels = default_kernels(timed.network, target_);
        for (const KernelChoice &kernel : kernels) { // each of a layer by itself
            timed.schedules.push_back(kernel.plan.members.front());
        }
        BuildContext context = options_.build;
        context.progress = [&](int done, int total, const std::string &layer) {
            const double part = static_cast<double>(done) / std::max(total, 1);
            tell(build_share * built_share(index + part),
                 "compiling " + timed.network.name + " " + layer);
        };
        built_.runners.emplace_back(plan_package(timed.network, kernels, target_),
                                    random_weights(timed.network, numbers_seed), context);
        built_.inputs.push_back(random_input(timed.network, numbers_seed));
        built_.timed.push_back(std::move(timed));
    }

    void time() {
        TimingRounds rounds;
        rounds.rounds = options_.rounds;
        const Seconds left = std::max(options_.budget - elapsed(), options_.budget * 0.05);
        const double slices = 2.0 * rounds.rounds * static_cast<double>(built_.runners.size());
        rounds.slice = std::min(rounds.slice, left * (0.5 / slices));
        const std::vector<NetworkTimes> times =
            time_networks(built_.runners, built_.inputs, rounds, [&](double share) {
                tell(build_share + (1 - build_share) * share, "timing");
            });
        for (std::size_t i = 0; i < times.size(); i++) {
            for (const Seconds layer : times[i].layers) {
                built_.timed[i].layers.push_back(whole_nanoseconds(layer));
            }
            built_.timed[i].whole = whole_nanoseconds(times[i].whole);
        }
    }

    const MeasureKernelsOptions &options_;
    KernelTarget target_;
    Clock::time_point start_ = Clock::now();
    Seconds longest_;
    Built built_;
};

} // namespace

KernelTimings measure_kernels(const MeasureKernelsOptions &options) {
    return Measurement(options).run();
}

} // namespace edgefront
