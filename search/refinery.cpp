#include "search/refinery.h"

#include "search/design_space_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

constexpr const char *measured_target = "host";

std::optional<Metric> metric_of(const std::string &name) {
    const auto &names = metric_names();
    const auto at = std::find(names.begin(), names.end(), name);
    return at == names.end() ? std::nullopt
                             : std::optional(static_cast<Metric>(at - names.begin()));
}

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

bool Refinery::any_objective(RefineBy by) const {
    const auto &columns = result_.objectives;
    return std::any_of(columns.begin(), columns.end(), [&](const ObjectiveColumn &column) {
        const auto metric = metric_of(column.metric);
        return metric && replaces(by, *metric, column.target);
    });
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
    }
}

void Refinery::require_kernels() const {
    const DataType precision = target(measured_target)->workload.precision;
    if (precision != DataType::fp32) {
        throw UserError("kernels that can be measured compute in fp32; this space runs host in " +
                        to_string(precision));
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
    MeasureOptions options{target(measured_target)->workload.threads, request_.bench, hooks_.build,
                           hooks_.stop, progress};
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
        figures = find(refined, space_.network(space_.parse(point.choices)));
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
        const ObjectiveColumn &column = result_.objectives[o];
        const auto metric = metric_of(column.metric);
        if (!metric || !replaces(by_, *metric, column.target)) {
            continue;
        }
        const Repriced &own = figures.at(column.target);
        const std::int64_t second = amount(*metric, own);
        const double value = value_of(*metric, second);
        // Tables round every block to whole picoseconds and picojoules: no difference.
        const int rounded = *metric == Metric::peak_bytes ? 0 : own.layers;
        const double noise = std::abs(values[o]) * rounded / static_cast<double>(second);
        if (std::abs(value - values[o]) > noise) {
            values[o] = value;
        }
        refined.kinds[o] = by_ == RefineBy::measure ? CostKind::measured : kind_of(*metric);
    }
}

/// Constraints that second figures do not keep, each with the value.
std::vector<std::string> Refinery::broken(const Figures &figures) const {
    std::vector<std::string> names;
    for (const auto &constraint : space_.constraints) {
        const Measure &measure = constraint.measure;
        if (!replaces(by_, measure.metric, measure.target)) {
            continue;
        }
        const double value =
            value_of(measure.metric, amount(measure.metric, figures.at(measure.target)));
        if ((constraint.at_most && value > *constraint.at_most) ||
            (constraint.at_least && value < *constraint.at_least)) {
            names.push_back(fmt::format("{} ({:.4g})", constraint.name(), value));
        }
    }
    return names;
}

} // namespace edgefront
