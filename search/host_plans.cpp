#include "search/host_plans.h"

#include "base/error.h"
#include "base/random.h"
#include "schedules/fusion.h"
#include "schedules/schedule_space.h"

#include <fstream>
#include <map>

namespace edgefront {

namespace {

/// "AMD EPYC, family 26 model 2"; what /proc says of the first core, "" where it says nothing.
std::string cpu_name() {
    std::ifstream file("/proc/cpuinfo");
    std::map<std::string, std::string> fields;
    for (std::string line; std::getline(file, line) && !line.empty();) {
        const std::size_t colon = line.find(':');
        const std::size_t name_end = line.find_last_not_of(" \t", colon - 1);
        if (colon != std::string::npos && name_end != std::string::npos) {
            fields[line.substr(0, name_end + 1)] =
                colon + 2 <= line.size() ? line.substr(colon + 2) : "";
        }
    }
    std::string name = fields["model name"];
    for (const char *field : {"cpu family", "model", "CPU implementer", "CPU part"}) {
        if (fields.count(field) > 0) {
            name += std::string(name.empty() ? "" : ", ") + field + " " + fields[field];
        }
    }
    return name;
}

} // namespace

std::string host_kind() {
    static const std::string kind = host_kernel_target().text + " on " + cpu_name();
    return kind;
}

TuningKey host_key(const std::vector<Layer> &layers, int threads, const std::string &version) {
    return {key(layers), stable_hash_hex(host_kind()), threads, version, kernel_compiler()};
}

HostPlans host_plans(const Network &network, const KernelTarget &target, const TuningDb &db,
                     int threads, const std::string &version) {
    HostPlans plans;
    plans.schedules = default_schedules(network, target);
    const IsaInfo isa = isa_info(target.text);
    for (std::size_t i = 0; i < network.nodes.size(); i++) {
        const Layer &layer = network.nodes[i].layer;
        const auto record = db.find(host_key({layer}, threads, version));
        if (!record || !record->measured) {
            continue;
        }
        const Schedule schedule = parse_schedule(record->plan);
        if (schedule_space(layer, isa).contains(schedule)) { // files are edited
            plans.schedules[i] = schedule;
            plans.tuned++;
        }
    }
    return plans;
}

HostPlans host_plans(const Network &network, const KernelTarget &target,
                     const std::filesystem::path &database, int threads,
                     const std::string &version) {
    if (database.empty()) {
        return {default_schedules(network, target), 0};
    }
    if (!std::filesystem::exists(database)) {
        throw UserError({database.string(), ""},
                        "there is no such tuning database; `edgefront tune` makes one");
    }
    return host_plans(network, target, TuningDb(database), threads, version);
}

} // namespace edgefront
