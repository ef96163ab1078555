// Lists of rows: references between them, and the rows of definitions with their expressions.
#include "base/error.h"
#include "dsl/block_json.h"
#include "dsl/expand.h"
#include "dsl/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace edgefront {

namespace {

/// What the rows of one list can refer to: the table, or one use of a definition.
struct Scope {
    const Definition *definition = nullptr;   ///< null: the table
    std::string path;                         ///< of its rows' layers; empty: the table
    std::vector<Tensor> made;                 ///< the list's input, then every repeat's output
    std::map<std::string, Tensor> named;      ///< inputs and named rows
    std::map<std::string, std::string> paths; ///< of named rows
    std::set<std::string> left_out;           ///< named rows whose "when" is 0
    std::set<std::string> labels;             ///< taken as names of layers
    Json parameters = Json::object();
    Variables variables;

    void name(const std::string &name, const Tensor &tensor) {
        named[name] = tensor;
        variables[name + "_channels"] = tensor.shape.channels;
        variables[name + "_height"] = tensor.shape.height;
        variables[name + "_width"] = tensor.shape.width;
    }

    void set(const std::string &parameter, const Json &value) {
        parameters[parameter] = value;
        if (value.is_number()) {
            variables[parameter] = value.get<double>();
        } else if (value.is_boolean()) {
            variables[parameter] = value.get<bool>() ? 1 : 0;
        }
    }

    /// "conv", "conv2", ...: not taken by a row before, nor by the name of any row of the list.
    std::string fresh_label(const std::string &wanted) {
        std::string label = wanted;
        for (int i = 2; !labels.insert(label).second; i++) {
            label = wanted + std::to_string(i);
        }
        return label;
    }
};

std::string trimmed(const std::string &text) {
    const auto first = text.find_first_not_of(' ');
    return first == std::string::npos ? ""
                                      : text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

class Lists {
public:
    Lists(const Family &family, const Variant &variant)
        : family_(family), layers_(family, variant),
          expressions_([this](double c) { return family_.width.scale(c, layers_.width()); }) {}

    Network network() {
        Scope table = scope(nullptr, "", {{-1, layers_.network().input}});
        for (const Block &block : family_.blocks) {
            if (block.when.empty() || holds(block.when, table, block.where)) {
                run(block, table);
            } else {
                table.left_out.insert(block.name);
            }
        }
        return layers_.take();
    }

private:
    Scope scope(const Definition *definition, std::string path, const std::vector<Tensor> &inputs) {
        static const std::vector<std::string> one_input = {"input"};
        Scope s;
        s.definition = definition;
        s.path = std::move(path);
        s.made = {inputs[0]};
        s.variables = {{"classes", layers_.network().classes},
                       {"width", layers_.variant().width},
                       {"resolution", layers_.network().resolution}};
        const auto &names = definition == nullptr ? one_input : definition->inputs;
        for (std::size_t i = 0; i < inputs.size(); i++) {
            s.name(names[i], inputs[i]);
        }
        return s;
    }

    bool holds(const std::string &condition, const Scope &scope, const Where &where) {
        try {
            return expressions_.value(condition, scope.variables) != 0;
        } catch (const UserError &e) {
            throw UserError(where, e.what());
        }
    }

    /// The value with every string that begins with "=" replaced by what it stands for.
    Json evaluated(const JsonReader &json, const Scope &scope) {
        if (json.is_object()) {
            Json object = Json::object();
            for (const auto &[key, value] : json.members()) {
                object[key] = evaluated(value, scope);
            }
            return object;
        }
        if (json.is_array()) {
            Json array = Json::array();
            for (const auto &item : json.items()) {
                array.push_back(evaluated(item, scope));
            }
            return array;
        }
        if (!json.is_string() || json.string().empty() || json.string()[0] != '=') {
            return json.value();
        }
        const std::string text = trimmed(json.string().substr(1));
        if (const auto it = scope.parameters.find(text); it != scope.parameters.end()) {
            return *it;
        }
        try {
            const double value = expressions_.value(text, scope.variables);
            constexpr double exact = 1e15;
            return value == std::floor(value) && std::abs(value) < exact
                       ? Json(static_cast<std::int64_t>(value))
                       : Json(value);
        } catch (const UserError &e) {
            throw json.error(e.what());
        }
    }

    UserError unknown(const Reference &reference, const std::string &why,
                      const std::vector<std::string> &names) const {
        return layers_.error("unknown tensor \"" + reference.name + "\": " + why +
                             did_you_mean(reference.name, names) + " (known here: " + join(names) +
                             ")");
    }

    /// The tensor of a reference. `layers_` stands at the row that asks.
    Tensor resolve(const Reference &reference, const Scope &scope) const {
        if (reference.name.empty()) {
            if (reference.back > static_cast<int>(scope.made.size())) {
                throw layers_.error(fmt::format("there is no tensor {}: only {} stand before this "
                                                "row, the list's input among them",
                                                -reference.back, scope.made.size()));
            }
            return scope.made[scope.made.size() - static_cast<std::size_t>(reference.back)];
        }
        const auto dot = reference.name.find('.');
        const std::string row = reference.name.substr(0, dot);
        const auto found = scope.named.find(row);
        if (found == scope.named.end()) {
            std::vector<std::string> names;
            for (const auto &[name, tensor] : scope.named) {
                names.push_back(name);
            }
            throw unknown(reference,
                          scope.left_out.count(row) > 0 ? "its row is left out by \"when\""
                                                        : "no earlier row has this name",
                          names);
        }
        if (dot == std::string::npos) {
            return found->second;
        }
        const auto path = scope.paths.find(row); // inputs have none
        const std::string prefix = path == scope.paths.end() ? "/" : path->second + ".";
        const auto &layers = layers_.layers();
        const auto layer = layers.find(prefix + reference.name.substr(dot + 1));
        if (layer == layers.end()) {
            std::vector<std::string> names;
            for (auto it = layers.lower_bound(prefix);
                 it != layers.end() && it->first.compare(0, prefix.size(), prefix) == 0; ++it) {
                names.push_back(row + "." + it->first.substr(prefix.size()));
            }
            throw unknown(reference, "the row '" + row + "' has no such layer", names);
        }
        return layer->second;
    }

    static bool has_depth(const Block &block) {
        return !block.fixed_depth &&
               (block.kind == BlockKind::inverted_bottleneck ||
                block.kind == BlockKind::fused_bottleneck ||
                block.kind == BlockKind::residual_bottleneck || block.kind == BlockKind::uib ||
                block.kind == BlockKind::defined);
    }

    /// One row: all of its repeats.
    void run(const Block &row, Scope &scope) {
        const bool table = scope.definition == nullptr;
        const double depth = table && has_depth(row) ? family_.depth : 1;
        const int repeats = static_cast<int>(std::ceil(depth * row.repeat));
        std::string path;
        for (int i = 0; i < repeats; i++) {
            Block block = row;
            block.repeat = 1;
            block.stride = i == 0 ? row.stride : 1;
            LayerBuilder::Row place = layers_.row();
            place.where = row.where;
            if (table) {
                place.block = block_++;
                place.path = path = fmt::format("block{}", place.block);
                place.block_name = row.kind == BlockKind::uib       ? to_block_string(block)
                                   : row.kind == BlockKind::defined ? row.definition
                                                                    : to_string(row.kind);
            } else {
                const std::string op =
                    row.kind == BlockKind::defined ? row.definition : to_string(row.kind);
                const bool first_named = !row.name.empty() && i == 0;
                path =
                    scope.path + "." +
                    (first_named ? row.name : scope.fresh_label(row.name.empty() ? op : row.name));
                place.path = path;
            }
            place.bare = !table && is_one_layer(row.kind);
            layers_.begin(place);
            if (i == 0 && !row.name.empty() && scope.named.count(row.name) > 0) {
                throw layers_.error("the name '" + row.name + "' stands twice");
            }
            RowInputs inputs;
            const std::vector<Reference> before = {Reference{}};
            for (const auto &reference : row.from.empty() ? before : row.from) {
                const bool chained = i > 0 && inputs.from.empty();
                inputs.from.push_back(chained ? scope.made.back() : resolve(reference, scope));
            }
            if (row.added) {
                inputs.added = resolve(*row.added, scope);
            }
            inputs.list_channels = scope.made[0].shape.channels;
            inputs.scaled = table;
            scope.made.push_back(row.kind == BlockKind::defined
                                     ? use(block, i, path, inputs.from, scope)
                                     : expand(block, inputs, layers_));
        }
        if (!row.name.empty()) {
            scope.name(row.name, scope.made.back());
            scope.paths[row.name] = path;
        }
    }

    /// One layer, which then needs no role in its name.
    static bool is_one_layer(BlockKind kind) {
        switch (kind) {
        case BlockKind::depthwise_separable:
        case BlockKind::inverted_bottleneck:
        case BlockKind::fused_bottleneck:
        case BlockKind::residual_bottleneck:
        case BlockKind::uib:
        case BlockKind::squeeze_excite:
        case BlockKind::defined: return false;
        case BlockKind::conv:
        case BlockKind::max_pool:
        case BlockKind::global_pool:
        case BlockKind::fully_connected:
        case BlockKind::classifier:
        case BlockKind::depthwise:
        case BlockKind::average_pool:
        case BlockKind::add:
        case BlockKind::activation:
        case BlockKind::batch_norm:
        case BlockKind::layer_norm:
        case BlockKind::group_norm:
        case BlockKind::softmax:
        case BlockKind::attention_scores:
        case BlockKind::attention_context:
        case BlockKind::channel_scale:
        case BlockKind::concat:
        case BlockKind::slice:
        case BlockKind::channel_shuffle:
        case BlockKind::reshape:
        case BlockKind::unfold:
        case BlockKind::fold:
        case BlockKind::resize: return true;
        }
        return true;
    }

    /// One repeat of a defined row.
    Tensor use(const Block &block, int index, const std::string &path,
               const std::vector<Tensor> &inputs, const Scope &outer) {
        const auto found =
            std::find_if(family_.definitions.begin(), family_.definitions.end(),
                         [&](const Definition &d) { return d.name == block.definition; });
        if (found == family_.definitions.end()) {
            throw layers_.error("nothing defines '" + block.definition + "'");
        }
        const Definition &definition = *found;
        if (std::count(open_.begin(), open_.end(), &definition) > 0) {
            throw layers_.error("the definition '" + definition.name + "' uses itself");
        }
        Scope inner = scope(&definition, path, inputs);
        inner.variables["index"] = index;
        const Json given = evaluated(JsonReader::of(block.arguments, block.where), outer);
        for (const auto &item : definition.parameters.items()) {
            const auto argument = given.find(item.key());
            Json value =
                argument != given.end() ? *argument : default_value(definition, item.key(), inner);
            if (item.key() == "stride" && index > 0) {
                value = 1;
            }
            inner.set(item.key(), value);
        }
        const LayerBuilder::Row place = layers_.row();
        open_.push_back(&definition);
        try {
            run_body(inner);
        } catch (const UserError &e) {
            // Each use adds its own place, so the chain can be followed up to the table.
            throw UserError(fmt::format(
                "{}; in '{}' of {}{}", e.what(), definition.name, layers_.network().name,
                block.where.position.empty() ? "" : ", row " + block.where.position));
        }
        open_.pop_back();
        layers_.begin(place);
        if (inner.made.size() == 1) {
            throw layers_.error("every row of '" + definition.name + "' is left out");
        }
        return inner.made.back();
    }

    Json default_value(const Definition &definition, const std::string &key, const Scope &scope) {
        const Where where = {definition.where.file,
                             definition.where.position + "/parameters/" + key};
        return evaluated(JsonReader::of(definition.parameters[key], where), scope);
    }

    void run_body(Scope &scope) {
        const std::vector<JsonReader> rows = scope.definition->blocks.items();
        for (const auto &row : rows) {
            if (const auto name = row.is_object() ? row.find("name") : std::nullopt) {
                scope.labels.insert(read_name(*name));
            }
        }
        for (const auto &row : rows) {
            if (const auto when = row.is_object() ? row.find("when") : std::nullopt) {
                if (!holds(when->string(), scope, when->where())) {
                    scope.left_out.insert(row.has("name") ? row.at("name").string() : "");
                    continue;
                }
            }
            run(read_block(JsonReader::of(evaluated(row, scope), row.where()), family_), scope);
        }
    }

    const Family &family_;
    LayerBuilder layers_;
    Expressions expressions_;
    int block_ = 0;                        ///< rows of the table so far, repeats counted
    std::vector<const Definition *> open_; ///< those being used, outermost first
};

} // namespace

Network build(const Family &family, const Variant &variant) {
    if (!(variant.width >= 0.01 && variant.width <= 16)) {
        throw UserError(
            fmt::format("{}: width {} is outside 0.01 to 16", family.name, variant.width));
    }
    const Shape input = input_shape(family, variant);
    if (input.height < 16 || input.height > 4096 || input.width < 16 || input.width > 8192) {
        throw UserError(fmt::format("{}: resolution {} is outside 16 to 4096", family.name,
                                    input.height == input.width
                                        ? fmt::format("{}", input.height)
                                        : fmt::format("{}x{}", input.height, input.width)));
    }
    return Lists(family, variant).network();
}

} // namespace edgefront
