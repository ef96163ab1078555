#include "search/kernels/host_plans.h"

#include "base/error.h"
#include "base/random.h"
#include "schedules/fusion.h"
#include "schedules/schedule_space.h"

#include <fstream>
#include <map>

namespace edgefront {

namespace {

/// What /proc says of the first core.
const std::map<std::string, std::string> &cpu_fields() {
    static const auto fields = [] {
        std::map<std::string, std::string> found;
        std::ifstream file("/proc/cpuinfo");
        for (std::string line; std::getline(file, line) && !line.empty();) {
            const std::size_t colon = line.find(':');
            const std::size_t name_end = line.find_last_not_of(" \t", colon - 1);
            if (colon != std::string::npos && name_end != std::string::npos) {
                found[line.substr(0, name_end + 1)] =
                    colon + 2 <= line.size() ? line.substr(colon + 2) : "";
            }
        }
        return found;
    }();
    return fields;
}

} // namespace

std::string processor_name() {
    const auto name = cpu_fields().find("model name");
    return name == cpu_fields().end() ? "unknown processor" : name->second;
}

std::string host_kind() {
    static const std::string kind = [] {
        std::string name;
        for (const char *key :
             {"model name", "cpu family", "model", "CPU implementer", "CPU part"}) {
            const auto field = cpu_fields().find(key);
            if (field != cpu_fields().end()) {
                name += name.empty() ? "" : ", ";
                name += field->first == "model name" ? "" : field->first + " ";
                name += field->second;
            }
        }
        return host_kernel_target().text + " on " + name;
    }();
    return kind;
}

std::vector<Layer> layers_at(const Network &network, const std::vector<int> &nodes) {
    std::vector<Layer> layers;
    for (const int node : nodes) {
        layers.push_back(network.nodes.at(static_cast<std::size_t>(node)).layer);
    }
    return layers;
}

TuningKey host_key(const std::vector<Layer> &layers, int threads, const std::string &version) {
    return {key(layers), stable_hash_hex(host_kind()), threads, version, kernel_compiler()};
}

namespace {

/// What the database says for a piece of work of a network, if it is to be used.
std::optional<KernelPlan> tuned_plan(const std::string &network, const std::vector<Layer> &layers,
                                     const IsaInfo &isa, const TuningDb &db, int threads,
                                     const std::string &version) {
    const auto record = db.find(host_key(layers, threads, version));
    const Judgement *judged = record ? judgement_for(*record, network) : nullptr;
    if (!judged || !judged->use) {
        return {};
    }
    const KernelPlan plan = parse_kernel_plan(judged->plan);
    return is_legal(layers, plan, isa) ? std::optional(plan) : std::nullopt; // files are edited
}

} // namespace

HostPlans host_plans(const Network &network, const KernelTarget &target, const TuningDb &db,
                     int threads, const std::string &version) {
    const IsaInfo isa = isa_info(target.text);
    std::map<int, std::vector<int>> groups; // by their first node
    for (const std::vector<int> &group : kernel_groups(network)) {
        groups[group.front()] = group;
    }
    const std::vector<KernelChoice> usual = default_kernels(network, target);
    HostPlans plans;
    for (int i = 0; i < static_cast<int>(network.nodes.size());) {
        const auto group = groups.find(i);
        std::optional<KernelPlan> plan;
        std::vector<int> nodes;
        if (group != groups.end()) {
            nodes = group->second;
            plan = tuned_plan(network.name, layers_at(network, nodes), isa, db, threads, version);
        }
        if (!plan) {
            nodes = {i};
            plan = tuned_plan(network.name, layers_at(network, nodes), isa, db, threads, version);
        }
        const KernelPlan &own = usual[static_cast<std::size_t>(i)].plan;
        plans.tuned += plan && *plan != own ? nodes.size() : 0;
        plans.kernels.push_back(plan ? KernelChoice{nodes, *plan}
                                     : usual[static_cast<std::size_t>(i)]);
        i = nodes.back() + 1;
    }
    return plans;
}

HostPlans host_plans(const Network &network, const KernelTarget &target,
                     const std::filesystem::path &database, int threads,
                     const std::string &version) {
    if (database.empty()) {
        return {default_kernels(network, target), 0};
    }
    if (!std::filesystem::exists(database)) {
        throw UserError({database.string(), ""},
                        "there is no such tuning database; `edgefront tune` makes one");
    }
    return host_plans(network, target, TuningDb(database), threads, version);
}

} // namespace edgefront
