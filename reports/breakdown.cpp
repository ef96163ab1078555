#include "reports/breakdown.h"

#include "base/error.h"
#include "hwmodels/cost_model.h"
#include "reports/numbers.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

std::string mega(std::int64_t count) {
    return significant(static_cast<double>(count) * 1e-6) + " M";
}

std::string kibibytes(Bytes bytes) {
    return significant(static_cast<double>(bytes.count()) / 1024) + " KiB";
}

LayerPrice price_of(const Verdict &verdict, Seconds slowest) {
    if (const auto *cost = std::get_if<Cost>(&verdict)) {
        const double share = slowest > Seconds(0) ? std::min(cost->latency / slowest, 1.0) : 0;
        return {significant(milliseconds(cost->latency) * 1e3, 3), share,
                to_string(cost->bound_by)};
    }
    if (const auto *no = std::get_if<Unsupported>(&verdict)) {
        return {"", 0, "unsupported: " + no->reason};
    }
    return {"", 0, "infeasible: " + std::get<Infeasible>(verdict).reason};
}

Seconds slowest_layer(const Estimate &price) {
    Seconds slowest;
    for (const auto &layer : price.layers) {
        if (const auto *cost = std::get_if<Cost>(&layer.verdict)) {
            slowest = std::max(slowest, cost->latency);
        }
    }
    return slowest;
}

TargetTotal total_of(const RunTarget &target, const Estimate &price) {
    TargetTotal total;
    total.target = target.name;
    total.setting = fmt::format("{}, {} thread{}", target.precision, target.threads,
                                target.threads == 1 ? "" : "s");
    total.kind = to_string(price.total.kind);
    if (!price.supported()) {
        total.facts = {{"no price", price.unsupported.front()}};
        return total;
    }
    total.facts = {
        {"latency", significant(milliseconds(price.total.latency)) + " ms"},
        {"energy", significant(millijoules(price.total.energy)) + " mJ"},
        {"multipliers in use", significant(100 * price.total.utilisation) + " %"},
        {"mostly bound by", to_string(price.total.bound_by)},
        {"weights", kibibytes(price.weights)},
        {"peak activations", kibibytes(price.peak)},
    };
    return total;
}

/// Adds a target's column to every row; the last row is the network-wide part.
void add_column(Breakdown &breakdown, const Estimate &price) {
    const Seconds slowest = slowest_layer(price);
    for (std::size_t i = 0; i < price.layers.size(); i++) {
        breakdown.layers[i].prices.push_back(price_of(price.layers[i].verdict, slowest));
    }
    breakdown.layers.back().prices.push_back(price_of(price.network, slowest));
}

} // namespace

Breakdown break_down(const Network &network, const std::vector<RunTarget> &targets,
                     std::vector<std::string> &remarks) {
    Breakdown breakdown;
    breakdown.facts = {{"MACs (counted)", mega(macs(network).count())},
                       {"parameters (counted)", mega(params(network).count())},
                       {"layers", std::to_string(network.nodes.size())},
                       {"input", to_string(network.input)}};
    for (const auto &node : network.nodes) {
        breakdown.layers.push_back(
            {node.name,
             node.block_name,
             to_string(node.layer.op),
             to_string(node.layer.output),
             significant(static_cast<double>(macs(node.layer).count()) * 1e-6),
             {}});
    }
    breakdown.layers.push_back({"once per inference", "", "", "", "", {}});
    for (const auto &target : targets) {
        try {
            const auto model = make_cost_model(find_target(target.name));
            const Workload workload =
                workload_for(model->target(), parse_data_type(target.precision), target.threads);
            const Estimate price = estimate(*model, network, workload);
            add_column(breakdown, price);
            breakdown.targets.push_back(total_of(target, price));
            if (model->target().hash != target.hash) {
                remarks.push_back("The constants of " + target.name +
                                  " have changed since this run: its layer prices here are "
                                  "today's, the front's are those of the run.");
            }
        } catch (const UserError &e) {
            remarks.push_back("No layer prices on " + target.name + ": " + e.what());
        }
    }
    return breakdown;
}

} // namespace edgefront
