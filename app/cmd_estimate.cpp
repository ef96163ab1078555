// edgefront estimate N --target T: what every layer costs there, and what bounds it.
#include "app/command.h"
#include "hwmodels/target_changes.h"
#include "reports/estimate_report.h"

#include <fmt/format.h>

#include <cstdio>

namespace edgefront {

namespace {

struct Options {
    NetworkOptions network;
    std::string target;
    std::optional<std::string> precision;
    std::optional<int> threads;
    std::vector<std::string> changes; ///< "key=value"
    bool fuse = false;
    OutputOptions output;
};

int run_estimate(const Options &options) {
    const Target target = find_target(options.target);
    std::optional<DataType> precision;
    if (options.precision) {
        precision = parse_data_type(*options.precision);
    }
    const Workload workload = workload_for(target, precision, options.threads);
    const Network network = options.network.resolve();
    const Fuse fuse = options.fuse ? Fuse::where_cheaper : Fuse::never;
    EstimateReport report{network.name, target, workload,
                          estimate(*make_cost_model(target), network, workload, fuse)};
    report.fuse = fuse;
    if (!options.changes.empty()) {
        report.target = with_changes(target, options.changes);
        report.unchanged = {target, std::move(report.estimate)};
        report.estimate = estimate(*make_cost_model(report.target), network, workload, fuse);
        report.estimate.interval.reset(); // belongs to the calibrated device
    }
    options.output.write(estimate_table(report), estimate_json(report));
    const std::vector<std::string> &refused = report.estimate.unsupported;
    if (!refused.empty()) {
        std::fprintf(stderr, "edgefront: %s cannot run %s: %s%s\n", target.name.c_str(),
                     network.name.c_str(), refused.front().c_str(),
                     refused.size() > 1
                         ? fmt::format(" (and {} more layers)", refused.size() - 1).c_str()
                         : "");
        return exit_infeasible;
    }
    return exit_ok;
}

} // namespace

void add_estimate(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("estimate", "Price a network on a target, per layer");
    options->network.add_to(*command);
    options->output.add_to(*command);
    command->add_option("--target", options->target, "Target name or file")->required();
    command->add_option("--precision", options->precision, "fp32, fp16 or int8 (default: its own)");
    command->add_option("--threads", options->threads, "Threads (default: 1)");
    command->add_option("--set", options->changes,
                        "What if: KEY=VALUE[,KEY=VALUE...] for a constant of the target (see "
                        "`edgefront targets NAME`); may be repeated");
    command->add_flag("--fuse", options->fuse,
                      "Price pointwise-depthwise-pointwise, depthwise-pointwise and "
                      "pointwise-depthwise chains in one piece where that is faster");
    command->footer(
        "Latency and energy are modelled. Exit code 3: the target cannot run a layer.\n"
        "The lower bound is the longest of the multiply-adds on all multipliers and the unique "
        "bytes on each\nmemory level; no mapping of that layer (with --fuse: of that group) is "
        "faster. The interval is what "
        "the calibration's own errors\nleave open. --set also takes other units (KEY_kib for "
        "KEY_mib, _mhz for _ghz...), array=ROWSxCOLUMNS\nand sram_kib, where the target has such "
        "constants.\n"
        "JSON: weight_bytes are as the device stores them, register_bytes what multipliers read "
        "and "
        "write in\nregisters. A fused group is one of layers[]: op \"fused\", its members, its "
        "plan "
        "and whether that is proven\nbest, and what its layers cost one by one (separate).\n"
        "Examples:\n  edgefront estimate mobilenet_v2 --target pixel6-cpu\n"
        "  edgefront estimate mobilenet_v4_conv_small@1.0,160 --target host "
        "--precision int8 --threads 2 --format json\n"
        "  edgefront estimate mobilenet_v2 --target coral-usb --set weight_memory_mib=16 --set "
        "clock_ghz=1\n  edgefront estimate mobilenet_v2 --target coral-usb --fuse");
    command->callback([=, &session] { session.action = [=] { return run_estimate(*options); }; });
}

} // namespace edgefront
