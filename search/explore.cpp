#include "search/explore.h"

#include "hwmodels/cost_model.h"
#include "search/parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <numeric>
#include <unordered_map>

namespace edgefront {

namespace {

/// The networks as what a price depends on: different layers, and how often each network has them.
class Demand {
public:
    Demand(const std::vector<Network> &networks, const Workload &workload) : workload_(workload) {
        std::unordered_map<std::string, std::size_t> numbers;
        for (const Network &network : networks) {
            Part part{network.name, totals_but_weights(network, workload), {}};
            std::vector<std::size_t> place; // in part.uses, by number of the layer
            for (const Node &node : network.nodes) {
                Layer layer = node.layer;
                layer.type = workload.precision;
                const auto [it, added] = numbers.emplace(key(layer), layers_.size());
                if (added) {
                    layers_.push_back(layer);
                }
                place.resize(layers_.size(), none);
                std::size_t &use = place[it->second];
                if (use == none) {
                    use = part.uses.size();
                    part.uses.push_back({it->second, 0, node.name});
                }
                part.uses[use].times++;
            }
            parts_.push_back(std::move(part));
        }
    }

    PricedDevice price(const Target &target) const {
        const auto model = make_cost_model(target);
        std::vector<Verdict> verdicts;
        verdicts.reserve(layers_.size());
        for (const Layer &layer : layers_) {
            verdicts.push_back(price_layer(*model, layer, workload_));
        }
        PricedDevice device;
        for (const Part &part : parts_) {
            NetworkTotals totals = part.totals;
            for (const Use &use : part.uses) {
                totals.weights += model->stored_weights(layers_[use.layer], workload_) * use.times;
            }
            const Cost once = model->network_cost(totals, workload_);
            double latency = milliseconds(once.latency), energy = millijoules(once.energy);
            for (const Use &use : part.uses) {
                const Verdict &verdict = verdicts[use.layer];
                if (const Cost *cost = std::get_if<Cost>(&verdict)) {
                    latency += use.times * milliseconds(cost->latency);
                    energy += use.times * millijoules(cost->energy);
                } else if (device.priced()) {
                    device.refusal = part.name + ": " + use.first + ": " + reason(verdict);
                }
            }
            device.latency_ms.push_back(latency);
            device.energy_mj.push_back(energy);
        }
        return device;
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct Use {
        std::size_t layer = 0;
        int times = 0;
        std::string first; ///< name of the first such layer
    };
    struct Part {
        std::string name;
        NetworkTotals totals;
        std::vector<Use> uses;
    };

    static std::string reason(const Verdict &verdict) {
        const auto *unsupported = std::get_if<Unsupported>(&verdict);
        return unsupported != nullptr ? unsupported->reason : std::get<Infeasible>(verdict).reason;
    }

    Workload workload_;
    std::vector<Layer> layers_;
    std::vector<Part> parts_;
};

/// One value, or one per network.
std::vector<double> measure(const HardwareMeasure &what, const PricedDevice &device) {
    const auto over = [&](const std::vector<double> &values) -> std::vector<double> {
        switch (what.over) {
        case Over::sum: return {std::accumulate(values.begin(), values.end(), 0.0)};
        case Over::worst: return {*std::max_element(values.begin(), values.end())};
        case Over::each: return values;
        }
        return {};
    };
    switch (what.metric) {
    case HardwareMetric::latency_ms: return over(device.latency_ms);
    case HardwareMetric::energy_mj: return over(device.energy_mj);
    case HardwareMetric::area: return {device.area};
    }
    return {};
}

/// Of each value of `measure`.
std::vector<std::string> names(const HardwareMeasure &what,
                               const std::vector<std::string> &networks) {
    const std::string metric = hardware_metric_names()[static_cast<std::size_t>(what.metric)];
    if (what.metric == HardwareMetric::area) {
        return {metric};
    }
    if (what.over != Over::each && networks.size() > 1) {
        return {metric + ":" + over_names()[static_cast<std::size_t>(what.over)]};
    }
    std::vector<std::string> list;
    for (const std::string &network : networks) {
        list.push_back(metric + ":" + network);
    }
    return list;
}

/// The rules of a space, spelled out for these networks.
class Rules {
public:
    Rules(const HardwareSpace &space, const std::vector<std::string> &networks) : space_(space) {
        excluded_.push_back({"every layer runs", 0, {}, ""});
        for (const HardwareConstraint &c : space.constraints) {
            for (const std::string &name : names(c.measure, networks)) {
                excluded_.push_back({fmt::format("{} {} {}", name, c.at_most ? "<=" : ">=",
                                                 c.at_most ? *c.at_most : *c.at_least),
                                     0,
                                     {},
                                     ""});
            }
        }
    }

    /// The rules that exclude the device, as indices into `excluded`; empty: it is feasible.
    std::vector<std::size_t> broken_by(const PricedDevice &device) const {
        if (!device.priced()) {
            return {0};
        }
        std::vector<std::size_t> list;
        each_bound(device, [&](std::size_t rule, const HardwareConstraint &c, double value) {
            if (c.at_most ? value > *c.at_most : value < *c.at_least) {
                list.push_back(rule);
            }
        });
        return list;
    }

    void count(const PricedDevice &device) {
        const std::vector<std::size_t> broken = broken_by(device);
        for (const std::size_t rule : broken) {
            excluded_[rule].devices++;
        }
        if (!device.priced() && excluded_[0].example.empty()) {
            excluded_[0].example = device.refusal;
        }
        each_bound(device, [&](std::size_t rule, const HardwareConstraint &c, double value) {
            if (std::find(broken.begin(), broken.end(), rule) != broken.end()) {
                std::optional<double> &nearest = excluded_[rule].nearest;
                const double seen = nearest.value_or(value);
                nearest = c.at_most ? std::min(seen, value) : std::max(seen, value);
            }
        });
    }

    const std::vector<ExcludedDevices> &excluded() const { return excluded_; }

private:
    template <typename F>
    void each_bound(const PricedDevice &device, const F &visit) const {
        if (!device.priced()) {
            return;
        }
        std::size_t rule = 1;
        for (const HardwareConstraint &c : space_.constraints) {
            for (const double value : measure(c.measure, device)) {
                visit(rule++, c, value);
            }
        }
    }

    const HardwareSpace &space_;
    std::vector<ExcludedDevices> excluded_;
};

std::vector<double> objective_values(const HardwareSpace &space, const PricedDevice &device) {
    std::vector<double> values;
    for (const HardwareMeasure &objective : space.objectives) {
        const std::vector<double> more = measure(objective, device);
        values.insert(values.end(), more.begin(), more.end());
    }
    return values;
}

/// Prices every point; whether all were before `stop`.
bool price_all(const HardwareSpace &space, const Demand &demand, const ExploreHooks &hooks,
               std::vector<PricedDevice> &devices) {
    std::atomic<bool> stopped{false};
    std::mutex mutex;
    std::size_t done = 0;
    parallel_for(devices.size(), hooks.threads, 1, [&](std::size_t i) {
        if (stopped || (hooks.stop && hooks.stop())) {
            stopped = true;
            return;
        }
        if (!devices[i].known()) {
            const Target target = space.target(space.at(i));
            devices[i] = demand.price(target);
            devices[i].area = space.area(target);
        }
        const std::lock_guard<std::mutex> lock(mutex);
        done++;
        if (hooks.progress) {
            hooks.progress(done, devices.size());
        }
    });
    return done == devices.size();
}

} // namespace

Exploration explore(const HardwareSpace &space, const std::vector<Network> &networks,
                    const ExploreHooks &hooks, std::vector<PricedDevice> known) {
    std::vector<std::string> labels;
    for (const Network &network : networks) {
        labels.push_back(network.name);
    }
    std::vector<std::string> objectives;
    for (const HardwareMeasure &objective : space.objectives) {
        const std::vector<std::string> more = names(objective, labels);
        objectives.insert(objectives.end(), more.begin(), more.end());
    }
    Exploration result;
    result.networks = labels;
    result.objectives = objectives;
    result.devices = std::move(known);
    result.devices.resize(space.size());
    result.front = ParetoFront(std::vector<Sense>(objectives.size(), Sense::minimise));
    const Demand demand(networks, workload_for(space.base, space.how.precision, space.how.threads));
    result.base = demand.price(space.base);
    result.base.area = space.area(space.base);
    if (!price_all(space, demand, hooks, result.devices)) {
        result.interrupted = true;
        return result;
    }
    Rules rules(space, labels);
    for (std::size_t i = 0; i < result.devices.size(); i++) {
        const PricedDevice &device = result.devices[i];
        rules.count(device);
        if (rules.broken_by(device).empty()) {
            result.feasible++;
            result.front.admit({space.at(i), objective_values(space, device)});
        }
    }
    std::copy_if(rules.excluded().begin(), rules.excluded().end(),
                 std::back_inserter(result.excluded),
                 [](const ExcludedDevices &rule) { return rule.devices > 0; });
    if (result.base.priced()) {
        result.base_values = objective_values(space, result.base);
    }
    for (const std::size_t rule : rules.broken_by(result.base)) {
        result.base_excluded.push_back(rules.excluded()[rule].rule);
    }
    return result;
}

} // namespace edgefront
