// edgefront generate N --target T -o DIR: the network as a kernel package.
#include "app/host_network.h"
#include "hwmodels/cost_model.h"
#include "reports/cost_json.h"
#include "schedules/toolchain.h"
#include "search/kernels/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace edgefront {

namespace {

struct Options {
    HostOptions host;
    std::string target = "host";
    std::string precision = "fp32";
    std::string directory;
    bool measure = false;
};

std::vector<std::string> targets_with_kernels() {
    std::vector<std::string> names;
    for (const auto &[name, target] : read_targets()) {
        if (target.kernels) {
            names.push_back(name);
        }
    }
    return names;
}

/// Kernels exist for some CPUs in fp32 only, so far; everything else is refused by name.
Target check_target(const Options &options) {
    Target target = find_target(options.target);
    if (!target.kernels) {
        throw UserError("no kernels are generated for " + target.name + ", expected one of " +
                        join(targets_with_kernels()) + "; " + target.name +
                        " can be priced (see `edgefront estimate`)");
    }
    const DataType precision = parse_data_type(options.precision);
    if (precision != DataType::fp32) {
        throw UserError("kernels are generated in fp32 only, not in " + to_string(precision));
    }
    if (options.measure && !target.kernels->are_for_this_machine()) {
        throw UserError("--measure times kernels on this machine, and those for " + target.name +
                        " run elsewhere; expected --target host");
    }
    if (!options.host.db.empty() && !target.kernels->are_for_this_machine()) {
        throw UserError("--db holds plans tuned on this machine, and those for " + target.name +
                        " are chosen by a model; expected --target host");
    }
    return target;
}

HostNetwork prepare_for(const Target &target, const HostOptions &options) {
    if (target.kernels->are_for_this_machine()) {
        return prepare(options);
    }
    return prepare(options, parse_kernel_target(target.kernels->halide_target), core_info(target));
}

PackageCosts predicted_costs(const Network &network, const Target &target, int threads) {
    const auto model = make_cost_model(target);
    const Workload workload =
        workload_for(target, DataType::fp32, std::min(threads, target.max_threads));
    const Estimate e = estimate(*model, network, workload);
    PackageCosts costs{cost_json(e.total), {}};
    for (const LayerEstimate &layer : e.layers) {
        const Cost *cost = std::get_if<Cost>(&layer.verdict);
        costs.layers.push_back(cost != nullptr ? cost_json(*cost) : Json());
    }
    return costs;
}

PackageCosts measured_costs(const HostNetwork &host, const BuildContext &context,
                            const Options &options) {
    Runner runner(host.plan, host.weights, context, options.host.threads);
    const BenchResult result = bench(runner, random_input(host.plan.network, options.host.seed),
                                     BenchOptions(), [](double) { stop_if_interrupted(); });
    const auto json = [&](const Timing &t) -> Json {
        return {{"latency_ms", milliseconds(t.median)}, {"min_ms", milliseconds(t.least)},
                {"p90_ms", milliseconds(t.p90)},        {"runs", t.runs},
                {"threads", options.host.threads},      {"kind", to_string(CostKind::measured)}};
    };
    PackageCosts costs{json(result.network), std::vector<Json>(host.plan.network.nodes.size())};
    for (std::size_t i = 0; i < result.kernels.size(); i++) {
        const auto last = static_cast<std::size_t>(host.plan.steps[i].last_node());
        costs.layers[last] = json(result.kernels[i]);
    }
    return costs;
}

int run_generate(const Options &options, bool quiet) {
    const Target target = check_target(options);
    const HostNetwork host = prepare_for(target, options.host);
    const std::string emulator = toolchain_for(host.plan.target.text).emulator;
    BuildContext context = build_context(quiet);
    context.target_name = target.name;
    PackageNotes notes;
    if (host.tuned == 0) { // the model knows default kernels, one per layer
        notes.predicted = predicted_costs(host.plan.network, target, options.host.threads);
    }
    if (options.measure) {
        notes.measured = measured_costs(host, context, options);
    }
    write_package(host.plan, host.weights, notes, context, options.directory);

    std::set<std::string> kernels;
    for (const PackageStep &step : host.plan.steps) {
        kernels.insert(step.symbol);
    }
    const std::string tuned = host.tuned_note(options.host);
    const std::string text = fmt::format(
        "{}: package {} of {}\n{} layers in {} kernels, weights from {} ({:.1f} MB), activations "
        "{:.1f} MB\n{}check it with {}{}/bin/selfcheck\n",
        options.directory, host.plan.name, host.plan.network.name, host.plan.network.nodes.size(),
        kernels.size(), host.weights.source, static_cast<double>(host.plan.floats) * 4e-6,
        static_cast<double>(host.plan.memory.arena.count()) * 1e-6,
        tuned.empty() ? "" : tuned + "\n", emulator.empty() ? "" : emulator + " ",
        options.directory);
    OutputOptions().write(text);
    return exit_ok;
}

} // namespace

void add_generate(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command =
        app.add_subcommand("generate", "Write a network as a kernel package: library, header, "
                                       "weights, CMake config, self-check");
    options->host.add_to(*command);
    command
        ->add_option("--target", options->target,
                     "Where the kernels run: host, or a CPU that they can be compiled for")
        ->capture_default_str();
    command->add_option("--precision", options->precision, "fp32")->capture_default_str();
    command
        ->add_option("-o,--output", options->directory,
                     "Folder of the package; an existing package is replaced")
        ->required();
    command->add_flag("--measure", options->measure,
                      "Time every layer and put it beside the prediction in manifest.json");
    command->footer("Needs a C compiler (cc, or $CC); for Arm cores that of their architecture\n"
                    "(Debian: gcc-aarch64-linux-gnu; $CROSS_COMPILE names another prefix than\n"
                    "aarch64-linux-gnu-). find_package(NAME) with the folder in\n"
                    "CMAKE_PREFIX_PATH gives the target NAME::NAME.\n"
                    "Examples:\n  edgefront generate mobilenet_v2 --target host -o kernels\n"
                    "  edgefront generate mobilenet_v2 --target cortex-a76 -o kernels-arm\n"
                    "  edgefront generate --run runs/first --point 1a2b3c4d -o kernels --measure");
    command->callback([=, &session] {
        session.action = [=, &session] {
            return interruptible([&] { return run_generate(*options, session.quiet); });
        };
    });
}

} // namespace edgefront
