#include "search/refine.h"

#include "base/files.h"
#include "search/design_space_json.h"
#include "search/front_view.h"
#include "search/parallel.h"
#include "search/repricing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace edgefront {

namespace fs = std::filesystem;

namespace {

constexpr const char *refined_schema = "edgefront/refined/1";
constexpr const char *measured_target = "host";

bool better(const RunResult &result, const std::vector<double> &a, const std::vector<double> &b) {
    for (std::size_t o = 0; o < a.size(); o++) {
        if (a[o] != b[o]) {
            return result.objectives[o].sense == Sense::minimise ? a[o] < b[o] : a[o] > b[o];
        }
    }
    return false;
}

std::optional<Metric> metric_of(const std::string &name) {
    const auto &names = metric_names();
    const auto at = std::find(names.begin(), names.end(), name);
    return at == names.end() ? std::nullopt
                             : std::optional(static_cast<Metric>(at - names.begin()));
}

/// The second figures of a network, by name of the target; of a measured one just the latency.
using Figures = std::map<std::string, Repriced>;

/// Second figures of one network: `refined` without what it takes a front to know.
class Refinery {
public:
    Refinery(const RunResult &result, const Zoo &zoo, const RefineRequest &request,
             const RefineHooks &hooks)
        : result_(result), request_(request), hooks_(hooks),
          space_(read_space(
              JsonReader::parse(result.config.space.dump(), "front.json#/config/space"), zoo)),
          axes_(space_.axes()), targets_(price_targets(space_)) {
        require_same_constants();
        choose_method();
        for (const auto &target : targets_) {
            if (by_ == RefineBy::search && target.model->searches()) {
                models_.emplace(target.name, std::make_unique<ThoroughModel>(*target.model,
                                                                             refined_most_priced));
            }
        }
    }

    RefineBy by() const { return by_; }

    /// By search; safe to call from many threads.
    RunPoint searched(RunPoint point) const {
        return with_figures(std::move(point), [&](RefinedPoint &refined, const Network &network) {
            Figures figures;
            for (const auto &target : targets_) {
                if (const auto model = models_.find(target.name); model != models_.end()) {
                    const Repriced r = reprice(*model->second, network, target.workload);
                    refined.fused += r.fused;
                    refined.unproven += r.unproven;
                    figures.emplace(target.name, r);
                }
            }
            return figures;
        });
    }

    /// By the clock; nothing when stopped.
    std::optional<RunPoint>
    measured(RunPoint point,
             const std::function<void(double, const std::string &)> &progress) const {
        bool stopped = false;
        const auto host = std::find_if(targets_.begin(), targets_.end(), [](const auto &target) {
            return target.name == measured_target;
        });
        point = with_figures(std::move(point), [&](RefinedPoint &refined, const Network &network) {
            BuildContext build = hooks_.build;
            build.cache = build.cache.empty() ? cache_directory() : build.cache;
            const Measurement m = measure(
                network, {host->workload.threads, request_.bench, build, hooks_.stop, progress});
            stopped = m.interrupted;
            refined.failure = m.failure;
            Figures figures;
            if (m.time) {
                refined.time = {m.time->median.count() * 1e3, m.time->least.count() * 1e3,
                                m.time->p90.count() * 1e3, m.time->runs};
                figures[measured_target].latency_ps = std::llround(m.time->median.count() * 1e12);
            }
            return figures;
        });
        return stopped ? std::nullopt : std::optional(std::move(point));
    }

private:
    void require_same_constants() const {
        for (std::size_t t = 0; t < targets_.size(); t++) {
            const RunTarget &then = result_.config.targets.at(t);
            const std::string &now = targets_[t].model->target().hash;
            if (then.hash != now) {
                throw UserError(fmt::format(
                    "the constants of {} have changed since this run ({} -> {}): its figures and "
                    "new ones are not comparable; sweep again",
                    then.name, then.hash, now));
            }
        }
    }

    /// Whether a method has a second figure for a quantity.
    bool replaces(RefineBy by, Metric metric, const std::string &target) const {
        const auto priced = std::find_if(targets_.begin(), targets_.end(),
                                         [&](const auto &t) { return t.name == target; });
        if (priced == targets_.end()) {
            return false;
        }
        switch (metric) {
        case Metric::latency_ms:
        case Metric::frames_per_second:
            return by == RefineBy::search ? priced->model->searches() : target == measured_target;
        case Metric::energy_mj:
        case Metric::peak_bytes: return by == RefineBy::search && priced->model->searches();
        case Metric::macs:
        case Metric::params: break;
        }
        return false;
    }

    bool any_objective(RefineBy by) const {
        const auto &columns = result_.objectives;
        return std::any_of(columns.begin(), columns.end(), [&](const ObjectiveColumn &column) {
            const auto metric = metric_of(column.metric);
            return metric && replaces(by, *metric, column.target);
        });
    }

    void choose_method() {
        const auto before = refined_by(result_);
        const bool searchable = any_objective(RefineBy::search);
        by_ = request_.by.value_or(
            before.value_or(searchable ? RefineBy::search : RefineBy::measure));
        if (before && *before != by_) {
            throw UserError(fmt::format(
                "points of this run are refined by {} already: figures by {} cannot be ranked with "
                "them",
                to_string(*before), to_string(by_)));
        }
        if (!any_objective(by_)) {
            throw UserError(
                by_ == RefineBy::search
                    ? "no objective is of a target whose mappings are searched (kinds edgetpu, "
                      "dsp...): there is nothing that a search could refine"
                : request_.by
                    ? "no objective is a latency or frame rate on host, the target that is measured"
                    : "no objective can be refined: none is of a target whose mappings are "
                      "searched, nor a latency or frame rate on host");
        }
        if (by_ == RefineBy::measure) {
            for (const auto &target : targets_) {
                if (target.name == measured_target && target.workload.precision != DataType::fp32) {
                    throw UserError("the kernels that can be measured compute in fp32; this space "
                                    "runs host in " +
                                    to_string(target.workload.precision));
                }
            }
        }
    }

    template <typename Find>
    RunPoint with_figures(RunPoint point, const Find &find) const {
        RefinedPoint refined;
        refined.by = by_;
        refined.predicted = point.first_values();
        refined.kinds.resize(refined.predicted.size());
        point.values = refined.predicted;
        Figures figures;
        try {
            figures = find(refined, space_.network(space_.parse(point.choices, axes_)));
        } catch (const UserError &e) {
            refined.failure = e.what();
        }
        if (!figures.empty()) {
            replace(point.values, refined, figures);
        }
        point.refined = std::move(refined);
        return point;
    }

    static std::int64_t amount(Metric metric, const Repriced &figures) {
        switch (metric) {
        case Metric::latency_ms:
        case Metric::frames_per_second: return figures.latency_ps;
        case Metric::energy_mj: return figures.energy_pj;
        case Metric::peak_bytes: return figures.peak_bytes;
        case Metric::macs:
        case Metric::params: break;
        }
        return 0;
    }

    void replace(std::vector<double> &values, RefinedPoint &refined, const Figures &figures) const {
        for (std::size_t o = 0; o < values.size(); o++) {
            const ObjectiveColumn &column = result_.objectives[o];
            const auto metric = metric_of(column.metric);
            if (!metric || !replaces(by_, *metric, column.target)) {
                continue;
            }
            const Repriced &own = figures.at(column.target);
            const std::int64_t second = amount(*metric, own);
            const double value = value_of(*metric, second);
            // Tables round every block to whole picoseconds and picojoules.
            const int rounded = *metric == Metric::peak_bytes ? 0 : own.layers;
            const double noise = std::abs(values[o]) * rounded / static_cast<double>(second);
            if (std::abs(value - values[o]) > noise) {
                values[o] = value;
            }
            refined.kinds[o] = by_ == RefineBy::search ? kind_of(*metric) : CostKind::measured;
        }
        for (const auto &constraint : space_.constraints) {
            const Measure &measure = constraint.measure;
            if (!replaces(by_, measure.metric, measure.target)) {
                continue;
            }
            const double value =
                value_of(measure.metric, amount(measure.metric, figures.at(measure.target)));
            if ((constraint.at_most && value > *constraint.at_most) ||
                (constraint.at_least && value < *constraint.at_least)) {
                refined.breaks.push_back(fmt::format("{} ({})", constraint.name(), value));
            }
        }
    }

    const RunResult &result_;
    const RefineRequest &request_;
    const RefineHooks &hooks_;
    DesignSpace space_;
    std::vector<Axis> axes_;
    std::vector<PricedTarget> targets_;
    RefineBy by_ = RefineBy::search;
    std::map<std::string, std::unique_ptr<ThoroughModel>> models_;
};

bool is_done(const RunPoint &point) {
    return point.refined && point.refined->failure.empty();
}

/// refined.json: what is refined since front.json was written.
class Checkpoint {
public:
    explicit Checkpoint(const fs::path &directory) : path_(directory / "refined.json") {}

    /// Puts what is there into the points of `result`.
    void restore(RunResult &result) {
        if (!fs::exists(path_)) {
            return;
        }
        const JsonReader json = JsonReader::parse_file(path_);
        if (json.at("schema").string() != refined_schema) {
            throw json.at("schema").error(std::string("expected \"") + refined_schema + "\"");
        }
        std::map<std::string, RunPoint *> by_id;
        for (auto &point : result.points) {
            by_id[point.id] = &point;
        }
        for (const auto &row : json.at("points").items()) {
            const auto found = by_id.find(row.at("id").string());
            if (found == by_id.end()) {
                throw row.error("the front has no such point; delete the file to refine anew");
            }
            RunPoint &point = *found->second;
            const std::size_t objectives = result.objectives.size();
            RefinedPoint refined = read_refined_point(row.at("refined"), objectives);
            const std::vector<double> values = row.at("values").numbers(-1e300, 1e300);
            if (refined.predicted != point.first_values() || values.size() != objectives) {
                throw row.error("it is of another front; delete the file to refine anew");
            }
            row.finish();
            point.values = values;
            point.refined = std::move(refined);
            add(point);
        }
        json.finish();
    }

    void add(const RunPoint &point) {
        points_.push_back(
            {{"id", point.id}, {"values", point.values}, {"refined", to_json(*point.refined)}});
    }
    void save() const {
        write_file(path_, dump_lines({{"schema", refined_schema}, {"points", points_}}));
    }
    void remove() const {
        std::error_code ec;
        fs::remove(path_, ec);
    }

private:
    fs::path path_;
    Json points_ = Json::array();
};

/// One call of `refine`.
class Refinement {
public:
    Refinement(RunResult &result, const Refinery &refinery, const RefineHooks &hooks,
               Checkpoint &checkpoint)
        : result_(result), refinery_(refinery), hooks_(hooks), checkpoint_(checkpoint) {}

    /// False when stopped.
    bool run(const std::vector<std::size_t> &wanted) {
        progress_.planned = wanted.size();
        const std::size_t at_once = refinery_.by() == RefineBy::search
                                        ? static_cast<std::size_t>(std::max(hooks_.threads, 1))
                                        : 1; // two would disturb each other
        for (std::size_t first = 0; first < wanted.size(); first += at_once) {
            if (hooks_.stop && hooks_.stop()) {
                return false;
            }
            const std::size_t count = std::min(at_once, wanted.size() - first);
            const std::vector<std::size_t> batch(
                wanted.begin() + static_cast<std::ptrdiff_t>(first),
                wanted.begin() + static_cast<std::ptrdiff_t>(first + count));
            if (!(refinery_.by() == RefineBy::search ? search(batch) : measure(batch.front()))) {
                return false;
            }
            checkpoint_.save();
            tell(0, "");
        }
        return true;
    }

    std::size_t done() const { return progress_.done; }

private:
    bool search(const std::vector<std::size_t> &batch) {
        tell(0, result_.points[batch.front()].id);
        parallel_for(batch.size(), hooks_.threads, 1, [&](std::size_t i) {
            result_.points[batch[i]] = refinery_.searched(result_.points[batch[i]]);
        });
        for (const std::size_t i : batch) {
            checkpoint_.add(result_.points[i]);
        }
        progress_.done += batch.size();
        return true;
    }

    bool measure(std::size_t i) {
        RunPoint &point = result_.points[i];
        auto measured = refinery_.measured(point, [&](double share, const std::string &doing) {
            tell(share, point.id + ": " + doing);
        });
        if (!measured) {
            return false;
        }
        point = std::move(*measured);
        checkpoint_.add(point);
        progress_.done++;
        return true;
    }

    void tell(double share, const std::string &doing) {
        progress_.share = share;
        progress_.doing = doing;
        if (hooks_.progress) {
            hooks_.progress(progress_);
        }
    }

    RunResult &result_;
    const Refinery &refinery_;
    const RefineHooks &hooks_;
    Checkpoint &checkpoint_;
    RefineProgress progress_;
};

} // namespace

std::optional<RefineBy> refined_by(const RunResult &result) {
    for (const auto &point : result.points) {
        if (is_done(point)) {
            return point.refined->by;
        }
    }
    return {};
}

std::vector<std::size_t> promising(const RunResult &result, std::size_t most) {
    // The order of the points depends on what is refined already; that of first figures does not.
    std::vector<const RunPoint *> points;
    for (const auto &point : result.points) {
        points.push_back(&point);
    }
    std::sort(points.begin(), points.end(), [&](const RunPoint *a, const RunPoint *b) {
        return better(result, a->first_values(), b->first_values());
    });
    Rows rows;
    for (const RunPoint *point : points) {
        rows.push_back(point->first_values());
    }
    if (rows.empty()) {
        return {};
    }
    std::vector<std::size_t> always = {knee(rows, result.senses())};
    for (const auto &mark : result.marks) {
        const auto at = std::find_if(points.begin(), points.end(), [&](const RunPoint *point) {
            return mark.on_front && point->id == mark.id;
        });
        if (at != points.end()) {
            always.push_back(static_cast<std::size_t>(at - points.begin()));
        }
    }
    std::vector<std::size_t> chosen = covering(rows, result.senses(), most, always);
    chosen.resize(std::min(chosen.size(), most));
    for (std::size_t &i : chosen) {
        i = static_cast<std::size_t>(points[i] - result.points.data());
    }
    return chosen;
}

void rank(RunResult &result) {
    const std::vector<Sense> senses = result.senses();
    std::vector<const RunPoint *> rivals;
    for (const auto &point : result.points) {
        if (is_done(point) && point.refined->breaks.empty()) {
            rivals.push_back(&point);
        }
    }
    std::sort(rivals.begin(), rivals.end(),
              [](const RunPoint *a, const RunPoint *b) { return a->id < b->id; });
    for (auto &point : result.points) {
        if (!is_done(point)) {
            continue;
        }
        point.refined->dominated_by.clear();
        for (const RunPoint *rival : rivals) {
            if (dominates(rival->values, point.values, senses)) {
                point.refined->dominated_by.push_back(rival->id);
            }
        }
    }
    std::sort(result.points.begin(), result.points.end(),
              [&](const RunPoint &a, const RunPoint &b) {
                  return a.values == b.values ? a.id < b.id : better(result, a.values, b.values);
              });
}

RefineOutcome refine(const fs::path &directory, const Zoo &zoo, const RefineRequest &request,
                     const RefineHooks &hooks) {
    const FolderLock lock(directory);
    RefineOutcome outcome;
    outcome.result = read_run(directory);
    RunResult &result = outcome.result;
    if (!result.finished) {
        throw UserError({directory.string(), ""},
                        "the sweep is not finished: its front may still change");
    }
    Checkpoint checkpoint(directory);
    checkpoint.restore(result);
    const Refinery refinery(result, zoo, request, hooks);
    std::vector<std::size_t> wanted = promising(result, request.points);
    wanted.erase(std::remove_if(wanted.begin(), wanted.end(),
                                [&](std::size_t i) { return is_done(result.points[i]); }),
                 wanted.end());
    Refinement refinement(result, refinery, hooks, checkpoint);
    outcome.interrupted = !refinement.run(wanted);
    outcome.refined = refinement.done();
    rank(result);
    write_result(directory, result);
    checkpoint.remove();
    return outcome;
}

} // namespace edgefront
