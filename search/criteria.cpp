#include "search/labels.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// Two of the curve's errors, what rounding to whole picoseconds takes between the two ends of a
/// criterion's range, and one to be strictly better.
constexpr std::int64_t curve_margin = 2 * OnceCurve::error + 3;
/// The same for one criterion where the curve is straight: what it is off between the ends, too.
constexpr std::int64_t straight_margin = curve_margin + 2 * OnceCurve::error;

} // namespace

Criteria::Criteria(const ExactProblem &problem, const Rest &rest, const Rest &own, bool tolerant)
    : problem_(problem), rest_(rest) {
    time(own);
    list(own, tolerant);
}

void Criteria::time(const Rest &own) {
    const auto &goals = problem_.goals();
    timings_.resize(goals.size());
    for (std::size_t i = 0; i < goals.size(); i++) {
        const Goal &q = goals[i];
        if (q.kind != Goal::Kind::timed) {
            continue;
        }
        Timing &timing = timings_[i];
        timing.light = rest_.low[q.weights];
        timing.heavy = rest_.high[q.weights];
        const std::int64_t least = own.low[q.weights], most = own.high[q.weights];
        const OnceCurve &curve = problem_.curve(i);
        timing.flat = curve.flat(least + timing.light, most + timing.heavy);
        timing.fixed = curve(least + timing.light);
        timing.straight = curve.straight(least + timing.light, most + timing.heavy);
    }
}

/// Objectives first: those that add up, then those compared with a margin.
void Criteria::list(const Rest &own, bool tolerant) {
    const auto &goals = problem_.goals();
    const auto each = [&](auto body) {
        for (std::size_t i = 0; i < goals.size(); i++) {
            body(i, goals[i], goals[i].kind == Goal::Kind::timed && !timings_[i].flat);
        }
    };
    each([&](std::size_t i, const Goal &q, bool curved) {
        if (q.sense != 0 && q.kind != Goal::Kind::peak && !curved) {
            criteria_.push_back({Type::sum, i});
        }
    });
    strict_ = criteria_.size();
    each([&](std::size_t i, const Goal &q, bool curved) {
        if (q.sense != 0 && curved) {
            if (timings_[i].straight) {
                criteria_.push_back({Type::earliest, i, straight_margin});
            } else {
                criteria_.push_back({Type::earliest, i, curve_margin});
                criteria_.push_back({Type::latest, i, curve_margin});
            }
            margin_objective_ = true;
        }
    });
    each([&](std::size_t i, const Goal &q, bool curved) {
        const bool peak = q.kind == Goal::Kind::peak;
        const std::int64_t margin = curved ? curve_margin : 0;
        if (peak && q.sense != 0) {
            criteria_.push_back({Type::peak, i});
        }
        if (!peak && q.at_most != Goal().at_most && (tolerant || q.sense != 1)) {
            criteria_.push_back({Type::most, i, margin});
            if (curved) {
                criteria_.push_back({Type::most_latest, i, margin});
            }
        }
        if (q.at_least != Goal().at_least && (tolerant || q.sense != -1 || peak)) {
            criteria_.push_back({peak ? Type::least_peak : Type::least, i, margin});
            if (curved) {
                criteria_.push_back({Type::least_latest, i, margin});
            }
        }
    });
    // Where all labels are safe, nothing is left to compare.
    if (problem_.guarded() && !problem_.sees_all(own.low.data(), rest_)) {
        criteria_.push_back({Type::reach});
    }
    if (problem_.guarded() && key({Type::mixing}, own.low.data()) != safe_key) {
        criteria_.push_back({Type::mixing});
        flagged_ = true;
    }
}

std::optional<Criteria::Order> Criteria::first_sum() const {
    if (strict_ == 0) {
        return {};
    }
    const Goal &q = problem_.goals()[criteria_[0].goal];
    return Order{q.sum, q.sense};
}

std::int64_t Criteria::timed(std::size_t goal, const std::int64_t *sums, bool latest) const {
    const Goal &q = problem_.goals()[goal];
    if (q.kind != Goal::Kind::timed) {
        return sums[q.sum];
    }
    const Timing &timing = timings_[goal];
    const std::int64_t weights = sums[q.weights] + (latest ? timing.heavy : timing.light);
    return sums[q.sum] + (timing.flat ? timing.fixed : problem_.curve(goal)(weights));
}

std::int64_t Criteria::key(const Criterion &criterion, const std::int64_t *sums) const {
    const std::size_t i = criterion.goal;
    const Goal &q = problem_.goals()[i];
    const std::int64_t error = q.kind == Goal::Kind::timed ? OnceCurve::error : 0;
    const auto most = [&](bool latest) {
        const bool safe = timed(i, sums, true) + rest_.high[q.sum] + error <= q.at_most;
        return safe ? safe_key : timed(i, sums, latest);
    };
    const auto least = [&](bool latest) {
        const bool safe = timed(i, sums, false) + rest_.low[q.sum] - error >= q.at_least;
        return safe ? safe_key : -timed(i, sums, latest);
    };
    switch (criterion.type) {
    case Type::sum: return q.sense < 0 ? -sums[q.sum] : timed(i, sums, false);
    case Type::earliest: return timed(i, sums, false);
    case Type::latest: return timed(i, sums, true);
    case Type::peak: return std::max(sums[q.sum], rest_.low[q.sum]);
    case Type::most: return most(false);
    case Type::most_latest: return most(true);
    case Type::least: return least(false);
    case Type::least_latest: return least(true);
    case Type::least_peak:
        return std::max(sums[q.sum], rest_.low[q.sum]) >= q.at_least ? safe_key : -sums[q.sum];
    case Type::reach: {
        const std::size_t r = problem_.reach_sum();
        return problem_.sees_all(sums, rest_) ? safe_key : -sums[r];
    }
    case Type::mixing: {
        const std::size_t m = problem_.mixing_sum();
        return sums[m] + rest_.low[m] > 0 ? safe_key : 1;
    }
    }
    return 0;
}

bool Criteria::hopeless(const std::int64_t *sums) const {
    const auto &goals = problem_.goals();
    for (std::size_t i = 0; i < goals.size(); i++) {
        const Goal &q = goals[i];
        const std::int64_t error = q.kind == Goal::Kind::timed ? OnceCurve::error : 0;
        if (q.at_most == Goal().at_most && q.at_least == Goal().at_least) {
            continue;
        }
        if (q.kind == Goal::Kind::peak) {
            if (std::max(sums[q.sum], rest_.high[q.sum]) < q.at_least) {
                return true;
            }
        } else if (timed(i, sums, false) + rest_.low[q.sum] - error > q.at_most ||
                   timed(i, sums, true) + rest_.high[q.sum] + error < q.at_least) {
            return true;
        }
    }
    const std::size_t r = problem_.reach_sum();
    return problem_.guarded() && sums[r] + rest_.high[r] < problem_.reach_wanted();
}

bool Criteria::keys(const std::int64_t *sums, std::int64_t *keys) const {
    if (hopeless(sums)) {
        return false;
    }
    for (std::size_t k = 0; k < size(); k++) {
        keys[k] = key(criteria_[k], sums);
    }
    return true;
}

void Criteria::query(const std::int64_t *sums, const std::int64_t *keys, Tolerance tolerance,
                     std::int64_t *query) const {
    for (std::size_t k = 0; k < size(); k++) {
        const Criterion &criterion = criteria_[k];
        query[k] = keys[k] == safe_key ? safe_key : keys[k] - criterion.margin;
        if (tolerance.delta > 0 && criterion.type <= Type::peak) {
            query[k] += slack(criterion, sums, keys[k], tolerance);
        }
    }
}

/// The share of the least that the objective can end with, or of the least that the labels' own
/// blocks have in it.
std::int64_t Criteria::slack(const Criterion &criterion, const std::int64_t *sums, std::int64_t key,
                             Tolerance tolerance) const {
    const Goal &q = problem_.goals()[criterion.goal];
    std::int64_t least = sums[q.sum];
    if (criterion.type == Type::peak) {
        least = tolerance.of_own ? 0 : key; // shares of maxima would not add up
    } else if (!tolerance.of_own) {
        least = timed(criterion.goal, sums, false) + rest_.low[q.sum] -
                (criterion.margin > 0 ? OnceCurve::error : 0);
    }
    const double share = q.sense < 0 ? tolerance.delta / (1 + tolerance.delta) : tolerance.delta;
    return static_cast<std::int64_t>(std::max(0.0, static_cast<double>(least) * share));
}

bool Criteria::beats(const std::int64_t *a, const std::int64_t *a_keys, const std::int64_t *b,
                     const std::int64_t *b_keys, bool a_first) const {
    bool better = a_first;
    for (std::size_t k = 0; k < size(); k++) {
        const Criterion &criterion = criteria_[k];
        const Goal &q = problem_.goals()[criterion.goal];
        const bool objective = criterion.type <= Type::latest;
        if (criterion.margin == 0) {
            if (a_keys[k] > b_keys[k]) {
                return false;
            }
            better = better || (objective && a_keys[k] < b_keys[k]);
        } else if (a_keys[k] != safe_key) {
            // No more weights and no later, or earlier by the margin.
            const int sign = criterion.type >= Type::least ? -1 : 1;
            const bool plain =
                sign * a[q.weights] <= sign * b[q.weights] && sign * a[q.sum] <= sign * b[q.sum];
            if (!plain && (b_keys[k] == safe_key || a_keys[k] > b_keys[k] - criterion.margin)) {
                return false;
            }
            better = better || (objective && (!plain || a[q.sum] < b[q.sum]));
        }
    }
    return better;
}

bool Criteria::same_objectives(const std::int64_t *a, const std::int64_t *b) const {
    return std::equal(a, a + strict_, b);
}

void Criteria::ideal(const std::int64_t *sums, std::int64_t *costs) const {
    for (const std::size_t i : problem_.objectives()) {
        const Goal &q = problem_.goals()[i];
        if (q.kind == Goal::Kind::peak) {
            *costs++ = std::max(sums[q.sum], rest_.low[q.sum]);
        } else if (q.sense < 0) {
            *costs++ = -sums[q.sum] - rest_.high[q.sum];
        } else {
            *costs++ = timed(i, sums, false) + rest_.low[q.sum] -
                       (q.kind == Goal::Kind::timed ? OnceCurve::error : 0);
        }
    }
}

} // namespace edgefront
