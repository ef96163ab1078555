// edgefront networks: the zoo, a line each.
#include "app/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace edgefront {

namespace {

int run_networks(const OutputOptions &output) {
    Table table;
    table.columns = {{"name", "name"},        {"resolution", "resolution"},
                     {"macs_m", "MACs M", 1}, {"params_m", "params M", 2},
                     {"layers", "layers"},    {"widths", "widths"},
                     {"aliases", "aliases"},  {"paper", "paper"}};
    const Zoo zoo;
    for (const auto &[name, family] : zoo.families()) {
        const Network network = build(family);
        table.rows.push_back(
            {name, family.resolution, static_cast<double>(macs(network).count()) * 1e-6,
             static_cast<double>(params(network).count()) * 1e-6, network.nodes.size(),
             fmt::format("{}", fmt::join(family.width.values, " ")),
             fmt::format("{}", fmt::join(family.aliases, " ")), family.paper});
    }
    table.notes = {
        "Counted at width 1 and the resolution shown; 1 MAC = 1 multiply-add = 2 FLOPs."};
    output.write(table, Json::parse(render(table, Format::json)));
    return exit_ok;
}

} // namespace

void add_networks(CLI::App &app, Session &session) {
    auto output = std::make_shared<OutputOptions>();
    CLI::App *command = app.add_subcommand("networks", "List the zoo");
    output->add_to(*command);
    command->footer(
        "Examples:\n  edgefront networks\n  edgefront networks --format json -o zoo.json");
    command->callback([=, &session] { session.action = [=] { return run_networks(*output); }; });
}

} // namespace edgefront
