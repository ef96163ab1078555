// edgefront targets [NAME]: the devices, and where every number about them comes from.
#include "app/command.h"
#include "hwmodels/target.h"

#include <fmt/format.h>

#include <map>

namespace edgefront {

namespace {

struct Options {
    std::string name;
    OutputOptions output;
};

Json precision_names(const Target &target) {
    Json names = Json::array();
    for (const DataType precision : target.precisions) {
        names.push_back(to_string(precision));
    }
    return names;
}

/// How many constants have which confidence: {"documented": 5, "fitted": 2}.
Json provenance_counts(const Target &target) {
    std::map<std::string, int> counts;
    for (const auto &entry : target.constants) {
        counts[entry.second.provenance.confidence]++;
    }
    Json json = Json::object();
    for (const std::string &confidence : confidence_names()) {
        if (counts.count(confidence) > 0) {
            json[confidence] = counts[confidence];
        }
    }
    return json;
}

/// "int8, fp32" of an array, "5 documented, 2 fitted" of counts.
std::string listed(const Json &json) {
    std::vector<std::string> parts;
    for (const auto &item : json.items()) {
        parts.push_back(json.is_array()
                            ? item.value().get<std::string>()
                            : fmt::format("{} {}", item.value().get<int>(), item.key()));
    }
    return join(parts);
}

int list_targets(const OutputOptions &output) {
    Table table;
    table.columns = {{"name", "target"},           {"kind", "kind"},
                     {"precisions", "precisions"}, {"max_threads", "threads"},
                     {"provenance", "constants"},  {"device", "device"}};
    Json json = Json::array();
    for (const auto &[name, target] : read_targets()) {
        const Json precisions = precision_names(target);
        const Json provenance = provenance_counts(target);
        table.rows.push_back({name, to_string(target.kind), listed(precisions), target.max_threads,
                              listed(provenance), target.device});
        json.push_back({{"name", name},
                        {"kind", to_string(target.kind)},
                        {"precisions", precisions},
                        {"max_threads", target.max_threads},
                        {"provenance", provenance},
                        {"device", target.device},
                        {"description", target.description},
                        {"kernels", target.kernels ? Json(target.kernels->halide_target) : Json()},
                        {"hash", target.hash}});
    }
    table.notes = {
        "latencies on all of them are modelled; `edgefront targets NAME` shows a target's "
        "constants"};
    output.write(table, json);
    return exit_ok;
}

/// What only the choice of schedules looks at.
void add_kernel_rows(const TargetKernels &kernels, Table &table) {
    const auto add = [&](const std::string &key, const std::optional<Constant> &constant) {
        if (constant) {
            table.rows.push_back({key, constant->value, constant->provenance.confidence,
                                  constant->provenance.source});
        }
    };
    add("kernels.mac_latency_cycles", kernels.mac_latency_cycles);
    add("kernels.in_order", kernels.in_order);
}

int show_target(const Options &options) {
    const Target target = find_target(options.name);
    Table table;
    table.columns = {{"constant", "constant"},
                     {"value", "value"},
                     {"confidence", "confidence"},
                     {"source", "source"}};
    for (const ConstantSpec &spec : constant_specs(target)) {
        const auto it = target.constants.find(spec.key);
        if (it != target.constants.end()) {
            const Provenance &p = it->second.provenance;
            table.rows.push_back({spec.key, it->second.value, p.confidence, p.source});
        }
    }
    if (target.kernels) {
        add_kernel_rows(*target.kernels, table);
    }
    table.notes = {
        fmt::format("{} ({}): {}", target.name, to_string(target.kind), target.description),
        fmt::format("device: {}", target.device)};
    if (target.base) {
        table.notes.push_back(fmt::format("based on {}", target.base->name));
    }
    if (target.technology) {
        table.notes.push_back(fmt::format("technology {}: {}", target.technology->name(),
                                          target.technology->description()));
    }
    if (target.kernels) {
        table.notes.push_back(
            fmt::format("kernels are generated for {}", target.kernels->halide_target));
    }
    for (const auto &[name, refusal] : target.unsupported) {
        table.notes.push_back(fmt::format("unsupported: {}: {} ({})", name, refusal.reason,
                                          refusal.provenance.source));
    }
    if (target.calibration) {
        for (const CalibrationRow &row : target.calibration->rows) {
            table.notes.push_back(fmt::format(
                "fitted row: {} {} {} thread(s): published {} ms, modelled {} ms, {} ms without it",
                row.network, to_string(row.precision), row.threads, row.published_ms,
                row.predicted_ms, row.held_out_ms));
        }
    }
    options.output.write(table, write_target(target));
    return exit_ok;
}

} // namespace

void add_targets(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command =
        app.add_subcommand("targets", "List the targets, or one with its constants");
    command->add_option("target", options->name, "Show this target's constants (name or file)");
    options->output.add_to(*command);
    command->footer("Examples:\n  edgefront targets\n  edgefront targets coral-usb --format md");
    command->callback([=, &session] {
        session.action = [=] {
            return options->name.empty() ? list_targets(options->output) : show_target(*options);
        };
    });
}

} // namespace edgefront
