#include "dsl/family_json.h"

#include <algorithm>

namespace edgefront {

namespace {

const std::vector<std::string> rounding_names = {"divisible", "truncate"};
const std::vector<std::string> last_names = {"always", "above_one", "never"};
const std::vector<std::string> stem_names = {"scaled", "fixed_below_one"};
const std::vector<std::string> squeeze_of_names = {"expanded", "input"};
const std::vector<std::string> padding_names = {"same", "symmetric"};

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

int odd_kernel(const JsonReader &json, int least) {
    const int kernel = static_cast<int>(json.integer(least, 31));
    if (kernel != 0 && kernel % 2 == 0) {
        throw json.error("kernels are odd, found " + std::to_string(kernel));
    }
    return kernel;
}

Activation read_activation(const JsonReader &json) {
    return read_enum<Activation>(json, activation_names());
}

/// An object, each missing member as in `usual`; true for `usual` itself.
SqueezeExcite read_squeeze_excite(const JsonReader &json, const SqueezeExcite &usual) {
    SqueezeExcite se = usual;
    if (!json.is_object()) {
        if (!json.boolean()) {
            throw json.error("expected true or an object; leave the key out for none");
        }
        return se;
    }
    optionally(json, "of", [&](const JsonReader &v) {
        se.of = read_enum<SqueezeExcite::Of>(v, squeeze_of_names);
    });
    optionally(json, "rounding", [&](const JsonReader &v) {
        se.rounding = read_enum<SqueezeExcite::Rounding>(v, rounding_names);
    });
    optionally(json, "ratio", [&](const JsonReader &v) { se.ratio = v.number(0.001, 16); });
    optionally(json, "activation",
               [&](const JsonReader &v) { se.activation = read_activation(v); });
    optionally(json, "gate", [&](const JsonReader &v) { se.gate = read_activation(v); });
    json.finish();
    return se;
}

Json write_squeeze_excite(const SqueezeExcite &se) {
    return {{"ratio", se.ratio},
            {"of", name_of(se.of, squeeze_of_names)},
            {"rounding", name_of(se.rounding, rounding_names)},
            {"activation", to_string(se.activation)},
            {"gate", to_string(se.gate)}};
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

} // namespace

Block read_block(const JsonReader &json, const SqueezeExcite &usual) {
    if (json.is_string()) {
        try {
            return parse_block_string(json.string());
        } catch (const UserError &e) {
            throw json.error(e.what());
        }
    }
    Block block;
    block.kind = read_enum<BlockKind>(json.at("op"), block_kind_names());
    const auto is = [&](std::initializer_list<BlockKind> kinds) {
        return std::find(kinds.begin(), kinds.end(), block.kind) != kinds.end();
    };
    using K = BlockKind;
    const bool pools = is({K::max_pool, K::global_pool});
    const bool is_uib = is({K::uib});
    const bool has_window = !is({K::global_pool, K::fully_connected, K::classifier});
    const auto count = [&](const char *name, int &value, int most) {
        optionally(json, name,
                   [&](const JsonReader &v) { value = static_cast<int>(v.integer(1, most)); });
    };
    const auto flag = [&](const char *name, bool &value) {
        optionally(json, name, [&](const JsonReader &v) { value = v.boolean(); });
    };
    if (!pools && !is({K::classifier})) {
        block.channels = static_cast<int>(json.at("channels").integer(1, 65536));
        optionally(json, "activation",
                   [&](const JsonReader &v) { block.activation = read_activation(v); });
    }
    if (has_window) {
        count("stride", block.stride, 8);
    }
    if (has_window && !pools) {
        count("repeat", block.repeat, 1000);
        flag("fixed_width", block.fixed_width);
        flag("fixed_depth", block.fixed_depth);
    }
    if (is({K::max_pool})) {
        count("kernel", block.kernel, 31); // even ones too
    } else if (has_window && !is_uib) {
        optionally(json, "kernel", [&](const JsonReader &v) { block.kernel = odd_kernel(v, 1); });
    }
    if (is({K::inverted_bottleneck, K::fused_bottleneck, K::uib})) {
        optionally(json, "expansion",
                   [&](const JsonReader &v) { block.expansion = v.number(0.01, 64); });
        flag("residual", block.residual);
    }
    if (is({K::fused_bottleneck})) {
        count("group_size", block.group_size, 65536);
        count("expansion_of", block.expansion_of, 65536);
    }
    if (is({K::residual_bottleneck})) {
        block.inner = static_cast<int>(json.at("inner").integer(1, 65536));
    }
    if (is_uib) {
        optionally(json, "start_kernel",
                   [&](const JsonReader &v) { block.start_kernel = odd_kernel(v, 0); });
        optionally(json, "mid_kernel",
                   [&](const JsonReader &v) { block.mid_kernel = odd_kernel(v, 0); });
    }
    if (is({K::inverted_bottleneck})) {
        optionally(json, "squeeze_excite",
                   [&](const JsonReader &v) { block.se = read_squeeze_excite(v, usual); });
    }
    if (is({K::conv})) {
        flag("batch_norm", block.batch_norm);
        flag("last", block.last);
    }
    json.finish();
    if (is_uib && block.stride > 1 && block.start_kernel == 0 && block.mid_kernel == 0) {
        throw json.error("a stride needs a depthwise convolution: give start_kernel or mid_kernel");
    }
    return block;
}

Json write_block(const Block &block) {
    if (block.kind == BlockKind::uib && block.residual && !block.activation) {
        return to_block_string(block);
    }
    const Block plain;
    Json json = {{"op", to_string(block.kind)}};
    const auto put = [&](const char *key, const auto &value, const auto &absent) {
        if (value != absent) {
            json[key] = value;
        }
    };
    put("channels", block.channels, plain.channels);
    put("kernel", block.kernel, plain.kernel);
    put("start_kernel", block.start_kernel, plain.start_kernel);
    put("mid_kernel", block.mid_kernel, plain.mid_kernel);
    put("group_size", block.group_size, plain.group_size);
    put("expansion_of", block.expansion_of, plain.expansion_of);
    put("inner", block.inner, plain.inner);
    put("stride", block.stride, plain.stride);
    put("expansion", block.expansion, plain.expansion);
    put("repeat", block.repeat, plain.repeat);
    put("batch_norm", block.batch_norm, plain.batch_norm);
    put("last", block.last, plain.last);
    put("residual", block.residual, plain.residual);
    put("fixed_width", block.fixed_width, plain.fixed_width);
    put("fixed_depth", block.fixed_depth, plain.fixed_depth);
    if (block.activation) {
        json["activation"] = to_string(*block.activation);
    }
    if (block.se) {
        json["squeeze_excite"] = write_squeeze_excite(*block.se);
    }
    return json;
}

namespace {

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
    family.activation = read_activation(json.at("activation"));
    optionally(json, "padding",
               [&](const JsonReader &v) { family.padding = read_enum<Padding>(v, padding_names); });
    optionally(json, "batch_norm_epsilon",
               [&](const JsonReader &v) { family.batch_norm_epsilon = v.number(1e-12, 1); });
    optionally(json, "width", [&](const JsonReader &v) { family.width = read_width_rule(v); });
    SqueezeExcite usual;
    optionally(json, "squeeze_excite",
               [&](const JsonReader &v) { usual = read_squeeze_excite(v, usual); });
    optionally(json, "base_width",
               [&](const JsonReader &v) { family.base_width = v.number(0.01, 16); });
    optionally(json, "depth", [&](const JsonReader &v) { family.depth = v.number(0.01, 16); });
    for (const auto &row : json.at("blocks").items()) {
        family.blocks.push_back(read_block(row, usual));
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

Json write_family(const Family &family) {
    Json blocks = Json::array();
    for (const auto &block : family.blocks) {
        blocks.push_back(write_block(block));
    }
    return {{"schema", "edgefront/network/1"},
            {"name", family.name},
            {"aliases", family.aliases},
            {"paper", family.paper},
            {"source", family.source},
            {"resolution", family.resolution},
            {"resolutions", family.resolutions},
            {"classes", family.classes},
            {"activation", to_string(family.activation)},
            {"padding", name_of(family.padding, padding_names)},
            {"batch_norm_epsilon", family.batch_norm_epsilon},
            {"width", write_width_rule(family.width)},
            {"base_width", family.base_width},
            {"depth", family.depth},
            {"blocks", blocks}};
}

} // namespace edgefront
