#include "search/combination.h"

#include "base/error.h"
#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "search/design_space.h"
#include "search/json_lists.h"

#include <algorithm>
#include <numeric>

namespace edgefront {

namespace {

const std::vector<std::string> kinds = {"worst", "mean"};

std::string kind_name(Combination::Kind kind) {
    return kinds[static_cast<std::size_t>(kind)];
}

/// What a network has on a target, in the metric's unit.
double reference(const JsonReader &place, Metric metric, const SpaceTarget &target,
                 const Network &network) {
    const auto model = make_cost_model(find_target(target.name));
    const Estimate e =
        estimate(*model, network, workload_for(model->target(), target.precision, target.threads));
    if (!e.supported()) {
        throw place.error(target.name + " cannot run it: " + e.unsupported.front());
    }
    return metric == Metric::energy_mj ? e.total.energy.count() / 1e9
                                       : e.total.latency.count() * 1e3;
}

} // namespace

std::string Combination::quantity(const std::string &metric) const {
    return relative_to.empty() ? metric : metric.substr(0, metric.rfind('_')) + "_ratio";
}

std::string Combination::name(const std::string &metric) const {
    return kind_name(kind) + ":" + quantity(metric) + ":" + join(targets, "+");
}

std::string Combination::where() const {
    return kind_name(kind) + " of " + join(targets);
}

double Combination::of(const std::vector<double> &values) const {
    double result = 0;
    for (std::size_t i = 0; i < values.size(); i++) {
        const double part = alone(i, values[i]);
        result = kind == Kind::worst ? std::max(result, part) : result + part;
    }
    return result;
}

double Combination::alone(std::size_t i, double value) const {
    const double scaled = value / scales[i];
    if (kind == Kind::worst) {
        return scaled;
    }
    return weights.empty()
               ? scaled / static_cast<double>(targets.size())
               : scaled * weights[i] / std::accumulate(weights.begin(), weights.end(), 0.0);
}

std::optional<Combination> read_combination(const JsonReader &json, Metric metric,
                                            const std::vector<SpaceTarget> &targets,
                                            const Zoo &zoo) {
    const auto list = json.find("targets"), weights = json.find("weights"),
               relative = json.find("relative_to");
    if (!list) {
        for (const auto &key : {json.find("combine"), weights, relative}) {
            if (key) {
                throw key->error("this needs \"targets\", a list of devices");
            }
        }
        return {};
    }
    if (metric != Metric::latency_ms && metric != Metric::energy_mj) {
        throw list->error("only latency_ms and energy_mj are combined over targets");
    }
    std::vector<std::string> names;
    for (const auto &target : targets) {
        names.push_back(target.name);
    }
    Combination result;
    std::vector<std::size_t> chosen;
    for (const auto &item : list->items()) {
        chosen.push_back(item.one_of(names));
        result.targets.push_back(names[chosen.back()]);
        if (std::count(chosen.begin(), chosen.end(), chosen.back()) > 1) {
            throw item.error("the target '" + result.targets.back() + "' stands twice");
        }
    }
    if (chosen.size() < 2) {
        throw list->error("expected at least two targets; one alone is a \"target\"");
    }
    result.kind = static_cast<Combination::Kind>(json.at("combine").one_of(kinds));
    if (weights) {
        if (result.kind != Combination::Kind::mean) {
            throw weights->error("only a mean has weights");
        }
        result.weights = weights->numbers(1e-6, 1e6);
        if (result.weights.size() != chosen.size()) {
            throw weights->error("expected one weight per target, " +
                                 std::to_string(chosen.size()) + ", found " +
                                 std::to_string(result.weights.size()));
        }
    }
    result.scales.assign(chosen.size(), 1);
    if (relative) {
        result.relative_to = relative->string();
        const Network network =
            at_place(*relative, [&] { return zoo.network(result.relative_to); });
        for (std::size_t i = 0; i < chosen.size(); i++) {
            result.scales[i] = reference(*relative, metric, targets[chosen[i]], network);
        }
    }
    return result;
}

void write_combination(Json &json, const Combination &combination) {
    json["targets"] = combination.targets;
    json["combine"] = kind_name(combination.kind);
    if (!combination.weights.empty()) {
        json["weights"] = combination.weights;
    }
    if (!combination.relative_to.empty()) {
        json["relative_to"] = combination.relative_to;
    }
}

} // namespace edgefront
