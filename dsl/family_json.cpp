#include "dsl/family_json.h"

#include "dsl/block_json.h"

#include <algorithm>

namespace edgefront {

namespace {

const std::vector<std::string> rounding_names = {"divisible", "truncate"};
const std::vector<std::string> last_names = {"always", "above_one", "never"};
const std::vector<std::string> stem_names = {"scaled", "fixed_below_one"};

template <typename Enum>
Enum read_enum(const JsonReader &json, const std::vector<std::string> &names) {
    return static_cast<Enum>(json.one_of(names));
}

template <typename Enum>
const std::string &name_of(Enum value, const std::vector<std::string> &names) {
    return names[static_cast<std::size_t>(value)];
}

/// Calls `use` with the member when it is there.
template <typename F>
void optionally(const JsonReader &json, const std::string &key, F use) {
    if (const auto member = json.find(key)) {
        use(*member);
    }
}

WidthRule read_width_rule(const JsonReader &json) {
    WidthRule rule;
    optionally(json, "rounding", [&](const JsonReader &v) {
        rule.rounding = read_enum<WidthRule::Rounding>(v, rounding_names);
    });
    optionally(json, "divisor",
               [&](const JsonReader &v) { rule.divisor = static_cast<int>(v.integer(1, 256)); });
    optionally(json, "minimum",
               [&](const JsonReader &v) { rule.minimum = static_cast<int>(v.integer(1, 256)); });
    optionally(json, "last",
               [&](const JsonReader &v) { rule.last = read_enum<WidthRule::Last>(v, last_names); });
    optionally(json, "stem",
               [&](const JsonReader &v) { rule.stem = read_enum<WidthRule::Stem>(v, stem_names); });
    optionally(json, "values", [&](const JsonReader &v) { rule.values = v.numbers(0.01, 16); });
    json.finish();
    return rule;
}

Json write_width_rule(const WidthRule &rule) {
    return {{"rounding", name_of(rule.rounding, rounding_names)},
            {"divisor", rule.divisor},
            {"minimum", rule.minimum},
            {"last", name_of(rule.last, last_names)},
            {"stem", name_of(rule.stem, stem_names)},
            {"values", rule.values}};
}

/// Keys of every row, and variables of every expression.
const std::vector<std::string> taken_names = {"op",     "name",        "from",  "when",
                                              "repeat", "fixed_depth", "index", "classes",
                                              "width",  "resolution"};

Definition read_definition(const std::string &name, const JsonReader &json) {
    const auto &kinds = block_kind_names();
    if (std::count(kinds.begin(), kinds.end(), name) > 0) {
        throw json.error("'" + name + "' is a kind of row already");
    }
    read_name(JsonReader::of(name, json.where()));
    Json parameters = Json::object();
    optionally(json, "parameters", [&](const JsonReader &v) {
        for (const auto &[key, value] : v.members()) {
            read_name(JsonReader::of(key, value.where()));
            if (std::count(taken_names.begin(), taken_names.end(), key) > 0) {
                throw value.error("a parameter cannot be called '" + key + "'");
            }
            parameters[key] = value.value();
        }
    });
    std::vector<std::string> inputs = {"input"};
    optionally(json, "inputs", [&](const JsonReader &v) {
        inputs.clear();
        for (const auto &item : v.items()) {
            inputs.push_back(read_name(item));
            if (std::count(inputs.begin(), inputs.end(), inputs.back()) > 1) {
                throw item.error("the name '" + inputs.back() + "' stands twice");
            }
        }
        if (inputs.empty()) {
            throw v.error("expected at least one input");
        }
    });
    const JsonReader blocks = json.at("blocks");
    if (blocks.items().empty()) {
        throw blocks.error("a definition needs at least one row");
    }
    for (const auto &row : blocks.items()) {
        if (!row.is_object() && !row.is_string()) {
            throw row.error("expected a row: an object, or a UIB in timm's notation");
        }
    }
    json.finish();
    return {name, parameters, inputs, blocks, json.where()};
}

/// Everything but "sizes".
Family read_table(const JsonReader &json) {
    if (json.at("schema").string() != "edgefront/network/1") {
        throw json.at("schema").error("expected \"edgefront/network/1\"");
    }
    Family family;
    family.name = json.at("name").string();
    if (family.name.empty() || family.name.find_first_of("@,/ ") != std::string::npos) {
        throw json.at("name").error("a name has no '@', ',', '/' or blank and is not empty");
    }
    optionally(json, "aliases", [&](const JsonReader &v) { family.aliases = v.strings(); });
    optionally(json, "paper", [&](const JsonReader &v) { family.paper = v.string(); });
    optionally(json, "source", [&](const JsonReader &v) { family.source = v.string(); });
    family.resolution = static_cast<int>(json.at("resolution").integer(16, 4096));
    optionally(json, "resolutions", [&](const JsonReader &v) {
        for (const auto r : v.integers(16, 4096)) {
            family.resolutions.push_back(static_cast<int>(r));
        }
    });
    family.classes = static_cast<int>(json.at("classes").integer(1, 1000000));
    family.activation = read_enum<Activation>(json.at("activation"), activation_names());
    optionally(json, "padding", [&](const JsonReader &v) {
        family.padding = read_enum<Padding>(v, padding_names());
    });
    optionally(json, "batch_norm_epsilon",
               [&](const JsonReader &v) { family.batch_norm_epsilon = v.number(1e-12, 1); });
    optionally(json, "width", [&](const JsonReader &v) { family.width = read_width_rule(v); });
    optionally(json, "squeeze_excite", [&](const JsonReader &v) {
        family.squeeze_excite = read_squeeze_excite(v, family.squeeze_excite);
    });
    optionally(json, "layer_scale", [&](const JsonReader &v) { family.layer_scale = v.boolean(); });
    optionally(json, "base_width",
               [&](const JsonReader &v) { family.base_width = v.number(0.01, 16); });
    optionally(json, "depth", [&](const JsonReader &v) { family.depth = v.number(0.01, 16); });
    optionally(json, "define", [&](const JsonReader &v) {
        for (const auto &[name, entry] : v.members()) {
            family.definitions.push_back(read_definition(name, entry));
        }
    });
    for (const auto &row : json.at("blocks").items()) {
        family.blocks.push_back(read_block(row, family));
    }
    if (family.blocks.empty()) {
        throw json.at("blocks").error("a network needs at least one block");
    }
    return family;
}

/// One scaled size of `family`: its own width, depth, resolution and other names.
Family read_size(const std::string &size, const JsonReader &json, Family family) {
    family.name += "_" + size;
    family.base_width = json.at("width").number(0.01, 16);
    family.depth = json.at("depth").number(0.01, 16);
    family.resolution = static_cast<int>(json.at("resolution").integer(16, 4096));
    family.resolutions = {family.resolution};
    optionally(json, "aliases", [&](const JsonReader &v) { family.aliases = v.strings(); });
    json.finish();
    return family;
}

} // namespace

Family read_family(const JsonReader &json) {
    Family family = read_table(json);
    json.finish();
    return family;
}

std::vector<Family> read_family_file(const std::filesystem::path &path) {
    const JsonReader json = JsonReader::parse_file(path);
    const Family family = read_table(json);
    std::vector<Family> families;
    if (const auto sizes = json.find("sizes")) {
        for (const auto &[size, entry] : sizes->members()) {
            families.push_back(read_size(size, entry, family));
        }
        if (families.empty()) {
            throw sizes->error("expected at least one size");
        }
    } else {
        families.push_back(family);
    }
    json.finish();
    return families;
}

namespace {

Json write_definition(const Definition &definition) {
    return {{"parameters", definition.parameters},
            {"inputs", definition.inputs},
            {"blocks", definition.blocks.value()}};
}

} // namespace

Json write_family(const Family &family) {
    Json json = {{"schema", "edgefront/network/1"},
                 {"name", family.name},
                 {"aliases", family.aliases},
                 {"paper", family.paper},
                 {"source", family.source},
                 {"resolution", family.resolution},
                 {"resolutions", family.resolutions},
                 {"classes", family.classes},
                 {"activation", to_string(family.activation)},
                 {"padding", name_of(family.padding, padding_names())},
                 {"batch_norm_epsilon", family.batch_norm_epsilon},
                 {"width", write_width_rule(family.width)},
                 {"squeeze_excite", write_squeeze_excite(family.squeeze_excite)},
                 {"layer_scale", family.layer_scale},
                 {"base_width", family.base_width},
                 {"depth", family.depth},
                 {"define", Json::object()},
                 {"blocks", Json::array()}};
    for (const auto &definition : family.definitions) {
        json["define"][definition.name] = write_definition(definition);
    }
    for (const auto &block : family.blocks) {
        json["blocks"].push_back(write_block(block));
    }
    return json;
}

} // namespace edgefront
