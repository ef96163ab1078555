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

/// The record of a plan: its price, or why there is none.
void price(const Layer &layer, const Plan &plan, const CostModel &model, const Workload &workload,
           TuningRecord &r) {
    const Verdict verdict = model.price(layer, analyse(layer, plan), workload);
    if (const Cost *cost = std::get_if<Cost>(&verdict)) {
        r.kind = cost->kind;
        r.predicted = cost->latency;
    } else if (const auto *no = std::get_if<Infeasible>(&verdict)) {
        r.refused = "infeasible: " + no->reason;
    } else {
        r.refused = "unsupported: " + std::get<Unsupported>(verdict).reason;
    }
}

TuningRecord search(const Layer &layer, const CostModel &model, const Workload &workload,
                    const TuneOptions &options) {
    const PlanChoice choice = *model.search(layer, workload, options.trials);
    TuningRecord r;
    r.layer = key(layer);
    r.target = model.target().name;
    r.target_hash = model.target().hash;
    r.threads = workload.threads;
    r.version = options.version;
    r.plan = to_string(choice.plan);
    r.proven = choice.proven;
    r.budget = options.trials;
    r.trials = choice.priced;
    price(layer, choice.plan, model, workload, r);
    return r;
}

/// Models change while a version's number stays, and files are edited: a price is soon made.
bool still_true(const TuningRecord &known, const Layer &layer, const CostModel &model,
                const Workload &workload) {
    TuningRecord now = known;
    now.predicted.reset();
    now.refused.clear();
    price(layer, parse_plan(known.plan), model, workload, now);
    return now.predicted == known.predicted && now.refused == known.refused;
}

} // namespace

void require_search(const CostModel &model) {
    if (!model.searches()) {
        throw UserError("mappings are searched on targets of kind dsp or edgetpu; " +
                        model.target().name + " is of kind " + to_string(model.target().kind) +
                        ", whose model has one mapping per layer");
    }
}

TuneResult tune(const Network &network, const CostModel &model, const Workload &workload,
                TuningDb &db, const TuneOptions &options) {
    TuneResult result;
    std::vector<TunedLayer> layers = different_layers(network, workload.precision);
    result.wanted = layers.size();
    for (std::size_t i = 0; i < layers.size(); i++) {
        if (options.stop()) {
            result.interrupted = true;
            break;
        }
        TunedLayer &layer = layers[i];
        const auto known =
            db.find(key(layer.layer), model.target().hash, workload.threads, options.version);
        layer.from_database = known && (known->proven || known->budget >= options.trials) &&
                              still_true(*known, layer.layer, model, workload);
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
