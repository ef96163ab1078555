// Predicted against measured latency of networks that nobody tuned or timed before, drawn at random
// from a design space: how good a target file of this machine is.
//
//   bench_predict --target data/targets/host.json --space uib_small --networks 20 --seed 7
//
// Networks are timed side by side in rounds, the machine's multiply-add rate along with them.
#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "dsl/weights.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/reference.h"
#include "search/design_space_json.h"
#include "search/kernels/peak.h"
#include "search/kernels/time_networks.h"
#include "search/statistics.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <set>

using namespace edgefront;

namespace {

struct Options {
    std::string target = "host";
    std::vector<std::string> spaces = {"uib_small", "mobilenet_v4_uib"};
    int networks = 20;
    std::uint64_t seed = 1;
    int rounds = 30;
    double slice_ms = 20;
    double at_most_macs = 1.5e9;
    std::string json;
    bool layers = false;
};

struct Row {
    std::string space, id;
    Network network;
    std::vector<Schedule> schedules;
    NetworkTimes measured;
    Estimate predicted;

    double measured_ms() const { return measured.whole.count() * 1e3; }
    double predicted_ms() const { return predicted.total.latency.count() * 1e3; }
    double median_ms() const { return measured.median.count() * 1e3; }
    double error() const { return predicted_ms() / measured_ms() - 1; }
    double median_error() const { return predicted_ms() / median_ms() - 1; }
};

std::filesystem::path space_file(const std::string &name) {
    return is_path(name) ? std::filesystem::path(name)
                         : std::filesystem::path(EDGEFRONT_ROOT) / "data/spaces" / (name + ".json");
}

/// Networks of the spaces in turn, no two alike, none with more multiply-adds than asked for.
/// Throws UserError when nearly all that is drawn is too large or was drawn before.
std::vector<Row> draw(const Options &options) {
    const Zoo zoo;
    std::vector<DesignSpace> spaces;
    for (const std::string &name : options.spaces) {
        spaces.push_back(read_space_file(space_file(name), zoo));
    }
    Random random(derive_seed(options.seed, "bench_predict"));
    std::vector<Row> rows;
    std::set<std::string> seen;
    const int most_draws = 1000 * options.networks;
    for (int draws = 0; static_cast<int>(rows.size()) < options.networks; draws++) {
        if (draws == most_draws) {
            throw UserError(fmt::format(
                "{} draws from {} found {} networks of at most {:g} multiply-adds, expected {}: "
                "ask for fewer (--networks) or larger ones (--at-most-macs)",
                draws, join(options.spaces), rows.size(), options.at_most_macs, options.networks));
        }
        const DesignSpace &space = spaces[rows.size() % spaces.size()];
        const auto size = static_cast<std::uint64_t>(std::min(space.size(), 0x1p53));
        const Choices choices = space.at(random.below(size));
        Row row;
        row.space = space.name;
        row.id = space.id(choices);
        row.network = space.network(choices);
        row.network.name = "predict_" + row.id;
        if (static_cast<double>(macs(row.network).count()) <= options.at_most_macs &&
            seen.insert(row.id).second) {
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

/// Builds and times all of them; returns the best multiply-add rate seen meanwhile, in GFLOP/s.
double measure(std::vector<Row> &rows, const Options &options) {
    const KernelTarget target = host_kernel_target();
    BuildContext build;
    build.cache = cache_directory();
    build.tool_version = EDGEFRONT_VERSION;
    std::vector<Runner> runners;
    std::vector<std::vector<float>> inputs;
    for (Row &row : rows) {
        std::fprintf(stderr, "building %zu/%zu\n", runners.size() + 1, rows.size());
        const std::vector<KernelChoice> kernels = default_kernels(row.network, target);
        for (const KernelChoice &kernel : kernels) { // each of a layer by itself
            row.schedules.push_back(kernel.plan.members.front());
        }
        runners.emplace_back(plan_package(row.network, kernels, target),
                             random_weights(row.network, 1), build);
        inputs.push_back(random_input(row.network, 1));
    }
    TimingRounds rounds;
    rounds.rounds = options.rounds;
    rounds.slice = Seconds(options.slice_ms * 1e-3);
    rounds.layers = options.layers;
    double peak = measure_peak_flops(1);
    int slices = 0;
    const auto times = time_networks(runners, inputs, rounds, [&](double) {
        if (++slices % (3 * static_cast<int>(rows.size())) == 0) {
            peak = std::max(peak, measure_peak_flops(1));
        }
    });
    for (std::size_t i = 0; i < rows.size(); i++) {
        rows[i].measured = times[i];
    }
    return peak * 1e-9;
}

Json layers_json(const Row &row) {
    Json layers = Json::array();
    for (std::size_t i = 0; i < row.measured.layers.size(); i++) {
        const auto *cost = std::get_if<Cost>(&row.predicted.layers[i].verdict);
        layers.push_back({{"layer", key(row.network.nodes[i].layer)},
                          {"schedule", to_string(row.schedules[i])},
                          {"measured_us", row.measured.layers[i].count() * 1e6},
                          {"predicted_us", cost ? cost->latency.count() * 1e6 : 0}});
    }
    return layers;
}

Json report(const std::vector<Row> &rows, const Target &target, double peak,
            const Options &options) {
    std::vector<double> errors, measured, predicted;
    int within = 0, within_by_medians = 0;
    Json networks = Json::array();
    for (const Row &row : rows) {
        errors.push_back(std::abs(row.error()));
        measured.push_back(row.measured_ms());
        predicted.push_back(row.predicted_ms());
        within += std::abs(row.error()) <= 0.15 ? 1 : 0;
        within_by_medians += std::abs(row.median_error()) <= 0.15 ? 1 : 0;
        Json n = {{"space", row.space},
                  {"id", row.id},
                  {"macs", macs(row.network).count()},
                  {"measured_ms", row.measured_ms()},
                  {"median_ms", row.median_ms()},
                  {"runs", row.measured.runs},
                  {"predicted_ms", row.predicted_ms()},
                  {"error", row.error()}};
        if (options.layers) {
            n["layers"] = layers_json(row);
        }
        networks.push_back(n);
    }
    const auto share = [&](int count) {
        return static_cast<double>(count) / static_cast<double>(rows.size());
    };
    return {{"target", target.name},
            {"target_hash", target.hash},
            {"seed", options.seed},
            {"peak_gflops", peak},
            {"target_peak_gflops",
             2 * target.constant("mac_per_cycle_fp32") * target.constant("clock_ghz")},
            {"within_15_percent", share(within)},
            {"within_15_percent_of_medians", share(within_by_medians)},
            {"median_error", percentile(errors, 0.5).value_or(0)},
            {"p90_error", percentile(errors, 0.9).value_or(0)},
            {"spearman", spearman(measured, predicted).value_or(0)},
            {"networks", networks}};
}

std::string markdown(const Json &r) {
    std::string text =
        "| space | network | MMACs | measured ms | median ms | predicted ms | error % |\n"
        "|---|---|---|---|---|---|---|\n";
    for (const Json &n : r["networks"]) {
        text += fmt::format("| {} | {} | {:.0f} | {:.3f} | {:.3f} | {:.3f} | {:+.1f} |\n",
                            n["space"].get<std::string>(), n["id"].get<std::string>(),
                            n["macs"].get<double>() * 1e-6, n["measured_ms"].get<double>(),
                            n["median_ms"].get<double>(), n["predicted_ms"].get<double>(),
                            100 * n["error"].get<double>());
    }
    return text +
           fmt::format(
               "\n{} networks, seed {}: {:.0f} % within 15 % (by medians of all runs {:.0f} "
               "%), median error {:.1f} %, 90th percentile {:.1f} %, Spearman {:.4f}. Measured: "
               "mean of the fastest thirtieth of interleaved runs, fp32, one thread; peak "
               "meanwhile {:.0f} GFLOP/s, the target's {:.0f}.\n",
               r["networks"].size(), r["seed"].get<std::uint64_t>(),
               100 * r["within_15_percent"].get<double>(),
               100 * r["within_15_percent_of_medians"].get<double>(),
               100 * r["median_error"].get<double>(), 100 * r["p90_error"].get<double>(),
               r["spearman"].get<double>(), r["peak_gflops"].get<double>(),
               r["target_peak_gflops"].get<double>());
}

int run(const Options &options) {
    const Target target = find_target(options.target);
    const auto model = make_cost_model(target);
    std::vector<Row> rows = draw(options);
    for (Row &row : rows) { // predicted before anything is measured
        row.predicted = estimate(*model, row.network, workload_for(target, DataType::fp32, 1));
    }
    const double peak = measure(rows, options);
    const Json result = report(rows, target, peak, options);
    std::fputs(markdown(result).c_str(), stdout);
    if (!options.json.empty()) {
        write_file(options.json, result.dump(2) + "\n");
    }
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    Options options;
    CLI::App app("Predicted against measured latency of networks drawn at random");
    app.add_option("--target", options.target, "Target name or file")->capture_default_str();
    app.add_option("--space", options.spaces, "Design spaces, in turn")->delimiter(',');
    app.add_option("--networks", options.networks, "How many")
        ->check(CLI::Range(3, 1000))
        ->capture_default_str();
    app.add_option("--seed", options.seed, "Of the draw")->capture_default_str();
    app.add_option("--rounds", options.rounds, "Of timing")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app.add_option("--slice-ms", options.slice_ms, "Of each round, for each network")
        ->check(CLI::Range(0.1, 10000.0))
        ->capture_default_str();
    app.add_option("--at-most-macs", options.at_most_macs, "Larger networks are drawn again")
        ->capture_default_str();
    app.add_option("--json", options.json, "Write the figures here too");
    app.add_flag("--layers", options.layers, "Time layers too, for the JSON file");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const UserError &e) {
        std::fprintf(stderr, "bench_predict: %s\n", e.what());
        return 2;
    }
}
