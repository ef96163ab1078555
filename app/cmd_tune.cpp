// edgefront tune N --target T: the best plan for every layer, kept in a database. Mappings of DSPs
// and arrays are priced by their model, kernels for this machine are measured (tune_kernels.h).
#include "app/command.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "app/tune_kernels.h"
#include "base/files.h"
#include "dsl/layer_text.h"
#include "hwmodels/mapping_search.h"
#include "search/tuner.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

namespace edgefront {

namespace {

struct Options {
    NetworkOptions network;
    std::string layer;
    std::string target;
    std::optional<std::string> precision;
    std::optional<int> threads;
    std::optional<std::int64_t> trials;
    std::optional<double> minutes;
    std::string db = "tuning.db";
    std::string import_from;
    std::string export_to;
    bool fuse = false;
    OutputOptions output;
};

Json rows_json(const TuneResult &result) {
    Json rows = Json::array();
    for (const TunedLayer &l : result.layers) {
        Json row = write_record(l.record);
        row["names"] = l.names;
        row["fused"] = l.fused(); // a group; its members stand beside it
        row["from_database"] = l.from_database;
        rows.push_back(std::move(row));
    }
    return rows;
}

Table table_of(const TuneResult &result, const Network &network, const CostModel &model,
               const Workload &workload, const std::string &db) {
    Table table;
    table.columns = {{"name", "layer"},    {"times", "times"},   {"predicted_us", "us", 3},
                     {"proven", "proven"}, {"trials", "trials"}, {"from_database", "known"},
                     {"plan", "mapping"}};
    std::size_t proven = 0, known = 0, refused = 0, groups = 0;
    double total = 0;
    for (const TunedLayer &l : result.layers) {
        const TuningRecord &r = l.record;
        proven += r.proven && r.predicted ? 1 : 0;
        known += l.from_database ? 1 : 0;
        groups += l.fused() ? 1 : 0;
        refused += r.predicted || l.fused() ? 0 : 1;
        const auto times = static_cast<int>(l.names.size());
        total += r.predicted && !l.fused() ? r.predicted->count() * times : 0;
        table.rows.push_back({l.names.front(), times,
                              r.predicted ? Json(r.predicted->count() * 1e6) : Json(),
                              r.proven ? "yes" : "no", r.trials, l.from_database ? "yes" : "no",
                              r.predicted ? r.plan : r.refused});
    }
    table.notes = {fmt::format(
        "{} on {} ({}, {} thread{}): {} different layers{}, {} proven best, {} known before; kept "
        "in {}",
        network.name, model.target().name, to_string(workload.precision), workload.threads,
        workload.threads == 1 ? "" : "s", result.layers.size() - groups,
        groups > 0 ? fmt::format(" and {} groups", groups) : "", proven, known, db)};
    if (result.interrupted) {
        table.notes.push_back(fmt::format("out of time after {} of {} layers; the same command "
                                          "goes on",
                                          result.layers.size(), result.wanted));
    } else if (refused > 0) {
        table.notes.push_back(fmt::format("no total: {} layers have no price", refused));
    } else {
        table.notes.push_back(
            fmt::format("layers alone {:.4f} ms (modelled); `edgefront estimate` adds what the "
                        "network costs as a whole",
                        total * 1e3));
    }
    return table;
}

void check_options(const Options &options) {
    constexpr double a_year = 525'600;
    if (options.minutes && !(*options.minutes >= 0 && *options.minutes <= a_year)) { // or NaN
        throw UserError("--minutes: expected a number from 0 to 525600");
    }
    const auto whole = [](const std::string &path) {
        return std::filesystem::weakly_canonical(std::filesystem::absolute(path));
    };
    if (!options.export_to.empty() && whole(options.db) == whole(options.export_to)) {
        throw UserError("--export: '" + options.export_to + "' is the database itself");
    }
}

/// A network, or the one layer that was given.
Network resolve(const Options &options) {
    if (options.layer.empty()) {
        return options.network.resolve();
    }
    if (!options.network.name.empty() || !options.network.run.empty()) {
        throw UserError("--layer stands for a network; give either of them");
    }
    Node node;
    node.name = "layer";
    node.layer = parse_layer(options.layer);
    node.inputs.assign(static_cast<std::size_t>(node.layer.inputs()), -1);
    Network network;
    network.name = key(node.layer);
    network.input = node.layer.input;
    network.nodes = {node};
    return network;
}

void import_records(const Options &options, bool quiet) {
    if (options.import_from.empty()) {
        return;
    }
    const int records = TuningDb(options.db).import(options.import_from);
    if (!quiet) {
        std::fprintf(stderr, "edgefront: %d records read from %s\n", records,
                     options.import_from.c_str());
    }
}

int run_on_host(const Options &options, const Target &target, const Workload &workload,
                const Network &network, bool quiet) {
    if (options.fuse) {
        throw UserError("--fuse: on host, fused groups are kernels like others, or none at all");
    }
    if (workload.precision != DataType::fp32) {
        throw UserError("kernels are tuned in fp32 only, not in " + to_string(workload.precision));
    }
    if (network.nodes[0].layer.type != DataType::fp32) {
        throw UserError("--layer: kernels are tuned in fp32 only, and this layer is " +
                        to_string(network.nodes[0].layer.type));
    }
    import_records(options, quiet);
    KernelTuneRequest request;
    request.network = network;
    request.whole = options.layer.empty();
    request.threads = workload.threads;
    request.trials = options.trials.value_or(0);
    request.minutes = options.minutes.value_or(request.minutes);
    request.clock_hz = target.constant("clock_ghz") * 1e9;
    request.db = options.db;
    request.export_to = options.export_to;
    request.output = options.output;
    return tune_host(request, quiet);
}

int run_tune(const Options &options, bool quiet) {
    const auto model = make_cost_model(find_target(options.target));
    std::optional<DataType> precision;
    if (options.precision) {
        precision = parse_data_type(*options.precision);
    }
    const Workload workload = workload_for(model->target(), precision, options.threads);
    const Network network = resolve(options);
    check_options(options);
    if (model->target().name == "host") {
        return run_on_host(options, model->target(), workload, network, quiet);
    }
    require_search(*model);
    if (options.fuse) {
        require_fusion(*model);
    }
    import_records(options, quiet);
    TuningDb db(options.db);

    const InterruptGuard guard;
    const auto begin = std::chrono::steady_clock::now();
    TuneOptions tuning;
    tuning.trials = options.trials.value_or(default_most_priced);
    tuning.version = EDGEFRONT_VERSION;
    tuning.fuse = options.fuse;
    bool out_of_time = false;
    tuning.stop = [&] {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        const double minutes = options.minutes.value_or(0);
        out_of_time = minutes > 0 && took.count() > minutes * 60;
        return InterruptGuard::requested() || out_of_time;
    };
    TuneResult result;
    {
        Progress progress("layers", quiet);
        tuning.progress = [&](std::size_t done, std::size_t total) {
            progress.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total),
                            [&] { return network.name; });
        };
        result = tune(network, *model, workload, db, tuning);
    }
    if (!options.export_to.empty()) {
        write_file(options.export_to, db.to_json_lines());
    }
    if (result.interrupted && !out_of_time) {
        std::fprintf(stderr,
                     "edgefront: interrupted, %zu layers are in %s; the same command goes on\n",
                     result.layers.size(), options.db.c_str());
        return exit_interrupted;
    }
    options.output.write(table_of(result, network, *model, workload, options.db),
                         {{"network", network.name},
                          {"target", model->target().name},
                          {"precision", to_string(workload.precision)},
                          {"threads", workload.threads},
                          {"complete", !result.interrupted},
                          {"layers", rows_json(result)}});
    for (const TunedLayer &l : result.layers) {
        if (!l.record.predicted && !l.fused()) {
            std::fprintf(stderr, "edgefront: %s cannot run %s: %s\n", model->target().name.c_str(),
                         l.names.front().c_str(), l.record.refused.c_str());
            return exit_infeasible;
        }
    }
    return exit_ok;
}

} // namespace

void add_tune(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand(
        "tune", "Search the best plan of every layer on a target, into a database");
    options->network.add_to(*command);
    command->add_option("--layer", options->layer,
                        "Instead of a network: one layer, as \"conv2d 14x14x96 -> 576 "
                        "activation=relu6\" or by its key");
    options->output.add_to(*command);
    command->add_option("--target", options->target, "Target name or file")->required();
    command->add_option("--precision", options->precision, "fp32, fp16 or int8 (default: its own)");
    command->add_option("--threads", options->threads, "Threads (default: 1)");
    command
        ->add_option("--trials", options->trials,
                     "Mappings priced per layer before the rest of its space is sampled (default: "
                     "20000000); on host, kernels tried per layer (default: until nothing is "
                     "gained)")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
    command->add_option("--minutes", options->minutes,
                        "Stop after so many minutes (0: never; default: 0, on host 10)");
    command->add_option("--db", options->db, "Tuning database")->capture_default_str();
    command->add_option("--import", options->import_from,
                        "First read the records of this file of JSON lines");
    command->add_option("--export", options->export_to,
                        "Afterwards write all records of the database as JSON lines");
    command->add_flag("--fuse", options->fuse,
                      "Also the best fusion of every group of layers that `estimate --fuse` looks "
                      "at");
    command->footer(
        "On host, kernels are compiled, compared with the reference and timed, each in a process "
        "apart, and\nthe final choice is made inside the running network; the same command goes on "
        "where it was stopped.\nElsewhere scores are modelled. \"proven\" means that no mapping of "
        "the space is faster; a layer "
        "that "
        "is proven,\nor has had as many trials, is taken from the database.\nExamples:\n"
        "  edgefront tune mobilenet_v2 --target pixel8-edgetpu --db tuning.db\n"
        "  edgefront tune mobilenet_v2 --target pixel8-edgetpu --fuse\n"
        "  edgefront tune mobilenet_v2 --target host --minutes 10 --db host.db\n"
        "  edgefront tune --layer \"conv2d 14x14x96 -> 576 activation=relu6\" --target host\n"
        "  edgefront tune mobilenet_v4_conv_small --target coral-usb --export tuned.jsonl --format "
        "json");
    command->callback([=, &session] {
        session.action = [=, &session] { return run_tune(*options, session.quiet); };
    });
}

} // namespace edgefront
