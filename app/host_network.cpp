#include "app/host_network.h"

#include "app/interrupt.h"
#include "app/progress.h"
#include "search/kernels/host_plans.h"
#include "search/kernels/runner.h"

#include <fmt/format.h>

#include <cstdio>

namespace edgefront {

void HostOptions::add_to(CLI::App &command) {
    NumberedOptions::add_to(command);
    command.add_option("--threads", threads, "Threads to run on")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command.add_option("--db", db,
                       "Take plans from this tuning database where it has them for this machine "
                       "and as many threads (see `edgefront tune`)");
}

namespace {

NetworkWeights weights_for(const Network &network, const HostOptions &options) {
    return options.weights.empty() ? random_weights(network, options.seed)
                                   : load_weights(network, options.weights);
}

} // namespace

HostNetwork prepare(const HostOptions &options) {
    const Network network = options.network.resolve();
    const KernelTarget target = host_kernel_target();
    const HostPlans plans =
        host_plans(network, target, options.db, options.threads, EDGEFRONT_VERSION);
    return {plan_package(network, plans.kernels, target), weights_for(network, options),
            plans.tuned};
}

HostNetwork prepare(const HostOptions &options, const KernelTarget &target, const CoreInfo &core) {
    const Network network = options.network.resolve();
    return {plan_package(network, default_kernels(network, target, core), target),
            weights_for(network, options), 0};
}

std::string HostNetwork::tuned_note(const HostOptions &options) const {
    return options.db.empty() ? ""
                              : fmt::format("{} of {} layers tuned ({})", tuned,
                                            plan.network.nodes.size(), options.db);
}

BuildContext build_context(bool quiet) {
    BuildContext context;
    context.cache = cache_directory();
    context.tool_version = EDGEFRONT_VERSION;
    const auto progress = std::make_shared<Progress>("kernels", quiet);
    context.progress = [progress](int done, int total, const std::string &layer) {
        stop_if_interrupted();
        progress->update(done, total, [&] { return "compiling " + layer; });
    };
    return context;
}

void stop_if_interrupted() {
    if (InterruptGuard::requested()) {
        throw Interrupted();
    }
}

int interruptible(const std::function<int()> &body) {
    const InterruptGuard guard;
    try {
        return body();
    } catch (const Interrupted &) {
        std::fprintf(stderr, "edgefront: interrupted; kernels compiled so far stay in the cache\n");
        return exit_interrupted;
    }
}

} // namespace edgefront
