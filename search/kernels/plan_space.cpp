#include "search/kernels/plan_space.h"

#include "base/error.h"
#include "schedules/fusion.h"
#include "schedules/package.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace edgefront {

namespace {

/// Cycles until threads are awake and have met again, about 3 us.
constexpr double meeting = 12'000;
/// Of a chain's strip and member: loops begin anew.
constexpr double beginning = 300;

/// The values next to `value` in an ascending list.
template <typename T>
std::vector<T> steps(const std::vector<T> &values, T value) {
    std::vector<T> next;
    const auto at = std::find(values.begin(), values.end(), value);
    if (at != values.end() && at != values.begin()) {
        next.push_back(*(at - 1));
    }
    if (at != values.end() && at + 1 != values.end()) {
        next.push_back(*(at + 1));
    }
    return next;
}

/// Of names there is no order: any two are next to each other.
template <typename T>
std::vector<T> others(const std::vector<T> &values, T value) {
    std::vector<T> next;
    std::copy_if(values.begin(), values.end(), std::back_inserter(next),
                 [=](T v) { return v != value; });
    return next;
}

std::vector<Schedule> next_to(const ScheduleSpace &space, const Schedule &centre) {
    std::vector<Schedule> result;
    const auto vary = [&](auto Schedule::*knob, const auto &values) {
        for (const auto value : values) {
            Schedule s = centre;
            s.*knob = value;
            if (space.contains(s)) {
                result.push_back(s);
            }
        }
    };
    vary(&Schedule::lanes, steps(space.lanes, centre.lanes));
    vary(&Schedule::vectors, steps(space.vectors, centre.vectors));
    vary(&Schedule::pixels, steps(space.pixels, centre.pixels));
    vary(&Schedule::rows, steps(space.rows, centre.rows));
    vary(&Schedule::unroll, steps(space.unroll, centre.unroll));
    vary(&Schedule::order, others(space.order, centre.order));
    vary(&Schedule::parallel, others(space.parallel, centre.parallel));
    vary(&Schedule::block, others(space.block, centre.block));
    vary(&Schedule::prefetch, others(space.prefetch, centre.prefetch));
    vary(&Schedule::depth, steps(space.depth, centre.depth));
    return result;
}

/// The best schedules by the model, each of another register tile.
std::vector<Schedule> best_tiles(const Layer &layer, const ScheduleSpace &space, const IsaInfo &isa,
                                 std::size_t most) {
    std::vector<std::pair<double, Schedule>> ranked;
    const Schedule usual = default_schedule(space);
    for (const Schedule &s : space.all()) {
        if (s.order == usual.order && s.unroll == usual.unroll && has_modest_tile(layer, s, isa)) {
            ranked.emplace_back(estimated_cycles(layer, s, isa), s);
        }
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto &a, const auto &b) { return a.first < b.first; });
    std::vector<Schedule> best = {usual};
    for (std::size_t i = 0; i < ranked.size() && best.size() < most; i++) {
        if (ranked[i].second != usual) {
            best.push_back(ranked[i].second);
        }
    }
    return best;
}

} // namespace

KernelPlan usual_plan(const std::vector<Layer> &layers, const IsaInfo &isa, int threads) {
    if (layers.size() > 1) {
        return default_chain(layers, isa, threads);
    }
    Schedule s = default_schedule(layers[0], isa, default_threads);
    if (threads == 1) {
        s.parallel = ParallelOver::none;
    }
    return s;
}

PlanSpace::PlanSpace(const std::vector<Layer> &layers, const IsaInfo &isa, int threads)
    : layers_(layers), isa_(isa), threads_(threads), usual_(usual_plan(layers, isa, threads)) {
    if (layers.size() == 1) {
        single_ = schedule_space(layers[0], isa);
        if (threads == 1) {
            single_.parallel = {ParallelOver::none};
        }
        list_layer();
    } else {
        chain_ = chain_space(layers, isa);
        if (threads == 1) {
            chain_.parts = {1};
        }
        sample_chain();
    }
    default_ = to_string(usual_);
    std::stable_sort(plans_.begin(), plans_.end(),
                     [](const Plan &a, const Plan &b) { return a.rank < b.rank; });
}

void PlanSpace::list_layer() {
    for (const Schedule &s : single_.all()) {
        add(s);
    }
}

/// Every strip with the members' best tiles, one member's tile at a time and all of them at once.
void PlanSpace::sample_chain() {
    constexpr std::size_t tiles = 6;
    for (const int parts : chain_.parts) {
        for (const int rows : chain_.rows) {
            KernelPlan plan;
            plan.rows = rows;
            plan.parts = parts;
            std::vector<std::vector<Schedule>> choices;
            for (std::size_t i = 0; i < layers_.size(); i++) {
                choices.push_back(best_tiles(layers_[i], member(i, rows), isa_, tiles));
                plan.members.push_back(choices.back().front());
            }
            if (!contains(plan)) {
                continue;
            }
            add(plan);
            for (std::size_t i = 0; i < layers_.size(); i++) {
                for (std::size_t k = 1; k < choices[i].size(); k++) {
                    KernelPlan other = plan;
                    other.members[i] = choices[i][k];
                    add(other);
                }
            }
        }
    }
}

void PlanSpace::add(const KernelPlan &plan) {
    Plan p;
    p.text = to_string(plan);
    p.tile = fmt::format("{} {}", plan.rows, plan.parts);
    for (const Schedule &s : plan.members) {
        p.tile += fmt::format(" {} {} {} {}", s.lanes, s.vectors, s.pixels, s.rows);
    }
    p.rank = rank(plan);
    plans_.push_back(p);
}

ScheduleSpace PlanSpace::member(std::size_t i, int rows) const {
    return layers_.size() == 1 ? single_ : chain_.member(i, rows);
}

bool PlanSpace::contains(const KernelPlan &plan) const {
    if (plan.members.size() != layers_.size()) {
        return false;
    }
    return layers_.size() == 1
               ? plan.rows == 0 && plan.parts == 1 && single_.contains(plan.members[0])
               : chain_.contains(plan);
}

bool PlanSpace::contains(const std::string &plan) const {
    try {
        return contains(parse_kernel_plan(plan));
    } catch (const UserError &) { // of other hardware
        return false;
    }
}

Cycles PlanSpace::predicted(const KernelPlan &plan) const {
    double cycles = 0;
    for (std::size_t i = 0; i < layers_.size(); i++) {
        cycles += estimated_cycles(layers_[i], plan.members[i], isa_);
    }
    if (plan.fused()) {
        const int strips = layers_.back().output.height / plan.rows;
        cycles += beginning * static_cast<double>(layers_.size()) * strips;
    }
    return Cycles(plan.parallel() ? cycles / threads_ + meeting : cycles);
}

Cycles PlanSpace::predicted(const std::string &plan) const {
    return predicted(parse_kernel_plan(plan));
}

/// The prediction, and what it does not see: first the loops as defaults have them, modest tiles,
/// and tensors in between that stay in a second cache.
double PlanSpace::rank(const KernelPlan &plan) const {
    double rank = predicted(plan).count();
    for (std::size_t i = 0; i < layers_.size(); i++) {
        const Schedule &s = plan.members[i];
        rank *= has_modest_tile(layers_[i], s, isa_) ? 1 : 1.15;
        rank *= s.order == usual_.members[i].order ? 1 : 1.02;
        rank *= s.unroll == usual_.members[i].unroll ? 1 : 1.01;
    }
    constexpr std::int64_t near = 512 * 1024;
    return plan.fused() && scratch_bytes(layers_, plan).count() > near ? 1.1 * rank : rank;
}

std::vector<std::string> PlanSpace::neighbours(const std::string &text) const {
    const KernelPlan centre = parse_kernel_plan(text);
    std::vector<std::string> result;
    const auto take = [&](const KernelPlan &plan) {
        if (contains(plan)) {
            result.push_back(to_string(plan));
        }
    };
    for (std::size_t i = 0; i < layers_.size(); i++) {
        for (const Schedule &s : next_to(member(i, centre.rows), centre.members[i])) {
            KernelPlan plan = centre;
            plan.members[i] = s;
            take(plan);
        }
    }
    const auto vary = [&](int KernelPlan::*knob, const std::vector<int> &values) {
        for (const int value : values) {
            KernelPlan plan = centre;
            plan.*knob = value;
            take(plan);
        }
    };
    if (centre.fused()) {
        vary(&KernelPlan::rows, others(chain_.rows, centre.rows));
        vary(&KernelPlan::parts, others(chain_.parts, centre.parts));
    }
    return result;
}

std::optional<std::string> PlanSpace::of_members(int rows,
                                                 const std::vector<std::string> &plans) const {
    KernelPlan plan;
    plan.rows = rows;
    plan.parts = usual_.parts;
    for (std::size_t i = 0; i < layers_.size(); i++) {
        const ScheduleSpace space = member(i, rows);
        Schedule own = default_schedule(space);
        if (!plans[i].empty()) {
            Schedule given = parse_schedule(plans[i]);
            given.parallel = ParallelOver::none;
            own = space.contains(given) ? given : own;
        }
        plan.members.push_back(own);
    }
    return contains(plan) ? std::optional(to_string(plan)) : std::nullopt;
}

std::vector<int> PlanSpace::strips() const {
    return layers_.size() == 1 ? std::vector<int>() : chain_.rows;
}

} // namespace edgefront
