// Prices networks on every device of a hardware space and keeps the devices no other beats. Each
// layer gets the mapping that the device's model thinks best.
#pragma once

#include "dsl/network.h"
#include "search/hardware_space.h"
#include "search/pareto.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// One device and what the networks cost there.
struct PricedDevice {
    std::vector<double> latency_ms; ///< by network
    std::vector<double> energy_mj;
    double area = 0;
    std::string refusal; ///< why a network has no price there: "mobilenet_v3_small: block1.se: ..."

    bool known() const { return !latency_ms.empty(); } ///< its turn has come
    bool priced() const { return refusal.empty(); }
};

/// Devices that a rule excludes.
struct ExcludedDevices {
    std::string rule; ///< "every layer runs", "latency_ms:sum <= 3"
    std::size_t devices = 0;
    std::optional<double> nearest; ///< to the rule's bound, among the excluded
    std::string example;           ///< the first refusal, of rules without a bound
};

struct ExploreHooks {
    std::function<bool()> stop;                                        ///< from any thread
    std::function<void(std::size_t done, std::size_t total)> progress; ///< one call at a time
    int threads = 1;                                                   ///< never changes the result
};

struct Exploration {
    std::vector<std::string> networks;
    std::vector<std::string> objectives;   ///< "latency_ms:sum", "energy_mj:mobilenet_v2", "area"
    std::vector<PricedDevice> devices;     ///< by index of the space
    std::vector<ExcludedDevices> excluded; ///< those rules that exclude any
    std::size_t feasible = 0;
    ParetoFront front{{}};
    PricedDevice base; ///< the base target as it is
    std::vector<double> base_values;
    std::vector<std::string> base_excluded; ///< rules that exclude it
    bool interrupted = false;               ///< some devices were not priced: there is no front
};

/// `known`: prices of an earlier call that was interrupted, by index of the space.
Exploration explore(const HardwareSpace &space, const std::vector<Network> &networks,
                    const ExploreHooks &hooks, std::vector<PricedDevice> known = {});

} // namespace edgefront
