#include "schedules/fusion.h"

#include "schedules/knob_line.h"

#include <algorithm>
#include <sstream>

namespace edgefront {

namespace {

const std::vector<std::string> knob_names = {"rows",  "channels", "order",
                                             "lines", "weights",  "buffers"};
const std::vector<std::string> order_names = {"strips", "slices"};
const std::vector<std::string> line_names = {"recompute", "keep"};
const std::vector<std::string> weight_names = {"stream", "stay"};

void set(Fusion &plan, const KnobLine &line, const std::string &knob, const std::string &value) {
    constexpr std::int64_t most = std::int64_t{1} << 40; // elements of a tensor (dsl/layer.cpp)
    if (knob == "rows") {
        plan.rows = line.number(knob, value, 1, most);
    } else if (knob == "channels") {
        plan.channels = value == "all" ? 0 : line.number(knob, value, 1, most);
    } else if (knob == "order") {
        plan.order = static_cast<FusionOrder>(line.name(knob, value, order_names));
    } else if (knob == "lines") {
        plan.keep_lines = line.name(knob, value, line_names) == 1;
    } else if (knob == "weights") {
        plan.weights_stay = line.name(knob, value, weight_names) == 1;
    } else if (knob == "buffers") {
        plan.double_buffered = line.number(knob, value, 1, 2) == 2;
    } else {
        throw line.unknown(knob, knob_names);
    }
}

bool is_pointwise(const Layer &layer) {
    return layer.is_pointwise();
}

bool is_depthwise(const Layer &layer) {
    return layer.op == Op::depthwise_conv2d;
}

/// Finds the chains of a network in which each node is the only consumer of the one before.
class Chains {
public:
    Chains(const Network &network, Obstacle obstacle)
        : network_(network), obstacle_(obstacle), consumers_(network.nodes.size(), 0),
          taken_(network.nodes.size(), false) {
        for (const Node &node : network.nodes) {
            for (const int producer : node.inputs) {
                if (producer >= 0) {
                    consumers_[static_cast<std::size_t>(producer)]++;
                }
            }
        }
    }

    void take(const std::vector<LayerTest> &kinds) {
        for (std::size_t i = 0; i + kinds.size() <= network_.nodes.size(); i++) {
            if (matches(i, kinds)) {
                groups_.emplace_back();
                for (std::size_t k = 0; k < kinds.size(); k++) {
                    groups_.back().push_back(static_cast<int>(i + k));
                    taken_[i + k] = true;
                }
            }
        }
    }

    std::vector<std::vector<int>> groups() {
        std::sort(groups_.begin(), groups_.end());
        return groups_;
    }

private:
    bool matches(std::size_t first, const std::vector<LayerTest> &kinds) const {
        std::vector<Layer> layers;
        for (std::size_t k = 0; k < kinds.size(); k++) {
            const std::size_t i = first + k;
            const Node &node = network_.nodes[i];
            const bool chained =
                k == 0 || (consumers_[i - 1] == 1 && node.inputs[0] == static_cast<int>(i) - 1);
            if (taken_[i] || !kinds[k](node.layer) || !chained) {
                return false;
            }
            layers.push_back(node.layer);
        }
        return obstacle_(layers).empty();
    }

    const Network &network_;
    Obstacle obstacle_;
    std::vector<int> consumers_;
    std::vector<bool> taken_;
    std::vector<std::vector<int>> groups_;
};

} // namespace

bool Fusion::operator==(const Fusion &o) const {
    return rows == o.rows && channels == o.channels && order == o.order &&
           keep_lines == o.keep_lines && weights_stay == o.weights_stay &&
           double_buffered == o.double_buffered && members == o.members;
}

std::string to_string(const Fusion &plan) {
    std::ostringstream line;
    line << "fuse rows=" << plan.rows << " channels=";
    if (plan.channels == 0) {
        line << "all";
    } else {
        line << plan.channels;
    }
    line << " order=" << order_names[static_cast<std::size_t>(plan.order)]
         << " lines=" << line_names[plan.keep_lines ? 1 : 0]
         << " weights=" << weight_names[plan.weights_stay ? 1 : 0]
         << " buffers=" << (plan.double_buffered ? 2 : 1);
    for (const Mapping &member : plan.members) {
        line << " | " << array_text(member);
    }
    return line.str();
}

Fusion parse_fusion(const std::string &text) {
    const std::vector<std::string> parts = split(text, '|');
    const KnobLine line("fusion", parts[0]);
    Fusion plan;
    line.read("fuse", [&](const std::string &knob, const std::string &value) {
        set(plan, line, knob, value);
    });
    if (parts.size() < 3 || parts.size() > 4) {
        throw UserError("fusion \"" + text + "\": expected two or three members, \"| map ...\"");
    }
    for (std::size_t i = 1; i < parts.size(); i++) {
        const Mapping member = parse_mapping(parts[i]);
        if (member != parse_mapping(array_text(member))) {
            throw UserError("fusion \"" + text + "\": member " + std::to_string(i) +
                            " has a tile, an order or buffers, which follow from the fusion");
        }
        plan.members.push_back(member);
    }
    return plan;
}

std::string fusion_obstacle(const std::vector<Layer> &layers) {
    if (layers.size() < 2 || layers.size() > 3) {
        return "a group has two or three layers";
    }
    for (std::size_t i = 0; i < layers.size(); i++) {
        const Layer &l = layers[i];
        if (l.op != Op::conv2d && l.op != Op::depthwise_conv2d) {
            return "a " + to_string(l.op) + " takes no part in groups";
        }
        if (l.type != layers[0].type) {
            return "its layers have different types";
        }
        if (i > 0 && l.input != layers[i - 1].output) {
            return "its layers do not follow each other";
        }
        if (l.residual && i + 1 < layers.size()) {
            return "a tensor is added inside of it";
        }
    }
    return "";
}

bool can_slice(const std::vector<Layer> &layers) {
    const auto dense = [](const Layer &l) { return l.op == Op::conv2d && l.groups == 1; };
    return layers.size() == 3 && dense(layers[0]) && layers[1].op == Op::depthwise_conv2d &&
           dense(layers[2]);
}

std::string key(const std::vector<Layer> &layers) {
    std::string text;
    for (const Layer &layer : layers) {
        text += (text.empty() ? "" : " + ") + key(layer);
    }
    return text;
}

std::vector<std::vector<int>> find_chains(const Network &network,
                                          const std::vector<std::vector<LayerTest>> &patterns,
                                          Obstacle obstacle) {
    Chains chains(network, obstacle);
    for (const std::vector<LayerTest> &pattern : patterns) {
        chains.take(pattern);
    }
    return chains.groups();
}

std::vector<std::vector<int>> fused_groups(const Network &network) {
    return find_chains(network,
                       {{is_pointwise, is_depthwise, is_pointwise},
                        {is_depthwise, is_pointwise},
                        {is_pointwise, is_depthwise}},
                       fusion_obstacle);
}

} // namespace edgefront
