// edgefront run N: executes a network on this machine; --check compares every layer.
#include "app/host_network.h"
#include "app/progress.h"
#include "base/random.h"
#include "dsl/array_file.h"
#include "search/kernels/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace edgefront {

namespace {

struct Options {
    HostOptions host;
    OutputOptions output;
    std::string input;
    std::string save;
    bool check = false;
};

Json top_five(const std::vector<float> &values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    order.resize(std::min<std::size_t>(order.size(), 5));
    Json top = Json::array();
    for (const std::size_t i : order) {
        top.push_back({{"index", i}, {"value", values[i]}});
    }
    return top;
}

std::string checksum(const std::vector<float> &values) {
    return stable_hash_hex(
        {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float)});
}

Json check_json(const LayerCheck &check) {
    return {{"name", check.name},
            {"range", check.difference.range},
            {"variance", check.difference.variance},
            {"relative_error", check.relative_error()},
            {"passed", check.passed}};
}

/// One row per layer that was checked, or the five largest outputs.
Table table_of(const Json &result, const std::string &tuned) {
    Table table;
    if (result.contains("checks")) {
        table.columns = {{"name", "layer"},
                         {"range", "range", 4},
                         {"variance", "variance", 4},
                         {"relative_error", "error/range"},
                         {"passed", "within 1e-4"}};
        for (const Json &c : result["checks"]) {
            table.rows.push_back({c["name"], c["range"], c["variance"],
                                  fmt::format("{:.2e}", c["relative_error"].get<double>()),
                                  c["passed"].get<bool>() ? "yes" : "NO"});
        }
    } else {
        table.columns = {{"index", "output"}, {"value", "value", 6}};
        for (const Json &t : result["top"]) {
            table.rows.push_back({t["index"], t["value"]});
        }
    }
    table.notes = {fmt::format(
        "{}: weights {}, input {}, output checksum {}", result["network"].get<std::string>(),
        result["weights"]["source"].get<std::string>(), result["input"].get<std::string>(),
        result["checksum_xxh64"].get<std::string>())};
    if (!tuned.empty()) {
        table.notes.push_back(tuned);
    }
    return table;
}

int run_run(const Options &options, bool quiet) {
    const HostNetwork host = prepare(options.host);
    const Network &network = host.plan.network;
    const std::vector<float> input = options.input.empty()
                                         ? random_input(network, options.host.seed)
                                         : read_tensor(options.input, network.input);
    Runner runner(host.plan, host.weights, build_context(quiet), options.host.threads);
    const std::vector<float> output = runner.run(input);
    if (!options.save.empty()) {
        write_tensor(options.save, output, network.output());
    }

    Json result = {{"network", network.name},
                   {"target", "host"},
                   {"threads", options.host.threads},
                   {"tuned_layers", host.tuned},
                   {"weights", {{"source", host.weights.source}, {"xxh64", host.weights.hash}}},
                   {"input", options.input.empty() ? "seed " + std::to_string(options.host.seed)
                                                   : options.input},
                   {"top", top_five(output)},
                   {"checksum_xxh64", checksum(output)}};
    bool passed = true;
    if (options.check) {
        Progress progress("kernels", quiet);
        const auto kernels = static_cast<std::int64_t>(host.plan.steps.size());
        const auto checks = check_layers(runner, input, [&](int done) {
            stop_if_interrupted();
            progress.update(done, kernels, [] { return "comparing with the reference"; });
        });
        result["checks"] = Json::array();
        for (const LayerCheck &check : checks) {
            result["checks"].push_back(check_json(check));
            passed = passed && check.passed;
        }
    }
    options.output.write(table_of(result, host.tuned_note(options.host)), result);
    if (!passed) {
        std::fprintf(stderr, "edgefront: %s: a layer differs from the reference\n",
                     network.name.c_str());
        return exit_check_failed;
    }
    return exit_ok;
}

} // namespace

void add_run(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("run", "Execute a network on this machine");
    options->host.add_to(*command);
    options->output.add_to(*command);
    command->add_option("--input", options->input,
                        "NHWC float32: a .npy file or raw bytes (default: random)");
    command->add_option("--save", options->save,
                        "Write the network's output to this file: NHWC float32, as .npy where it "
                        "is called so, raw bytes otherwise");
    command->add_flag("--check", options->check,
                      "Compare every layer with the naive reference; exit code 1 when one differs "
                      "by more than 1e-4 of its range");
    command->footer(
        "Kernels are compiled once into $EDGEFRONT_CACHE (default ~/.cache/edgefront).\n"
        "Examples:\n  edgefront run mobilenet_v2\n"
        "  edgefront run mobilenet_v3_small@1.0,160 --weights w.safetensors --check");
    command->callback([=, &session] {
        session.action = [=, &session] {
            return interruptible([&] { return run_run(*options, session.quiet); });
        };
    });
}

} // namespace edgefront
