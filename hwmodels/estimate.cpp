#include "base/error.h"
#include "dsl/memory_plan.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/mapping_search.h"

#include <algorithm>

namespace edgefront {

Workload workload_for(const Target &target, std::optional<DataType> precision,
                      std::optional<int> threads) {
    Workload w;
    w.precision = precision.value_or(target.default_precision());
    w.threads = threads.value_or(1);
    const auto &known = target.precisions;
    if (std::find(known.begin(), known.end(), w.precision) == known.end()) {
        std::vector<std::string> names;
        for (const DataType type : known) {
            names.push_back(to_string(type));
        }
        throw UserError("target " + target.name + " has no constants for " +
                        to_string(w.precision) + ", expected " + join(names));
    }
    if (w.threads < 1 || w.threads > target.max_threads) {
        throw UserError("target " + target.name + " is modelled with 1 to " +
                        std::to_string(target.max_threads) + " threads, not " +
                        std::to_string(w.threads));
    }
    return w;
}

NetworkTotals totals_but_weights(const Network &network, const Workload &workload) {
    const Network typed = with_type(network, workload.precision);
    NetworkTotals t;
    const int element = size_of(workload.precision);
    t.input = Bytes(typed.input.elements() * element);
    t.output = output_bytes(typed.nodes.back().layer);
    t.peak_activations = plan_memory(typed).peak;
    t.layers = static_cast<int>(typed.nodes.size());
    return t;
}

NetworkTotals totals(const CostModel &model, const Network &network, const Workload &workload) {
    NetworkTotals t = totals_but_weights(network, workload);
    for (const Node &node : network.nodes) {
        Layer layer = node.layer;
        layer.type = workload.precision;
        t.weights += model.stored_weights(layer, workload);
    }
    return t;
}

Verdict price_layer(const CostModel &model, Layer layer, const Workload &workload) {
    layer.type = workload.precision;
    return model.price(layer, analyse(layer, model.mapping(layer, workload)), workload);
}

std::optional<LatencyInterval> latency_interval(const Target &target, const Workload &workload,
                                                Seconds latency) {
    std::vector<double> ratios;
    if (target.calibration) {
        for (const CalibrationRow &row : target.calibration->rows) {
            const bool alike =
                row.precision == workload.precision && row.threads == workload.threads;
            if (alike && row.published_ms > 0 && row.held_out_ms > 0) {
                ratios.push_back(row.published_ms / row.held_out_ms);
            }
        }
    }
    std::sort(ratios.begin(), ratios.end());
    const std::size_t n = ratios.size();
    if (n < 3) {
        return {};
    }
    const std::size_t k = std::max<std::size_t>(1, (n + 1) / 10);
    return LatencyInterval{latency * ratios[k - 1], latency * ratios[n - k], static_cast<int>(n),
                           static_cast<double>(n + 1 - 2 * k) / static_cast<double>(n + 1)};
}

Verdict CostModel::price_fused(const std::vector<Layer> &, const FusedNest &,
                               const Workload &) const {
    return Unsupported{"targets of kind " + to_string(target().kind) +
                       " have no model of fused groups"};
}

void require_fusion(const CostModel &model) {
    if (!model.fuses()) {
        throw UserError("fused groups are modelled on targets of kind edgetpu; " +
                        model.target().name + " is of kind " + to_string(model.target().kind));
    }
}

namespace {

/// The groups that are faster fused than as the layers of `e`.
std::vector<GroupEstimate> cheaper_groups(const CostModel &model, const Network &network,
                                          const Workload &workload, const Estimate &e) {
    std::vector<GroupEstimate> groups;
    std::vector<std::pair<std::vector<Layer>, GroupEstimate>> known; // networks repeat them, too
    for (const std::vector<int> &nodes : fused_groups(network)) {
        const auto first = static_cast<std::size_t>(nodes.front());
        std::vector<Layer> layers;
        std::vector<Cost> parts;
        for (std::size_t i = first; i < first + nodes.size(); i++) {
            layers.push_back(e.layers[i].layer);
            if (const Cost *cost = std::get_if<Cost>(&e.layers[i].verdict)) {
                parts.push_back(*cost);
            }
        }
        if (parts.size() < nodes.size()) {
            continue; // a layer that the target cannot run
        }
        GroupEstimate group;
        const auto same = std::find_if(known.begin(), known.end(),
                                       [&](const auto &other) { return other.first == layers; });
        if (same != known.end()) {
            group = same->second;
        } else {
            const auto choice = model.search_fused(layers, workload, default_most_priced);
            group.plan = choice->plan;
            group.proven = choice->proven;
            group.verdict = model.price_fused(layers, analyse(layers, choice->plan), workload);
            group.separate = sum(parts);
            known.emplace_back(layers, group);
        }
        group.first = first;
        group.members = nodes.size();
        const Cost *cost = std::get_if<Cost>(&group.verdict);
        if (cost != nullptr && cost->latency < group.separate.latency) {
            groups.push_back(std::move(group));
        }
    }
    return groups;
}

/// The network as memory sees it: a group is one node that writes the last member's output.
Network with_groups_as_nodes(const Network &network, const Estimate &e) {
    Network merged = network;
    merged.nodes.clear();
    std::vector<int> index(network.nodes.size()); // in `merged`, by node
    for (const EstimatePart &part : parts(e)) {
        const std::size_t last = part.first + part.members - 1;
        Node node = network.nodes[last];
        if (part.group != nullptr) {
            node.inputs = network.nodes[part.first].inputs;
            if (node.layer.residual) {
                node.inputs.push_back(network.nodes[last].inputs.back());
            }
        }
        for (int &producer : node.inputs) {
            producer = producer < 0 ? producer : index[static_cast<std::size_t>(producer)];
        }
        for (std::size_t i = part.first; i <= last; i++) {
            index[i] = static_cast<int>(merged.nodes.size());
        }
        merged.nodes.push_back(std::move(node));
    }
    return merged;
}

} // namespace

std::vector<EstimatePart> parts(const Estimate &e) {
    std::vector<EstimatePart> list;
    auto group = e.groups.begin();
    for (std::size_t i = 0; i < e.layers.size();) {
        if (group != e.groups.end() && group->first == i) {
            list.push_back({i, group->members, &*group, &group->verdict});
            group++;
        } else {
            list.push_back({i, 1, nullptr, &e.layers[i].verdict});
        }
        i += list.back().members;
    }
    return list;
}

Estimate estimate(const CostModel &model, const Network &network, const Workload &workload,
                  Fuse fuse) {
    if (fuse == Fuse::where_cheaper) {
        require_fusion(model);
    }
    NetworkTotals sums = totals(model, network, workload);
    Estimate e;
    for (const Node &node : network.nodes) {
        Layer layer = node.layer;
        layer.type = workload.precision;
        LayerEstimate part;
        // Finding a mapping can take long, and networks repeat their layers.
        const auto same =
            std::find_if(e.layers.begin(), e.layers.end(),
                         [&](const LayerEstimate &other) { return other.layer == layer; });
        if (same != e.layers.end()) {
            part = *same;
        } else {
            part.layer = layer;
            part.mapping = model.mapping(layer, workload);
            part.verdict = model.price(layer, analyse(layer, part.mapping), workload);
        }
        part.name = node.name;
        if (const auto *no = std::get_if<Unsupported>(&part.verdict)) {
            e.unsupported.push_back(node.name + ": " + no->reason);
        } else if (const auto *never = std::get_if<Infeasible>(&part.verdict)) {
            e.unsupported.push_back(node.name + ": " + never->reason);
        }
        e.layers.push_back(std::move(part));
    }
    if (fuse == Fuse::where_cheaper) {
        e.groups = cheaper_groups(model, network, workload, e);
        const Network merged = with_groups_as_nodes(network, e);
        sums.peak_activations = plan_memory(with_type(merged, workload.precision)).peak;
    }
    std::vector<Cost> costs;
    for (const EstimatePart &part : parts(e)) {
        if (const Cost *cost = std::get_if<Cost>(part.verdict)) {
            costs.push_back(*cost);
        }
    }
    e.network = model.network_cost(sums, workload);
    costs.push_back(e.network);
    e.total = sum(costs);
    if (fuse == Fuse::never) { // what the target was calibrated on
        e.interval = latency_interval(model.target(), workload, e.total.latency);
    }
    e.peak = sums.peak_activations;
    e.weights = sums.weights;
    return e;
}

} // namespace edgefront
