// edgefront compare flops|latency|accuracy: published figures against ours.
#include "app/command.h"
#include "base/error.h"
#include "hwmodels/latency_rows.h"
#include "hwmodels/reference.h"
#include "reports/accuracy_comparison.h"
#include "reports/count_comparison.h"
#include "reports/latency_comparison.h"

#include <cmath>

namespace edgefront {

namespace {

/// Keeps the rows whose `name(row)` is `wanted`; all when it is empty. Throws UserError when none
/// is.
template <typename Row, typename Name>
std::vector<Row> only(std::vector<Row> rows, const std::string &wanted, const std::string &what,
                      Name name) {
    if (wanted.empty()) {
        return rows;
    }
    std::vector<std::string> names;
    std::vector<Row> kept;
    for (auto &row : rows) {
        names.push_back(name(row));
        if (names.back() == wanted) {
            kept.push_back(std::move(row));
        }
    }
    if (kept.empty()) {
        throw UserError("no published row is about the " + what + " '" + wanted + "'" +
                        did_you_mean(wanted, names));
    }
    return kept;
}

/// As `only`, by network; an alias stands for its family.
template <typename Row>
std::vector<Row> only_network(std::vector<Row> rows, const std::string &wanted, const Zoo &zoo) {
    const Family *family = zoo.find(wanted);
    return only(std::move(rows), family != nullptr ? family->name : wanted, "network",
                [](const Row &row) { return row.network; });
}

struct FlopsOptions {
    std::string network;
    OutputOptions output;
};

int run_flops(const FlopsOptions &options) {
    const Zoo zoo;
    const CountComparison comparison =
        compare_counts(only_network(read_count_rows(), options.network, zoo), zoo);
    options.output.write(to_table(comparison, options.output.format == "csv"), to_json(comparison));
    return comparison.count(Agreement::failed) == 0 ? exit_ok : exit_check_failed;
}

struct AccuracyOptions {
    std::string network;
    std::string recipe;
    OutputOptions output;
};

int run_accuracy(const AccuracyOptions &options) {
    const Zoo zoo;
    auto rows = only(read_accuracy_rows(), options.recipe, "recipe",
                     [](const AccuracyRow &row) { return row.recipe; });
    const auto recipes = compare_accuracy(only_network(std::move(rows), options.network, zoo), zoo);
    options.output.write(to_table(recipes, options.output.format == "csv"), to_json(recipes));
    return exit_ok;
}

struct LatencyOptions {
    std::string target;
    std::string latencies;
    std::string split;
    double tolerance_percent = 0; ///< 0: none
    bool explain = false;
    OutputOptions output;
};

int run_latency(const LatencyOptions &options) {
    if (!std::isfinite(options.tolerance_percent)) {
        throw UserError("--tolerance is not finite, expected percent");
    }
    if (options.explain && options.output.format == "csv") {
        throw UserError("csv has no place for what --explain says, expected --format table or "
                        "json");
    }
    std::map<std::string, Target> targets = read_targets();
    std::string name = options.target;
    if (is_path(options.target)) {
        const Target own = find_target(options.target);
        name = own.name;
        targets[own.name] = own;
    }
    const auto rows =
        only(options.latencies.empty() ? read_latency_rows() : read_latency_rows(options.latencies),
             name, "target", [](const LatencyRow &row) { return row.target; });
    std::optional<Split> split;
    if (!options.split.empty()) {
        split = options.split == to_string(Split::validate) ? Split::validate : Split::calibrate;
    }
    const LatencyComparison comparison = compare_latency(rows, Zoo(), targets, split);
    options.output.write(to_table(comparison, options.output.format == "csv", options.explain),
                         to_json(comparison, options.explain));
    for (const auto &target : comparison.targets) {
        if (options.tolerance_percent > 0 && target.model &&
            100 * target.model->median_error > options.tolerance_percent) {
            return exit_check_failed;
        }
    }
    return exit_ok;
}

} // namespace

void add_compare(CLI::App &app, Session &session) {
    CLI::App *compare = app.add_subcommand("compare", "Published figures against ours");
    compare->require_subcommand(1);
    compare->footer("Examples:\n  edgefront compare flops\n"
                    "  edgefront compare latency --split validate\n"
                    "  edgefront compare accuracy --recipe cvnets");

    auto flops = std::make_shared<FlopsOptions>();
    CLI::App *command = compare->add_subcommand(
        "flops", "Published MACs and parameters against our counts; exit code 1 when a row fails");
    command->add_option("--network", flops->network, "Only rows of this network");
    flops->output.add_to(*command);
    command->footer("Examples:\n  edgefront compare flops\n"
                    "  edgefront compare flops --network mobilenet_v4_conv_small --format json");
    command->callback([=, &session] { session.action = [=] { return run_flops(*flops); }; });

    auto accuracy = std::make_shared<AccuracyOptions>();
    command = compare->add_subcommand("accuracy",
                                      "Published accuracies, recipe by recipe, beside our counts");
    command->add_option("--network", accuracy->network, "Only rows of this network");
    command->add_option("--recipe", accuracy->recipe, "Only rows of this training recipe");
    accuracy->output.add_to(*command);
    command->footer("Examples:\n  edgefront compare accuracy --recipe slim\n"
                    "  edgefront compare accuracy --network mobilenet_v2 --format csv");
    command->callback([=, &session] { session.action = [=] { return run_accuracy(*accuracy); }; });

    auto latency = std::make_shared<LatencyOptions>();
    command = compare->add_subcommand("latency", "Published latencies against the models' prices");
    command->add_option("--target", latency->target, "Only rows of this target (name or file)");
    command->add_option("--latencies", latency->latencies,
                        "Table of latencies (default: data/published/latency.csv)");
    command->add_option("--split", latency->split, "Only rows that may be fitted, or that may not")
        ->check(CLI::IsMember(split_names()));
    command
        ->add_option("--tolerance", latency->tolerance_percent,
                     "Exit code 1 when the median error of a target exceeds this many percent")
        ->check(CLI::PositiveNumber);
    command->add_flag(
        "--explain", latency->explain,
        "Of rows that miss, which layers take the modelled time and what bounds them");
    latency->output.add_to(*command);
    command->footer(
        "Beside the model stand two formulas fitted on the same `calibrate` rows, by target, "
        "precision and threads:\nproportional to MACs; a constant plus MACs plus activation bytes "
        "(least squares weighted by 1 / latency;\nMACs only where that leaves no row to spare). A "
        "row misses beyond 10 % on a CPU, 15 % on an Edge TPU,\n20 % elsewhere.\n"
        "Examples:\n  edgefront compare latency --split validate\n"
        "  edgefront compare latency --target sd855-cpu --explain\n"
        "  edgefront compare latency --target pixel6-cpu --tolerance 20");
    command->callback([=, &session] { session.action = [=] { return run_latency(*latency); }; });
}

} // namespace edgefront
