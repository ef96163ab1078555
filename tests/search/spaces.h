// Spaces for the tests of search/.
#pragma once

#include "search/design_space_json.h"

#include <string>

namespace edgefront {

inline DesignSpace shipped_space(const std::string &name) {
    return read_space_file(data_directory() / "spaces" / (name + ".json"), Zoo());
}

/// data/spaces/tiny.json as JSON, to be changed and read.
inline Json tiny_json() {
    return JsonReader::parse_file(data_directory() / "spaces" / "tiny.json").value();
}

/// uib_small without its Edge TPU, whose layers take seconds to price.
inline Json uib_small_on_cpu_json() {
    Json json = JsonReader::parse_file(data_directory() / "spaces" / "uib_small.json").value();
    json["targets"] = {"pixel6-cpu"};
    json["objectives"].erase(1);
    return json;
}

inline DesignSpace space_of(const Json &json) {
    return read_space(JsonReader::parse(json.dump(), "space.json"), Zoo());
}

/// Two skeletons that differ in everything that may differ: resolutions, widths, stages, channels,
/// depths, and one has attention.
inline Json two_skeletons() {
    return Json::parse(R"({
        "schema": "edgefront/space/1",
        "name": "two",
        "rules": "mobilenet_v4_hybrid_medium",
        "skeletons": [
            {
                "name": "short",
                "resolutions": [64, 96],
                "widths": [0.5, 1],
                "activations": ["relu", "gelu"],
                "stem": [{"op": "conv", "kernel": 3, "channels": 32, "stride": 2}],
                "stages": [
                    {"stride": 2, "channels": [32, 48], "depths": [1, 2],
                     "blocks": [["a3_k3_e2", "a0_k5_e3"], ["a0_k3_e2", "a0_k0_e4"]]}
                ],
                "head": [{"op": "global_pool"}, {"op": "classifier"}]
            },
            {
                "name": "long",
                "resolutions": [96, 128],
                "widths": [1],
                "stem": [{"op": "conv", "kernel": 5, "channels": 16, "stride": 4}],
                "stages": [
                    {"stride": 2, "channels": [24], "depths": [1],
                     "blocks": [["a0_k5_e3", "a5_k5_e3"]]},
                    {"stride": 2, "channels": [32, 40], "depths": [3, 4],
                     "blocks": [
                        ["a3_k3_e2", "a5_k0_e3"],
                        ["none", {"name": "mqa_s2", "block":
                            {"op": "mobile_mqa", "heads": 2, "key": 16, "kv_stride": 2}}],
                        ["a0_k0_e2", "a3_k0_e2"],
                        ["a0_k3_e4", {"name": "mqa", "block":
                            {"op": "mobile_mqa", "heads": 2, "key": 8}}]]}
                ],
                "head": [
                    {"op": "conv", "kernel": 1, "channels": 64},
                    {"op": "global_pool"},
                    {"op": "classifier"}
                ]
            }
        ],
        "targets": ["pixel6-cpu"],
        "objectives": [
            {"metric": "latency_ms", "target": "pixel6-cpu"},
            {"metric": "macs", "sense": "maximise"},
            {"metric": "params", "sense": "maximise"}
        ]
    })");
}

} // namespace edgefront
