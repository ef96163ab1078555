#include "app/measured_calibration.h"

#include "app/host_network.h"
#include "app/progress.h"
#include "base/error.h"
#include "base/files.h"
#include "hwmodels/kernel_fit.h"
#include "hwmodels/timed_machine.h"
#include "search/kernels/measure_kernels.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace edgefront {

void MeasuredCalibration::add_to(CLI::App &command) {
    command.add_flag("--measure", asked,
                     "Measure this machine instead of reading published latencies; what `host` "
                     "does anyway");
    steering.push_back(command.add_option("--minutes", minutes, "Time that measuring may take")
                           ->check(CLI::Range(0.05, 600.0))
                           ->capture_default_str());
    steering.push_back(
        command.add_option("--networks", networks, "Random networks to time, at most")
            ->check(CLI::Range(2, 1000))
            ->capture_default_str());
    steering.push_back(
        command.add_option("--seed", seed, "Of the random networks")->capture_default_str());
    CLI::Option *read = command.add_option("--timings", timings,
                                           "Fit to the timings in this file, measure nothing");
    command.add_option("--save-timings", save_timings, "Write what was measured to this file")
        ->excludes(read);
}

void MeasuredCalibration::require_used(bool measures) const {
    std::vector<std::string> idle;
    if (asked && !timings.empty()) {
        idle.emplace_back("--measure");
    }
    for (const CLI::Option *option : steering) {
        if (option->count() > 0 && (!measures || !timings.empty())) {
            idle.push_back(option->get_name());
        }
    }
    if (!idle.empty()) {
        throw UserError("no effect of " + join(idle) + ": " +
                        (measures ? "a fit to --timings measures nothing"
                                  : "constants are fitted to published latencies; --measure "
                                    "measures this machine"));
    }
}

Target MeasuredCalibration::run(const Target &target, bool quiet) const {
    require_this_machine(target);
    if (!save_timings.empty()) {
        require_writable(save_timings);
    }
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

void require_writable(const std::filesystem::path &path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    int error = fs::is_directory(status) ? EISDIR : 0;
    if (error == 0) {
        // Devices and pipes are written themselves, files replaced in their folder.
        const bool itself = fs::exists(status) && !fs::is_regular_file(status);
        const fs::path file = fs::is_regular_file(status) ? fs::canonical(path) : path;
        const fs::path place = itself ? file : fs::absolute(file).parent_path() / ".";
        error = ::access(place.c_str(), itself ? W_OK : W_OK | X_OK) == 0 ? 0 : errno;
    }
    if (error != 0) {
        throw UserError({path.string(), ""}, std::string("cannot write: ") + std::strerror(error));
    }
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
