// edgefront explore HARDWARE_SPACE.json --network N...: which devices no other beats.
#include "app/command.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "reports/explore_report.h"
#include "search/explore_run.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

namespace edgefront {

namespace {

struct Options {
    std::string space;
    std::vector<std::string> networks;
    std::string run; ///< empty: nothing is kept
    int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    OutputOptions output;
};

std::vector<Network> read_networks(const std::vector<std::string> &names) {
    const Zoo zoo;
    std::vector<Network> networks;
    for (const std::string &name : names) {
        networks.push_back(zoo.network(name));
        // What the table calls it must tell sizes of one network apart.
        networks.back().name = name;
        if (std::count(names.begin(), names.end(), name) > 1) {
            throw UserError("network '" + name + "' is given twice");
        }
    }
    return networks;
}

Exploration price(const HardwareSpace &space, const std::vector<Network> &networks,
                  const Options &options, bool quiet, std::vector<PricedDevice> known) {
    Progress progress("devices", quiet);
    ExploreHooks hooks;
    hooks.threads = options.threads;
    hooks.stop = InterruptGuard::requested;
    hooks.progress = [&](std::size_t done, std::size_t total) {
        progress.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total),
                        [&] { return space.name; });
    };
    return explore(space, networks, hooks, std::move(known));
}

int run_explore(const Options &options, bool quiet) {
    const JsonReader file = JsonReader::parse_file(options.space);
    const HardwareSpace space = read_hardware_space(file);
    const std::vector<Network> networks = read_networks(options.networks);
    const InterruptGuard guard;
    std::optional<ExploreRun> run;
    if (!options.run.empty()) {
        run.emplace(options.run, file.value(), space, networks, EDGEFRONT_VERSION);
    }
    const Exploration exploration =
        price(space, networks, options, quiet, run ? run->devices() : std::vector<PricedDevice>());
    if (run) {
        run->save(exploration.devices);
    }
    if (exploration.interrupted) {
        std::fprintf(stderr, "edgefront: interrupted, %s\n",
                     run ? "the state is saved; the same command goes on" : "nothing is kept");
        return exit_interrupted;
    }
    if (exploration.front.size() == 0) {
        std::fprintf(stderr, "edgefront: %s\n", nothing_feasible(exploration).c_str());
        return exit_infeasible;
    }
    const Table table = explore_table(space, exploration);
    const Json json = explore_json(space, exploration);
    if (run) {
        write_file(run->directory() / "front.csv", render(table, Format::csv));
        write_file(run->directory() / "front.json", json.dump(1) + "\n");
    }
    options.output.write(table, json);
    return exit_ok;
}

} // namespace

void add_explore(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand(
        "explore", "Vary the hardware: which devices no other beats for some networks");
    command
        ->add_option("space", options->space,
                     "Hardware space: a base target, the constants to vary, objectives "
                     "(data/hardware_spaces/)")
        ->required();
    command
        ->add_option("--network", options->networks,
                     "Zoo name, name@WIDTH, name@WIDTH,RESOLUTION, or a network file; one or more")
        ->required();
    command->add_option("--run", options->run,
                        "Keep all prices and the front in this folder; goes on where Ctrl-C ended");
    command->add_option("--threads", options->threads, "Never changes the result")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    options->output.add_to(*command);
    command->footer(
        "Every network is priced on every device of the space, each layer with its best mapping. "
        "Devices that\nanother one beats are left out; the base target is marked. Exit code 3: no "
        "device is feasible.\nExamples:\n"
        "  edgefront explore data/hardware_spaces/edgetpu_sizes.json --network mobilenet_v2 "
        "--run runs/sizes\n"
        "  edgefront explore mine.json --network mobilenet_v2@0.5,160 efficientnet_lite0 --format "
        "csv -o front.csv");
    command->callback([=, &session] {
        session.action = [=, &session] { return run_explore(*options, session.quiet); };
    });
}

} // namespace edgefront
