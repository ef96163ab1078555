#include "search/accuracy_spec.h"

#include "search/published_accuracy.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

const std::vector<std::string> &accuracy_source_names() {
    static const std::vector<std::string> names = {"anchored", "csv", "command"};
    return names;
}

std::vector<std::string> accuracy_rules(const AccuracySpec &spec) {
    switch (spec.source) {
    case AccuracySpec::Source::anchored:
        return {fmt::format("top1: the network is {} as published", spec.family),
                fmt::format("top1: inside the widths and resolutions published for {} ({})",
                            spec.family, spec.recipe)};
    case AccuracySpec::Source::csv:
        return {fmt::format("top1: {} has a value for the network", spec.file)};
    case AccuracySpec::Source::command:
        return {"top1: the command ends well", "top1: the command prints a percentage",
                fmt::format("top1: the command ends within {} s", spec.timeout_s)};
    }
    return {};
}

CostKind kind_of(const AccuracySpec &spec) {
    return spec.source == AccuracySpec::Source::anchored || spec.model ? CostKind::fitted
                                                                       : CostKind::given;
}

void check_accuracy_command(const std::string &command) {
    if (command.find("{network}") == std::string::npos) {
        throw UserError("the command '" + command +
                        "' has no {network}: the place of the network's file");
    }
}

AccuracySpec anchored_spec(const std::string &text) {
    const auto colon = text.find(':');
    AccuracySpec spec;
    spec.family = text.substr(0, colon);
    std::vector<std::string> families, recipes;
    const auto note = [](std::vector<std::string> &names, const std::string &name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(name);
        }
    };
    for (const auto &row : read_accuracy_rows()) {
        note(families, row.network);
        if (row.network == spec.family) {
            note(recipes, row.recipe);
        }
    }
    if (recipes.empty()) {
        throw UserError("there are no published accuracies of '" + spec.family + "'" +
                        did_you_mean(spec.family, families));
    }
    if (colon == std::string::npos && recipes.size() > 1) {
        throw UserError(fmt::format("{} was trained by several recipes; say {}:RECIPE with one of "
                                    "'{}'",
                                    spec.family, spec.family, join(recipes, "', '")));
    }
    spec.recipe = colon == std::string::npos ? recipes.front() : text.substr(colon + 1);
    if (std::find(recipes.begin(), recipes.end(), spec.recipe) == recipes.end()) {
        throw UserError(fmt::format("{} has no recipe '{}', expected one of '{}'{}", spec.family,
                                    spec.recipe, join(recipes, "', '"),
                                    did_you_mean(spec.recipe, recipes)));
    }
    return spec;
}

AccuracySpec read_accuracy_spec(const JsonReader &json) {
    using Source = AccuracySpec::Source;
    AccuracySpec spec;
    const auto source = static_cast<Source>(json.at("source").one_of(accuracy_source_names()));
    try {
        if (source == Source::anchored) {
            const auto recipe = json.find("recipe");
            spec =
                anchored_spec(json.at("family").string() + (recipe ? ":" + recipe->string() : ""));
        } else if (source == Source::command) {
            spec.command = json.at("command").string();
            check_accuracy_command(spec.command);
        }
    } catch (const UserError &e) {
        throw json.error(e.what());
    }
    spec.source = source;
    if (source == Source::csv) {
        spec.file = json.at("file").string();
    } else if (source == Source::command) {
        if (const auto seconds = json.find("timeout_s")) {
            spec.timeout_s = static_cast<int>(seconds->integer(1, 10000000));
        }
        if (const auto samples = json.find("samples")) {
            spec.samples = static_cast<int>(samples->integer(20, 1000000));
        }
    }
    if (const auto model = source == Source::anchored ? std::nullopt : json.find("model")) {
        spec.model = model->boolean();
    }
    if (const auto hash = source == Source::command ? std::nullopt : json.find("hash")) {
        spec.hash = hash->string();
    }
    json.finish();
    return spec;
}

Json write_accuracy_spec(const AccuracySpec &spec) {
    Json json = {{"source", accuracy_source_names()[static_cast<std::size_t>(spec.source)]}};
    switch (spec.source) {
    case AccuracySpec::Source::anchored:
        json["family"] = spec.family;
        json["recipe"] = spec.recipe;
        break;
    case AccuracySpec::Source::csv:
        json["file"] = spec.file;
        json["model"] = spec.model;
        break;
    case AccuracySpec::Source::command:
        json["command"] = spec.command;
        json["timeout_s"] = spec.timeout_s;
        json["model"] = spec.model;
        if (spec.model) {
            json["samples"] = spec.samples;
        }
        break;
    }
    if (!spec.hash.empty()) {
        json["hash"] = spec.hash;
    }
    return json;
}

} // namespace edgefront
