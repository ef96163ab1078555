#include "app/measured_calibration.h"

#include "app/host_network.h"
#include "app/progress.h"
#include "base/files.h"
#include "hwmodels/kernel_fit.h"
#include "search/kernels/measure_kernels.h"

#include <fmt/format.h>

namespace edgefront {

void MeasuredCalibration::add_to(CLI::App &command) {
    command.add_flag("--measure", asked,
                     "Measure this machine instead of reading published latencies; what `host` "
                     "does anyway");
    command.add_option("--minutes", minutes, "Time that measuring may take")
        ->check(CLI::Range(0.05, 600.0))
        ->capture_default_str();
    command.add_option("--networks", networks, "Random networks to time, at most")
        ->check(CLI::Range(2, 1000))
        ->capture_default_str();
    command.add_option("--seed", seed, "Of the random networks")->capture_default_str();
    CLI::Option *read = command.add_option("--timings", timings,
                                           "Fit to the timings in this file, measure nothing");
    command.add_option("--save-timings", save_timings, "Write what was measured to this file")
        ->excludes(read);
}

Target MeasuredCalibration::run(const Target &target, bool quiet) const {
    KernelTimings measured;
    if (!timings.empty()) {
        measured = read_kernel_timings(timings);
    } else {
        MeasureKernelsOptions options;
        options.seed = seed;
        options.networks = networks;
        options.budget = Seconds(60 * minutes);
        options.build = build_context(true);
        Progress progress("per cent", quiet);
        options.progress = [&](double share, const std::string &doing) {
            stop_if_interrupted();
            progress.update(static_cast<std::int64_t>(100 * share), 100, [&] { return doing; });
        };
        measured = measure_kernels(options);
        if (!save_timings.empty()) {
            write_file(save_timings, write_kernel_timings(measured).dump(1) + "\n");
        }
    }
    return fit_kernels(target, measured);
}

Table measured_table(const Target &target) {
    Table table;
    table.columns = {{"network", "network"},          {"measured_ms", "measured ms"},
                     {"predicted_ms", "modelled ms"}, {"error_percent", "error %", 1},
                     {"held_out_ms", "held out ms"},  {"held_out_error_percent", "error %", 1}};
    const auto error = [](double predicted, double measured) {
        return 100 * (predicted / measured - 1);
    };
    for (const CalibrationRow &row : target.calibration->rows) {
        table.rows.push_back({row.network, row.published_ms, row.predicted_ms,
                              error(row.predicted_ms, row.published_ms), row.held_out_ms,
                              error(row.held_out_ms, row.published_ms)});
    }
    for (const auto &[key, constant] : target.constants) {
        const std::string &how = constant.provenance.confidence;
        const bool ours =
            constant.provenance.source.find("(edgefront calibrate)") != std::string::npos;
        if (ours && (how == "fitted" || how == "measured")) {
            table.notes.push_back(
                fmt::format("{}: {} {} = {}", target.name, how, key, constant.value));
        }
    }
    table.notes.push_back(target.name + ": " + target.calibration->measured);
    return table;
}

} // namespace edgefront
