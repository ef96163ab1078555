// The inner search: the best plan for every different layer of a network on a target, each kept in
// the tuning database as soon as it is found.
#pragma once

#include "hwmodels/cost_model.h"
#include "search/kernels/tuning_db.h"

#include <functional>

namespace edgefront {

struct TuneOptions {
    std::int64_t trials = 0; ///< budget: plans to price per layer before sampling the rest
    std::string version;     ///< of the tool
    bool fuse = false;       ///< the network's fused groups, too, behind its layers
    std::function<bool()> stop = [] { return false; };
    std::function<void(std::size_t done, std::size_t total)> progress = [](std::size_t,
                                                                           std::size_t) {};
};

struct TunedLayer {
    std::vector<Layer> layers;      ///< one, or the members of a fused group
    std::vector<std::string> names; ///< of the network's layers or groups that are this work
    TuningRecord record;
    bool from_database = false;

    bool fused() const { return layers.size() > 1; }
};

/// The layers of a network that differ, then the groups of nodes that do.
std::vector<TunedLayer> different_works(const Network &network,
                                        const std::vector<std::vector<int>> &groups);

struct TuneResult {
    std::vector<TunedLayer>
        layers;             ///< in the network's order; of an interrupted run the first ones
    std::size_t wanted = 0; ///< different layers of the network, and groups
    bool interrupted = false;
};

/// Throws UserError when the model of this kind of target has nothing to search.
void require_search(const CostModel &model);

/// Layers whose record is proven, or had as large a budget, are taken from the database, if their
/// plan still has the price that stands there. The model has something to search, and fuses when
/// groups are asked for.
TuneResult tune(const Network &network, const CostModel &model, const Workload &workload,
                TuningDb &db, const TuneOptions &options);

} // namespace edgefront
