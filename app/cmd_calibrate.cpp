// edgefront calibrate --target T: fit a target's constants to published latencies.
#include "app/command.h"
#include "base/files.h"
#include "hwmodels/calibrate.h"

#include <fmt/format.h>

#include <cmath>

namespace edgefront {

namespace {

struct Options {
    std::string target;
    std::string latencies;
    std::vector<std::string> fitted;
    std::string output;
    std::string format = "table";
};

double error(double predicted, double published) {
    return predicted / published - 1;
}

double rms(const std::vector<CalibrationRow> &rows, double CalibrationRow::*predicted) {
    double sum = 0;
    for (const CalibrationRow &row : rows) {
        sum += std::pow(error(row.*predicted, row.published_ms), 2);
    }
    return std::sqrt(sum / static_cast<double>(rows.size()));
}

Table table_of(const Target &target, const std::vector<std::string> &skipped) {
    Table table;
    table.columns = {{"network", "network"},          {"precision", "precision"},
                     {"threads", "threads"},          {"published_ms", "published ms"},
                     {"predicted_ms", "modelled ms"}, {"error_percent", "error %", 1},
                     {"held_out_ms", "held out ms"},  {"held_out_error_percent", "error %", 1}};
    const std::vector<CalibrationRow> &rows = target.calibration->rows;
    for (const CalibrationRow &row : rows) {
        table.rows.push_back({row.network, to_string(row.precision), row.threads, row.published_ms,
                              row.predicted_ms, 100 * error(row.predicted_ms, row.published_ms),
                              row.held_out_ms, 100 * error(row.held_out_ms, row.published_ms)});
    }
    for (const std::string &key : target.calibration->fitted) {
        table.notes.push_back(fmt::format("fitted {} = {}", key, target.constant(key)));
    }
    table.notes.push_back(fmt::format(
        "{} rows; root mean square of the relative error {:.1f} %, each row held out {:.1f} %",
        rows.size(), 100 * rms(rows, &CalibrationRow::predicted_ms),
        100 * rms(rows, &CalibrationRow::held_out_ms)));
    if (!skipped.empty()) {
        table.notes.push_back("rows of these networks were left out, the zoo lacks them: " +
                              join(skipped));
    }
    return table;
}

int run_calibrate(const Options &options) {
    const Target before = find_target(options.target);
    const std::vector<LatencyRow> rows =
        options.latencies.empty() ? read_latency_rows() : read_latency_rows(options.latencies);
    const CalibrationSet set = calibration_set(before, rows, Zoo());
    std::vector<std::string> fitted = options.fitted;
    if (fitted.empty() && before.calibration) {
        fitted = before.calibration->fitted;
    }
    if (fitted.empty()) {
        throw UserError("target " + before.name +
                        " has no calibration to repeat; name the constants to fit with --fit");
    }
    const Target after = calibrate(before, fitted, set.rows);
    const Table table = table_of(after, set.skipped);
    if (!options.output.empty()) {
        write_file(options.output, write_target(after).dump(2) + "\n");
    }
    OutputOptions{options.format, ""}.write(table, write_target(after));
    return exit_ok;
}

} // namespace

void add_calibrate(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand(
        "calibrate", "Fit constants of a target to its `calibrate` rows of published latencies");
    command->add_option("--target", options->target, "Target name or file")->required();
    command
        ->add_option("--fit", options->fitted,
                     "Constants to fit, at most one for two rows (default: those fitted before)")
        ->delimiter(',');
    command->add_option("--latencies", options->latencies,
                        "Table of latencies (default: data/published/latency.csv)");
    command->add_option("-o,--output", options->output, "Write the fitted target file here");
    command->add_option("--format", options->format, "Output format; json is the target file")
        ->check(CLI::IsMember(format_names()))
        ->capture_default_str();
    command->footer("Examples:\n  edgefront calibrate --target hexagon690\n"
                    "  edgefront calibrate --target my.json --latencies my.csv "
                    "--fit inference_overhead_us -o my.json");
    command->callback([=, &session] { session.action = [=] { return run_calibrate(*options); }; });
}

} // namespace edgefront
