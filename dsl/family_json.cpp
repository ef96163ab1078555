#include "dsl/family_json.h"

#include <algorithm>

namespace edgefront {

namespace {

const std::vector<std::string> rounding_names = {"divisible", "truncate"};
const std::vector<std::string> last_names = {"always", "above_one", "never"};
const std::vector<std::string> stem_names = {"scaled", "fixed_below_one"};
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

SqueezeExcite read_squeeze_excite(const JsonReader &json) {
    SqueezeExcite se;
    optionally(json, "ratio", [&](const JsonReader &v) { se.ratio = v.number(0.001, 16); });
    optionally(json, "activation",
               [&](const JsonReader &v) { se.activation = read_activation(v); });
    optionally(json, "gate", [&](const JsonReader &v) { se.gate = read_activation(v); });
    json.finish();
    return se;
}

Json write_squeeze_excite(const SqueezeExcite &se) {
    return {{"ratio", se.ratio},
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

Block read_block(const JsonReader &json) {
    if (json.is_string()) {
        try {
            return parse_block_string(json.string());
        } catch (const UserError &e) {
            throw json.error(e.what());
        }
    }
    Block block;
    block.kind = read_enum<BlockKind>(json.at("op"), block_kind_names());
    const bool is_uib = block.kind == BlockKind::uib;
    const bool has_window =
        block.kind != BlockKind::global_pool && block.kind != BlockKind::classifier;
    const bool has_expansion = is_uib || block.kind == BlockKind::inverted_bottleneck ||
                               block.kind == BlockKind::fused_bottleneck;
    if (has_window) {
        block.channels = static_cast<int>(json.at("channels").integer(1, 65536));
        optionally(json, "stride",
                   [&](const JsonReader &v) { block.stride = static_cast<int>(v.integer(1, 8)); });
        optionally(json, "repeat", [&](const JsonReader &v) {
            block.repeat = static_cast<int>(v.integer(1, 1000));
        });
        optionally(json, "activation",
                   [&](const JsonReader &v) { block.activation = read_activation(v); });
    }
    if (has_window && !is_uib) {
        optionally(json, "kernel", [&](const JsonReader &v) { block.kernel = odd_kernel(v, 1); });
    }
    if (has_expansion) {
        optionally(json, "expansion",
                   [&](const JsonReader &v) { block.expansion = v.number(0.01, 64); });
        optionally(json, "residual", [&](const JsonReader &v) { block.residual = v.boolean(); });
    }
    if (is_uib) {
        optionally(json, "start_kernel",
                   [&](const JsonReader &v) { block.start_kernel = odd_kernel(v, 0); });
        optionally(json, "mid_kernel",
                   [&](const JsonReader &v) { block.mid_kernel = odd_kernel(v, 0); });
    }
    if (block.kind == BlockKind::inverted_bottleneck) {
        optionally(json, "squeeze_excite",
                   [&](const JsonReader &v) { block.se = read_squeeze_excite(v); });
    }
    if (block.kind == BlockKind::conv) {
        optionally(json, "batch_norm",
                   [&](const JsonReader &v) { block.batch_norm = v.boolean(); });
        optionally(json, "last", [&](const JsonReader &v) { block.last = v.boolean(); });
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
    put("stride", block.stride, plain.stride);
    put("expansion", block.expansion, plain.expansion);
    put("repeat", block.repeat, plain.repeat);
    put("batch_norm", block.batch_norm, plain.batch_norm);
    put("last", block.last, plain.last);
    put("residual", block.residual, plain.residual);
    if (block.activation) {
        json["activation"] = to_string(*block.activation);
    }
    if (block.se) {
        json["squeeze_excite"] = write_squeeze_excite(*block.se);
    }
    return json;
}

Family read_family(const JsonReader &json) {
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
    for (const auto &row : json.at("blocks").items()) {
        family.blocks.push_back(read_block(row));
    }
    if (family.blocks.empty()) {
        throw json.at("blocks").error("a network needs at least one block");
    }
    json.finish();
    return family;
}

Family read_family_file(const std::filesystem::path &path) {
    return read_family(JsonReader::parse_file(path));
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
            {"blocks", blocks}};
}

} // namespace edgefront
