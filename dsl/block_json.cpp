#include "dsl/block_json.h"

#include "dsl/edgefront_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace edgefront {

namespace {

using K = BlockKind;

const std::vector<std::string> squeeze_of_names = {"expanded", "input"};
const std::vector<std::string> squeeze_rounding_names = {"divisible", "truncate"};
const std::vector<std::string> axis_names = {"channels", "rows"};

/// One key of a row, or several that belong together.
struct Field {
    std::function<void(const JsonReader &, Block &, const Family &)> read;
    std::function<void(const Block &, Json &)> write;
};

const Block plain; ///< values that need not be written

/// A key that may be missing; `get` makes a value out of its JSON, `put` JSON out of the value.
template <typename T, typename Get, typename Put>
Field optional_field(const char *key, T Block::*member, Get get, Put put) {
    return {[=](const JsonReader &json, Block &block, const Family &) {
                if (const auto value = json.find(key)) {
                    block.*member = get(*value);
                }
            },
            [=](const Block &block, Json &json) {
                if (!(block.*member == plain.*member)) {
                    json[key] = put(block.*member);
                }
            }};
}

template <typename T>
T same(const T &value) {
    return value;
}

Field count(const char *key, int Block::*member, int least = 1, int most = 65536) {
    return optional_field(
        key, member, [=](const JsonReader &v) { return static_cast<int>(v.integer(least, most)); },
        same<int>);
}

/// A count that must be there.
Field required(const char *key, int Block::*member, int most = 65536) {
    return {[=](const JsonReader &json, Block &block, const Family &) {
                block.*member = static_cast<int>(json.at(key).integer(1, most));
            },
            [=](const Block &block, Json &json) { json[key] = block.*member; }};
}

Field odd_kernel(const char *key, int Block::*member, int least = 1) {
    return optional_field(
        key, member,
        [=](const JsonReader &v) {
            const int kernel = static_cast<int>(v.integer(least, 31));
            if (kernel != 0 && kernel % 2 == 0) {
                throw v.error("kernels are odd, found " + std::to_string(kernel));
            }
            return kernel;
        },
        same<int>);
}

Field flag(const char *key, bool Block::*member) {
    return optional_field(
        key, member, [](const JsonReader &v) { return v.boolean(); }, same<bool>);
}

Activation read_activation(const JsonReader &json) {
    return static_cast<Activation>(json.one_of(activation_names()));
}

Reference read_reference(const JsonReader &json) {
    if (json.is_string()) {
        if (json.string().empty()) {
            throw json.error("expected the name of a row");
        }
        return {json.string()};
    }
    if (!json.is_number()) {
        throw json.error("expected the name of a row, NAME.LAYER, or -1 for the tensor before, -2 "
                         "for the one before that");
    }
    return {"", static_cast<int>(-json.integer(-1000, -1))};
}

Json write_reference(const Reference &reference) {
    return reference.name.empty() ? Json(-reference.back) : Json(reference.name);
}

Field text(const char *key, std::string Block::*member,
           std::string (*get)(const JsonReader &json)) {
    return optional_field(key, member, get, same<std::string>);
}

Field from() {
    return optional_field(
        "from", &Block::from,
        [](const JsonReader &v) {
            if (!v.is_array()) {
                return std::vector<Reference>{read_reference(v)};
            }
            std::vector<Reference> references;
            for (const auto &item : v.items()) {
                references.push_back(read_reference(item));
            }
            return references;
        },
        [](const std::vector<Reference> &references) {
            if (references.size() == 1) {
                return write_reference(references[0]);
            }
            Json list = Json::array();
            for (const auto &reference : references) {
                list.push_back(write_reference(reference));
            }
            return list;
        });
}

Field activation() {
    return optional_field("activation", &Block::activation, read_activation,
                          [](const auto &value) { return to_string(*value); });
}

Field padding() {
    return optional_field(
        "padding", &Block::padding,
        [](const JsonReader &v) { return static_cast<Padding>(v.one_of(padding_names())); },
        [](const auto &value) { return padding_names()[static_cast<std::size_t>(*value)]; });
}

Field added() {
    return optional_field("residual", &Block::added, read_reference,
                          [](const auto &value) { return write_reference(*value); });
}

Field bias() {
    return optional_field(
        "bias", &Block::with_bias, [](const JsonReader &v) { return v.boolean(); },
        [](const auto &value) { return *value; });
}

Field axis() {
    return optional_field(
        "axis", &Block::rows, [](const JsonReader &v) { return v.one_of(axis_names) == 1; },
        [](bool rows) { return axis_names[rows ? 1 : 0]; });
}

Field expansion() {
    return optional_field(
        "expansion", &Block::expansion, [](const JsonReader &v) { return v.number(0.01, 64); },
        same<double>);
}

void read_members(const JsonReader &json, SqueezeExcite &se) {
    if (const auto of = json.find("of")) {
        se.of = static_cast<SqueezeExcite::Of>(of->one_of(squeeze_of_names));
    }
    if (const auto rounding = json.find("rounding")) {
        se.rounding =
            static_cast<SqueezeExcite::Rounding>(rounding->one_of(squeeze_rounding_names));
    }
    if (const auto ratio = json.find("ratio")) {
        se.ratio = ratio->number(0.001, 16);
    }
    if (const auto activation = json.find("activation")) {
        se.activation = read_activation(*activation);
    }
    if (const auto gate = json.find("gate")) {
        se.gate = read_activation(*gate);
    }
}

/// Of a bottleneck, as an object of its own.
Field squeeze_excite() {
    return {[](const JsonReader &json, Block &block, const Family &family) {
                if (const auto se = json.find("squeeze_excite")) {
                    block.se = read_squeeze_excite(*se, family.squeeze_excite);
                }
            },
            [](const Block &block, Json &json) {
                if (block.se) {
                    json["squeeze_excite"] = write_squeeze_excite(*block.se);
                }
            }};
}

/// Of the row squeeze_excite, whose own keys these are.
Field squeeze_excite_members() {
    return {[](const JsonReader &json, Block &block, const Family &family) {
                block.se = family.squeeze_excite;
                read_members(json, *block.se);
            },
            [](const Block &block, Json &json) {
                json.update(write_squeeze_excite(block.se.value_or(SqueezeExcite())));
            }};
}

/// The keys of a row besides "op" and those of every row.
std::vector<Field> make_fields(BlockKind kind) {
    const Field channels = required("channels", &Block::channels);
    const Field kernel = odd_kernel("kernel", &Block::kernel);
    const Field any_kernel = count("kernel", &Block::kernel, 1, 31);
    const Field stride = count("stride", &Block::stride, 1, 8);
    const Field dilation = count("dilation", &Block::dilation, 1, 64);
    const Field groups = count("groups", &Block::groups);
    const Field heads = count("heads", &Block::groups, 1, 1024);
    const Field patch = required("patch", &Block::kernel, 64);
    const int most_pixels = 1 << 24; // a reshape may put all pixels of the largest map in one row
    const Field height = required("height", &Block::height, most_pixels);
    const Field width = required("width", &Block::width, most_pixels);
    const Field batch_norm = flag("batch_norm", &Block::batch_norm);
    const Field residual = flag("residual", &Block::residual);
    const Field fixed_width = flag("fixed_width", &Block::fixed_width);
    const Field fixed_depth = flag("fixed_depth", &Block::fixed_depth);
    switch (kind) {
    case K::conv:
        return {channels,
                kernel,
                stride,
                activation(),
                batch_norm,
                bias(),
                groups,
                dilation,
                padding(),
                count("start", &Block::start, 0, 1),
                added(),
                flag("layer_scale", &Block::layer_scale),
                fixed_width,
                fixed_depth,
                flag("last", &Block::last)};
    case K::depthwise:
        return {kernel, stride, activation(), batch_norm, bias(), dilation, padding(), added()};
    case K::depthwise_separable:
        return {channels, kernel, stride, activation(), dilation, fixed_width, fixed_depth};
    case K::inverted_bottleneck:
        return {channels, kernel,      stride,      activation(), expansion(),
                residual, fixed_width, fixed_depth, dilation,     squeeze_excite()};
    case K::fused_bottleneck:
        return {channels,
                kernel,
                stride,
                activation(),
                expansion(),
                residual,
                fixed_width,
                fixed_depth,
                count("group_size", &Block::group_size),
                count("expansion_of", &Block::expansion_of)};
    case K::residual_bottleneck:
        return {
            channels,   required("inner", &Block::inner), kernel, stride, activation(), fixed_width,
            fixed_depth};
    case K::uib:
        return {channels,
                odd_kernel("start_kernel", &Block::start_kernel, 0),
                odd_kernel("mid_kernel", &Block::mid_kernel, 0),
                stride,
                activation(),
                expansion(),
                residual,
                fixed_width,
                fixed_depth,
                dilation};
    case K::max_pool: return {any_kernel, stride, padding()};
    case K::average_pool:
        return {any_kernel, stride, padding(), flag("count_padding", &Block::count_padding)};
    case K::global_pool: return {};
    case K::fully_connected: return {channels, activation(), bias()};
    case K::classifier: return {activation(), bias()};
    case K::squeeze_excite: return {squeeze_excite_members()};
    case K::add:
    case K::activation:
    case K::batch_norm:
    case K::layer_norm:
    case K::group_norm:
    case K::channel_scale: return {activation()};
    case K::softmax:
    case K::channel_shuffle: return {groups};
    case K::attention_scores: return {heads};
    case K::attention_context: return {heads, flag("shared", &Block::shared)};
    case K::concat: return {axis(), activation()};
    case K::slice: return {count("first", &Block::first, 0), channels};
    case K::reshape: return {height, width, channels};
    case K::unfold: return {patch};
    case K::fold: return {patch, height, width};
    case K::resize: return {height, width};
    case K::defined: return {fixed_depth};
    }
    return {};
}

const std::vector<Field> &fields_of(BlockKind kind) {
    static const std::vector<std::vector<Field>> all = [] {
        std::vector<std::vector<Field>> fields;
        for (int k = 0; k <= static_cast<int>(K::defined); k++) {
            fields.push_back(make_fields(static_cast<BlockKind>(k)));
        }
        return fields;
    }();
    return all[static_cast<std::size_t>(kind)];
}

/// The keys of every row.
const std::vector<Field> &common_fields() {
    static const std::vector<Field> fields = {
        text("name", &Block::name, read_name), from(),
        text("when", &Block::when, [](const JsonReader &v) { return v.string(); }),
        count("repeat", &Block::repeat, 1, 1000)};
    return fields;
}

struct Range {
    std::size_t least, most;
};

/// How many tensors a row reads.
Range inputs_of(BlockKind kind) {
    switch (kind) {
    case K::add:
    case K::attention_scores:
    case K::attention_context:
    case K::channel_scale: return {2, 2};
    case K::concat: return {2, 1 + edgefront_most_others};
    case K::conv:
    case K::depthwise_separable:
    case K::inverted_bottleneck:
    case K::fused_bottleneck:
    case K::residual_bottleneck:
    case K::uib:
    case K::max_pool:
    case K::global_pool:
    case K::fully_connected:
    case K::classifier:
    case K::depthwise:
    case K::average_pool:
    case K::squeeze_excite:
    case K::activation:
    case K::batch_norm:
    case K::layer_norm:
    case K::group_norm:
    case K::softmax:
    case K::slice:
    case K::channel_shuffle:
    case K::reshape:
    case K::unfold:
    case K::fold:
    case K::resize:
    case K::defined: break;
    }
    return {1, 1};
}

void read_arguments(const JsonReader &json, const Definition &definition, Block &block) {
    for (const auto &item : definition.parameters.items()) {
        if (item.value().is_null()) {
            block.arguments[item.key()] = json.at(item.key()).value();
        } else if (const auto given = json.find(item.key())) {
            block.arguments[item.key()] = given->value();
        }
    }
}

/// What single keys cannot tell.
void check(const JsonReader &json, const Block &block, Range inputs) {
    if (const std::size_t given = std::max<std::size_t>(block.from.size(), 1);
        given < inputs.least || given > inputs.most) {
        const JsonReader place = json.find("from").value_or(json);
        throw place.error(
            inputs.least == inputs.most
                ? fmt::format("\"from\" names {} tensors, it must name {}", given, inputs.least)
                : fmt::format("\"from\" names {} tensors, it must name {} to {}", given,
                              inputs.least, inputs.most));
    }
    if (block.kind == K::uib && block.stride > 1 && block.start_kernel == 0 &&
        block.mid_kernel == 0) {
        throw json.error("a stride needs a depthwise convolution: give start_kernel or mid_kernel");
    }
    if ((block.kind == K::conv || block.kind == K::depthwise) && block.batch_norm &&
        block.with_bias.value_or(false)) {
        throw json.error("a batch norm takes the place of a bias; set \"batch_norm\": false");
    }
}

} // namespace

const std::vector<std::string> &padding_names() {
    static const std::vector<std::string> names = {"same", "symmetric", "valid"};
    return names;
}

std::string read_name(const JsonReader &json) {
    std::string name = json.string();
    const bool fits =
        !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (!fits) {
        throw json.error("a name has lower-case letters, digits and '_' and begins with a letter, "
                         "found \"" +
                         name + "\"");
    }
    return name;
}

SqueezeExcite read_squeeze_excite(const JsonReader &json, const SqueezeExcite &usual) {
    SqueezeExcite se = usual;
    if (!json.is_object()) {
        if (!json.boolean()) {
            throw json.error("expected true or an object; leave the key out for none");
        }
        return se;
    }
    read_members(json, se);
    json.finish();
    return se;
}

Json write_squeeze_excite(const SqueezeExcite &se) {
    return {{"ratio", se.ratio},
            {"of", squeeze_of_names[static_cast<std::size_t>(se.of)]},
            {"rounding", squeeze_rounding_names[static_cast<std::size_t>(se.rounding)]},
            {"activation", to_string(se.activation)},
            {"gate", to_string(se.gate)}};
}

Block read_block(const JsonReader &json, const Family &family) {
    Block block;
    if (json.is_string()) {
        try {
            block = parse_block_string(json.string());
        } catch (const UserError &e) {
            throw json.error(e.what());
        }
        block.where = json.where();
        return block;
    }
    std::vector<std::string> names = block_kind_names();
    for (const auto &definition : family.definitions) {
        names.push_back(definition.name);
    }
    const std::size_t op = json.at("op").one_of(names);
    Range inputs;
    if (op < block_kind_names().size()) {
        block.kind = static_cast<BlockKind>(op);
        inputs = inputs_of(block.kind);
    } else {
        const Definition &definition = family.definitions[op - block_kind_names().size()];
        block.kind = BlockKind::defined;
        block.definition = definition.name;
        inputs = {definition.inputs.size(), definition.inputs.size()};
        read_arguments(json, definition, block);
    }
    for (const auto *fields : {&fields_of(block.kind), &common_fields()}) {
        for (const auto &field : *fields) {
            field.read(json, block, family);
        }
    }
    json.finish();
    check(json, block, inputs);
    block.where = json.where();
    return block;
}

Json write_block(const Block &block) {
    Json json = {
        {"op", block.kind == BlockKind::defined ? block.definition : to_string(block.kind)}};
    for (const auto *fields : {&fields_of(block.kind), &common_fields()}) {
        for (const auto &field : *fields) {
            field.write(block, json);
        }
    }
    json.update(block.arguments);
    return json;
}

} // namespace edgefront
