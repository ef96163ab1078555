#include "schedules/kernel_plan.h"

#include "base/error.h"
#include "schedules/fusion.h"
#include "schedules/knob_line.h"

#include <algorithm>
#include <stdexcept>

namespace edgefront {

namespace {

constexpr int most = 1 << 20;
constexpr std::size_t most_members = 3;

bool has(const std::vector<int> &values, int value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

std::vector<int> divisors(int n, int largest) {
    std::vector<int> found;
    for (int d = 1; d <= std::min(n, largest); d++) {
        if (n % d == 0) {
            found.push_back(d);
        }
    }
    return found;
}

/// Rows of its output that member `i` has to have for `rows` rows of the last one.
int rows_needed(const std::vector<Layer> &layers, std::size_t i, int rows) {
    for (std::size_t k = layers.size() - 1; k > i; k--) {
        rows = std::min((rows - 1) * layers[k].stride + layers[k].reach(), layers[k].input.height);
    }
    return rows;
}

/// Whether rows of member `i` are needed by two strips.
bool slides(const std::vector<Layer> &layers, std::size_t i) {
    return std::any_of(layers.begin() + static_cast<std::ptrdiff_t>(i) + 1, layers.end(),
                       [](const Layer &l) { return l.reach() > l.stride; });
}

/// Whether a strip at the border needs fewer rows of member `i` than others.
bool pads_later(const std::vector<Layer> &layers, std::size_t i) {
    return std::any_of(layers.begin() + static_cast<std::ptrdiff_t>(i) + 1, layers.end(),
                       [](const Layer &l) {
                           const int last = (l.output.height - 1) * l.stride + l.reach();
                           return l.pad_top > 0 || last - l.pad_top > l.input.height;
                       });
}

bool is_convolution(const Layer &layer) {
    return layer.op == Op::conv2d && layer.groups == 1;
}

bool is_pointwise(const Layer &layer) {
    return layer.is_pointwise();
}

bool is_depthwise(const Layer &layer) {
    return layer.op == Op::depthwise_conv2d;
}

bool is_scale(const Layer &layer) {
    return layer.op == Op::channel_scale;
}

int power_of_two_from(int n) {
    int power = 1;
    while (power < n) {
        power *= 2;
    }
    return power;
}

} // namespace

bool KernelPlan::parallel() const {
    return parts > 1 || members.at(0).parallel != ParallelOver::none;
}

bool KernelPlan::operator==(const KernelPlan &o) const {
    return rows == o.rows && parts == o.parts && members == o.members;
}

std::string to_string(const KernelPlan &plan) {
    if (!plan.fused()) {
        return to_string(plan.members.at(0));
    }
    std::string line =
        "strips rows=" + std::to_string(plan.rows) + " parts=" + std::to_string(plan.parts);
    for (const Schedule &member : plan.members) {
        line += " | " + to_string(member);
    }
    return line;
}

KernelPlan parse_kernel_plan(const std::string &text) {
    const std::vector<std::string> pieces = split(text, '|');
    if (pieces.size() == 1) {
        return KernelPlan(parse_schedule(text));
    }
    const KnobLine line("kernel", pieces[0]);
    KernelPlan plan;
    plan.rows = 1;
    line.read("strips", [&](const std::string &knob, const std::string &value) {
        if (knob == "rows") {
            plan.rows = static_cast<int>(line.number(knob, value, 1, most));
        } else if (knob == "parts") {
            plan.parts = static_cast<int>(line.number(knob, value, 1, most));
        } else {
            throw line.unknown(knob, {"rows", "parts"});
        }
    });
    if (pieces.size() < 3 || pieces.size() > most_members + 1) {
        throw UserError("kernel \"" + text + "\": expected two or three members, \"| tile ...\"");
    }
    for (std::size_t i = 1; i < pieces.size(); i++) {
        plan.members.push_back(parse_schedule(pieces[i]));
    }
    return plan;
}

std::string chain_obstacle(const std::vector<Layer> &layers) {
    if (layers.size() < 2 || layers.size() > most_members) {
        return "a chain has two or three layers";
    }
    for (std::size_t i = 0; i < layers.size(); i++) {
        const Layer &l = layers[i];
        if (!is_convolution(l) && !is_depthwise(l) && !(i == 0 && is_scale(l))) {
            return "a " + to_string(l.op) + " takes no part there";
        }
        if (i > 0 && l.input != layers[i - 1].output) {
            return "its layers do not follow each other";
        }
        if (i > 0 && l.reach() < l.stride) {
            return "a later layer reads only some of the rows";
        }
        if (l.residual && i + 1 < layers.size()) {
            return "a tensor is added inside of it";
        }
    }
    return "";
}

std::vector<std::vector<int>> kernel_groups(const Network &network) {
    return find_chains(network,
                       {{is_convolution, is_depthwise, is_pointwise},
                        {is_depthwise, is_pointwise},
                        {is_convolution, is_depthwise},
                        {is_scale, is_pointwise},
                        {is_pointwise, is_pointwise}},
                       chain_obstacle);
}

ScheduleSpace ChainSpace::member(std::size_t i, int strip) const {
    ScheduleSpace space = members.at(i);
    const int together =
        slides(layers, i) || pads_later(layers, i) ? 1 : rows_needed(layers, i, strip);
    space.rows.erase(std::remove_if(space.rows.begin(), space.rows.end(),
                                    [=](int rows) { return together % rows != 0; }),
                     space.rows.end());
    return space;
}

bool ChainSpace::contains(const KernelPlan &plan) const {
    if (plan.members.size() != members.size() || !has(rows, plan.rows) || !has(parts, plan.parts) ||
        layers.back().output.height % (plan.rows * plan.parts) != 0) {
        return false;
    }
    for (std::size_t i = 0; i < members.size(); i++) {
        if (!member(i, plan.rows).contains(plan.members[i])) {
            return false;
        }
    }
    return true;
}

ChainSpace chain_space(const std::vector<Layer> &layers, const IsaInfo &isa) {
    const std::string obstacle = chain_obstacle(layers);
    if (!obstacle.empty()) {
        throw std::logic_error("chain_space: " + obstacle);
    }
    ChainSpace space;
    space.layers = layers;
    const int height = layers.back().output.height;
    space.rows = divisors(height, height);
    space.parts = divisors(height, 8);
    for (std::size_t i = 0; i < layers.size(); i++) {
        space.members.push_back(schedule_space(layers[i], isa));
        space.members.back().parallel = {ParallelOver::none}; // the parts are
        space.members.back().depth = {0};                     // strips are too short to pay for it
    }
    return space;
}

bool is_legal(const std::vector<Layer> &layers, const KernelPlan &plan, const IsaInfo &isa) {
    if (plan.members.size() != layers.size() || layers.empty()) {
        return false;
    }
    return plan.fused() ? chain_obstacle(layers).empty() && chain_space(layers, isa).contains(plan)
                        : plan.rows == 0 && plan.parts == 1 &&
                              schedule_space(layers[0], isa).contains(plan.members[0]);
}

KernelPlan default_chain(const std::vector<Layer> &layers, const IsaInfo &isa, int threads) {
    constexpr std::int64_t near_bytes = 256 * 1024; // of a second cache
    const ChainSpace space = chain_space(layers, isa);
    KernelPlan plan;
    for (const ScheduleSpace &member : space.members) {
        plan.members.push_back(default_schedule(member));
    }
    for (const int parts : space.parts) {
        plan.parts = parts <= threads ? parts : plan.parts;
    }
    plan.rows = space.rows.front();
    for (const int rows : space.rows) {
        KernelPlan longer = plan;
        longer.rows = rows;
        if (layers.back().output.height % (rows * plan.parts) == 0 &&
            scratch_bytes(layers, longer).count() <= near_bytes) {
            plan.rows = rows;
        }
    }
    for (std::size_t i = 0; i < layers.size(); i++) {
        plan.members[i] = default_schedule(space.member(i, plan.rows));
    }
    return plan;
}

int strips_per_part(const std::vector<Layer> &layers, const KernelPlan &plan) {
    return layers.back().output.height / (plan.rows * plan.parts);
}

int rows_kept(const std::vector<Layer> &layers, const KernelPlan &plan, std::size_t i) {
    if (i + 1 == layers.size()) {
        return layers[i].output.height;
    }
    const int rows = rows_needed(layers, i, plan.rows);
    // Rows are found by the low bits of their number.
    return slides(layers, i) && strips_per_part(layers, plan) > 1 ? power_of_two_from(rows) : rows;
}

int channels_kept(const std::vector<Layer> &layers, const KernelPlan &plan, std::size_t i) {
    const int channels = layers[i].output.channels;
    const int width = plan.members[i].lanes * plan.members[i].vectors;
    return is_convolution(layers[i]) ? (channels + width - 1) / width * width : channels;
}

Bytes scratch_bytes(const std::vector<Layer> &layers, const KernelPlan &plan) {
    Bytes sum(0);
    for (std::size_t i = 0; i + 1 < layers.size(); i++) {
        sum += Bytes(std::int64_t{1} * rows_kept(layers, plan, i) * layers[i].output.width *
                     channels_kept(layers, plan, i) * size_of(layers[i].type));
    }
    return sum;
}

} // namespace edgefront
