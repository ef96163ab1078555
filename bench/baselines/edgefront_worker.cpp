// Edgefront as a peer: the library that `generate` ships, with default schedules or (--db) tuned
// plans.
#include "base/error.h"
#include "bench/baselines/worker.h"
#include "search/kernels/host_plans.h"

namespace edgefront {
namespace {

PreparedNetwork prepare(const Network &network, const NetworkWeights &weights,
                        const std::vector<float> &input, const WorkerOptions &options) {
    const KernelTarget target = host_kernel_target();
    BuildContext context;
    context.cache = cache_directory();
    context.tool_version = EDGEFRONT_VERSION;
    const HostPlans plans =
        host_plans(network, target, options.db, options.threads, EDGEFRONT_VERSION);
    if (!options.db.empty() && plans.tuned == 0) {
        throw UserError({options.db, ""}, "nothing in it makes " + network.name +
                                              " another one on this machine and " +
                                              std::to_string(options.threads) + " threads");
    }
    const PackagePlan plan = plan_package(network, plans.kernels, target);
    const auto runner = std::make_shared<Runner>(plan, weights, context, options.threads);
    runner->run(input);
    return {[=] { runner->rerun(); }, [=] { return runner->run(input); }};
}

} // namespace
} // namespace edgefront

int main(int argc, char **argv) {
    return edgefront::run_worker(argc, argv, edgefront::prepare);
}
