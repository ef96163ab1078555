#include "search/skeleton_json.h"

#include "dsl/block_json.h"
#include "search/json_lists.h"

namespace edgefront {

namespace {

/// The rows of a stem or head; `rules`: whose definitions they may use.
std::vector<Block> read_blocks(const JsonReader &json, const Family &rules) {
    std::vector<Block> blocks;
    for (const auto &row : json.items()) {
        blocks.push_back(read_block(row, rules));
        if (!blocks.back().from.empty() || blocks.back().added) {
            throw row.error("the rows of a space follow each other; branches are a matter of "
                            "definitions");
        }
    }
    if (blocks.empty()) {
        throw json.error("expected at least one block");
    }
    return blocks;
}

/// 0 means: no depthwise convolution here.
std::vector<int> kernels(const JsonReader &json) {
    return distinct<int>(json, [](const JsonReader &v) {
        const int kernel = static_cast<int>(v.integer(0, 31));
        if (kernel != 0 && kernel % 2 == 0) {
            throw v.error("kernels are odd (or 0: none), found " + std::to_string(kernel));
        }
        return kernel;
    });
}

/// Where a block stands in its stage.
struct Place {
    int stride = 1;
    bool first = false;
    bool always = true; ///< whatever the depth
};

/// "a5_k5_e3" or nothing.
std::optional<Option> parse_uib(const std::string &text) {
    try {
        return uib_option(parse_block_string("uir_" + text + "_c1"));
    } catch (const UserError &) {
        return std::nullopt;
    }
}

Option read_uib(const JsonReader &json, const Place &place) {
    const auto option = parse_uib(json.string());
    if (!option) {
        throw json.error("expected a UIB option as \"a5_k5_e3\" (start kernel, middle kernel, "
                         "expansion), \"none\", or an object, found \"" +
                         json.string() + "\"");
    }
    if (option->name != json.string()) {
        throw json.error("expected a UIB option written as \"" + option->name + "\"");
    }
    if (place.stride > 1 && option->block->start_kernel == 0 && option->block->mid_kernel == 0) {
        throw json.error("the first block of a stage with a stride needs a depthwise kernel");
    }
    return *option;
}

Option read_option(const JsonReader &json, const Place &place, const Family &rules) {
    if (json.is_string() && json.string() != no_block) {
        return read_uib(json, place);
    }
    if (place.first) {
        throw json.error("the first block of a stage is a UIB");
    }
    if (json.is_string()) {
        if (!place.always) {
            throw json.error("only a position that every depth has can be left empty");
        }
        return {no_block, std::nullopt};
    }
    const JsonReader name = json.at("name"), row = json.at("block");
    if (read_name(name) == no_block || parse_uib(name.string())) {
        throw name.error("'" + name.string() + "' is taken, choose another name");
    }
    Block block = read_block(row, rules);
    if (block.kind == BlockKind::uib) {
        throw row.error("write a UIB as \"" + uib_option(block).name +
                        "\", its channels are the stage's");
    }
    if (!block.from.empty() || block.added || !block.name.empty() || !block.when.empty()) {
        throw row.error("the row of an option has no \"name\", \"from\", \"residual\" or \"when\"");
    }
    json.finish();
    return {name.string(), block};
}

/// One position: every start kernel with every middle kernel and expansion, or a list of options.
/// Where the stride is above 1 it needs a depthwise convolution, so the combinations without one
/// are left out (and refused in a list).
std::vector<Option> read_position(const JsonReader &json, const Place &place, const Family &rules) {
    if (json.is_array()) {
        std::vector<Option> options = distinct<Option>(
            json, [&](const JsonReader &v) { return read_option(v, place, rules); });
        for (std::size_t i = 0; i < options.size(); i++) {
            for (std::size_t j = 0; j < i; j++) {
                if (options[i].name == options[j].name || options[i].block == options[j].block) {
                    throw json.items()[i].error("'" + options[j].name +
                                                "' has the same name or the same block");
                }
            }
        }
        return options;
    }
    std::vector<Option> options;
    const auto starts = kernels(json.at("start_kernels"));
    const auto mids = kernels(json.at("mid_kernels"));
    const auto expansions = distinct<double>(
        json.at("expansions"), [](const JsonReader &v) { return v.number(0.01, 64); });
    json.finish();
    for (const int start : starts) {
        for (const int mid : mids) {
            for (const double expansion : expansions) {
                if (place.stride == 1 || start > 0 || mid > 0) {
                    options.push_back(uib_option(uib(1).start_dw(start).mid_dw(mid).e(expansion)));
                }
            }
        }
    }
    if (options.empty()) {
        throw json.error("no block is left: a stride needs a depthwise kernel");
    }
    return options;
}

bool can_be_empty(const std::vector<Option> &position) {
    return std::any_of(position.begin(), position.end(),
                       [](const Option &o) { return !o.block.has_value(); });
}

/// "none, a" and "a, none" would be the same network: a position that may be empty has no block in
/// common with the next ones that may be too, nor with the one behind them.
void require_distinct_networks(const JsonReader &json, const Stage &stage) {
    for (std::size_t p = 0; p < stage.positions.size(); p++) {
        bool empty = can_be_empty(stage.positions[p]);
        for (std::size_t next = p + 1; empty && next < stage.positions.size(); next++) {
            for (const Option &option : stage.positions[p]) {
                const auto &others = stage.positions[next];
                if (option.block && std::count(others.begin(), others.end(), option) > 0) {
                    throw json.error("position " + std::to_string(p + 1) +
                                     " may be empty and has '" + option.name +
                                     "' in common with position " + std::to_string(next + 1) +
                                     ", so that two choices would be the same network");
                }
            }
            empty = can_be_empty(stage.positions[next]);
        }
    }
}

Stage read_stage(const JsonReader &json, const Family &rules) {
    Stage stage;
    stage.stride = static_cast<int>(json.at("stride").integer(1, 8));
    stage.channels = integers(json.at("channels"), 1, 65536);
    stage.depths = integers(json.at("depths"), 1, 64);
    std::sort(stage.depths.begin(), stage.depths.end());
    const auto deepest = static_cast<std::size_t>(stage.depths.back());
    const JsonReader blocks = json.at("blocks");
    const auto place = [&] {
        const std::size_t p = stage.positions.size();
        return Place{p == 0 ? stage.stride : 1, p == 0,
                     p < static_cast<std::size_t>(stage.depths.front())};
    };
    if (blocks.is_object()) {
        while (stage.positions.size() < deepest) {
            stage.positions.push_back(read_position(blocks, place(), rules));
        }
    } else {
        for (const auto &position : blocks.items()) {
            stage.positions.push_back(read_position(position, place(), rules));
        }
        if (stage.positions.size() != deepest) {
            throw blocks.error("expected one entry per block of the greatest depth (" +
                               std::to_string(deepest) + "), found " +
                               std::to_string(stage.positions.size()));
        }
    }
    require_distinct_networks(blocks, stage);
    json.finish();
    return stage;
}

Json write_option(const Option &option) {
    if (!option.block || option.is_uib()) {
        return option.name;
    }
    return {{"name", option.name}, {"block", write_block(*option.block)}};
}

Json write_stage(const Stage &stage) {
    Json positions = Json::array();
    for (const auto &position : stage.positions) {
        Json options = Json::array();
        for (const auto &option : position) {
            options.push_back(write_option(option));
        }
        positions.push_back(options);
    }
    return {{"stride", stage.stride},
            {"channels", stage.channels},
            {"depths", stage.depths},
            {"blocks", positions}};
}

Json write_blocks(const std::vector<Block> &blocks) {
    Json rows = Json::array();
    for (const auto &block : blocks) {
        rows.push_back(write_block(block));
    }
    return rows;
}

} // namespace

Skeleton read_skeleton(const JsonReader &json, const JsonReader &space, const Family &rules) {
    Skeleton skeleton;
    const auto list = [&](const char *key) {
        const auto common = space.find(key); // known either way
        const auto own = json.find(key);
        return own ? own : common;
    };
    const auto needed = [&](const char *key) {
        const auto found = list(key);
        return found ? *found : json.at(key);
    };
    skeleton.resolutions = integers(needed("resolutions"), 16, 4096);
    skeleton.widths =
        distinct<double>(needed("widths"), [](const JsonReader &v) { return v.number(0.01, 16); });
    skeleton.activations = {rules.activation};
    if (const auto activations = list("activations")) {
        skeleton.activations = distinct<Activation>(*activations, [](const JsonReader &v) {
            return static_cast<Activation>(v.one_of(activation_names()));
        });
    }
    skeleton.stem = read_blocks(json.at("stem"), rules);
    for (const auto &stage : json.at("stages").items()) {
        skeleton.stages.push_back(read_stage(stage, rules));
    }
    skeleton.head = read_blocks(json.at("head"), rules);
    return skeleton;
}

Json write_skeleton(const Skeleton &skeleton) {
    Json activations = Json::array(), stages = Json::array();
    for (const auto activation : skeleton.activations) {
        activations.push_back(to_string(activation));
    }
    for (const auto &stage : skeleton.stages) {
        stages.push_back(write_stage(stage));
    }
    return {{"resolutions", skeleton.resolutions},
            {"widths", skeleton.widths},
            {"activations", activations},
            {"stem", write_blocks(skeleton.stem)},
            {"stages", stages},
            {"head", write_blocks(skeleton.head)}};
}

void check_rows(const std::vector<Skeleton> &skeletons, const Family &rules) {
    for (const auto &skeleton : skeletons) {
        Family family = rules;
        family.blocks = skeleton.stem;
        for (const auto &stage : skeleton.stages) {
            family.blocks.push_back(stage.placed(stage.positions[0][0], 0, 0));
            for (std::size_t p = 1; p < stage.positions.size(); p++) {
                for (const auto &option : stage.positions[p]) {
                    if (!option.block || option.is_uib()) {
                        continue;
                    }
                    Family longer = family;
                    longer.blocks.push_back(stage.placed(option, p, 0));
                    for (const int resolution : skeleton.resolutions) {
                        const Variant variant(skeleton.widths[0], resolution);
                        const Shape before = build(family, variant).output();
                        const Shape behind = build(longer, variant).output();
                        if (!(before == behind)) {
                            throw UserError(option.block->where,
                                            "the block of an option must keep the shape, this one "
                                            "makes " +
                                                to_string(behind) + " of " + to_string(before));
                        }
                    }
                }
            }
        }
    }
}

} // namespace edgefront
