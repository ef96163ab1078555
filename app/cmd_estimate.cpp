// edgefront estimate N --target T: what every layer costs there, and what bounds it.
#include "app/command.h"
#include "app/cost_json.h"
#include "hwmodels/cost_model.h"

#include <fmt/format.h>

#include <cstdio>

namespace edgefront {

namespace {

struct Options {
    NetworkOptions network;
    std::string target;
    std::optional<std::string> precision;
    std::optional<int> threads;
    OutputOptions output;
};

/// The reason when there is no price.
std::string reason(const Verdict &verdict) {
    if (const auto *no = std::get_if<Unsupported>(&verdict)) {
        return "unsupported: " + no->reason;
    }
    if (const auto *no = std::get_if<Infeasible>(&verdict)) {
        return "infeasible: " + no->reason;
    }
    return "";
}

Json layers_json(const Estimate &e) {
    Json layers = Json::array();
    for (const LayerEstimate &l : e.layers) {
        Json row = {{"name", l.name}, {"op", to_string(l.layer.op)}};
        if (const Cost *cost = std::get_if<Cost>(&l.verdict)) {
            row.update(cost_json(*cost));
        } else {
            row["latency_ms"] = nullptr;
            row["unsupported"] = reason(l.verdict);
        }
        layers.push_back(row);
    }
    return layers;
}

Json unsupported_json(const Estimate &e) {
    Json list = Json::array();
    for (const LayerEstimate &l : e.layers) {
        if (!std::holds_alternative<Cost>(l.verdict)) {
            list.push_back(
                {{"name", l.name}, {"op", to_string(l.layer.op)}, {"reason", reason(l.verdict)}});
        }
    }
    return list;
}

class EstimateTable {
public:
    explicit EstimateTable(const Estimate &e) {
        for (const LevelTraffic &t : e.total.traffic) {
            levels_.push_back(t.level);
        }
        table_.columns = {{"name", "layer"},
                          {"op", "op"},
                          {"latency_ms", "latency ms", 4},
                          {"energy_mj", "energy mJ", 5}};
        for (const std::string &level : levels_) {
            table_.columns.push_back({level + "_bytes", level + " bytes"});
        }
        table_.columns.insert(table_.columns.end(),
                              {{"utilisation", "use", 3}, {"bound_by", "bound by"}});
    }

    void add(const std::string &name, const std::string &op, const Verdict &verdict) {
        std::vector<Json> row = {name, op};
        if (const Cost *cost = std::get_if<Cost>(&verdict)) {
            row.insert(row.end(), {milliseconds(cost->latency), millijoules(cost->energy)});
            const Json bytes = bytes_json(*cost);
            for (const std::string &level : levels_) {
                row.push_back(bytes.contains(level) ? bytes[level] : Json(0));
            }
            row.insert(row.end(), {cost->utilisation, to_string(cost->bound_by)});
        } else {
            row.resize(table_.columns.size() - 1);
            row.push_back(reason(verdict));
        }
        table_.rows.push_back(row);
    }

    Table &table() { return table_; }

private:
    std::vector<std::string> levels_;
    Table table_;
};

Table table_of(const Network &network, const CostModel &model, const Workload &workload,
               const Estimate &e) {
    EstimateTable rows(e);
    for (const LayerEstimate &l : e.layers) {
        rows.add(l.name, to_string(l.layer.op), l.verdict);
    }
    rows.add("(network)", "", e.network);
    Table &table = rows.table();
    const std::string what = fmt::format("{} on {} ({}, {} thread{})", network.name,
                                         model.target().name, to_string(workload.precision),
                                         workload.threads, workload.threads == 1 ? "" : "s");
    if (e.supported()) {
        table.notes = {fmt::format(
            "{}: {:.3f} ms, {:.3f} mJ, {:.1f} % of the multipliers, mostly bound by {} "
            "({})",
            what, milliseconds(e.total.latency), millijoules(e.total.energy),
            100 * e.total.utilisation, to_string(e.total.bound_by), to_string(e.total.kind))};
    } else {
        table.notes = {fmt::format("{}: no price, {} of {} layers are unsupported", what,
                                   e.unsupported.size(), e.layers.size())};
    }
    table.notes.push_back(fmt::format("peak activations {} bytes, weights {} bytes", e.peak.count(),
                                      e.weights.count()));
    return table;
}

int run_estimate(const Options &options) {
    const auto model = make_cost_model(find_target(options.target));
    std::optional<DataType> precision;
    if (options.precision) {
        precision = parse_data_type(*options.precision);
    }
    const Workload workload = workload_for(model->target(), precision, options.threads);
    const Network network = options.network.resolve();
    const Estimate e = estimate(*model, network, workload);

    const bool priced = e.supported();
    const Json json = {{"network", network.name},
                       {"target", model->target().name},
                       {"target_hash", model->target().hash},
                       {"precision", to_string(workload.precision)},
                       {"threads", workload.threads},
                       {"latency_ms", priced ? Json(milliseconds(e.total.latency)) : Json()},
                       {"energy_mj", priced ? Json(millijoules(e.total.energy)) : Json()},
                       {"peak_bytes", e.peak.count()},
                       {"weight_bytes", e.weights.count()},
                       {"kind", to_string(e.total.kind)},
                       {"utilisation", priced ? Json(e.total.utilisation) : Json()},
                       {"bound_by", priced ? Json(to_string(e.total.bound_by)) : Json()},
                       {"bytes", bytes_json(e.total)},
                       {"layers", layers_json(e)},
                       {"network_cost", cost_json(e.network)},
                       {"unsupported", unsupported_json(e)}};
    options.output.write(table_of(network, *model, workload, e), json);
    if (!priced) {
        std::fprintf(stderr, "edgefront: %s cannot run %s: %s%s\n", model->target().name.c_str(),
                     network.name.c_str(), e.unsupported.front().c_str(),
                     e.unsupported.size() > 1
                         ? fmt::format(" (and {} more layers)", e.unsupported.size() - 1).c_str()
                         : "");
        return exit_infeasible;
    }
    return exit_ok;
}

} // namespace

void add_estimate(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("estimate", "Price a network on a target, per layer");
    options->network.add_to(*command);
    options->output.add_to(*command);
    command->add_option("--target", options->target, "Target name or file")->required();
    command->add_option("--precision", options->precision, "fp32, fp16 or int8 (default: its own)");
    command->add_option("--threads", options->threads, "Threads (default: 1)");
    command->footer("Latency and energy are modelled. Exit code 3: the target cannot run a layer.\n"
                    "Examples:\n  edgefront estimate mobilenet_v2 --target pixel6-cpu\n"
                    "  edgefront estimate mobilenet_v4_conv_small@1.0,160 --target host "
                    "--precision int8 --threads 2 --format json");
    command->callback([=, &session] { session.action = [=] { return run_estimate(*options); }; });
}

} // namespace edgefront
