#include "hwmodels/kernel_timings.h"

#include "dsl/family_json.h"

#include <cmath>
#include <limits>

namespace edgefront {

namespace {

constexpr char schema_name[] = "edgefront/kernel_timings/1";
constexpr double least_us = 1e-3; // a fit divides by it
constexpr double most_us = 1e9;
constexpr double most_rate = 1e6;

double microseconds(Seconds s) {
    return std::round(s.count() * 1e9) / 1e3;
}

Json write_rates(const MachineRates &r) {
    return {{"peak_gflops", r.peak_gflops},
            {"l1_gb_per_s", r.l1_gb_per_s},
            {"l2_gb_per_s", r.l2_gb_per_s},
            {"l3_gb_per_s", r.l3_gb_per_s},
            {"dram_gb_per_s", r.dram_gb_per_s}};
}

MachineRates read_rates(const JsonReader &json) {
    MachineRates r;
    r.peak_gflops = json.at("peak_gflops").number(1e-3, most_rate);
    r.l1_gb_per_s = json.at("l1_gb_per_s").number(0, most_rate);
    r.l2_gb_per_s = json.at("l2_gb_per_s").number(0, most_rate);
    r.l3_gb_per_s = json.at("l3_gb_per_s").number(0, most_rate);
    r.dram_gb_per_s = json.at("dram_gb_per_s").number(0, most_rate);
    json.finish();
    return r;
}

Json write_network(const TimedKernels &timed) {
    Json layers = Json::array();
    for (std::size_t i = 0; i < timed.network.nodes.size(); i++) {
        layers.push_back({{"layer", key(timed.network.nodes[i].layer)},
                          {"schedule", to_string(timed.schedules[i])},
                          {"us", microseconds(timed.layers[i])}});
    }
    return {{"whole_us", microseconds(timed.whole)},
            {"layers", layers},
            {"network", write_family(timed.family)}};
}

TimedKernels read_network(const JsonReader &json) {
    TimedKernels timed;
    timed.family = read_family(json.at("network"));
    timed.network = build(timed.family);
    timed.whole = Seconds(json.at("whole_us").number(least_us, most_us) * 1e-6);
    const std::vector<JsonReader> layers = json.at("layers").items();
    if (layers.size() != timed.network.nodes.size()) {
        throw json.at("layers").error(
            "has " + std::to_string(layers.size()) + " layers, expected " +
            std::to_string(timed.network.nodes.size()) + " as the network");
    }
    for (std::size_t i = 0; i < layers.size(); i++) {
        const std::string expected = key(timed.network.nodes[i].layer);
        if (layers[i].at("layer").string() != expected) {
            throw layers[i].at("layer").error("expected '" + expected +
                                              "', the network's next layer");
        }
        try {
            timed.schedules.push_back(parse_schedule(layers[i].at("schedule").string()));
        } catch (const UserError &e) {
            throw layers[i].at("schedule").error(e.what());
        }
        timed.layers.emplace_back(layers[i].at("us").number(0, most_us) * 1e-6);
        layers[i].finish();
    }
    json.finish();
    return timed;
}

} // namespace

Seconds whole_nanoseconds(Seconds time) {
    return Seconds(microseconds(time) * 1e-6);
}

std::size_t KernelTimings::layer_count() const {
    std::size_t count = 0;
    for (const TimedKernels &network : networks) {
        count += network.layers.size();
    }
    return count;
}

KernelTimings read_kernel_timings(const std::filesystem::path &path) {
    const JsonReader json = JsonReader::parse_file(path);
    KernelTimings timings;
    json.at("schema").one_of({schema_name});
    timings.machine = json.at("machine").string();
    timings.when = json.at("when").string();
    timings.kernels = json.at("kernels").string();
    timings.seed = static_cast<std::uint64_t>(
        json.at("seed").integer(0, std::numeric_limits<std::int64_t>::max()));
    timings.rates = read_rates(json.at("rates"));
    for (const JsonReader &network : json.at("networks").items()) {
        timings.networks.push_back(read_network(network));
    }
    if (timings.networks.empty()) {
        throw json.at("networks").error("is empty, expected timed networks");
    }
    json.finish();
    return timings;
}

Json write_kernel_timings(const KernelTimings &timings) {
    Json networks = Json::array();
    for (const TimedKernels &network : timings.networks) {
        networks.push_back(write_network(network));
    }
    return {{"schema", schema_name}, {"machine", timings.machine},
            {"when", timings.when},  {"kernels", timings.kernels},
            {"seed", timings.seed},  {"rates", write_rates(timings.rates)},
            {"networks", networks}};
}

} // namespace edgefront
