#include "base/error.h"
#include "dsl/memory_plan.h"
#include "hwmodels/cost_model.h"

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

NetworkTotals totals(const CostModel &model, const Network &network, const Workload &workload) {
    const Network typed = with_type(network, workload.precision);
    NetworkTotals t;
    for (const Node &node : typed.nodes) {
        t.weights += model.stored_weights(node.layer, workload);
    }
    const int element = size_of(workload.precision);
    t.input = Bytes(typed.input.elements() * element);
    t.output = output_bytes(typed.nodes.back().layer);
    t.peak_activations = plan_memory(typed).peak;
    t.layers = static_cast<int>(typed.nodes.size());
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

Estimate estimate(const CostModel &model, const Network &network, const Workload &workload) {
    const NetworkTotals sums = totals(model, network, workload);
    Estimate e;
    std::vector<Cost> parts;
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
        if (const Cost *cost = std::get_if<Cost>(&part.verdict)) {
            parts.push_back(*cost);
        } else if (const auto *no = std::get_if<Unsupported>(&part.verdict)) {
            e.unsupported.push_back(node.name + ": " + no->reason);
        } else {
            e.unsupported.push_back(node.name + ": " + std::get<Infeasible>(part.verdict).reason);
        }
        e.layers.push_back(std::move(part));
    }
    e.network = model.network_cost(sums, workload);
    parts.push_back(e.network);
    e.total = sum(parts);
    e.interval = latency_interval(model.target(), workload, e.total.latency);
    e.peak = sums.peak_activations;
    e.weights = sums.weights;
    return e;
}

} // namespace edgefront
