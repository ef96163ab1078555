#include "search/tuner.h"

#include <algorithm>

namespace edgefront {

namespace {

std::vector<TunedLayer> different_layers(const Network &network, DataType precision) {
    std::vector<TunedLayer> layers;
    for (const Node &node : network.nodes) {
        Layer layer = node.layer;
        layer.type = precision;
        const auto same = std::find_if(layers.begin(), layers.end(),
                                       [&](const TunedLayer &l) { return l.layer == layer; });
        if (same != layers.end()) {
            same->names.push_back(node.name);
        } else {
            layers.push_back({layer, {node.name}, {}, false});
        }
    }
    return layers;
}

TuningRecord search(const Layer &layer, const CostModel &model, const Workload &workload,
                    const TuneOptions &options) {
    const auto choice = model.search(layer, workload, options.trials);
    if (!choice) {
        throw UserError("mappings are searched on targets of the kinds dsp and edgetpu; " +
                        model.target().name + " is of kind " + to_string(model.target().kind) +
                        ", whose model has one mapping per layer");
    }
    TuningRecord r;
    r.layer = key(layer);
    r.target = model.target().name;
    r.target_hash = model.target().hash;
    r.threads = workload.threads;
    r.version = options.version;
    r.plan = to_string(choice->plan);
    r.proven = choice->proven;
    r.trials = choice->priced;
    const Verdict verdict = model.price(layer, analyse(layer, choice->plan), workload);
    if (const Cost *cost = std::get_if<Cost>(&verdict)) {
        r.kind = cost->kind;
        r.predicted = cost->latency;
    } else if (const auto *no = std::get_if<Infeasible>(&verdict)) {
        r.refused = "infeasible: " + no->reason;
    } else {
        r.refused = "unsupported: " + std::get<Unsupported>(verdict).reason;
    }
    return r;
}

} // namespace

TuneResult tune(const Network &network, const CostModel &model, const Workload &workload,
                TuningDb &db, const TuneOptions &options) {
    TuneResult result;
    std::vector<TunedLayer> layers = different_layers(network, workload.precision);
    for (std::size_t i = 0; i < layers.size(); i++) {
        if (options.stop()) {
            result.interrupted = true;
            break;
        }
        TunedLayer &layer = layers[i];
        const auto known =
            db.find(key(layer.layer), model.target().hash, workload.threads, options.version);
        layer.from_database = known && (known->proven || known->trials >= options.trials);
        if (layer.from_database) {
            layer.record = *known;
        } else {
            layer.record = search(layer.layer, model, workload, options);
            db.put(layer.record);
        }
        result.layers.push_back(std::move(layer));
        options.progress(i + 1, layers.size());
    }
    return result;
}

} // namespace edgefront
