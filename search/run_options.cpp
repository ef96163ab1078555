#include "search/run_options.h"

#include "search/run_directory.h"

#include <algorithm>
#include <map>

namespace edgefront {

namespace {

constexpr double any = 1e300, least = 1e-300;
constexpr std::int64_t most = std::int64_t{1} << 53;

/// Some keys of the object "options".
struct Option {
    void (*write)(const RunConfig &, Json &);
    void (*read)(const JsonReader &, RunConfig &);
};

void write_netadapt(const RunConfig &config, Json &json) {
    const NetAdaptOptions &o = config.netadapt;
    json["from"] = o.from;
    json["start"] = o.start;
    json["toward"] = o.toward;
    json["step"] = o.step ? Json(*o.step) : Json();
    json["decay"] = o.decay;
    json["until"] = o.until ? Json(*o.until) : Json();
    json["weights"] = Json::object();
    for (const auto &[objective, weight] : o.weights) {
        json["weights"][objective] = weight;
    }
}

void read_netadapt(const JsonReader &json, RunConfig &config) {
    NetAdaptOptions &o = config.netadapt;
    o.from = json.at("from").string();
    o.start = json.at("start").strings();
    o.toward = json.at("toward").string();
    if (const auto step = json.at("step"); step.is_number()) {
        o.step = step.number(least, any);
    }
    o.decay = json.at("decay").number(least, 1);
    if (const auto until = json.at("until"); until.is_number()) {
        o.until = until.number(0, any);
    }
    for (const auto &[objective, weight] : json.at("weights").members()) {
        o.weights.emplace_back(objective, weight.number(0, any));
    }
}

void write_reward(const RunConfig &config, Json &json) {
    const RewardOptions &o = config.reward;
    json["quality"] = o.quality;
    json["resource"] = o.resource;
    json["target"] = o.target;
    json["exponent"] = o.exponent;
    json["beyond"] = o.beyond;
}

void read_reward(const JsonReader &json, RunConfig &config) {
    RewardOptions &o = config.reward;
    o.quality = json.at("quality").string();
    o.resource = json.at("resource").string();
    o.target = json.at("target").number(least, any);
    o.exponent = json.at("exponent").number(-any, 0);
    o.beyond = json.at("beyond").number(-any, 0);
}

const std::map<std::string, Option> &options() {
    static const std::map<std::string, Option> all = {
        {"evaluations",
         {[](const RunConfig &c, Json &json) { json["evaluations"] = c.evaluations; },
          [](const JsonReader &json, RunConfig &c) {
              c.evaluations = json.at("evaluations").integer(0, most);
          }}},
        {"population",
         {[](const RunConfig &c, Json &json) { json["population"] = c.population; },
          [](const JsonReader &json, RunConfig &c) {
              c.population = static_cast<int>(json.at("population").integer(8, 1000000));
          }}},
        {"epsilon",
         {[](const RunConfig &c, Json &json) { json["epsilon"] = c.epsilon; },
          [](const JsonReader &json, RunConfig &c) {
              c.epsilon = json.at("epsilon").number(0, any);
          }}},
        {"memory_bytes",
         {[](const RunConfig &c, Json &json) { json["memory_bytes"] = c.memory_bytes; },
          [](const JsonReader &json, RunConfig &c) {
              c.memory_bytes = json.at("memory_bytes").integer(0, most);
          }}},
        {"patience",
         {[](const RunConfig &c, Json &json) {
              json["patience"] = c.patience;
              json["min_gain"] = c.min_gain;
          },
          [](const JsonReader &json, RunConfig &c) {
              c.patience = json.at("patience").integer(0, most);
              c.min_gain = json.at("min_gain").number(0, any);
          }}},
        {"netadapt", {write_netadapt, read_netadapt}},
        {"reward", {write_reward, read_reward}},
    };
    return all;
}

const std::vector<std::string> &options_of(const std::string &strategy) {
    static const std::map<std::string, std::vector<std::string>> all = {
        {"exhaustive", {"evaluations"}},
        {"exact", {"epsilon", "memory_bytes"}},
        {"nsga2", {"evaluations", "population", "patience"}},
        {"evolution", {"evaluations", "population", "patience"}},
        {"netadapt", {"netadapt"}},
        {"local", {"evaluations", "epsilon", "memory_bytes", "patience"}},
        {"reward", {"reward", "evaluations", "population", "memory_bytes"}},
        {merged_strategy, {"evaluations"}},
    };
    const auto found = all.find(strategy);
    if (found == all.end()) {
        std::vector<std::string> names;
        for (const auto &[name, options] : all) {
            names.push_back(name);
        }
        throw UserError("unknown strategy '" + strategy + "', expected one of " + join(names) +
                        did_you_mean(strategy, names));
    }
    return found->second;
}

} // namespace

bool has_option(const std::string &strategy, const std::string &option) {
    const std::vector<std::string> &own = options_of(strategy);
    return std::count(own.begin(), own.end(), option) > 0;
}

Json write_options(const RunConfig &config) {
    Json json = Json::object();
    for (const auto &name : options_of(config.strategy)) {
        options().at(name).write(config, json);
    }
    return json;
}

void read_options(const JsonReader &json, RunConfig &config) {
    for (const auto &name : options_of(config.strategy)) {
        options().at(name).read(json, config);
    }
    json.finish();
}

} // namespace edgefront
