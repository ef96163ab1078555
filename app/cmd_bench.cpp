// edgefront bench N: times a network on this machine, whole and per layer.
#include "app/host_network.h"
#include "app/progress.h"
#include "search/kernels/layer_bound.h"
#include "search/kernels/runner.h"

#include <fmt/format.h>

namespace edgefront {

namespace {

struct Options {
    HostOptions host;
    OutputOptions output;
    BenchOptions bench;
    double seconds = 1;
};

double flops_per_second(Macs macs, Seconds time) {
    return 2.0 * static_cast<double>(macs.count()) / time.count();
}

Json timing_json(const Timing &t) {
    return {{"median_ms", milliseconds(t.median)},
            {"min_ms", milliseconds(t.least)},
            {"p90_ms", milliseconds(t.p90)},
            {"runs", t.runs}};
}

Json levels_json(const MachinePeak &peak) {
    Json levels = Json::array();
    for (const LevelBandwidth &l : peak.levels) {
        levels.push_back({{"level", l.level},
                          {"working_set_bytes", l.working_set.count()},
                          {"read_gb_per_s", l.read_bytes_per_second * 1e-9},
                          {"triad_gb_per_s", l.triad_bytes_per_second * 1e-9}});
    }
    return levels;
}

/// A row per kernel: of a layer, or of a chain of layers, which has the shape of its last one.
Json layers_json(const PackagePlan &plan, const BenchResult &result, const MachinePeak &peak) {
    Json rows = Json::array();
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
        const std::vector<Layer> layers = layers_of(plan, plan.steps[i]);
        const Layer &last = layers.back();
        Macs work;
        for (const Layer &layer : layers) {
            work += macs(layer);
        }
        const double rate = flops_per_second(work, result.kernels[i].median);
        Json row = {{"name", name_of(plan, plan.steps[i])},
                    {"op", layers.size() > 1 ? "chain" : to_string(last.op)},
                    {"kernel", last.kernel},
                    {"output", to_string(last.output)},
                    {"macs", work.count()}};
        row.update(timing_json(result.kernels[i]));
        row["gflops"] = rate * 1e-9;
        row["share_of_peak"] = rate / peak.flops;
        const LayerBound bound = kernel_bound(layers, peak);
        row["bound_ms"] = milliseconds(bound.time);
        row["bound_by"] = bound.by_memory ? bound.level : "compute";
        row["share_of_bound"] = bound.time / result.kernels[i].median;
        rows.push_back(row);
    }
    return rows;
}

Table table_of(const Json &result, const std::string &tuned) {
    Table table;
    table.columns = {{"name", "layer"},
                     {"op", "op"},
                     {"output", "output"},
                     {"median_us", "median us", 1},
                     {"share_of_time", "% of time", 1},
                     {"gflops", "GFLOP/s", 1},
                     {"share_of_peak", "% of peak", 1},
                     {"share_of_bound", "% of roofline", 1},
                     {"bound_by", "bound by"}};
    double total = 0, bounds = 0;
    for (const Json &l : result["layers"]) {
        total += l["median_ms"].get<double>();
        bounds += l["bound_ms"].get<double>();
    }
    for (const Json &l : result["layers"]) {
        const double time = l["median_ms"].get<double>();
        table.rows.push_back({l["name"], l["op"], l["output"], 1e3 * time, 100 * time / total,
                              l["gflops"], 100 * l["share_of_peak"].get<double>(),
                              100 * l["share_of_bound"].get<double>(), l["bound_by"]});
    }
    std::string bandwidths;
    for (const Json &l : result["bandwidth"]) {
        bandwidths += fmt::format("{} {} {:.0f}/{:.0f}", bandwidths.empty() ? "" : ",",
                                  l["level"].get<std::string>(), l["read_gb_per_s"].get<double>(),
                                  l["triad_gb_per_s"].get<double>());
    }
    table.notes = {
        fmt::format("{}, {} thread{}: median {:.3f} ms, min {:.3f}, p90 {:.3f} of {} runs; "
                    "{:.1f} GFLOP/s, {:.1f} % of peak (measured)",
                    result["network"].get<std::string>(), result["threads"].get<int>(),
                    result["threads"] == 1 ? "" : "s", result["median_ms"].get<double>(),
                    result["min_ms"].get<double>(), result["p90_ms"].get<double>(),
                    result["runs"].get<int>(), result["gflops"].get<double>(),
                    100 * result["share_of_peak"].get<double>()),
        fmt::format("kernels sum to {:.3f} ms (medians), their roofline bounds to {:.3f} ms", total,
                    bounds),
        fmt::format("measured in this run: peak {:.0f} GFLOP/s; GB/s reading/triad{}",
                    result["peak_gflops"].get<double>(), bandwidths)};
    if (!tuned.empty()) {
        table.notes.push_back(tuned);
    }
    return table;
}

int run_bench(const Options &options, bool quiet) {
    const HostNetwork host = prepare(options.host);
    const Network &network = host.plan.network;
    Runner runner(host.plan, host.weights, build_context(quiet), options.host.threads);
    const MachinePeak peak = measure_peak(options.host.threads);
    Progress progress("per cent", quiet);
    const BenchResult result =
        bench(runner, random_input(network, options.host.seed), options.bench, [&](double share) {
            stop_if_interrupted();
            progress.update(static_cast<std::int64_t>(100 * share), 100, [] { return "timing"; });
        });

    const double rate = flops_per_second(macs(network), result.network.median);
    Json json = {{"network", network.name}, {"target", "host"},
                 {"precision", "fp32"},     {"threads", options.host.threads},
                 {"kind", "measured"},      {"latency_ms", milliseconds(result.network.median)}};
    json.update(timing_json(result.network));
    json["macs"] = macs(network).count();
    json["gflops"] = rate * 1e-9;
    json["peak_gflops"] = peak.flops * 1e-9;
    json["share_of_peak"] = rate / peak.flops;
    json["bandwidth"] = levels_json(peak);
    json["weights"] = {{"source", host.weights.source}, {"xxh64", host.weights.hash}};
    json["tuned_layers"] = host.tuned;
    json["layers"] = layers_json(host.plan, result, peak);
    options.output.write(table_of(json, host.tuned_note(options.host)), json);
    return exit_ok;
}

} // namespace

void add_bench(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("bench", "Time a network on this machine, per layer");
    options->host.add_to(*command);
    options->output.add_to(*command);
    auto *repeats = command->add_option("--repeats", options->bench.repeats, "Timed runs")
                        ->check(CLI::Range(1, 1'000'000));
    command->add_option("--seconds", options->seconds, "Time to spend on timed runs, instead")
        ->check(CLI::Range(0.001, 3600.0))
        ->capture_default_str()
        ->excludes(repeats);
    command->footer(
        "Times are medians; layers are timed in runs of their own. A layer's roofline bound is\n"
        "the longer of its multiply-adds at the measured peak, and of its weights, inputs\n"
        "and output at the measured bandwidth of the nearest memory level that holds them.\n"
        "Examples:\n  edgefront bench mobilenet_v2\n"
        "  edgefront bench mobilenet_v4_conv_small --threads 2 --seconds 5 "
        "--format json");
    command->callback([=, &session] {
        options->bench.duration = Seconds(options->seconds);
        session.action = [=, &session] {
            return interruptible([&] { return run_bench(*options, session.quiet); });
        };
    });
}

} // namespace edgefront
