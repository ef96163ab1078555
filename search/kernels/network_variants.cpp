#include "search/kernels/network_variants.h"

#include "search/kernels/host_plans.h"

#include <algorithm>
#include <stdexcept>

namespace edgefront {

namespace {

constexpr double within = 1.3; // of the best time alone: slower ones do not win in a network

std::size_t work_of(const std::vector<TunedLayer> &works, const std::vector<Layer> &layers) {
    const auto found = std::find_if(works.begin(), works.end(),
                                    [&](const TunedLayer &w) { return w.layers == layers; });
    if (found == works.end()) {
        throw std::logic_error("NetworkVariants: a layer of the network is no work");
    }
    return static_cast<std::size_t>(found - works.begin());
}

/// The default, or where trials refused it the best plan alone.
std::string safe_plan(const TuningRecord &record, const KernelPlan &usual) {
    const TriedPlan *trial = trial_of(record, to_string(usual));
    const bool refused = trial && !trial->refused.empty();
    return refused && record.tried[0].measured ? record.tried[0].plan : to_string(usual);
}

/// Adds the best plans alone.
void add_best(const TuningRecord &record, std::size_t most, std::vector<std::string> &plans) {
    for (const TriedPlan &t : record.tried) { // best first
        const bool close = t.measured && *t.measured < *record.tried[0].measured * within;
        const bool known = std::find(plans.begin(), plans.end(), t.plan) != plans.end();
        if (close && !known && plans.size() < most) {
            plans.push_back(t.plan);
        }
    }
}

} // namespace

NetworkVariants::NetworkVariants(const Network &network, const std::vector<TunedLayer> &works,
                                 int most, const KernelTarget &target)
    : plans_(works.size()), members_(works.size()) {
    const std::vector<KernelChoice> usual = default_kernels(network, target);
    for (std::size_t i = 0; i < network.nodes.size(); i++) {
        const std::size_t work = work_of(works, {network.nodes[i].layer});
        layer_work_.push_back(work);
        plans_[work] = {safe_plan(works[work].record, usual[i].plan)};
        members_[work] = {work};
    }
    for (const std::vector<int> &group : kernel_groups(network)) {
        const auto found = std::find_if(works.begin(), works.end(), [&](const TunedLayer &w) {
            return w.layers == layers_at(network, group);
        });
        if (found != works.end()) {
            const auto work = static_cast<std::size_t>(found - works.begin());
            groups_[group.front()] = group;
            chain_work_[group.front()] = work;
            members_[work].clear();
            for (const int node : group) {
                members_[work].push_back(layer_work_[static_cast<std::size_t>(node)]);
            }
        }
    }
    for (std::size_t w = 0; w < works.size(); w++) {
        chains_.push_back(works[w].fused());
        add_best(works[w].record, static_cast<std::size_t>(most) + (works[w].fused() ? 0 : 1),
                 plans_[w]);
    }
}

NetworkVariants::Variant
NetworkVariants::make(const std::function<std::optional<std::size_t>(std::size_t)> &plan_of) const {
    Variant variant;
    for (int node = 0; node < static_cast<int>(layer_work_.size());) {
        std::vector<int> nodes = {node};
        std::size_t work = layer_work_[static_cast<std::size_t>(node)];
        std::optional<std::size_t> plan;
        if (const auto chain = chain_work_.find(node); chain != chain_work_.end()) {
            plan = plan_of(chain->second);
            if (plan) {
                work = chain->second;
                nodes = groups_.at(node);
            }
        }
        if (!plan) {
            plan = plan_of(work).value_or(0);
        }
        variant.kernels.push_back({nodes, parse_kernel_plan(plans_[work].at(*plan))});
        variant.steps.push_back({work, *plan});
        node = nodes.back() + 1;
    }
    return variant;
}

NetworkVariants::Variant NetworkVariants::separate(std::size_t i) const {
    return make([&](std::size_t work) -> std::optional<std::size_t> {
        if (chains_[work]) {
            return {};
        }
        const std::size_t others = plans_[work].size() - 1;
        return i == 0 || others == 0 ? 0 : 1 + (i - 1) % others;
    });
}

NetworkVariants::Variant NetworkVariants::chained(std::size_t i) const {
    return make([&](std::size_t work) -> std::optional<std::size_t> {
        const std::size_t count = plans_[work].size();
        if (chains_[work]) {
            return count == 0 ? std::nullopt : std::optional(i % count);
        }
        return std::min<std::size_t>(1, count - 1);
    });
}

} // namespace edgefront
