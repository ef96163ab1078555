// edgefront describe N: layers and counts, no device involved.
#include "app/command.h"
#include "dsl/memory_plan.h"

#include <fmt/format.h>

namespace edgefront {

namespace {

struct Options {
    NetworkOptions network;
    OutputOptions output;
    std::string precision = "fp32";
};

int run_describe(const Options &options) {
    const Network network =
        with_type(options.network.resolve(), parse_data_type(options.precision));
    const MemoryPlan plan = plan_memory(network);

    Table table;
    table.columns = {{"name", "layer"},    {"block", "block"},           {"op", "op"},
                     {"input", "input"},   {"output", "output"},         {"kernel", "kernel"},
                     {"stride", "stride"}, {"activation", "activation"}, {"residual", "residual"},
                     {"macs", "MACs"},     {"params", "params"}};
    Json layers = Json::array();
    for (const auto &node : network.nodes) {
        const Layer &l = node.layer;
        table.rows.push_back({node.name, node.block_name, to_string(l.op), to_string(l.input),
                              to_string(l.output), l.kernel, l.stride, to_string(l.activation),
                              l.residual ? "add" : "", macs(l).count(), params(node).count()});
        const auto shape = [](const Shape &s) { return Json{s.height, s.width, s.channels}; };
        layers.push_back({{"name", node.name},
                          {"block", node.block_name},
                          {"op", to_string(l.op)},
                          {"input", shape(l.input)},
                          {"output", shape(l.output)},
                          {"kernel", l.kernel},
                          {"stride", l.stride},
                          {"activation", to_string(l.activation)},
                          {"residual", l.residual},
                          {"macs", macs(l).count()},
                          {"params", params(node).count()}});
    }
    const std::string &peak_layer = network.nodes[static_cast<std::size_t>(plan.peak_node)].name;
    table.notes = {
        fmt::format("{}: width {}, input {}, {} layers, {} classes (all counted)", network.name,
                    network.width, to_string(network.input), network.nodes.size(), network.classes),
        fmt::format("MACs {} ({:.1f} M; 1 MAC = 1 multiply-add = 2 FLOPs)", macs(network).count(),
                    static_cast<double>(macs(network).count()) * 1e-6),
        fmt::format("parameters {} ({:.2f} M, batch-norm gamma and beta included)",
                    params(network).count(), static_cast<double>(params(network).count()) * 1e-6),
        fmt::format("peak activations {} bytes in {} at {} (arena of the memory plan: {} bytes)",
                    plan.peak.count(), options.precision, peak_layer, plan.arena.count())};
    const Json json = {{"name", network.name},
                       {"family", network.family},
                       {"width", network.width},
                       {"resolution", network.resolution},
                       {"classes", network.classes},
                       {"precision", options.precision},
                       {"kind", "counted"},
                       {"macs", macs(network).count()},
                       {"params", params(network).count()},
                       {"peak_activation_bytes", plan.peak.count()},
                       {"peak_layer", peak_layer},
                       {"arena_bytes", plan.arena.count()},
                       {"layers", layers}};
    options.output.write(table, json);
    return exit_ok;
}

} // namespace

void add_describe(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("describe", "Layers and counts of a network");
    options->network.add_to(*command);
    options->output.add_to(*command);
    command->add_option("--precision", options->precision, "Element type of the activations")
        ->check(CLI::IsMember({"fp32", "fp16", "int8"}))
        ->capture_default_str();
    command->footer("Examples:\n  edgefront describe mobilenet_v2\n"
                    "  edgefront describe mobilenet_v4_conv_small@0.5,160 --format json");
    command->callback([=, &session] { session.action = [=] { return run_describe(*options); }; });
}

} // namespace edgefront
