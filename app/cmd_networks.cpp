// edgefront networks: the zoo, a line each.
#include "app/command.h"
#include "base/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace edgefront {

namespace {

struct Options {
    std::string part;
    OutputOptions output;
};

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// `part`, in lower case, stands in its name, an alias or its paper.
bool is_about(const Family &family, const std::string &part) {
    std::vector<std::string> texts = family.aliases;
    texts.push_back(family.name);
    texts.push_back(family.paper);
    return std::any_of(texts.begin(), texts.end(), [&](const std::string &text) {
        return lower_case(text).find(part) != std::string::npos;
    });
}

std::vector<const Family *> matching(const Zoo &zoo, const std::string &part) {
    std::vector<const Family *> families;
    std::vector<std::string> names;
    for (const auto &[name, family] : zoo.families()) {
        if (is_about(family, lower_case(part))) {
            families.push_back(&family);
        }
        names.push_back(name);
        names.insert(names.end(), family.aliases.begin(), family.aliases.end());
    }
    if (families.empty()) {
        throw UserError("no network's name, alias or paper has '" + part + "' in it" +
                        did_you_mean(part, names));
    }
    return families;
}

int run_networks(const Options &options) {
    const Zoo zoo;
    Table table;
    table.columns = {{"name", "name"},
                     {"aliases", "aliases"},
                     {"paper", "paper"},
                     {"resolution", "resolution"},
                     {"widths", "widths"},
                     {"macs_m", "MACs M", 1},
                     {"params_m", "params M", 2},
                     {"layers", "layers"}};
    Json json = Json::array();
    for (const Family *family : matching(zoo, options.part)) {
        const Network network = build(*family);
        const std::int64_t products = macs(network).count();
        const std::int64_t learned = params(network).count();
        const Shape &input = network.input;
        const bool oblong = input.height != input.width;
        const Json resolution =
            oblong ? Json(fmt::format("{}x{}", input.height, input.width)) : Json(input.height);
        table.rows.push_back({family->name, fmt::format("{}", fmt::join(family->aliases, " ")),
                              family->paper, resolution,
                              fmt::format("{}", fmt::join(family->width.values, " ")),
                              static_cast<double>(products) * 1e-6,
                              static_cast<double>(learned) * 1e-6, network.nodes.size()});
        json.push_back({{"name", family->name},
                        {"aliases", family->aliases},
                        {"paper", family->paper},
                        {"resolution", family->resolution},
                        {"input", {input.height, input.width, input.channels}},
                        {"resolutions", family->resolutions},
                        {"widths", family->width.values},
                        {"macs", products},
                        {"params", learned},
                        {"layers", network.nodes.size()}});
    }
    table.notes = {
        "Counted at width 1 and the resolution shown; 1 MAC = 1 multiply-add = 2 FLOPs."};
    options.output.write(table, json);
    return exit_ok;
}

} // namespace

void add_networks(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("networks", "List the zoo");
    command->add_option("part", options->part,
                        "Only networks with this in their name, an alias or the paper");
    options->output.add_to(*command);
    command->footer("Examples:\n  edgefront networks\n  edgefront networks v3\n"
                    "  edgefront networks --format json -o zoo.json");
    command->callback([=, &session] { session.action = [=] { return run_networks(*options); }; });
}

} // namespace edgefront
