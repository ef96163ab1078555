// Made-up devices with round numbers, so that a test can do the arithmetic by hand.
#pragma once

#include "hwmodels/target.h"

#include <string>
#include <utility>
#include <vector>

namespace edgefront {

using Values = std::vector<std::pair<std::string, double>>;

inline Json tiny_target_json(const std::string &kind, const Values &values) {
    Json constants = Json::object();
    for (const auto &[key, value] : values) {
        constants[key] = {{"value", value}, {"source", "made up"}, {"confidence", "assumed"}};
    }
    return {{"schema", "edgefront/target/1"},
            {"name", "tiny"},
            {"description", "a test's"},
            {"device", "none"},
            {"kind", kind},
            {"precisions", {"int8"}},
            {"max_threads", 1},
            {"constants", constants}};
}

inline Json tiny_cpu_json() {
    return tiny_target_json("cpu", {{"clock_ghz", 1},
                                    {"mac_per_cycle_int8", 8},
                                    {"lanes_int8", 4},
                                    {"register_vectors", 1},
                                    {"register_pixels", 2},
                                    {"vector_bytes", 16},
                                    {"mac_ports", 2},
                                    {"load_ports", 2},
                                    {"issue_width", 8},
                                    {"dense_efficiency_int8", 0.5},
                                    {"depthwise_efficiency_int8", 0.25},
                                    {"elements_per_cycle_int8", 2},
                                    {"l1_kib", 64},
                                    {"l2_kib", 0},
                                    {"l2_bytes_per_cycle", 100},
                                    {"cache_gb_per_s", 10},
                                    {"cache_mib", 1},
                                    {"dram_gb_per_s", 2},
                                    {"layer_overhead_us", 0.1},
                                    {"inference_overhead_us", 7},
                                    {"pj_per_mac_int8", 2},
                                    {"l2_pj_per_byte", 1},
                                    {"cache_pj_per_byte", 3},
                                    {"dram_pj_per_byte", 5}});
}

inline Json tiny_dsp_json() {
    return tiny_target_json("dsp", {{"clock_ghz", 1},
                                    {"vector_units", 2},
                                    {"mac_per_cycle_int8", 16},
                                    {"vector_bytes", 32},
                                    {"load_slots", 1},
                                    {"vector_registers", 6},
                                    {"vector_channels", 8},
                                    {"vector_pixels", 4},
                                    {"dense_efficiency_int8", 0.5},
                                    {"depthwise_efficiency_int8", 0.125},
                                    {"outputs_per_cycle_int8", 8},
                                    {"elements_per_cycle_int8", 4},
                                    {"memory_gb_per_s", 2},
                                    {"dram_gb_per_s", 4},
                                    {"memory_mib", 1},
                                    {"layer_overhead_us", 0.1},
                                    {"inference_overhead_us", 7},
                                    {"pj_per_mac_int8", 2},
                                    {"memory_pj_per_byte", 3},
                                    {"dram_pj_per_byte", 5}});
}

/// With a host link.
inline Json tiny_edgetpu_json() {
    return tiny_target_json("edgetpu", {{"clock_ghz", 1},
                                        {"array_rows", 2},
                                        {"array_columns", 8},
                                        {"arrays", 4},
                                        {"group_columns", 8},
                                        {"preload", 1},
                                        {"dense_efficiency_int8", 0.5},
                                        {"depthwise_efficiency_int8", 0.25},
                                        {"elements_per_cycle_int8", 16},
                                        {"scratchpad_kib", 64},
                                        {"scratchpad_gb_per_s", 200},
                                        {"memory_gb_per_s", 100},
                                        {"weight_memory_mib", 1},
                                        {"stream_gb_per_s", 0.5},
                                        {"host_in_gb_per_s", 0.25},
                                        {"host_out_gb_per_s", 0.125},
                                        {"layer_overhead_us", 0},
                                        {"inference_overhead_us", 7},
                                        {"pj_per_mac_int8", 2},
                                        {"scratchpad_pj_per_byte", 1},
                                        {"memory_pj_per_byte", 3},
                                        {"stream_pj_per_byte", 5}});
}

inline Target target_from(const Json &json) {
    return read_target(JsonReader::parse(json.dump(), "tiny.json"));
}

inline Target with_constant(Target target, const std::string &key, double value) {
    target.constants.at(key).value = value;
    target.hash = price_hash(target);
    return target;
}

} // namespace edgefront
