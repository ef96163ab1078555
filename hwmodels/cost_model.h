// The one interface of all hardware models: a mapping for a layer, and a price for its loop nest.
//
//   auto model = make_cost_model(find_target("pixel6-cpu"));
//   Estimate e = estimate(*model, network, workload_for(model->target()));
#pragma once

#include "dsl/network.h"
#include "hwmodels/cost.h"
#include "hwmodels/target.h"
#include "schedules/fused_nest.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// How the network is run.
struct Workload {
    DataType precision = DataType::fp32;
    int threads = 1;
};

/// The target's own precision and one thread, unless given; throws UserError when the target has
/// no such precision or not that many threads.
Workload workload_for(const Target &target, std::optional<DataType> precision = {},
                      std::optional<int> threads = {});

/// What the network-wide terms of a price depend on, so that a search can keep it beside its sums
/// instead of a Network.
struct NetworkTotals {
    Bytes weights; ///< as the model's device stores them
    Bytes input;
    Bytes output;
    Bytes peak_activations;
    int layers = 0;
};

/// The plan that a search ended with.
struct PlanChoice {
    Plan plan;
    bool proven = false;     ///< nothing in the space has a lower latency
    std::int64_t priced = 0; ///< plans that were priced on the way
};

/// The same of a fused group.
struct FusedPlanChoice {
    Fusion plan;
    bool proven = false;
    std::int64_t priced = 0;
};

class CostModel {
public:
    virtual ~CostModel() = default;
    virtual const Target &target() const = 0;

    /// The mapping this model would choose for the layer.
    virtual Plan mapping(const Layer &layer, const Workload &workload) const = 0;
    /// Whether there is more than one mapping per layer, so that `search` finds something.
    virtual bool searches() const { return false; }
    /// Whether a plan is of the kind that this model prices, and none that is larger than its
    /// arrays or registers: what a file says may be anything.
    virtual bool takes(const Layer & /*layer*/, const Plan &plan) const {
        return std::holds_alternative<Schedule>(plan);
    }
    /// `mapping` with what is known about it, after at most about `most_priced` prices and a
    /// sample; nothing on kinds whose mapping is no matter of a search.
    virtual std::optional<PlanChoice> search(const Layer &, const Workload &,
                                             std::int64_t /*most_priced*/) const {
        return {};
    }
    /// The price of one layer under a mapping. Additive: depends on nothing outside the layer.
    virtual Verdict price(const Layer &layer, const LoopNest &nest,
                          const Workload &workload) const = 0;
    /// What the device keeps of the layer's weights, for `NetworkTotals`; `layer` is in the
    /// workload's precision. More than `weight_bytes` where kernels transform them.
    virtual Bytes stored_weights(const Layer &layer, const Workload & /*workload*/) const {
        return weight_bytes(layer);
    }
    /// Whether this kind can compute groups of layers without their middle tensors leaving.
    virtual bool fuses() const { return false; }
    /// The best fusion of a group (its `fusion_obstacle` is empty) after at most about
    /// `most_priced` prices; nothing on kinds that do not fuse.
    virtual std::optional<FusedPlanChoice>
    search_fused(const std::vector<Layer> &, const Workload &, std::int64_t /*most_priced*/) const {
        return {};
    }
    /// The price of a group under a fusion; additive as that of a layer.
    virtual Verdict price_fused(const std::vector<Layer> &layers, const FusedNest &nest,
                                const Workload &workload) const;
    /// What does not add up over layers: fixed time per inference, weights streamed beyond the
    /// on-chip memory, transfers of input and output. Added once to the sum of the layers.
    virtual Cost network_cost(const NetworkTotals &totals, const Workload &workload) const = 0;
};

/// An explicit list of the kinds; add a model there (registry.cpp).
std::unique_ptr<CostModel> make_cost_model(Target target);

/// mapping, nest analysis and price in one step; `layer` is taken in the workload's precision.
Verdict price_layer(const CostModel &model, Layer layer, const Workload &workload);

struct LayerEstimate {
    std::string name;
    Layer layer;
    Plan mapping;
    Verdict verdict;
};

/// A group that is cheaper fused than layer by layer.
struct GroupEstimate {
    std::size_t first = 0; ///< index of the first of `members` consecutive layers
    std::size_t members = 0;
    Fusion plan;
    bool proven = false;
    Verdict verdict; ///< a Cost, in place of the members' own
    Cost separate;   ///< the sum of the members' own
};

/// How far off a latency may be, seen from the networks its target was calibrated on.
struct LatencyInterval {
    Seconds low;
    Seconds high;
    int rows = 0;
    double coverage = 0; ///< share of networks like these that are expected inside
};

/// From the rows of the target's calibration with this precision and number of threads.
/// Each of them was predicted by a fit to the other rows: `latency` times published
/// over predicted, from the k-th smallest to the k-th largest of these n ratios, where k is
/// (n + 1) / 10 rounded down but at least 1. A further row would be as likely in each of the n + 1
/// gaps, so (n + 1 - 2 k) / (n + 1) of them fall inside: 80 % with 9 rows, 67 % with 5. Nothing
/// below three rows.
std::optional<LatencyInterval> latency_interval(const Target &target, const Workload &workload,
                                                Seconds latency);

/// The price of a whole network.
struct Estimate {
    std::vector<LayerEstimate> layers; ///< each by itself, members of groups too
    std::vector<GroupEstimate> groups; ///< in the order of the network; with Fuse::where_cheaper
    Cost network;                      ///< the network-wide part alone
    /// Sum of groups, layers in no group, and `network`; of the supported layers only.
    Cost total;
    Bytes peak;    ///< of activations in memory, in the workload's precision; none inside of groups
    Bytes weights; ///< as the device stores them
    std::optional<LatencyInterval> interval; ///< around the total; of calibrated targets
    std::vector<std::string> unsupported; ///< "name: reason"; the total is no price when non-empty
    bool supported() const { return unsupported.empty(); }
};

/// What is priced in one piece.
struct EstimatePart {
    std::size_t first; ///< of `layers`
    std::size_t members;
    const GroupEstimate *group; ///< null: a layer by itself
    const Verdict *verdict;
};
/// Every layer is in one of them, in order.
std::vector<EstimatePart> parts(const Estimate &estimate);

/// What is the same on every device: all of them without the weights, which models store as they
/// like.
NetworkTotals totals_but_weights(const Network &network, const Workload &workload);
NetworkTotals totals(const CostModel &model, const Network &network, const Workload &workload);

enum class Fuse {
    never,         ///< layer by layer, as the runtimes behind published latencies do
    where_cheaper, ///< each of `fused_groups`, if that is faster than its layers one by one
};

/// Throws UserError when groups are asked for on a kind that does not fuse.
Estimate estimate(const CostModel &model, const Network &network, const Workload &workload,
                  Fuse fuse = Fuse::never);
/// Throws UserError unless the model fuses.
void require_fusion(const CostModel &model);

} // namespace edgefront
