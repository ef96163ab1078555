// edgefront calibrate --target T: fit a target's constants to published latencies, or measure this
// machine (measured_calibration.h).
#include "app/command.h"
#include "app/host_network.h"
#include "app/measured_calibration.h"
#include "base/error.h"
#include "base/files.h"
#include "hwmodels/calibrate.h"
#include "hwmodels/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

namespace edgefront {

namespace {

struct Options {
    std::vector<std::string> targets;
    std::string latencies;
    std::vector<std::string> fitted; ///< KEY or TARGET:KEY
    std::vector<std::string> shared;
    std::string output;
    std::string format = "table";
    MeasuredCalibration measured;
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

/// Says when a fitted number stopped at the end of its range, where the rows ask for more.
std::string bound_note(const Target &target, const std::string &key) {
    for (const ConstantSpec &spec : constant_specs(target)) {
        if (spec.key == key && target.constant(key) <= spec.least) {
            return " (on its lower bound)";
        }
        if (spec.key == key && target.constant(key) >= spec.most) {
            return " (on its upper bound)";
        }
    }
    return "";
}

Table table_of(const std::vector<Target> &targets, const std::vector<std::string> &skipped) {
    Table table;
    table.columns = {{"target", "target"},
                     {"network", "network"},
                     {"precision", "precision"},
                     {"threads", "threads"},
                     {"published_ms", "published ms"},
                     {"predicted_ms", "modelled ms"},
                     {"error_percent", "error %", 1},
                     {"held_out_ms", "held out ms"},
                     {"held_out_error_percent", "error %", 1}};
    for (const Target &target : targets) {
        const std::vector<CalibrationRow> &rows = target.calibration->rows;
        for (const CalibrationRow &row : rows) {
            table.rows.push_back({target.name, row.network, to_string(row.precision), row.threads,
                                  row.published_ms, row.predicted_ms,
                                  100 * error(row.predicted_ms, row.published_ms), row.held_out_ms,
                                  100 * error(row.held_out_ms, row.published_ms)});
        }
        for (const std::string &key : target.calibration->fitted) {
            const auto &shared = target.calibration->shared;
            table.notes.push_back(fmt::format(
                "{}: fitted {} = {}{}{}", target.name, key, target.constant(key),
                std::find(shared.begin(), shared.end(), key) != shared.end() ? " (shared)" : "",
                bound_note(target, key)));
        }
        table.notes.push_back(fmt::format("{}: {} rows; root mean square of the relative error "
                                          "{:.1f} %, each row held out {:.1f} %",
                                          target.name, rows.size(),
                                          100 * rms(rows, &CalibrationRow::predicted_ms),
                                          100 * rms(rows, &CalibrationRow::held_out_ms)));
    }
    if (!skipped.empty()) {
        table.notes.push_back("rows of these networks were left out, the zoo lacks them: " +
                              join(skipped));
    }
    return table;
}

/// What --fit and --share ask for, or what the first target's calibration did.
std::vector<CalibrationTask> tasks_of(const Options &options, const std::vector<LatencyRow> &rows,
                                      const Zoo &zoo) {
    std::vector<CalibrationTask> tasks;
    if (options.fitted.empty() && options.shared.empty()) {
        const Target first = find_target(options.targets.front());
        tasks = calibration_tasks(first, rows, zoo);
        for (const CalibrationTask &task : tasks) {
            if (!task.target.calibration) {
                throw UserError("target " + task.target.name +
                                " has no calibration to repeat; name the constants to fit with "
                                "--fit");
            }
        }
        // The calibration names the others, so a file beside the first target is none of them.
        for (auto name = options.targets.begin() + 1; name != options.targets.end(); ++name) {
            const bool together = std::any_of(tasks.begin(), tasks.end(), [&](const auto &task) {
                return task.target.name == *name && *name != first.name;
            });
            if (!together) {
                throw UserError("'" + *name + "' is none of the targets that " + first.name +
                                " was fitted with; name the constants to fit with --fit and "
                                "--share");
            }
        }
        return tasks;
    }
    for (const std::string &name : options.targets) {
        const Target target = find_target(name);
        tasks.push_back({target, calibration_set(target, rows, zoo).rows, {}});
    }
    for (const std::string &fitted : options.fitted) {
        const std::size_t colon = fitted.find(':');
        const bool named = colon != std::string::npos;
        bool found = false;
        for (CalibrationTask &task : tasks) {
            if (!named || task.target.name == fitted.substr(0, colon)) {
                task.own.push_back(named ? fitted.substr(colon + 1) : fitted);
                found = true;
            }
        }
        if (!found) {
            throw UserError("--fit " + fitted + " names none of the targets to fit");
        }
    }
    return tasks;
}

/// All of the files or none: each is complete in a folder beside them before the first changes.
void write_together(const std::map<std::filesystem::path, std::string> &files,
                    const std::filesystem::path &folder) {
    const TemporaryFolder complete(folder / "calibrate");
    for (const auto &[path, text] : files) {
        if (std::filesystem::is_directory(path)) {
            throw UserError("cannot write " + path.string() + ": it is a folder");
        }
        write_file(complete.path() / path.filename(), text);
    }
    for (const auto &[path, text] : files) {
        std::error_code failed; // through a symbolic link its target is replaced, not the link
        std::filesystem::rename(complete.path() / path.filename(),
                                std::filesystem::weakly_canonical(path), failed);
        if (failed) {
            throw UserError("cannot write " + path.string() + ": " + failed.message());
        }
    }
}

/// The file, or NAME.json in the folder.
std::filesystem::path output_file(const Target &target, const std::filesystem::path &output) {
    return std::filesystem::is_directory(output) ? output / (target.name + ".json") : output;
}

/// Into the file, or as NAME.json into the folder.
void write_targets(const std::vector<Target> &targets, const Options &options) {
    const std::filesystem::path output = options.output;
    const bool folder = std::filesystem::is_directory(output);
    if (targets.size() > 1 && !folder) {
        throw UserError("these are " + std::to_string(targets.size()) +
                        " targets, expected a folder for them after -o");
    }
    const auto file_folder = folder ? output : output.parent_path();
    std::map<std::filesystem::path, std::string> files;
    for (const Target &target : targets) {
        Target written = target;
        for (const std::string &name : options.targets) {
            if (is_path(name) && find_target(name).name == target.name) {
                const std::filesystem::path file = name;
                written = moved(written, file.parent_path(), file_folder);
            }
        }
        files[output_file(target, output)] = write_target(written).dump(2) + "\n";
    }
    if (files.size() > 1) {
        write_together(files, output);
        return;
    }
    for (const auto &[path, text] : files) {
        write_file(path, text);
    }
}

/// Whether constants come from this machine: when asked to, or for the target that is this machine.
bool measures(const Options &options, const std::vector<LatencyRow> &rows) {
    const bool fits = !options.fitted.empty() || !options.shared.empty();
    if (options.measured.used()) {
        if (fits || options.targets.size() > 1) {
            throw UserError("measuring this machine takes one target and fits all it can measure: "
                            "leave out --fit, --share and further targets");
        }
        return true;
    }
    return options.targets.size() == 1 && options.targets.front() == "host" && !fits &&
           std::none_of(rows.begin(), rows.end(),
                        [](const LatencyRow &row) { return row.target == "host"; });
}

int run_measured(const Options &options, bool quiet) {
    if (!options.latencies.empty()) {
        throw UserError("constants measured on this machine come from no table: leave out "
                        "--latencies" +
                        (options.measured.used()
                             ? std::string()
                             : "; " + options.latencies + " has no rows of host to fit to"));
    }
    const Target before = find_target(options.targets.front());
    if (!options.output.empty()) {
        require_writable(output_file(before, options.output));
    }
    const Target after = options.measured.run(before, quiet);
    if (!options.output.empty()) {
        write_targets({after}, options);
    }
    OutputOptions{options.format, ""}.write(measured_table(after), write_target(after));
    return exit_ok;
}

int run_calibrate(const Options &options, bool quiet) {
    const std::vector<LatencyRow> rows =
        options.latencies.empty() ? read_latency_rows() : read_latency_rows(options.latencies);
    const bool measuring = measures(options, rows);
    options.measured.require_used(measuring);
    if (measuring) {
        return interruptible([&] { return run_measured(options, quiet); });
    }
    const Zoo zoo;
    const std::vector<CalibrationTask> tasks = tasks_of(options, rows, zoo);
    const auto &before = tasks.front().target.calibration;
    const bool repeats = options.fitted.empty() && options.shared.empty();
    const std::vector<Target> after =
        calibrate(tasks, repeats && before ? before->shared : options.shared);
    std::vector<std::string> skipped;
    for (const CalibrationTask &task : tasks) {
        const auto more = calibration_set(task.target, rows, zoo).skipped;
        skipped.insert(skipped.end(), more.begin(), more.end());
    }
    Json json = Json::array();
    for (const Target &target : after) {
        json.push_back(write_target(target));
    }
    const Table table = table_of(after, skipped);
    if (!options.output.empty()) {
        write_targets(after, options);
    }
    OutputOptions{options.format, ""}.write(table, after.size() == 1 ? json.front() : json);
    return exit_ok;
}

} // namespace

void add_calibrate(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand(
        "calibrate", "Fit constants of a target to its `calibrate` rows of published latencies, or "
                     "to measurements of this machine");
    command->add_option("--target", options->targets, "Target names or files")
        ->required()
        ->delimiter(',');
    command
        ->add_option("--fit", options->fitted,
                     "Constants to fit, of each target its own; TARGET:KEY of one target only. At "
                     "most one for two rows (default: those fitted before, with the same targets)")
        ->delimiter(',');
    command
        ->add_option("--share", options->shared,
                     "Constants to fit as one number for all the targets")
        ->delimiter(',');
    command->add_option("--latencies", options->latencies,
                        "Table of latencies (default: data/published/latency.csv)");
    command->add_option("-o,--output", options->output,
                        "Write the fitted target file here; into a folder as NAME.json");
    command->add_option("--format", options->format, "Output format; json is the target file")
        ->check(CLI::IsMember(format_names()))
        ->capture_default_str();
    options->measured.add_to(*command);
    command->footer("Examples:\n  edgefront calibrate --target hexagon690\n"
                    "  edgefront calibrate --target coral-usb,coral-devboard "
                    "--fit stream_gb_per_s --share inference_overhead_us\n"
                    "  edgefront calibrate --target my.json --latencies my.csv "
                    "--fit inference_overhead_us -o my.json\n"
                    "  edgefront calibrate --target host -o . && "
                    "edgefront estimate mobilenet_v2 --target ./host.json");
    command->callback([=, &session] {
        session.action = [=, &session] { return run_calibrate(*options, session.quiet); };
    });
}

} // namespace edgefront
