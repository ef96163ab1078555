#include "search/design_space_json.h"

#include "dsl/block_json.h"
#include "dsl/family_json.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/target.h"
#include "search/json_lists.h"
#include "search/skeleton_json.h"

#include <algorithm>
#include <set>

namespace edgefront {

namespace {

constexpr const char *schema = "edgefront/space/1";
constexpr double most = 1e15; ///< of any bound

Measure read_measure(const JsonReader &json, const DesignSpace &space, const Zoo &zoo) {
    std::vector<std::string> targets;
    for (const auto &target : space.targets) {
        targets.push_back(target.name);
    }
    Measure measure;
    const JsonReader metric = json.at("metric");
    measure.metric = static_cast<Metric>(metric.one_of(metric_names()));
    measure.over = read_combination(json, measure.metric, space.targets, zoo);
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
    if (target && measure.over) {
        throw target->error("either one \"target\" or several \"targets\"");
    }
    if (target) {
        if (!allowed) {
            throw target->error(to_string(measure.metric) + " does not depend on a target");
        }
        measure.target = targets[target->one_of(targets)];
    } else if (needed && !measure.over) {
        throw json.error(to_string(measure.metric) + " needs a \"target\", one of " +
                         join(targets) + ", or \"targets\"");
    }
    return measure;
}

Objective read_objective(const JsonReader &json, const DesignSpace &space, const Zoo &zoo) {
    Objective objective;
    objective.measure = read_measure(json, space, zoo);
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

Constraint read_constraint(const JsonReader &json, const DesignSpace &space, const Zoo &zoo) {
    Constraint constraint;
    constraint.measure = read_measure(json, space, zoo);
    if (const auto bound = json.find("at_most")) {
        constraint.at_most = bound->number(0, most);
    }
    if (const auto bound = json.find("at_least")) {
        constraint.at_least = bound->number(0, most);
        if (constraint.measure.over) {
            throw bound->error("what is combined over targets is bounded by \"at_most\" only");
        }
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

/// "skeletons", or a single one's stem, stages and head beside everything else.
void read_skeletons(const JsonReader &json, DesignSpace &space) {
    const auto list = json.find("skeletons");
    if (!list) {
        space.skeletons = {read_skeleton(json, json, space.rules)};
    } else {
        for (const char *part : {"stem", "stages", "head"}) {
            if (json.has(part)) {
                throw json.at(part).error(
                    "a space has either \"skeletons\" or \"stem\", \"stages\" and \"head\"");
            }
        }
        for (const auto &item : list->items()) {
            const JsonReader name = item.at("name");
            space.skeletons.push_back(read_skeleton(item, json, space.rules));
            space.skeletons.back().name = read_name(name);
            item.finish();
            const auto same = [&](const Skeleton &k) { return k.name == name.string(); };
            if (std::count_if(space.skeletons.begin(), space.skeletons.end(), same) > 1) {
                throw name.error("two skeletons have this name");
            }
        }
        if (space.skeletons.empty()) {
            throw list->error("expected at least one skeleton");
        }
    }
    space.lay_out();
    check_rows(space.skeletons, space.rules);
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
    read_skeletons(json, space);
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
            space.constraints.push_back(read_constraint(item, space, zoo));
        }
    }
    std::set<std::string> measured;
    for (const auto &item : json.at("objectives").items()) {
        space.objectives.push_back(read_objective(item, space, zoo));
        if (!measured.insert(space.objectives.back().measure.name()).second) {
            const Measure &measure = space.objectives.back().measure;
            throw item.error("the objective '" + measure.name() + "' stands twice" +
                             (measure.over ? "; the name does not tell \"weights\" and "
                                             "\"relative_to\" apart, one of them must go"
                                           : ""));
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
    if (measure.over) {
        write_combination(json, *measure.over);
    }
    return json;
}

} // namespace

Json write_space(const DesignSpace &space) {
    Json targets = Json::array();
    Json constraints = Json::array(), objectives = Json::array();
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
                 {"rules", write_family(space.rules)}};
    if (space.skeletons.size() == 1) {
        json.update(write_skeleton(space.skeletons[0]));
    } else {
        Json skeletons = Json::array();
        for (const auto &skeleton : space.skeletons) {
            Json own = {{"name", skeleton.name}};
            own.update(write_skeleton(skeleton));
            skeletons.push_back(own);
        }
        json["skeletons"] = skeletons;
    }
    json.update({{"targets", targets},
                 {"spatial_mixing", space.spatial_mixing},
                 {"constraints", constraints},
                 {"objectives", objectives},
                 {"mark", space.marks}});
    if (space.accuracy) {
        json["accuracy"] = write_accuracy_spec(*space.accuracy);
    }
    return json;
}

} // namespace edgefront
