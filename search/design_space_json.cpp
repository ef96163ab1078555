#include "search/design_space_json.h"

#include "dsl/block_json.h"
#include "dsl/family_json.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/target.h"

#include <algorithm>
#include <set>

namespace edgefront {

namespace {

constexpr const char *schema = "edgefront/space/1";
constexpr double most = 1e15; ///< of any bound

/// What `look_up` finds; its complaint about a name gets the place in the file.
template <typename F>
auto at_place(const JsonReader &json, F look_up) {
    try {
        return look_up();
    } catch (const UserError &e) {
        throw json.error(e.what());
    }
}

template <typename T, typename F>
std::vector<T> distinct(const JsonReader &json, F read) {
    std::vector<T> values;
    for (const auto &item : json.items()) {
        const T value = read(item);
        if (std::find(values.begin(), values.end(), value) != values.end()) {
            throw item.error("this value stands twice");
        }
        values.push_back(value);
    }
    if (values.empty()) {
        throw json.error("expected at least one value");
    }
    return values;
}

std::vector<int> integers(const JsonReader &json, int least, int limit) {
    return distinct<int>(
        json, [&](const JsonReader &v) { return static_cast<int>(v.integer(least, limit)); });
}

/// `rules`: whose definitions the rows may use.
std::vector<Block> read_blocks(const JsonReader &json, const Family &rules) {
    std::vector<Block> blocks;
    for (const auto &row : json.items()) {
        blocks.push_back(read_block(row, rules));
        if (!blocks.back().from.empty() || blocks.back().added) {
            throw row.error("the rows of a space follow each other; branches are a matter of "
                            "definitions");
        }
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

/// One position: every start kernel with every middle kernel and expansion, or a list of options.
/// Where the stride is above 1 it needs a depthwise convolution, so the combinations without one
/// are left out (and refused in a list).
std::vector<Block> read_position(const JsonReader &json, int stride) {
    std::vector<Block> options;
    if (json.is_array()) {
        options = distinct<Block>(json, [&](const JsonReader &v) {
            const Block block = [&] {
                try {
                    return parse_block_string("uir_" + v.string() + "_c1");
                } catch (const UserError &) {
                    throw v.error("expected a UIB option as \"a5_k5_e3\" (start kernel, middle "
                                  "kernel, expansion), found \"" +
                                  v.string() + "\"");
                }
            }();
            if (option_name(block) != v.string()) {
                throw v.error("expected a UIB option written as \"" + option_name(block) + "\"");
            }
            if (stride > 1 && block.start_kernel == 0 && block.mid_kernel == 0) {
                throw v.error("the first block of a stage with a stride needs a depthwise kernel");
            }
            return block;
        });
    } else {
        const auto starts = kernels(json.at("start_kernels"));
        const auto mids = kernels(json.at("mid_kernels"));
        const auto expansions = distinct<double>(
            json.at("expansions"), [](const JsonReader &v) { return v.number(0.01, 64); });
        json.finish();
        for (const int start : starts) {
            for (const int mid : mids) {
                for (const double expansion : expansions) {
                    if (stride == 1 || start > 0 || mid > 0) {
                        options.push_back(uib(1).start_dw(start).mid_dw(mid).e(expansion));
                    }
                }
            }
        }
    }
    if (options.empty()) {
        throw json.error("no block is left: a stride needs a depthwise kernel");
    }
    for (auto &block : options) {
        block.channels = 0;
    }
    return options;
}

Stage read_stage(const JsonReader &json) {
    Stage stage;
    stage.stride = static_cast<int>(json.at("stride").integer(1, 8));
    stage.channels = integers(json.at("channels"), 1, 65536);
    stage.depths = integers(json.at("depths"), 1, 64);
    std::sort(stage.depths.begin(), stage.depths.end());
    const auto deepest = static_cast<std::size_t>(stage.depths.back());
    const JsonReader blocks = json.at("blocks");
    const auto stride_at = [&](std::size_t p) { return p == 0 ? stage.stride : 1; };
    if (blocks.is_object()) {
        for (std::size_t p = 0; p < deepest; p++) {
            stage.positions.push_back(read_position(blocks, stride_at(p)));
        }
    } else {
        for (const auto &position : blocks.items()) {
            stage.positions.push_back(read_position(position, stride_at(stage.positions.size())));
        }
        if (stage.positions.size() != deepest) {
            throw blocks.error("expected one entry per block of the greatest depth (" +
                               std::to_string(deepest) + "), found " +
                               std::to_string(stage.positions.size()));
        }
    }
    json.finish();
    return stage;
}

Measure read_measure(const JsonReader &json, const std::vector<std::string> &targets) {
    Measure measure;
    const JsonReader metric = json.at("metric");
    measure.metric = static_cast<Metric>(metric.one_of(metric_names()));
    const auto target = json.find("target");
    bool needed = false, allowed = true;
    switch (measure.metric) {
    case Metric::latency_ms:
    case Metric::energy_mj:
    case Metric::frames_per_second: needed = true; break;
    case Metric::peak_bytes: break;
    case Metric::macs:
    case Metric::params:
    case Metric::top1: allowed = false; break;
    }
    if (target) {
        if (!allowed) {
            throw target->error(to_string(measure.metric) + " does not depend on a target");
        }
        measure.target = targets[target->one_of(targets)];
    } else if (needed) {
        throw json.error(to_string(measure.metric) + " needs a \"target\", one of " +
                         join(targets));
    }
    return measure;
}

Objective read_objective(const JsonReader &json, const std::vector<std::string> &targets) {
    Objective objective;
    objective.measure = read_measure(json, targets);
    const auto sense = json.find("sense");
    switch (objective.measure.metric) {
    case Metric::frames_per_second:
        throw json.error("a frame rate is a constraint; the objective is latency_ms");
    case Metric::latency_ms:
    case Metric::energy_mj:
    case Metric::peak_bytes:
        if (sense && static_cast<Sense>(sense->one_of(sense_names())) != Sense::minimise) {
            throw sense->error(to_string(objective.measure.metric) + " can only be minimised");
        }
        break;
    case Metric::top1:
        objective.sense = Sense::maximise;
        if (sense && static_cast<Sense>(sense->one_of(sense_names())) != Sense::maximise) {
            throw sense->error("top1 can only be maximised");
        }
        break;
    case Metric::macs:
    case Metric::params:
        if (!sense) {
            throw json.error(to_string(objective.measure.metric) +
                             " needs a \"sense\": \"maximise\" as capacity, \"minimise\" as cost");
        }
        objective.sense = static_cast<Sense>(sense->one_of(sense_names()));
        break;
    }
    json.finish();
    return objective;
}

Constraint read_constraint(const JsonReader &json, const std::vector<std::string> &targets) {
    Constraint constraint;
    constraint.measure = read_measure(json, targets);
    if (const auto bound = json.find("at_most")) {
        constraint.at_most = bound->number(0, most);
    }
    if (const auto bound = json.find("at_least")) {
        constraint.at_least = bound->number(0, most);
    }
    json.finish();
    if (constraint.at_most.has_value() == constraint.at_least.has_value()) {
        throw json.error("expected either \"at_most\" or \"at_least\"");
    }
    return constraint;
}

Family read_rules(const JsonReader &json, const Zoo &zoo) {
    return json.is_string() ? at_place(json, [&] { return zoo.get(json.string()); })
                            : read_family(json);
}

/// The networks themselves: what varies and what stays.
void read_axes(const JsonReader &json, DesignSpace &space) {
    space.resolutions = integers(json.at("resolutions"), 16, 4096);
    space.widths =
        distinct<double>(json.at("widths"), [](const JsonReader &v) { return v.number(0.01, 16); });
    space.activations = {space.rules.activation};
    if (const auto activations = json.find("activations")) {
        space.activations = distinct<Activation>(*activations, [](const JsonReader &v) {
            return static_cast<Activation>(v.one_of(activation_names()));
        });
    }
    space.stem = read_blocks(json.at("stem"), space.rules);
    for (const auto &stage : json.at("stages").items()) {
        space.stages.push_back(read_stage(stage));
    }
    space.head = read_blocks(json.at("head"), space.rules);
    for (const char *part : {"stem", "head"}) {
        if (json.at(part).items().empty()) {
            throw json.at(part).error("expected at least one block");
        }
    }
}

} // namespace

SpaceTarget read_space_target(const JsonReader &json) {
    SpaceTarget target;
    if (json.is_string()) {
        target.name = json.string();
    } else {
        target.name = json.at("name").string();
        if (const auto precision = json.find("precision")) {
            static const std::vector<std::string> names = {"fp32", "fp16", "int8"};
            target.precision = parse_data_type(names[precision->one_of(names)]);
        }
        if (const auto threads = json.find("threads")) {
            target.threads = static_cast<int>(threads->integer(1, 1024));
        }
        json.finish();
    }
    at_place(json, [&] {
        return workload_for(find_target(target.name), target.precision, target.threads);
    });
    return target;
}

DesignSpace read_space(const JsonReader &json, const Zoo &zoo) {
    if (const JsonReader given = json.at("schema"); given.string() != schema) {
        throw given.error(std::string("expected \"") + schema + "\"");
    }
    DesignSpace space;
    space.name = json.at("name").string();
    if (space.name.empty() || space.name.find_first_of("@,/ ") != std::string::npos) {
        throw json.at("name").error("a name has no '@', ',', '/' or blank and is not empty");
    }
    if (const auto description = json.find("description")) {
        space.description = description->string();
    }
    space.rules = read_rules(json.at("rules"), zoo);
    read_axes(json, space);
    std::vector<std::string> names;
    for (const auto &item : json.at("targets").items()) {
        space.targets.push_back(read_space_target(item));
        names.push_back(space.targets.back().name);
        if (std::count(names.begin(), names.end(), names.back()) > 1) {
            throw item.error("the target '" + names.back() + "' stands twice");
        }
    }
    if (const auto guard = json.find("spatial_mixing")) {
        space.spatial_mixing = guard->boolean();
    }
    if (const auto constraints = json.find("constraints")) {
        for (const auto &item : constraints->items()) {
            space.constraints.push_back(read_constraint(item, names));
        }
    }
    std::set<std::string> measured;
    for (const auto &item : json.at("objectives").items()) {
        space.objectives.push_back(read_objective(item, names));
        if (!measured.insert(space.objectives.back().measure.name()).second) {
            throw item.error("this objective stands twice");
        }
    }
    if (space.objectives.empty()) {
        throw json.at("objectives").error("expected at least one objective");
    }
    if (const auto accuracy = json.find("accuracy")) {
        space.accuracy = read_accuracy_spec(*accuracy);
    }
    if (const auto marks = json.find("mark")) {
        for (const auto &item : marks->items()) {
            space.marks.push_back(item.string());
            at_place(item, [&] { return zoo.network(item.string()); });
        }
    }
    json.finish();
    return space;
}

DesignSpace read_space_file(const std::filesystem::path &path, const Zoo &zoo) {
    return read_space(JsonReader::parse_file(path), zoo);
}

namespace {

Json write_measure(const Measure &measure) {
    Json json = {{"metric", to_string(measure.metric)}};
    if (!measure.target.empty()) {
        json["target"] = measure.target;
    }
    return json;
}

Json write_stage(const Stage &stage) {
    Json positions = Json::array();
    for (const auto &position : stage.positions) {
        Json options = Json::array();
        for (const auto &block : position) {
            options.push_back(option_name(block));
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

Json write_space(const DesignSpace &space) {
    Json activations = Json::array(), stages = Json::array(), targets = Json::array();
    Json constraints = Json::array(), objectives = Json::array();
    for (const auto activation : space.activations) {
        activations.push_back(to_string(activation));
    }
    for (const auto &stage : space.stages) {
        stages.push_back(write_stage(stage));
    }
    for (const auto &target : space.targets) {
        Json json = {{"name", target.name}};
        if (target.precision) {
            json["precision"] = to_string(*target.precision);
        }
        json["threads"] = target.threads;
        targets.push_back(json);
    }
    for (const auto &constraint : space.constraints) {
        Json json = write_measure(constraint.measure);
        json[constraint.at_most ? "at_most" : "at_least"] =
            constraint.at_most ? *constraint.at_most : constraint.at_least.value_or(0);
        constraints.push_back(json);
    }
    for (const auto &objective : space.objectives) {
        Json json = write_measure(objective.measure);
        json["sense"] = to_string(objective.sense);
        objectives.push_back(json);
    }
    Json json = {{"schema", schema},
                 {"name", space.name},
                 {"description", space.description},
                 {"rules", write_family(space.rules)},
                 {"resolutions", space.resolutions},
                 {"widths", space.widths},
                 {"activations", activations},
                 {"stem", write_blocks(space.stem)},
                 {"stages", stages},
                 {"head", write_blocks(space.head)},
                 {"targets", targets},
                 {"spatial_mixing", space.spatial_mixing},
                 {"constraints", constraints},
                 {"objectives", objectives},
                 {"mark", space.marks}};
    if (space.accuracy) {
        json["accuracy"] = write_accuracy_spec(*space.accuracy);
    }
    return json;
}

} // namespace edgefront
