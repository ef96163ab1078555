#include "search/kernels/measure.h"

#include "dsl/weights.h"
#include "search/kernels/host_plans.h"

#include <algorithm>

namespace edgefront {

namespace {

struct Stopped {};

constexpr std::uint64_t seed = 1; // of weights and input: any numbers take equally long
constexpr double build_share = 0.8;

Timing build_and_time(const Network &network, const MeasureOptions &options) {
    const auto progress = [&](double share, const std::string &doing) {
        if (options.stop && options.stop()) {
            throw Stopped();
        }
        if (options.progress) {
            options.progress(share, doing);
        }
    };
    const KernelTarget target = host_kernel_target();
    const HostPlans plans =
        host_plans(network, target, options.db, options.threads, options.build.tool_version);
    const PackagePlan plan = plan_package(network, plans.kernels, target);
    BuildContext build = options.build;
    build.progress = [&](int done, int total, const std::string &layer) {
        progress(build_share * done / std::max(total, 1), "compiling " + layer);
    };
    Runner runner(plan, random_weights(network, seed), build, options.threads);
    return time_runs(runner, random_input(network, seed), options.bench, [&](double share) {
        progress(build_share + (1 - build_share) * share, "timing");
    });
}

} // namespace

Measurement measure(const Network &network, const MeasureOptions &options) {
    Measurement result;
    try {
        result.time = build_and_time(network, options);
    } catch (const Stopped &) {
        result.interrupted = true;
    } catch (const std::exception &e) {
        result.failure = e.what();
    }
    return result;
}

} // namespace edgefront
