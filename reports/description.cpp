#include "reports/description.h"

#include "dsl/flops.h"
#include "dsl/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

const std::vector<std::string> &grouping_names() {
    static const std::vector<std::string> names = {"layer", "block", "stage", "op"};
    return names;
}

const std::vector<std::string> &counting_names() {
    static const std::vector<std::string> names = {"macs", "flops"};
    return names;
}

std::int64_t Counts::work(Counting counting) const {
    switch (counting) {
    case Counting::macs: return macs.count();
    case Counting::flops: return flops.count();
    }
    return 0;
}

double Counts::intensity(Counting counting) const {
    return static_cast<double>(work(counting)) / static_cast<double>(moved.count());
}

namespace {

const Node &node_at(const Network &network, int index) {
    return network.nodes[static_cast<std::size_t>(index)];
}

Counts count(const Network &network, const MemoryPlan &plan, const std::vector<int> &nodes) {
    Counts counts;
    for (const int i : nodes) {
        const Node &node = node_at(network, i);
        counts.macs += macs(node.layer);
        counts.flops += flops(node.layer);
        counts.params += params(node);
        counts.moved +=
            input_bytes(node.layer) + weight_bytes(node.layer) + output_bytes(node.layer);
        const Bytes live = plan.live[static_cast<std::size_t>(i)];
        if (live > counts.peak) {
            counts.peak = live;
            counts.peak_node = i;
        }
    }
    return counts;
}

std::vector<LayerGroup> by_layer(const Network &network) {
    std::vector<LayerGroup> groups;
    for (const auto &node : network.nodes) {
        groups.push_back({node.name, {static_cast<int>(groups.size())}, {}});
    }
    return groups;
}

std::vector<LayerGroup> by_block(const Network &network) {
    std::vector<LayerGroup> groups;
    for (int i = 0; i < static_cast<int>(network.nodes.size()); i++) {
        const int block = node_at(network, i).block;
        if (groups.empty() || block != node_at(network, i - 1).block) {
            groups.push_back({fmt::format("block{}", block), {}, {}});
        }
        groups.back().nodes.push_back(i);
    }
    return groups;
}

std::vector<LayerGroup> by_stage(const Network &network) {
    std::vector<LayerGroup> stages;
    Shape size;
    for (const auto &block : by_block(network)) {
        const Shape out = node_at(network, block.nodes.back()).layer.output;
        if (stages.empty() || out.height != size.height || out.width != size.width) {
            stages.push_back({fmt::format("stage{}", stages.size()), {}, {}});
        }
        size = out;
        auto &nodes = stages.back().nodes;
        nodes.insert(nodes.end(), block.nodes.begin(), block.nodes.end());
    }
    return stages;
}

std::vector<LayerGroup> by_op(const Network &network) {
    std::vector<LayerGroup> groups;
    for (int i = 0; i < static_cast<int>(network.nodes.size()); i++) {
        const Layer &layer = node_at(network, i).layer;
        auto group = std::find_if(groups.begin(), groups.end(), [&](const LayerGroup &g) {
            const Layer &first = node_at(network, g.nodes.front()).layer;
            return first.op == layer.op && first.kernel == layer.kernel;
        });
        if (group == groups.end()) {
            group = groups.insert(groups.end(), {to_string(layer.op), {}, {}});
        }
        group->nodes.push_back(i);
    }
    return groups;
}

std::vector<LayerGroup> group_layers(const Network &network, Grouping grouping) {
    switch (grouping) {
    case Grouping::layer: return by_layer(network);
    case Grouping::block: return by_block(network);
    case Grouping::stage: return by_stage(network);
    case Grouping::op: return by_op(network);
    }
    return {};
}

/// "block3 to block5", or "block3".
std::string block_range(const Network &network, const LayerGroup &group) {
    const int first = node_at(network, group.nodes.front()).block;
    const int last = node_at(network, group.nodes.back()).block;
    return first == last ? fmt::format("block{}", first)
                         : fmt::format("block{} to block{}", first, last);
}

/// What tells the groups of this kind apart, before the counts.
std::vector<Column> leading_columns(Grouping grouping) {
    switch (grouping) {
    case Grouping::layer:
        return {{"name", "layer"},    {"block", "block"},           {"op", "op"},
                {"input", "input"},   {"output", "output"},         {"kernel", "kernel"},
                {"stride", "stride"}, {"activation", "activation"}, {"residual", "residual"}};
    case Grouping::block:
        return {{"name", "block"},
                {"kind", "kind"},
                {"layers", "layers"},
                {"input", "input"},
                {"output", "output"}};
    case Grouping::stage:
        return {{"name", "stage"},
                {"blocks", "blocks"},
                {"layers", "layers"},
                {"input", "input"},
                {"output", "output"}};
    case Grouping::op: return {{"name", "op"}, {"kernel", "kernel"}, {"layers", "layers"}};
    }
    return {};
}

std::vector<Json> leading_cells(const Network &network, Grouping grouping,
                                const LayerGroup &group) {
    const Node &first = node_at(network, group.nodes.front());
    const Layer &l = first.layer;
    const std::string input = to_string(l.input);
    const std::string output = to_string(node_at(network, group.nodes.back()).layer.output);
    switch (grouping) {
    case Grouping::layer:
        return {
            group.name, first.block_name,        to_string(l.op),        input, output, l.kernel,
            l.stride,   to_string(l.activation), l.residual ? "add" : ""};
    case Grouping::block: return {group.name, first.block_name, group.nodes.size(), input, output};
    case Grouping::stage:
        return {group.name, block_range(network, group), group.nodes.size(), input, output};
    case Grouping::op: return {group.name, l.kernel, group.nodes.size()};
    }
    return {};
}

Json shape_json(const Shape &shape) {
    return {shape.height, shape.width, shape.channels};
}

/// Keys that layers and groups share.
void put_counts(Json &json, const Counts &counts) {
    json["macs"] = counts.macs.count();
    json["flops"] = counts.flops.count();
    json["params"] = counts.params.count();
    json["moved_bytes"] = counts.moved.count();
    json["macs_per_byte"] = counts.intensity(Counting::macs);
    json["flops_per_byte"] = counts.intensity(Counting::flops);
}

Json layer_json(const Network &network, const LayerGroup &group) {
    const Node &node = node_at(network, group.nodes.front());
    const Layer &l = node.layer;
    Json json = {{"name", node.name},
                 {"block", node.block_name},
                 {"op", to_string(l.op)},
                 {"input", shape_json(l.input)},
                 {"output", shape_json(l.output)},
                 {"kernel", l.kernel},
                 {"stride", l.stride},
                 {"dilation", l.dilation},
                 {"groups", l.groups},
                 {"activation", to_string(l.activation)},
                 {"residual", l.residual},
                 {"live_activation_bytes", group.counts.peak.count()}};
    json["others"] = Json::array();
    for (const Shape &other : l.others) {
        json["others"].push_back(shape_json(other));
    }
    json["inputs"] = Json::array();
    for (const int producer : node.inputs) {
        json["inputs"].push_back(producer < 0 ? "input" : node_at(network, producer).name);
    }
    put_counts(json, group.counts);
    return json;
}

Json group_json(const Description &d, const LayerGroup &group) {
    Json json = Json::object();
    const auto columns = leading_columns(d.grouping);
    const auto cells = leading_cells(d.network, d.grouping, group);
    for (std::size_t i = 0; i < columns.size(); i++) {
        json[columns[i].key] = cells[i];
    }
    if (d.grouping != Grouping::op) { // shapes as in the layers
        json["input"] = shape_json(node_at(d.network, group.nodes.front()).layer.input);
        json["output"] = shape_json(node_at(d.network, group.nodes.back()).layer.output);
    }
    put_counts(json, group.counts);
    json["peak_activation_bytes"] = group.counts.peak.count();
    json["peak_layer"] = node_at(d.network, group.counts.peak_node).name;
    return json;
}

std::string millions(std::int64_t count, int decimals) {
    return fmt::format("{:.{}f} M", static_cast<double>(count) * 1e-6, decimals);
}

} // namespace

Description describe(Network network, Grouping grouping) {
    Description d;
    d.network = std::move(network);
    d.grouping = grouping;
    const MemoryPlan plan = plan_memory(d.network);
    d.arena = plan.arena;
    d.layers = by_layer(d.network);
    d.groups = group_layers(d.network, grouping);
    std::vector<int> all;
    for (auto &layer : d.layers) {
        layer.counts = count(d.network, plan, layer.nodes);
        all.push_back(layer.nodes.front());
    }
    for (auto &group : d.groups) {
        group.counts = count(d.network, plan, group.nodes);
    }
    d.total = count(d.network, plan, all);
    return d;
}

Table description_table(const Description &d, Counting counting) {
    const Network &network = d.network;
    const bool is_flops = counting == Counting::flops;
    const bool is_layers = d.grouping == Grouping::layer;
    Table table;
    table.columns = leading_columns(d.grouping);
    table.columns.push_back(is_flops ? Column{"flops", "FLOPs"} : Column{"macs", "MACs"});
    table.columns.push_back({"params", "params"});
    table.columns.push_back({"moved_bytes", "bytes"});
    table.columns.push_back(is_flops ? Column{"flops_per_byte", "FLOPs/byte", 2}
                                     : Column{"macs_per_byte", "MACs/byte", 2});
    if (is_layers) {
        table.columns.push_back({"live_activation_bytes", "live bytes"});
    } else {
        table.columns.push_back({"peak_activation_bytes", "peak bytes"});
        table.columns.push_back({"peak_layer", "at"});
    }
    for (const auto &group : d.groups) {
        const Counts &c = group.counts;
        std::vector<Json> row = leading_cells(network, d.grouping, group);
        for (const Json &cell :
             {Json(c.work(counting)), Json(c.params.count()), Json(c.moved.count()),
              Json(c.intensity(counting)), Json(c.peak.count())}) {
            row.push_back(cell);
        }
        if (!is_layers) {
            row.push_back(node_at(network, c.peak_node).name);
        }
        table.rows.push_back(std::move(row));
    }
    const std::string type = to_string(network.nodes.front().layer.type);
    table.notes = {fmt::format("{}: width {}, input {}, {} layers, {} classes (all counted)",
                               network.name, network.width, to_string(network.input),
                               network.nodes.size(), network.classes),
                   fmt::format("MACs {} ({}; 1 MAC = 1 multiply-add = 2 FLOPs)",
                               d.total.macs.count(), millions(d.total.macs.count(), 1))};
    if (is_flops) {
        table.notes.push_back(fmt::format(
            "FLOPs {} ({}; 2 per MAC, and the operations of biases, activations, sums, norms, "
            "pooling, softmax and resizing)",
            d.total.flops.count(), millions(d.total.flops.count(), 1)));
    }
    table.notes.push_back(fmt::format("parameters {} ({}, batch-norm gamma and beta included)",
                                      d.total.params.count(), millions(d.total.params.count(), 2)));
    table.notes.push_back(fmt::format(
        "moves {} bytes in {}: every layer's inputs, weights and output once; {:.2f} {} per byte",
        d.total.moved.count(), type, d.total.intensity(counting), is_flops ? "FLOPs" : "MACs"));
    table.notes.push_back(fmt::format(
        "peak activations {} bytes in {} at {} (arena of the memory plan: {} bytes)",
        d.total.peak.count(), type, node_at(network, d.total.peak_node).name, d.arena.count()));
    return table;
}

Json description_json(const Description &d) {
    const Network &network = d.network;
    Json json = {{"name", network.name},
                 {"family", network.family},
                 {"width", network.width},
                 {"resolution", network.resolution},
                 {"input", shape_json(network.input)},
                 {"classes", network.classes},
                 {"precision", to_string(network.nodes.front().layer.type)},
                 {"kind", "counted"},
                 {"peak_activation_bytes", d.total.peak.count()},
                 {"peak_layer", node_at(network, d.total.peak_node).name},
                 {"arena_bytes", d.arena.count()}};
    put_counts(json, d.total);
    json["layers"] = Json::array();
    for (const auto &layer : d.layers) {
        json["layers"].push_back(layer_json(network, layer));
    }
    if (d.grouping != Grouping::layer) {
        json["by"] = grouping_names()[static_cast<std::size_t>(d.grouping)];
        json["groups"] = Json::array();
        for (const auto &group : d.groups) {
            json["groups"].push_back(group_json(d, group));
        }
    }
    return json;
}

} // namespace edgefront
