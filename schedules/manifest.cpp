// manifest.json: what a package holds, where it comes from, what it costs.
#include "base/files.h"
#include "base/random.h"
#include "schedules/package.h"

namespace edgefront {

namespace {

Json shape_json(const Shape &s) {
    return {s.height, s.width, s.channels};
}

Json file_json(const std::filesystem::path &directory, const std::string &name) {
    const std::string bytes = read_file(directory / name);
    return {{"file", name}, {"size_bytes", bytes.size()}, {"xxh64", stable_hash_hex(bytes)}};
}

Json inputs_json(const PackagePlan &plan, const Node &node) {
    Json inputs = Json::array();
    for (const int from : node.inputs) {
        inputs.push_back(from < 0 ? "input"
                                  : plan.network.nodes[static_cast<std::size_t>(from)].name);
    }
    return inputs;
}

Json layer_json(const PackagePlan &plan, const PackageStep &step, std::size_t member,
                const PackageNotes &notes, const BuildContext &context) {
    const auto i = static_cast<std::size_t>(step.layers[member].node);
    const Node &node = plan.network.nodes[i];
    const Layer &l = node.layer;
    Json json = {{"name", node.name},
                 {"block", node.block_name},
                 {"op", to_string(l.op)},
                 {"inputs", inputs_json(plan, node)},
                 {"input", shape_json(l.input)},
                 {"output", shape_json(l.output)},
                 {"kernel", l.kernel},
                 {"stride", l.stride},
                 {"pad_top", l.pad_top},
                 {"pad_left", l.pad_left},
                 {"activation", to_string(l.activation)},
                 {"residual", l.residual},
                 {"macs", macs(l).count()},
                 {"params", params(node).count()},
                 {"workload", key(l)},
                 {"schedule", to_string(step.plan.members[member])},
                 {"kernel_symbol", step.symbol},
                 {"kernel_xxh64", stable_hash_hex(read_file(kernel_file(context, step)))}};
    if (step.plan.fused()) {
        json["chain"] = name_of(plan, step);
        json["kernel_plan"] = to_string(step.plan);
    }
    if (!notes.predicted.layers.empty()) {
        json["predicted"] = notes.predicted.layers.at(i);
    }
    if (!notes.measured.layers.empty()) {
        json["measured"] = notes.measured.layers.at(i);
    }
    return json;
}

} // namespace

Json make_manifest(const PackagePlan &plan, const NetworkWeights &weights,
                   const PackageNotes &notes, const BuildContext &context,
                   const std::filesystem::path &directory) {
    const Network &n = plan.network;
    Json layers = Json::array();
    for (const PackageStep &step : plan.steps) {
        for (std::size_t member = 0; member < step.layers.size(); member++) {
            layers.push_back(layer_json(plan, step, member, notes, context));
        }
    }
    Json packed = file_json(directory, "weights.bin");
    packed["source"] = weights.source;
    packed["plain_xxh64"] = weights.hash;
    Json manifest = {
        {"schema_version", 1},
        {"kind", package_kind},
        {"name", plan.name},
        {"network",
         {{"name", n.name},
          {"family", n.family},
          {"width", n.width},
          {"resolution", n.resolution},
          {"classes", n.classes},
          {"input", shape_json(n.input)},
          {"output", shape_json(n.output())},
          {"macs", macs(n).count()},
          {"params", params(n).count()}}},
        {"target",
         {{"name", context.target_name},
          {"precision", to_string(DataType::fp32)},
          {"halide_target", plan.target.text},
          {"required_cpu_features", required_cpu_features(plan.target)}}},
        {"tool", {{"edgefront", context.tool_version}, {"halide", EDGEFRONT_HALIDE_VERSION}}},
        {"library", file_json(directory, "lib/lib" + plan.name + ".a")},
        {"weights", packed},
        {"arena_bytes", plan.memory.arena.count()},
        {"scratch_bytes_per_thread", plan.scratch},
    };
    if (!notes.predicted.layers.empty()) {
        manifest["predicted"] = notes.predicted.network;
    }
    if (!notes.measured.layers.empty()) {
        manifest["measured"] = notes.measured.network;
    }
    manifest["layers"] = layers;
    return manifest;
}

} // namespace edgefront
