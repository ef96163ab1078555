#include "dsl/family_json.h"

#include "dsl/block_json.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace edgefront {

namespace {

const std::vector<std::string> rounding_names = {"divisible", "truncate", "none"};
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

/// Members that are missing stay as in `rule`.
WidthRule read_width_rule(const JsonReader &json, WidthRule rule) {
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

/// The keys of a network: those of its entry in "sizes" where it has one, then the file's.
struct Keys {
    const JsonReader &file;
    const std::optional<JsonReader> size = {};

    std::optional<JsonReader> find(const std::string &key) const {
        const auto common = file.find(key); // known either way
        const auto own = size ? size->find(key) : std::nullopt;
        return own ? own : common;
    }
    JsonReader at(const std::string &key) const {
        const auto found = find(key);
        return found ? *found : file.at(key);
    }
    void use(const std::string &key, const std::function<void(const JsonReader &)> &read) const {
        if (const auto found = find(key)) {
            read(*found);
        }
    }
};

/// "width" is the rule in the file; in a size also the base width as a number, or members of the
/// rule that differ from the file's.
void read_width(const Keys &keys, Family &family) {
    optionally(keys.file, "width",
               [&](const JsonReader &v) { family.width = read_width_rule(v, family.width); });
    optionally(keys.file, "base_width",
               [&](const JsonReader &v) { family.base_width = v.number(0.01, 16); });
    if (keys.size) {
        optionally(*keys.size, "width", [&](const JsonReader &v) {
            if (v.is_number()) {
                family.base_width = v.number(0.01, 16);
            } else {
                family.width = read_width_rule(v, family.width);
            }
        });
    }
}

void read_resolution(const Keys &keys, Family &family) {
    family.resolution = static_cast<int>(keys.at("resolution").integer(16, 4096));
    keys.use("input_width", [&](const JsonReader &v) {
        family.input_width = static_cast<int>(v.integer(16, 8192));
    });
    const auto list = keys.find("resolutions");
    // A size with a resolution of its own has left the file's list.
    if (keys.size && keys.size->has("resolution") && !keys.size->has("resolutions")) {
        family.resolutions = {family.resolution};
    } else if (list) {
        for (const auto r : list->integers(16, 4096)) {
            family.resolutions.push_back(static_cast<int>(r));
        }
    }
}

/// Everything but names and "sizes".
void read_rules(const Keys &keys, Family &family) {
    keys.use("paper", [&](const JsonReader &v) { family.paper = v.string(); });
    keys.use("source", [&](const JsonReader &v) { family.source = v.string(); });
    read_resolution(keys, family);
    family.classes = static_cast<int>(keys.at("classes").integer(1, 1000000));
    family.activation = read_enum<Activation>(keys.at("activation"), activation_names());
    keys.use("padding",
             [&](const JsonReader &v) { family.padding = read_enum<Padding>(v, padding_names()); });
    keys.use("batch_norm_epsilon",
             [&](const JsonReader &v) { family.batch_norm_epsilon = v.number(1e-12, 1); });
    read_width(keys, family);
    keys.use("squeeze_excite", [&](const JsonReader &v) {
        family.squeeze_excite = read_squeeze_excite(v, family.squeeze_excite);
    });
    keys.use("layer_scale", [&](const JsonReader &v) { family.layer_scale = v.boolean(); });
    keys.use("depth", [&](const JsonReader &v) { family.depth = v.number(0.01, 16); });
    keys.use("define", [&](const JsonReader &v) {
        for (const auto &[name, entry] : v.members()) {
            family.definitions.push_back(read_definition(name, entry));
        }
    });
    const JsonReader blocks = keys.at("blocks");
    for (const auto &row : blocks.items()) {
        family.blocks.push_back(read_block(row, family));
    }
    if (family.blocks.empty()) {
        throw blocks.error("a network needs at least one block");
    }
}

void check_name(const JsonReader &place, const std::string &name) {
    if (name.empty() || name.find_first_of("@,/ ") != std::string::npos) {
        throw place.error("a name has no '@', ',', '/' or blank and is not empty");
    }
}

Family read_named(const JsonReader &json) {
    if (json.at("schema").string() != "edgefront/network/1") {
        throw json.at("schema").error("expected \"edgefront/network/1\"");
    }
    Family family;
    family.name = json.at("name").string();
    check_name(json.at("name"), family.name);
    optionally(json, "aliases", [&](const JsonReader &v) { family.aliases = v.strings(); });
    return family;
}

} // namespace

Family read_family(const JsonReader &json) {
    Family family = read_named(json);
    read_rules({json}, family);
    json.finish();
    return family;
}

std::vector<Family> read_family_file(const std::filesystem::path &path) {
    const JsonReader json = JsonReader::parse_file(path);
    if (!json.has("sizes")) {
        return {read_family(json)};
    }
    const Family common = read_named(json);
    std::vector<Family> families;
    for (const auto &[size, entry] : json.at("sizes").members()) {
        Family family = common;
        family.name += "_" + size;
        check_name(entry, family.name);
        optionally(entry, "aliases", [&](const JsonReader &v) { family.aliases = v.strings(); });
        read_rules({json, entry}, family);
        entry.finish();
        families.push_back(family);
    }
    if (families.empty()) {
        throw json.at("sizes").error("expected at least one size");
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
    if (family.input_width > 0) {
        json["input_width"] = family.input_width;
    }
    for (const auto &definition : family.definitions) {
        json["define"][definition.name] = write_definition(definition);
    }
    for (const auto &block : family.blocks) {
        json["blocks"].push_back(write_block(block));
    }
    return json;
}

} // namespace edgefront
