#include "search/run_directory.h"

#include "search/accuracy_summary.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

constexpr const char *run_schema = "edgefront/run/1";
constexpr const char *front_schema = "edgefront/front/1";
constexpr double any = 1e300;

void expect_schema(const JsonReader &json, const char *schema) {
    if (json.at("schema").string() != schema) {
        throw json.at("schema").error(std::string("expected \"") + schema + "\"");
    }
}

template <typename T, typename F>
Json array_of(const std::vector<T> &values, F write) {
    Json array = Json::array();
    for (const auto &value : values) {
        array.push_back(write(value));
    }
    return array;
}

template <typename T, typename F>
std::vector<T> read_array(const JsonReader &json, F read) {
    std::vector<T> values;
    for (const auto &item : json.items()) {
        values.push_back(read(item));
        item.finish();
    }
    return values;
}

std::vector<double> values_of(const JsonReader &json) {
    return json.at("values").numbers(-any, any);
}

Json write_target(const RunTarget &t) {
    return {{"name", t.name}, {"hash", t.hash}, {"precision", t.precision}, {"threads", t.threads}};
}

RunTarget read_run_target(const JsonReader &json) {
    return {json.at("name").string(), json.at("hash").string(), json.at("precision").string(),
            static_cast<int>(json.at("threads").integer(1, 1024))};
}

Json write_objective(const ObjectiveColumn &o) {
    return {{"name", o.name},
            {"metric", o.metric},
            {"target", o.target},
            {"sense", to_string(o.sense)},
            {"kind", to_string(o.kind)}};
}

ObjectiveColumn read_objective(const JsonReader &json) {
    return {json.at("name").string(), json.at("metric").string(), json.at("target").string(),
            static_cast<Sense>(json.at("sense").one_of(sense_names())),
            static_cast<CostKind>(json.at("kind").one_of(cost_kind_names()))};
}

Json write_point(const RunPoint &p) {
    Json json = {{"id", p.id}, {"choices", p.choices}, {"values", p.values}};
    if (p.refined) {
        json["refined"] = to_json(*p.refined);
    }
    return json;
}

RunPoint read_point(const JsonReader &json) {
    RunPoint point{json.at("id").string(), json.at("choices").strings(), values_of(json)};
    if (const auto refined = json.find("refined")) {
        point.refined = read_refined_point(*refined, point.values.size());
    }
    return point;
}

Json write_step(const PathStep &s) {
    return {{"change", s.change},
            {"proposals", s.proposals},
            {"loss", s.loss},
            {"point", write_point(s.point)}};
}

PathStep read_step(const JsonReader &json) {
    const JsonReader point = json.at("point");
    PathStep step{json.at("change").string(),
                  json.at("proposals").integer(0, std::int64_t{1} << 53),
                  json.at("loss").number(-any, any), read_point(point)};
    point.finish();
    return step;
}

Json write_preferred(const Preferred &p) {
    return {{"id", p.id}, {"reward", p.reward}, {"epsilon", p.epsilon ? Json(*p.epsilon) : Json()}};
}

Preferred read_preferred(const JsonReader &json) {
    Preferred p{json.at("id").string(), json.at("reward").number(-any, any), {}};
    if (const auto epsilon = json.at("epsilon"); epsilon.is_number()) {
        p.epsilon = epsilon.number(0, any);
    }
    json.finish();
    return p;
}

Json write_mark(const PublishedMark &m) {
    Json by = array_of(m.dominated_by, [](const Dominator &d) {
        return Json{{"id", d.id}, {"better_by", d.better_by}};
    });
    return {{"network", m.network},   {"inside", m.inside},     {"reason", m.reason},
            {"feasible", m.feasible}, {"on_front", m.on_front}, {"id", m.id},
            {"choices", m.choices},   {"values", m.values},     {"dominated_by", by}};
}

PublishedMark read_mark(const JsonReader &json) {
    PublishedMark m;
    m.network = json.at("network").string();
    m.inside = json.at("inside").boolean();
    m.reason = json.at("reason").string();
    m.feasible = json.at("feasible").boolean();
    m.on_front = json.at("on_front").boolean();
    m.id = json.at("id").string();
    m.choices = json.at("choices").strings();
    m.values = values_of(json);
    m.dominated_by = read_array<Dominator>(json.at("dominated_by"), [](const JsonReader &d) {
        return Dominator{d.at("id").string(), d.at("better_by").numbers(0, any)};
    });
    return m;
}

Json write_rate(const BlockRate &r) {
    return {{"stage", r.stage},
            {"type", r.type},
            {"offered", r.offered},
            {"reach_pixels", r.reach_pixels},
            {"ms_per_100_mmacs", r.ms_per_100_mmacs}};
}

BlockRate read_rate(const JsonReader &json) {
    return {json.at("stage").string(), json.at("type").string(), json.at("offered").number(0, 1),
            json.at("reach_pixels").number(0, any), json.at("ms_per_100_mmacs").numbers(0, any)};
}

} // namespace

Json to_json(const RunCounters &counters) {
    return {{"space_size", counters.space_size},
            {"evaluated", counters.evaluated},
            {"feasible", counters.feasible},
            {"refused", array_of(counters.refused, [](const Refusals &r) {
                 return Json{{"constraint", r.constraint},
                             {"candidates", r.candidates},
                             {"nearest", r.nearest ? Json(*r.nearest) : Json()}};
             })}};
}

RunCounters read_counters(const JsonReader &json) {
    RunCounters counters;
    const std::int64_t most = std::int64_t{1} << 53;
    counters.space_size = json.at("space_size").number(0, any);
    counters.evaluated = json.at("evaluated").integer(0, most);
    counters.feasible = json.at("feasible").integer(0, most);
    counters.refused = read_array<Refusals>(json.at("refused"), [&](const JsonReader &r) {
        Refusals refusals{r.at("constraint").string(), r.at("candidates").integer(0, most), {}};
        if (const auto nearest = r.at("nearest"); nearest.is_number()) {
            refusals.nearest = nearest.number(-any, any);
        }
        return refusals;
    });
    json.finish();
    return counters;
}

const RunPoint &RunResult::point(const std::string &id) const {
    const RunPoint *found = nullptr;
    std::vector<std::string> ids;
    std::vector<const RunPoint *> all;
    for (const auto &p : points) {
        all.push_back(&p);
    }
    for (const auto &step : path) {
        all.push_back(&step.point);
    }
    for (const RunPoint *p : all) {
        if (!id.empty() && p->id.compare(0, id.size(), id) == 0) {
            if (found != nullptr && found->choices != p->choices) {
                const bool same = found->id == p->id;
                throw UserError(fmt::format("point '{}' is ambiguous: {}, {}", id,
                                            same ? join(found->choices, ";") : found->id,
                                            same ? join(p->choices, ";") : p->id));
            }
            found = p;
        }
        ids.push_back(p->id);
    }
    if (found == nullptr) {
        throw UserError(fmt::format("the front has no point '{}'{}", id, did_you_mean(id, ids)));
    }
    return *found;
}

std::size_t RunResult::objective(const std::string &name) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < objectives.size(); i++) {
        if (objectives[i].name == name) {
            return i;
        }
        names.push_back(objectives[i].name);
    }
    throw UserError(fmt::format("no objective '{}', expected one of {}{}", name, join(names),
                                did_you_mean(name, names)));
}

Standing RunPoint::standing() const {
    return !refined                         ? Standing::not_refined
           : !refined->failure.empty()      ? Standing::failed
           : !refined->breaks.empty()       ? Standing::infeasible
           : !refined->dominated_by.empty() ? Standing::dominated
                                            : Standing::on_front;
}

std::vector<std::size_t> RunResult::refined_objectives() const {
    std::vector<std::size_t> columns;
    for (std::size_t o = 0; o < objectives.size(); o++) {
        if (std::any_of(points.begin(), points.end(), [&](const RunPoint &point) {
                return point.refined && point.refined->kinds[o];
            })) {
            columns.push_back(o);
        }
    }
    return columns;
}

std::string RunResult::kind_of(const RunPoint &point, std::size_t objective) const {
    if (accuracy && accuracy->spearman && objectives[objective].metric == "top1") { // has a model
        const auto &ids = accuracy->predicted;
        const bool known = std::find(ids.begin(), ids.end(), point.id) == ids.end();
        return to_string(known ? CostKind::given : CostKind::fitted);
    }
    const bool replaced = point.refined && point.refined->kinds[objective];
    return to_string(replaced ? *point.refined->kinds[objective] : objectives[objective].kind);
}

std::vector<Sense> RunResult::senses() const {
    std::vector<Sense> all;
    for (const auto &column : objectives) {
        all.push_back(column.sense);
    }
    return all;
}

namespace {

Json write_config(const RunConfig &config) {
    return {{"schema", run_schema},
            {"tool_version", config.tool_version},
            {"strategy", config.strategy},
            {"seed", config.seed},
            {"options", write_options(config)},
            {"targets", array_of(config.targets, write_target)},
            {"space", config.space}};
}

Json write_merged_run(const MergedRun &run) {
    Json config = write_config(run.config);
    config.erase("space");
    return {{"folder", run.folder},
            {"finished", run.finished},
            {"config", config},
            {"counters", to_json(run.counters)}};
}

} // namespace

Json to_json(const RunConfig &config) {
    Json json = write_config(config);
    if (!config.merged.empty()) {
        json["merged"] = array_of(config.merged, write_merged_run);
    }
    return json;
}

namespace {

MergedRun read_merged_run(const JsonReader &json);

/// Of a run of its own, or of one that was merged and has its space in common with others.
RunConfig read_config(const JsonReader &json, bool own) {
    expect_schema(json, run_schema);
    RunConfig config;
    const std::int64_t most = std::int64_t{1} << 53;
    config.tool_version = json.at("tool_version").string();
    config.strategy = json.at("strategy").string();
    config.seed = static_cast<std::uint64_t>(json.at("seed").integer(0, most));
    read_options(json.at("options"), config);
    config.targets = read_array<RunTarget>(json.at("targets"), read_run_target);
    if (own) {
        config.space = json.at("space").value();
        if (const auto merged = json.find("merged")) {
            config.merged = read_array<MergedRun>(*merged, read_merged_run);
        }
    }
    json.finish();
    return config;
}

MergedRun read_merged_run(const JsonReader &json) {
    return {json.at("folder").string(), read_config(json.at("config"), false),
            json.at("finished").boolean(), read_counters(json.at("counters"))};
}

} // namespace

RunConfig read_run_config(const JsonReader &json) {
    return read_config(json, true);
}

Json to_json(const RunResult &result) {
    Json json = {{"schema", front_schema},
                 {"finished", result.finished},
                 {"exact", result.epsilon && *result.epsilon == 0},
                 {"epsilon", result.epsilon ? Json(*result.epsilon) : Json()},
                 {"config", to_json(result.config)},
                 {"choice_names", result.choice_names},
                 {"objectives", array_of(result.objectives, write_objective)},
                 {"counters", to_json(result.counters)},
                 {"points", array_of(result.points, write_point)},
                 {"published", array_of(result.marks, write_mark)},
                 {"block_rates", array_of(result.block_rates, write_rate)}};
    if (result.accuracy) {
        json["accuracy"] = to_json(*result.accuracy);
    }
    if (!result.path.empty()) {
        json["path"] = array_of(result.path, write_step);
    }
    if (!result.trace.points.empty()) {
        json["trace"] = to_json(result.trace);
    }
    if (result.preferred) {
        json["preferred"] = write_preferred(*result.preferred);
    }
    return json;
}

RunResult read_run_result(const JsonReader &json) {
    expect_schema(json, front_schema);
    RunResult result;
    result.finished = json.at("finished").boolean();
    if (const auto epsilon = json.at("epsilon"); epsilon.is_number()) {
        result.epsilon = epsilon.number(0, any);
    }
    if (json.at("exact").boolean() != (result.epsilon && *result.epsilon == 0)) {
        throw json.at("exact").error("an exact front has epsilon 0, and no other has");
    }
    result.config = read_run_config(json.at("config"));
    result.choice_names = json.at("choice_names").strings();
    result.objectives = read_array<ObjectiveColumn>(json.at("objectives"), read_objective);
    result.counters = read_counters(json.at("counters"));
    const auto check = [&](const JsonReader &row, const RunPoint &point) {
        if (point.choices.size() != result.choice_names.size() ||
            point.values.size() != result.objectives.size()) {
            throw row.error("expected as many choices and values as the front has names");
        }
    };
    result.points = read_array<RunPoint>(json.at("points"), [&](const JsonReader &row) {
        RunPoint point = read_point(row);
        check(row, point);
        return point;
    });
    if (const auto path = json.find("path")) {
        result.path = read_array<PathStep>(*path, [&](const JsonReader &row) {
            PathStep step = read_step(row);
            check(row, step.point);
            return step;
        });
    }
    if (const auto trace = json.find("trace")) {
        result.trace = read_trace(*trace);
        if (result.trace.best.size() != result.objectives.size() ||
            result.trace.worst.size() != result.objectives.size()) {
            throw trace->error("expected as many values as the front has objectives");
        }
    }
    if (const auto preferred = json.find("preferred")) {
        result.preferred = read_preferred(*preferred);
    }
    result.marks = read_array<PublishedMark>(json.at("published"), [&](const JsonReader &row) {
        PublishedMark mark = read_mark(row);
        const std::size_t n = result.objectives.size();
        const bool priced = mark.values.size() == n;
        const bool beaten =
            std::all_of(mark.dominated_by.begin(), mark.dominated_by.end(),
                        [&](const Dominator &d) { return d.better_by.size() == n; });
        if (!(priced || mark.values.empty()) || !beaten ||
            (!priced && !mark.dominated_by.empty())) {
            throw row.error("expected as many values as the front has objectives");
        }
        return mark;
    });
    result.block_rates = read_array<BlockRate>(json.at("block_rates"), read_rate);
    if (const auto accuracy = json.find("accuracy")) {
        result.accuracy = read_accuracy_summary(*accuracy);
    }
    json.finish();
    return result;
}

} // namespace edgefront
