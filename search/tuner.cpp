#include "search/tuner.h"

#include <algorithm>

namespace edgefront {

namespace {

/// Adds work under a name, where there is none like it.
void add(std::vector<TunedLayer> &list, const std::vector<Layer> &layers, const std::string &name) {
    const auto same = std::find_if(list.begin(), list.end(),
                                   [&](const TunedLayer &l) { return l.layers == layers; });
    if (same != list.end()) {
        same->names.push_back(name);
    } else {
        list.push_back({layers, {name}, {}, false});
    }
}

/// The record of a plan: its price, or why there is none.
void price(const TunedLayer &work, const CostModel &model, const Workload &workload,
           TuningRecord &r) {
    const std::vector<Layer> &layers = work.layers;
    const Verdict verdict =
        work.fused() ? model.price_fused(layers, analyse(layers, parse_fusion(r.plan)), workload)
                     : model.price(layers[0], analyse(layers[0], parse_plan(r.plan)), workload);
    if (const Cost *cost = std::get_if<Cost>(&verdict)) {
        r.kind = cost->kind;
        r.predicted = cost->latency;
    } else if (const auto *no = std::get_if<Infeasible>(&verdict)) {
        r.refused = "infeasible: " + no->reason;
    } else {
        r.refused = "unsupported: " + std::get<Unsupported>(verdict).reason;
    }
}

TuningRecord search(const TunedLayer &work, const CostModel &model, const Workload &workload,
                    const TuneOptions &options) {
    TuningRecord r;
    r.layer = key(work.layers);
    r.target = model.target().name;
    r.target_hash = model.target().hash;
    r.threads = workload.threads;
    r.version = options.version;
    r.budget = options.trials;
    const auto take = [&](const auto &choice) {
        r.plan = to_string(choice.plan);
        r.proven = choice.proven;
        r.trials = choice.priced;
    };
    if (work.fused()) {
        take(*model.search_fused(work.layers, workload, options.trials));
    } else {
        take(*model.search(work.layers[0], workload, options.trials));
    }
    price(work, model, workload, r);
    return r;
}

/// Whether the model can price what a file says is a plan.
bool takes(const TunedLayer &work, const CostModel &model, const std::string &text) {
    if (!work.fused()) {
        return model.takes(work.layers[0], parse_plan(text));
    }
    const Fusion plan = parse_fusion(text);
    for (std::size_t i = 0; i < work.layers.size(); i++) {
        if (!model.takes(work.layers[i], plan.members[i])) {
            return false;
        }
    }
    return true;
}

/// Models change while a version's number stays, and files are edited: a price is soon made.
bool still_true(const TuningRecord &known, const TunedLayer &work, const CostModel &model,
                const Workload &workload) {
    TuningRecord now = known;
    now.predicted.reset();
    now.refused.clear();
    if (!takes(work, model, known.plan)) {
        return false;
    }
    price(work, model, workload, now);
    return now.predicted == known.predicted && now.refused == known.refused;
}

} // namespace

std::vector<TunedLayer> different_works(const Network &network,
                                        const std::vector<std::vector<int>> &groups) {
    std::vector<TunedLayer> list;
    for (const Node &node : network.nodes) {
        add(list, {node.layer}, node.name);
    }
    for (const std::vector<int> &group : groups) {
        std::vector<Layer> layers;
        std::string name;
        for (const int i : group) {
            const Node &node = network.nodes[static_cast<std::size_t>(i)];
            layers.push_back(node.layer);
            name += (name.empty() ? "" : " + ") + node.name;
        }
        add(list, layers, name);
    }
    return list;
}

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
    const Network typed = with_type(network, workload.precision);
    std::vector<TunedLayer> layers = different_works(
        typed, options.fuse ? fused_groups(typed) : std::vector<std::vector<int>>());
    result.wanted = layers.size();
    for (std::size_t i = 0; i < layers.size(); i++) {
        if (options.stop()) {
            result.interrupted = true;
            break;
        }
        TunedLayer &layer = layers[i];
        const auto known = db.find(
            {key(layer.layers), model.target().hash, workload.threads, options.version, ""});
        layer.from_database = known && (known->proven || known->budget >= options.trials) &&
                              still_true(*known, layer, model, workload);
        if (layer.from_database) {
            layer.record = *known;
        } else {
            layer.record = search(layer, model, workload, options);
            db.put(layer.record);
        }
        result.layers.push_back(std::move(layer));
        options.progress(i + 1, layers.size());
    }
    return result;
}

} // namespace edgefront
