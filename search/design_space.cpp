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

namespace {

constexpr std::size_t resolution_axis = 0, width_axis = 1, activation_axis = 2, skeleton_axis = 3;

template <typename T>
void join_in(std::vector<T> &values, const std::vector<T> &more) {
    for (const auto &v : more) {
        if (std::find(values.begin(), values.end(), v) == values.end()) {
            values.push_back(v);
        }
    }
}

template <typename T, typename F>
std::vector<std::string> named(const std::vector<T> &values, F name) {
    std::vector<std::string> names;
    for (const auto &v : values) {
        names.push_back(name(v));
    }
    return names;
}

/// The names of a skeleton's own values by axis, none where it lacks the axis.
std::vector<std::vector<std::string>>
own_values(const Skeleton &skeleton, const std::vector<std::size_t> &stage_axes, bool several) {
    const auto number = [](auto v) { return fmt::format("{}", v); };
    std::vector<std::vector<std::string>> values(stage_axes.back());
    values[resolution_axis] = named(skeleton.resolutions, number);
    values[width_axis] = named(skeleton.widths, number);
    values[activation_axis] =
        named(skeleton.activations, [](Activation a) { return to_string(a); });
    if (several) {
        values[skeleton_axis] = {skeleton.name};
    }
    for (std::size_t s = 0; s < skeleton.stages.size(); s++) {
        const Stage &stage = skeleton.stages[s];
        values[stage_axes[s]] = named(stage.channels, number);
        values[stage_axes[s] + 1] = named(stage.depths, number);
        for (std::size_t p = 0; p < stage.positions.size(); p++) {
            values[stage_axes[s] + 2 + p] =
                named(stage.positions[p], [](const Option &o) { return o.name; });
        }
    }
    return values;
}

Menu menu_of(const std::vector<std::string> &own, const Axis &axis) {
    Menu menu;
    for (const auto &value : own) {
        menu.choices.push_back(static_cast<int>(
            std::find(axis.values.begin(), axis.values.end(), value) - axis.values.begin()));
    }
    for (int choice = 0; !own.empty() && choice < static_cast<int>(axis.values.size()); choice++) {
        const auto nearest =
            std::min_element(menu.choices.begin(), menu.choices.end(), [&](int a, int b) {
                return std::abs(a - choice) < std::abs(b - choice);
            });
        menu.nearest.push_back(static_cast<int>(nearest - menu.choices.begin()));
    }
    return menu;
}

} // namespace

void DesignSpace::lay_out() {
    const bool several = skeletons.size() > 1;
    std::vector<std::size_t> positions; // by stage, of the skeleton with most
    for (const auto &skeleton : skeletons) {
        positions.resize(std::max(positions.size(), skeleton.stages.size()));
        for (std::size_t s = 0; s < skeleton.stages.size(); s++) {
            positions[s] = std::max(positions[s], skeleton.stages[s].positions.size());
        }
    }
    axes_ = {{"resolution", {}}, {"width", {}}, {"activation", {}}};
    if (several) {
        axes_.push_back({"skeleton", {}});
    }
    stage_axes_ = {axes_.size()};
    for (std::size_t s = 0; s < positions.size(); s++) {
        axes_.push_back({fmt::format("s{}_channels", s + 1), {}});
        axes_.push_back({fmt::format("s{}_depth", s + 1), {}});
        for (std::size_t p = 0; p < positions[s]; p++) {
            axes_.push_back({fmt::format("s{}_b{}", s + 1, p + 1), {}});
        }
        stage_axes_.push_back(axes_.size());
    }
    std::vector<std::vector<std::vector<std::string>>> own;
    for (const auto &skeleton : skeletons) {
        own.push_back(own_values(skeleton, stage_axes_, several));
        for (std::size_t a = 0; a < axes_.size(); a++) {
            join_in(axes_[a].values, own.back()[a]);
        }
    }
    contexts_.clear();
    for (std::size_t k = 0; k < skeletons.size(); k++) {
        Skeleton &skeleton = skeletons[k];
        skeleton.menus.clear();
        for (std::size_t a = 0; a < axes_.size(); a++) {
            skeleton.menus.push_back(menu_of(own[k][a], axes_[a]));
        }
        skeleton.first_context = contexts_.size();
        const auto chosen = [&](std::size_t axis, std::size_t i) {
            return skeleton.menus[axis].choices[i];
        };
        for (std::size_t r = 0; r < skeleton.resolutions.size(); r++) {
            for (std::size_t w = 0; w < skeleton.widths.size(); w++) {
                for (std::size_t a = 0; a < skeleton.activations.size(); a++) {
                    contexts_.push_back({k,
                                         skeleton.resolutions[r],
                                         skeleton.widths[w],
                                         skeleton.activations[a],
                                         {chosen(resolution_axis, r), chosen(width_axis, w),
                                          chosen(activation_axis, a)}});
                    if (several) {
                        contexts_.back().choices.push_back(chosen(skeleton_axis, 0));
                    }
                }
            }
        }
    }
}

std::size_t DesignSpace::skeleton_of(const Choices &choices) const {
    return skeletons.size() > 1 ? static_cast<std::size_t>(choices[skeleton_axis]) : 0;
}

std::size_t DesignSpace::context_of(const Choices &choices) const {
    const Skeleton &skeleton = skeletons[skeleton_of(choices)];
    const auto own = [&](std::size_t axis) { return skeleton.menus[axis].own(choices[axis]); };
    return skeleton.first_context +
           (own(resolution_axis) * skeleton.widths.size() + own(width_axis)) *
               skeleton.activations.size() +
           own(activation_axis);
}

Choices DesignSpace::choices_of(const Context &context, const Choices &own) const {
    const Skeleton &skeleton = skeletons[context.skeleton];
    Choices choices = context.choices;
    choices.resize(axes_.size(), absent);
    std::size_t next = 0;
    for (std::size_t s = 0; s < skeleton.stages.size(); s++) {
        const Stage &stage = skeleton.stages[s];
        const int depth = stage.depths[static_cast<std::size_t>(own[next + 1])];
        for (std::size_t i = 0; i < 2 + static_cast<std::size_t>(depth); i++) {
            const std::size_t axis = stage_axes_[s] + i;
            choices[axis] = skeleton.menus[axis].choices[static_cast<std::size_t>(own[next + i])];
        }
        next += 2 + stage.positions.size();
    }
    return choices;
}

bool DesignSpace::uses_top1() const {
    const auto asks = [](const auto &o) { return o.measure.metric == Metric::top1; };
    return std::any_of(objectives.begin(), objectives.end(), asks) ||
           std::any_of(constraints.begin(), constraints.end(), asks);
}

double DesignSpace::size() const {
    double n = 0;
    for (const auto &skeleton : skeletons) {
        n += skeleton.size();
    }
    return n;
}

Choices DesignSpace::at(std::uint64_t index) const {
    std::size_t k = 0;
    for (; static_cast<double>(index) >= skeletons[k].size(); k++) {
        index -= static_cast<std::uint64_t>(skeletons[k].size());
    }
    const Skeleton &skeleton = skeletons[k];
    const auto take = [&](std::size_t n) {
        const std::uint64_t digit = index % n;
        index /= n;
        return static_cast<int>(digit);
    };
    const auto r = static_cast<std::size_t>(take(skeleton.resolutions.size()));
    const auto w = static_cast<std::size_t>(take(skeleton.widths.size()));
    const auto a = static_cast<std::size_t>(take(skeleton.activations.size()));
    const std::size_t context =
        skeleton.first_context + (r * skeleton.widths.size() + w) * skeleton.activations.size() + a;
    Choices own;
    for (const auto &stage : skeleton.stages) {
        own.push_back(take(stage.channels.size()));
        constexpr double unreachable = 9e18; // for an index
        const auto all = static_cast<std::uint64_t>(
            std::min(stage.size() / static_cast<double>(stage.channels.size()), unreachable));
        std::uint64_t within = index % all;
        index /= all;
        double blocks = 1;
        std::size_t deep = 0, depth = 0;
        for (;; depth++) { // networks of each depth stand together
            for (; deep < static_cast<std::size_t>(stage.depths[depth]); deep++) {
                blocks *= static_cast<double>(stage.positions[deep].size());
            }
            if (static_cast<double>(within) < blocks) {
                break;
            }
            within -= static_cast<std::uint64_t>(blocks);
        }
        own.push_back(static_cast<int>(depth));
        for (const auto &position : stage.positions) {
            own.push_back(static_cast<int>(within % position.size()));
            within /= position.size();
        }
    }
    return choices_of(contexts_[context], own);
}

Choices DesignSpace::canonical(const Choices &choices) const {
    const Skeleton &skeleton = skeletons[skeleton_of(choices)];
    Choices own;
    for (std::size_t s = 0; s < skeleton.stages.size(); s++) {
        for (std::size_t i = 0; i < 2 + skeleton.stages[s].positions.size(); i++) {
            const std::size_t axis = stage_axes_[s] + i;
            own.push_back(static_cast<int>(skeleton.menus[axis].own(choices[axis])));
        }
    }
    return choices_of(contexts_[context_of(choices)], own);
}

std::vector<std::string> DesignSpace::describe(const Choices &choices) const {
    std::vector<std::string> values;
    for (std::size_t a = 0; a < axes_.size(); a++) {
        values.push_back(
            choices[a] == absent ? "" : axes_[a].values[static_cast<std::size_t>(choices[a])]);
    }
    return values;
}

Choices DesignSpace::parse(const std::vector<std::string> &values) const {
    if (values.size() != axes_.size()) {
        throw UserError(fmt::format("space '{}' has {} axes, found {} choices", name, axes_.size(),
                                    values.size()));
    }
    Choices choices;
    for (std::size_t a = 0; a < axes_.size(); a++) {
        const auto &known = axes_[a].values;
        const auto it = std::find(known.begin(), known.end(), values[a]);
        if (it == known.end() && !values[a].empty()) {
            throw UserError(fmt::format("space '{}' has no {} '{}'{}", name, axes_[a].name,
                                        values[a], did_you_mean(values[a], known)));
        }
        choices.push_back(it == known.end() ? absent : static_cast<int>(it - known.begin()));
    }
    if (skeletons.size() > 1 && choices[skeleton_axis] == absent) {
        throw UserError(fmt::format("space '{}': skeleton is missing", name));
    }
    const Choices wanted = canonical(choices);
    for (std::size_t a = 0; a < axes_.size(); a++) {
        if (choices[a] == absent && wanted[a] != absent) {
            throw UserError(fmt::format("space '{}': {} is missing", name, axes_[a].name));
        }
        if (choices[a] != wanted[a]) {
            throw UserError(fmt::format("space '{}': {} '{}' does not go with the choices before",
                                        name, axes_[a].name, values[a]));
        }
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
    const Skeleton &skeleton = skeletons[skeleton_of(choices)];
    const auto own = [&](std::size_t axis) { return skeleton.menus[axis].own(choices[axis]); };
    std::vector<Block> result = skeleton.stem;
    for (std::size_t s = 0; s < skeleton.stages.size(); s++) {
        const Stage &stage = skeleton.stages[s];
        const std::size_t first = stage_axes_[s];
        const auto depth = static_cast<std::size_t>(stage.depths[own(first + 1)]);
        for (std::size_t p = 0; p < depth; p++) {
            const Option &option = stage.positions[p][own(first + 2 + p)];
            if (option.block) {
                result.push_back(stage.placed(option, p, own(first)));
            }
        }
    }
    result.insert(result.end(), skeleton.head.begin(), skeleton.head.end());
    return result;
}

Network DesignSpace::network(const Choices &choices) const {
    const Context &context = contexts_[context_of(choices)];
    Family family = rules;
    family.name = name + "-" + id(choices);
    family.activation = context.activation;
    family.blocks = blocks(choices);
    return build(family, {context.width, context.resolution});
}

} // namespace edgefront
