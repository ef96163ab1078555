#include "search/exact_problem.h"

#include <algorithm>

namespace edgefront {

OnceCurve::OnceCurve(const CostTables &tables, std::size_t target, bool energy,
                     std::vector<std::int64_t> sums, std::int64_t least, std::int64_t most)
    : tables_(&tables), target_(target), energy_(energy), sums_(std::move(sums)) {
    at_ = {least};
    value_ = {exact(least)};
    divide(least, most);
}

std::int64_t OnceCurve::exact(std::int64_t weights) const {
    sums_[tables_->column(target_, CostTables::weights)] = weights;
    const auto once = tables_->once(target_, sums_.data());
    return energy_ ? once.energy_pj : once.latency_ps;
}

/// A convex function is off its chord by at most twice what it is off in the middle. Here, with
/// values rounded to integers, by less than `error`.
bool OnceCurve::straight(std::int64_t least, std::int64_t most) const {
    if (most <= least) {
        return true;
    }
    const std::int64_t middle = least + (most - least) / 2, first = exact(least);
    const double share = static_cast<double>(middle - least) / static_cast<double>(most - least);
    const double chord =
        static_cast<double>(first) + share * static_cast<double>(exact(most) - first);
    return std::abs(chord - static_cast<double>(exact(middle))) <= 1.5;
}

void OnceCurve::divide(std::int64_t least, std::int64_t most) {
    if (most <= least) {
        return;
    }
    if (!straight(least, most)) {
        const std::int64_t middle = least + (most - least) / 2;
        divide(least, middle);
        divide(middle, most);
        return;
    }
    const std::int64_t last = exact(most);
    slope_.push_back(static_cast<double>(last - value_.back()) /
                     static_cast<double>(most - at_.back()));
    at_.push_back(most);
    value_.push_back(last);
}

std::int64_t OnceCurve::operator()(std::int64_t weights) const {
    if (at_.size() == 1) {
        return value_[0];
    }
    if (weights < at_[piece_] || weights > at_[piece_ + 1]) {
        const auto next = std::upper_bound(at_.begin() + 1, at_.end() - 1, weights);
        piece_ = static_cast<std::size_t>(next - at_.begin()) - 1;
    }
    return value_[piece_] +
           static_cast<std::int64_t>(slope_[piece_] * static_cast<double>(weights - at_[piece_]));
}

bool OnceCurve::flat(std::int64_t least, std::int64_t most) const {
    return exact(least) == exact(most);
}

ExactProblem::ExactProblem(const DesignSpace &space, const CostTables &tables)
    : space_(space), tables_(tables), guard_(space.spatial_mixing) {
    for (const auto &objective : space.objectives) {
        collect(objective.measure, objective.sense == Sense::minimise ? 1 : -1, nullptr);
    }
    for (const auto &constraint : space.constraints) {
        collect(constraint.measure, 0, &constraint);
    }
    if (guard_) {
        reach_ = sum_of(tables.column(CostTables::reach));
        mixing_ = sum_of(tables.column(CostTables::mixing));
    }
}

std::size_t ExactProblem::sum_of(std::size_t column) {
    const auto found = std::find(columns_.begin(), columns_.end(), column);
    if (found == columns_.end()) {
        columns_.push_back(column);
        return columns_.size() - 1;
    }
    return static_cast<std::size_t>(found - columns_.begin());
}

namespace {

/// Largest amount for which `holds`, a rule that holds from 0 up to somewhere; -1 when nowhere.
template <typename Rule>
std::int64_t last_amount(const Rule &holds) {
    std::int64_t good = -1, bad = std::int64_t{1} << 52;
    while (bad - good > 1) {
        const std::int64_t middle = good + (bad - good) / 2;
        (holds(middle) ? good : bad) = middle;
    }
    return good;
}

} // namespace

void ExactProblem::collect(const Measure &measure, int sense, const Constraint *constraint) {
    Goal q;
    while (q.target < space_.targets.size() && space_.targets[q.target].name != measure.target) {
        q.target++;
    }
    const std::size_t t = q.target;
    std::int64_t unit = 1;
    switch (measure.metric) {
    case Metric::latency_ms:
    case Metric::frames_per_second:
    case Metric::energy_mj:
        q.kind = Goal::Kind::timed;
        q.energy = measure.metric == Metric::energy_mj;
        q.sum =
            sum_of(tables_.column(t, q.energy ? CostTables::energy_pj : CostTables::latency_ps));
        q.weights = sum_of(tables_.column(t, CostTables::weights));
        break;
    case Metric::peak_bytes:
        q.kind = Goal::Kind::peak;
        q.sum = peak_ = sum_of(tables_.column(CostTables::live));
        unit = tables_.live_bytes(t);
        break;
    case Metric::macs: q.sum = sum_of(tables_.column(CostTables::mac_count)); break;
    case Metric::params: q.sum = sum_of(tables_.column(CostTables::param_count)); break;
    case Metric::top1: throw std::logic_error("top1 is no sum over blocks"); // check_accuracy
    }
    const auto same =
        std::find_if(goals_.begin(), goals_.end(), [&](const Goal &o) { return o.sum == q.sum; });
    const auto index = static_cast<std::size_t>(same - goals_.begin());
    if (same == goals_.end()) {
        goals_.push_back(q);
    }
    Goal &merged = goals_[index];
    if (constraint == nullptr) {
        merged.sense = sense;
        objectives_.push_back(index);
        return;
    }
    const auto value = [&](std::int64_t amount) { return value_of(measure.metric, amount * unit); };
    const bool falling = measure.metric == Metric::frames_per_second;
    if (constraint->at_most && !falling) {
        merged.at_most =
            std::min(merged.at_most,
                     last_amount([&](std::int64_t n) { return value(n) <= *constraint->at_most; }));
    } else if (constraint->at_most) {
        merged.at_least = std::max(merged.at_least, 1 + last_amount([&](std::int64_t n) {
                                                        return value(n) > *constraint->at_most;
                                                    }));
    } else if (falling) {
        merged.at_most = std::min(merged.at_most, last_amount([&](std::int64_t n) {
                                      return value(n) >= *constraint->at_least;
                                  }));
    } else {
        merged.at_least = std::max(merged.at_least, 1 + last_amount([&](std::int64_t n) {
                                                        return value(n) < *constraint->at_least;
                                                    }));
    }
    if (merged.kind == Goal::Kind::peak) {
        most_live_ = merged.at_most;
    }
}

bool ExactProblem::allowed(const std::int64_t *row) const {
    for (std::size_t t = 0; t < space_.targets.size(); t++) {
        if (row[tables_.column(t, CostTables::refused)] > 0) {
            return false;
        }
    }
    return row[tables_.column(CostTables::live)] <= most_live_;
}

void ExactProblem::add(std::int64_t *sums, const std::int64_t *row) const {
    for (std::size_t i = 0; i < columns_.size(); i++) {
        const std::int64_t amount = row[columns_[i]];
        sums[i] = i == peak_ ? std::max(sums[i], amount) : sums[i] + amount;
    }
}

void ExactProblem::join(std::int64_t *sums, const std::int64_t *others) const {
    for (std::size_t i = 0; i < columns_.size(); i++) {
        sums[i] = i == peak_ ? std::max(sums[i], others[i]) : sums[i] + others[i];
    }
}

void ExactProblem::begin_stage(std::int64_t *sums) const {
    if (guard_) {
        sums[mixing_] = 0;
    }
}

Rest ExactProblem::nothing() const {
    return {true, std::vector<std::int64_t>(sums(), 0), std::vector<std::int64_t>(sums(), 0)};
}

Rest ExactProblem::after(const std::int64_t *row, const Rest &rest) const {
    Rest result = rest;
    if (!allowed(row)) {
        result.possible = false;
    }
    if (result.possible) {
        add(result.low.data(), row);
        add(result.high.data(), row);
        begin_stage(result.low.data());
        begin_stage(result.high.data());
    }
    return result;
}

void ExactProblem::widen(Rest &rest, const std::int64_t *own) const {
    if (!rest.possible) {
        rest = {true, {own, own + sums()}, {own, own + sums()}};
    }
    for (std::size_t i = 0; i < sums(); i++) {
        rest.low[i] = std::min(rest.low[i], own[i]);
        rest.high[i] = std::max(rest.high[i], own[i]);
    }
}

void ExactProblem::append(Rest &rest, const Rest &other) const {
    rest.possible = rest.possible && other.possible;
    if (rest.possible) {
        join(rest.low.data(), other.low.data());
        join(rest.high.data(), other.high.data());
    }
}

void ExactProblem::widen_by(Rest &rest, const Rest &other) const {
    if (other.possible) {
        widen(rest, other.low.data());
        widen(rest, other.high.data());
    }
}

void ExactProblem::fill_stage(std::size_t s) {
    const Stage &stage = skeleton_->stages[s];
    const std::size_t outs = stage.channels.size(), depth = stage.positions.size();
    behind_[s].assign(outs, Rest());
    rests_[s].assign(depth, std::vector<Rest>(outs));
    for (std::size_t out = 0; out < outs; out++) {
        Rest &end = behind_[s][out];
        if (s + 1 == skeleton_->stages.size()) {
            end = after(tables_.head_row(context_, out), nothing());
        } else {
            const Stage &next = skeleton_->stages[s + 1];
            for (std::size_t further = 0; further < next.channels.size(); further++) {
                for (std::size_t o = 0; o < next.positions[0].size(); o++) {
                    widen_by(end, after(tables_.block_row(s + 1, 0, context_, out, further, o),
                                        rest(s + 1, 1, further)));
                }
            }
        }
        for (std::size_t p = depth; p >= 1; p--) {
            Rest &here = rests_[s][p - 1][out];
            if (std::find(stage.depths.begin(), stage.depths.end(), static_cast<int>(p)) !=
                stage.depths.end()) {
                here = end;
            }
            for (std::size_t o = 0; p < depth && o < stage.positions[p].size(); o++) {
                widen_by(here,
                         after(tables_.block_row(s, p, context_, 0, out, o), rest(s, p + 1, out)));
            }
        }
    }
}

void ExactProblem::enter(std::size_t context) {
    context_ = context;
    skeleton_ = &space_.skeleton(space_.contexts()[context]);
    reach_wanted_ = space_.contexts()[context].resolution - 1;
    rests_.resize(skeleton_->stages.size());
    behind_.resize(skeleton_->stages.size());
    for (std::size_t s = skeleton_->stages.size(); s-- > 0;) {
        fill_stage(s);
    }
    Rest whole;
    if (skeleton_->stages.empty()) {
        widen_by(whole, after(tables_.head_row(context_, 0), nothing()));
    } else {
        const Stage &first = skeleton_->stages[0];
        for (std::size_t out = 0; out < first.channels.size(); out++) {
            for (std::size_t o = 0; o < first.positions[0].size(); o++) {
                widen_by(whole,
                         after(tables_.block_row(0, 0, context_, 0, out, o), rest(0, 1, out)));
            }
        }
    }
    draw_curves(after(tables_.stem_row(context_), whole));
}

void ExactProblem::draw_curves(const Rest &whole) {
    curves_.clear();
    goal_curve_.assign(goals_.size(), 0);
    if (!whole.possible) {
        return;
    }
    std::vector<std::int64_t> sums(tables_.columns(), 0);
    for (std::size_t c = 0; c < sums.size(); c++) {
        sums[c] = tables_.stem_row(context_)[c] + tables_.head_row(context_, 0)[c];
    }
    for (std::size_t i = 0; i < goals_.size(); i++) {
        const Goal &q = goals_[i];
        if (q.kind == Goal::Kind::timed) {
            goal_curve_[i] = curves_.size();
            curves_.emplace_back(tables_, q.target, q.energy, sums, whole.low[q.weights],
                                 whole.high[q.weights]);
        }
    }
}

} // namespace edgefront
