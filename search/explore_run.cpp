#include "search/explore_run.h"

#include "base/random.h"
#include "search/sweep.h"

namespace edgefront {

namespace fs = std::filesystem;

namespace {

constexpr const char *run_schema = "edgefront/exploration/1";
constexpr const char *devices_schema = "edgefront/explored_devices/1";
constexpr double most = 1e300;

fs::path made(const fs::path &directory) {
    make_directory(directory);
    return directory;
}

Json config_json(const Json &space_json, const HardwareSpace &space,
                 const std::vector<Network> &networks, const std::string &tool_version) {
    Json list = Json::array();
    for (const Network &network : networks) {
        std::string layers;
        for (const Node &node : network.nodes) {
            layers += key(node.layer) + "\n";
        }
        list.push_back({{"name", network.name}, {"layers_hash", stable_hash_hex(layers)}});
    }
    return {{"schema", run_schema},
            {"tool_version", tool_version},
            {"space", space_json},
            {"target_hash", space.base.hash},
            {"networks", list}};
}

} // namespace

ExploreRun::ExploreRun(fs::path directory, const Json &space_json, const HardwareSpace &space,
                       const std::vector<Network> &networks, const std::string &tool_version)
    : directory_(made(directory)), lock_(directory_), points_(space.size()),
      networks_(networks.size()) {
    const fs::path path = directory_ / "run.json";
    const Json wanted = config_json(space_json, space, networks, tool_version);
    if (fs::exists(path)) {
        require_same_run(path, JsonReader::parse_file(path).value(), wanted);
    } else {
        write_file(path, wanted.dump(1) + "\n");
    }
}

std::vector<PricedDevice> ExploreRun::devices() const {
    const fs::path path = directory_ / "devices.json";
    if (!fs::exists(path)) {
        return {};
    }
    const JsonReader json = JsonReader::parse_file(path);
    json.at("schema").one_of({devices_schema});
    std::vector<PricedDevice> devices;
    for (const JsonReader &item : json.at("devices").items()) {
        PricedDevice device;
        if (!item.value().is_null()) {
            device.latency_ms = item.at("latency_ms").numbers(0, most);
            device.energy_mj = item.at("energy_mj").numbers(0, most);
            device.area = item.at("area").number(0, most);
            device.refusal = item.at("refusal").string();
            item.finish();
            if (device.latency_ms.size() != networks_ || device.energy_mj.size() != networks_) {
                throw item.error("expected one value per network");
            }
        }
        devices.push_back(std::move(device));
    }
    if (devices.size() != points_) {
        throw json.at("devices").error("expected one entry per device of the space");
    }
    json.finish();
    return devices;
}

void ExploreRun::save(const std::vector<PricedDevice> &devices) const {
    Json list = Json::array();
    for (const PricedDevice &device : devices) {
        list.push_back(device.known() ? Json{{"latency_ms", device.latency_ms},
                                             {"energy_mj", device.energy_mj},
                                             {"area", device.area},
                                             {"refusal", device.refusal}}
                                      : Json());
    }
    const Json json = {{"schema", devices_schema}, {"devices", list}};
    write_file(directory_ / "devices.json", json.dump(1) + "\n");
}

} // namespace edgefront
