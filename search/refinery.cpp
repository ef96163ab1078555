#include "search/refinery.h"

#include "search/design_space_json.h"
#include "search/kernels/tuning_db.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace edgefront {

namespace {

constexpr const char *measured_target = "host";

std::int64_t amount(Metric metric, const Repriced &figures) {
    switch (metric) {
    case Metric::latency_ms:
    case Metric::frames_per_second: return figures.latency_ps;
    case Metric::energy_mj: return figures.energy_pj;
    case Metric::peak_bytes: return figures.peak_bytes;
    case Metric::macs:
    case Metric::params:
    case Metric::top1: break;
    }
    return 0;
}

/// A value, and how far the tables' may be from it for no reason but rounding: they round every
/// layer to whole picoseconds and picojoules.
struct Figure {
    double value = 0;
    double noise = 0;
};

Figure figure(Metric metric, const Repriced &figures) {
    const std::int64_t whole = amount(metric, figures);
    const double value = value_of(metric, whole);
    const int rounded = metric == Metric::peak_bytes ? 0 : figures.layers;
    return {value, whole == 0 ? 0 : value * rounded / static_cast<double>(whole)};
}

Figure figure_of(const Measure &measure, const std::map<std::string, Repriced> &figures) {
    if (!measure.over) {
        return figure(measure.metric, figures.at(measure.target));
    }
    std::vector<double> values;
    double rounding = 0; // as a part of the value
    for (const auto &name : measure.over->targets) {
        const Figure one = figure(measure.metric, figures.at(name));
        values.push_back(one.value);
        rounding = std::max(rounding, one.value > 0 ? one.noise / one.value : 0);
    }
    const double value = measure.over->of(values);
    return {value, value * rounding};
}

} // namespace

Refinery::Refinery(const RunResult &result, const Zoo &zoo, const RefineRequest &request,
                   const RefineHooks &hooks)
    : result_(result), request_(request), hooks_(hooks),
      space_(read_space(JsonReader::parse(result.config.space.dump(), "front.json#/config/space"),
                        zoo)),
      targets_(price_targets(space_)) {
    require_same_constants();
    choose_method();
    for (const auto &target : targets_) {
        if (by_ == RefineBy::search && target.model->searches()) {
            models_.emplace(target.name,
                            std::make_unique<ThoroughModel>(*target.model, refined_most_priced));
        }
    }
}

const PricedTarget *Refinery::target(const std::string &name) const {
    const auto at = std::find_if(targets_.begin(), targets_.end(),
                                 [&](const PricedTarget &t) { return t.name == name; });
    return at == targets_.end() ? nullptr : &*at;
}

void Refinery::require_same_constants() const {
    for (const auto &then : result_.config.targets) {
        const PricedTarget *now = target(then.name);
        if (now != nullptr && now->model->target().hash != then.hash) {
            throw UserError(fmt::format("the constants of {} have changed since this run ({} -> "
                                        "{}): new figures are not comparable with its own; sweep "
                                        "again",
                                        then.name, then.hash, now->model->target().hash));
        }
    }
}

/// Whether a method has a second figure for a quantity on a target.
bool Refinery::replaces(RefineBy by, Metric metric, const std::string &name) const {
    const PricedTarget *priced = target(name);
    if (priced == nullptr) {
        return false;
    }
    switch (metric) {
    case Metric::latency_ms:
    case Metric::frames_per_second:
        return by == RefineBy::search ? priced->model->searches() : name == measured_target;
    case Metric::energy_mj:
    case Metric::peak_bytes: return by == RefineBy::search && priced->model->searches();
    case Metric::macs:
    case Metric::params:
    case Metric::top1: break;
    }
    return false;
}

/// Of a combination, whether it has one on any of the targets.
bool Refinery::replaces(RefineBy by, const Measure &measure) const {
    if (!measure.over) {
        return replaces(by, measure.metric, measure.target);
    }
    const auto &names = measure.over->targets;
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string &name) { return replaces(by, measure.metric, name); });
}

bool Refinery::any_objective(RefineBy by) const {
    const auto &objectives = space_.objectives;
    return std::any_of(objectives.begin(), objectives.end(),
                       [&](const Objective &o) { return replaces(by, o.measure); });
}

/// What a combination needs of the targets that have no second figures: the model's own.
void Refinery::add_plain(Figures &figures, const Network &network) const {
    const auto add = [&](const Measure &measure) {
        if (!measure.over || !replaces(by_, measure)) {
            return;
        }
        for (const auto &name : measure.over->targets) {
            if (figures.count(name) > 0) {
                continue;
            }
            const PricedTarget &priced = *target(name);
            const Estimate e = estimate(*priced.model, network, priced.workload);
            Repriced plain;
            plain.latency_ps = std::llround(e.total.latency.count() * 1e12);
            plain.energy_pj = std::llround(e.total.energy.count());
            plain.layers = static_cast<int>(e.layers.size());
            figures.emplace(name, plain);
        }
    };
    for (const auto &objective : space_.objectives) {
        add(objective.measure);
    }
    for (const auto &constraint : space_.constraints) {
        add(constraint.measure);
    }
}

void Refinery::choose_method() {
    const auto before = refined_by(result_);
    by_ = request_.by                       ? *request_.by
          : before                          ? *before
          : any_objective(RefineBy::search) ? RefineBy::search
                                            : RefineBy::measure;
    if (before && *before != by_) {
        throw UserError(fmt::format("points of this run are refined by {} already: figures by {} "
                                    "cannot be ranked with them",
                                    to_string(*before), to_string(by_)));
    }
    if (!any_objective(by_)) {
        throw UserError(std::string("nothing to refine") +
                        (request_.by ? " by " + to_string(by_) : "") +
                        ": search has second figures for objectives on targets whose mappings are "
                        "searched (kinds edgetpu and dsp), measure for latency and frame rate on "
                        "host");
    }
    if (by_ == RefineBy::measure) {
        require_kernels();
    } else if (!request_.db.empty()) {
        throw UserError("plans of the tuning database " + request_.db.string() +
                        " are for kernels that are measured; these points are refined by search");
    } else if (request_.timed) {
        throw UserError("a time for timed runs is of measure; these points are refined by search");
    }
}

void Refinery::require_kernels() const {
    const DataType precision = target(measured_target)->workload.precision;
    if (precision != DataType::fp32) {
        throw UserError("kernels that can be measured compute in fp32; this space runs host in " +
                        to_string(precision));
    }
    if (!request_.db.empty()) { // once, instead of a failure of every point
        if (!std::filesystem::exists(request_.db)) {
            throw UserError({request_.db.string(), ""},
                            "there is no such tuning database; `edgefront tune` makes one");
        }
        TuningDb opens(request_.db);
    }
}

RunPoint Refinery::searched(RunPoint point) const {
    return with_figures(std::move(point), [&](RefinedPoint &refined, const Network &network) {
        Figures figures;
        for (const auto &[name, model] : models_) {
            const Repriced r = reprice(*model, network, target(name)->workload);
            refined.fused += r.fused;
            refined.unproven += r.unproven;
            figures.emplace(name, r);
        }
        return figures;
    });
}

std::optional<RunPoint>
Refinery::measured(RunPoint point,
                   const std::function<void(double, const std::string &)> &progress) const {
    MeasureOptions options{target(measured_target)->workload.threads,
                           request_.db,
                           request_.bench,
                           hooks_.build,
                           hooks_.stop,
                           progress};
    if (options.build.cache.empty()) {
        options.build.cache = cache_directory();
    }
    bool stopped = false;
    point = with_figures(std::move(point), [&](RefinedPoint &refined, const Network &network) {
        const Measurement m = hooks_.measure(network, options);
        stopped = m.interrupted;
        refined.failure = m.failure;
        Figures figures;
        if (m.time) {
            refined.time = {milliseconds(m.time->median), milliseconds(m.time->least),
                            milliseconds(m.time->p90), m.time->runs};
            figures[measured_target].latency_ps = std::llround(m.time->median.count() * 1e12);
        }
        return figures;
    });
    return stopped ? std::nullopt : std::optional(std::move(point));
}

RunPoint
Refinery::with_figures(RunPoint point,
                       const std::function<Figures(RefinedPoint &, const Network &)> &find) const {
    RefinedPoint refined;
    refined.by = by_;
    refined.predicted = point.first_values();
    refined.kinds.resize(refined.predicted.size());
    point.values = refined.predicted;
    Figures figures;
    try {
        const Network network = space_.network(space_.parse(point.choices));
        figures = find(refined, network);
        if (!figures.empty()) {
            add_plain(figures, network);
        }
    } catch (const UserError &e) {
        refined.failure = e.what();
    }
    if (!figures.empty()) {
        replace(point.values, refined, figures);
        refined.breaks = broken(figures);
    }
    point.refined = std::move(refined);
    return point;
}

void Refinery::replace(std::vector<double> &values, RefinedPoint &refined,
                       const Figures &figures) const {
    for (std::size_t o = 0; o < values.size(); o++) {
        const Measure &measure = space_.objectives[o].measure;
        if (!replaces(by_, measure)) {
            continue;
        }
        const Figure second = figure_of(measure, figures);
        if (std::abs(second.value - values[o]) > second.noise) { // else no difference
            values[o] = second.value;
        }
        // A combination is with figures of models, whatever else is measured.
        refined.kinds[o] = by_ == RefineBy::measure && !measure.over ? CostKind::measured
                                                                     : kind_of(measure.metric);
    }
}

/// Constraints that second figures do not keep, each with the value.
std::vector<std::string> Refinery::broken(const Figures &figures) const {
    std::vector<std::string> names;
    for (const auto &constraint : space_.constraints) {
        if (!replaces(by_, constraint.measure)) {
            continue;
        }
        const Figure second = figure_of(constraint.measure, figures);
        if ((constraint.at_most && second.value > *constraint.at_most + second.noise) ||
            (constraint.at_least && second.value < *constraint.at_least - second.noise)) {
            names.push_back(fmt::format("{} ({:.4g})", constraint.name(), second.value));
        }
    }
    return names;
}

} // namespace edgefront
