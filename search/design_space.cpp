#include "search/design_space.h"

#include "base/error.h"
#include "base/random.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

const std::vector<std::string> &metric_names() {
    static const std::vector<std::string> names = {
        "latency_ms", "energy_mj", "peak_bytes", "macs", "params", "frames_per_second", "top1"};
    return names;
}

std::string to_string(Metric metric) {
    return metric_names()[static_cast<std::size_t>(metric)];
}

CostKind kind_of(Metric metric) {
    switch (metric) {
    case Metric::latency_ms:
    case Metric::energy_mj:
    case Metric::frames_per_second: return CostKind::modelled;
    case Metric::peak_bytes:
    case Metric::macs:
    case Metric::params: return CostKind::counted;
    case Metric::top1: return CostKind::given;
    }
    return CostKind::modelled;
}

std::string Measure::name() const {
    return target.empty() ? to_string(metric) : to_string(metric) + ":" + target;
}

std::string Constraint::name() const {
    return at_most ? fmt::format("{} <= {}", measure.name(), *at_most)
                   : fmt::format("{} >= {}", measure.name(), at_least.value_or(0));
}

std::string option_name(const Block &uib) {
    return fmt::format("a{}_k{}_e{}", uib.start_kernel, uib.mid_kernel, uib.expansion);
}

const std::vector<std::string> &uib_types() {
    static const std::vector<std::string> types = {"ExtraDW", "IB", "ConvNext", "FFN"};
    return types;
}

namespace {

constexpr std::size_t resolution_axis = 0, width_axis = 1, activation_axis = 2, first_stage = 3;

template <typename T, typename F>
std::vector<std::string> named(const std::vector<T> &values, F name) {
    std::vector<std::string> names;
    for (const auto &v : values) {
        names.push_back(name(v));
    }
    return names;
}

/// Networks of one stage at a given depth, channels aside.
double block_combinations(const Stage &stage, int depth) {
    double n = 1;
    for (int i = 0; i < depth; i++) {
        n *= static_cast<double>(stage.positions[static_cast<std::size_t>(i)].size());
    }
    return n;
}

double stage_size(const Stage &stage) {
    double n = 0;
    for (const int depth : stage.depths) {
        n += block_combinations(stage, depth);
    }
    return n * static_cast<double>(stage.channels.size());
}

} // namespace

std::vector<Axis> DesignSpace::axes() const {
    const auto number = [](auto v) { return fmt::format("{}", v); };
    std::vector<Axis> result = {
        {"resolution", named(resolutions, number)},
        {"width", named(widths, number)},
        {"activation", named(activations, [](Activation a) { return to_string(a); })}};
    for (std::size_t s = 0; s < stages.size(); s++) {
        const std::string prefix = fmt::format("s{}_", s + 1);
        result.push_back({prefix + "channels", named(stages[s].channels, number)});
        result.push_back({prefix + "depth", named(stages[s].depths, number)});
        for (std::size_t p = 0; p < stages[s].positions.size(); p++) {
            result.push_back(
                {fmt::format("{}b{}", prefix, p + 1), named(stages[s].positions[p], option_name)});
        }
    }
    return result;
}

std::size_t DesignSpace::stage_axis(std::size_t stage) const {
    std::size_t axis = first_stage;
    for (std::size_t s = 0; s < stage; s++) {
        axis += 2 + stages[s].positions.size();
    }
    return axis;
}

bool DesignSpace::uses_top1() const {
    const auto asks = [](const auto &o) { return o.measure.metric == Metric::top1; };
    return std::any_of(objectives.begin(), objectives.end(), asks) ||
           std::any_of(constraints.begin(), constraints.end(), asks);
}

double DesignSpace::size() const {
    double n = static_cast<double>(resolutions.size() * widths.size() * activations.size());
    for (const auto &stage : stages) {
        n *= stage_size(stage);
    }
    return n;
}

Choices DesignSpace::at(std::uint64_t index) const {
    Choices choices;
    const auto take = [&](std::uint64_t n) {
        choices.push_back(static_cast<int>(index % n));
        index /= n;
    };
    take(resolutions.size());
    take(widths.size());
    take(activations.size());
    for (const auto &stage : stages) {
        take(stage.channels.size());
        std::uint64_t within =
            index % static_cast<std::uint64_t>(stage_size(stage) /
                                               static_cast<double>(stage.channels.size()));
        index /= static_cast<std::uint64_t>(stage_size(stage) /
                                            static_cast<double>(stage.channels.size()));
        std::size_t depth = 0;
        for (; depth + 1 < stage.depths.size(); depth++) {
            const auto n =
                static_cast<std::uint64_t>(block_combinations(stage, stage.depths[depth]));
            if (within < n) {
                break;
            }
            within -= n;
        }
        choices.push_back(static_cast<int>(depth));
        for (std::size_t p = 0; p < stage.positions.size(); p++) {
            if (static_cast<int>(p) < stage.depths[depth]) {
                choices.push_back(static_cast<int>(within % stage.positions[p].size()));
                within /= stage.positions[p].size();
            } else {
                choices.push_back(absent);
            }
        }
    }
    return choices;
}

Choices DesignSpace::canonical(Choices choices) const {
    std::size_t axis = first_stage;
    for (const auto &stage : stages) {
        const int depth = stage.depths[static_cast<std::size_t>(choices[axis + 1])];
        for (std::size_t p = static_cast<std::size_t>(depth); p < stage.positions.size(); p++) {
            choices[axis + 2 + p] = absent;
        }
        axis += 2 + stage.positions.size();
    }
    return choices;
}

std::vector<std::string> DesignSpace::describe(const Choices &choices) const {
    return describe(choices, axes());
}

std::vector<std::string> DesignSpace::describe(const Choices &choices,
                                               const std::vector<Axis> &axes) {
    std::vector<std::string> values;
    for (std::size_t a = 0; a < axes.size(); a++) {
        values.push_back(
            choices[a] == absent ? "" : axes[a].values[static_cast<std::size_t>(choices[a])]);
    }
    return values;
}

Choices DesignSpace::parse(const std::vector<std::string> &values,
                           const std::vector<Axis> &all) const {
    if (values.size() != all.size()) {
        throw UserError(fmt::format("space '{}' has {} axes, found {} choices", name, all.size(),
                                    values.size()));
    }
    Choices choices;
    for (std::size_t a = 0; a < all.size(); a++) {
        const auto &known = all[a].values;
        const auto it = std::find(known.begin(), known.end(), values[a]);
        if (it == known.end() && !values[a].empty()) {
            throw UserError(fmt::format("space '{}' has no {} '{}'{}", name, all[a].name, values[a],
                                        did_you_mean(values[a], known)));
        }
        choices.push_back(it == known.end() ? absent : static_cast<int>(it - known.begin()));
    }
    for (std::size_t a = 0; a < first_stage; a++) {
        if (choices[a] == absent) {
            throw UserError(fmt::format("space '{}': {} is missing", name, all[a].name));
        }
    }
    std::size_t axis = first_stage;
    for (const auto &stage : stages) {
        if (choices[axis] == absent || choices[axis + 1] == absent) {
            throw UserError(fmt::format("space '{}': {} or {} is missing", name, all[axis].name,
                                        all[axis + 1].name));
        }
        const int depth = stage.depths[static_cast<std::size_t>(choices[axis + 1])];
        for (std::size_t p = 0; p < stage.positions.size(); p++) {
            if ((choices[axis + 2 + p] == absent) == (static_cast<int>(p) < depth)) {
                throw UserError(fmt::format("space '{}': {} does not fit {} {}", name,
                                            all[axis + 2 + p].name, all[axis + 1].name, depth));
            }
        }
        axis += 2 + stage.positions.size();
    }
    return choices;
}

std::string DesignSpace::id(const Choices &choices) const {
    return id(describe(choices));
}

std::string DesignSpace::id(const std::vector<std::string> &values) {
    return stable_hash_hex(join(values, ";")).substr(0, 8);
}

std::vector<Block> DesignSpace::blocks(const Choices &choices) const {
    std::vector<Block> result = stem;
    std::size_t axis = first_stage;
    for (const auto &stage : stages) {
        const int channels = stage.channels[static_cast<std::size_t>(choices[axis])];
        const int depth = stage.depths[static_cast<std::size_t>(choices[axis + 1])];
        for (std::size_t p = 0; p < static_cast<std::size_t>(depth); p++) {
            Block block = stage.positions[p][static_cast<std::size_t>(choices[axis + 2 + p])];
            block.channels = channels;
            block.stride = p == 0 ? stage.stride : 1;
            result.push_back(block);
        }
        axis += 2 + stage.positions.size();
    }
    result.insert(result.end(), head.begin(), head.end());
    return result;
}

Network DesignSpace::network(const Choices &choices) const {
    Family family = rules;
    family.name = name + "-" + id(choices);
    family.activation = activations[static_cast<std::size_t>(choices[activation_axis])];
    family.blocks = blocks(choices);
    Variant variant;
    variant.resolution = resolutions[static_cast<std::size_t>(choices[resolution_axis])];
    variant.width = widths[static_cast<std::size_t>(choices[width_axis])];
    return build(family, variant);
}

} // namespace edgefront
