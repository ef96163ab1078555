#include "hwmodels/calibrate.h"

#include "base/error.h"
#include "hwmodels/bounded_fit.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

namespace edgefront {

namespace {

using Vector = BoundedFit::Vector;
using Models = std::vector<std::unique_ptr<CostModel>>; ///< by task

/// A row with everything that fitted constants do not change, counted once.
struct Sample {
    struct Part {
        Layer layer;
        /// Under the mappings seen so far; a device takes the fastest of them.
        std::vector<LoopNest> nests;
        int times;
    };
    std::size_t task;
    std::vector<Part> parts;
    NetworkTotals sums;
    Workload workload;
    double published_s;
};

/// One fitted number in the form in which latencies are linear: x = value, or 1 / value.
struct Axis {
    std::string key;
    bool reciprocal;
    double least;
    double most;
    std::vector<std::size_t> tasks; ///< whose constant it is

    double value(double x) const { return reciprocal ? 1 / x : x; }
    Unknown unknown() const {
        return {least, most, std::max(least, reciprocal ? 0.0 : 0.1), reciprocal ? least : 1e-3};
    }
};

Sample sample_of(std::size_t task, const CostModel &model, const TimedNetwork &row) {
    Sample s{task, {}, totals(model, row.network, row.workload), row.workload, row.latency.count()};
    const Estimate e = estimate(model, row.network, row.workload);
    if (!e.supported()) {
        throw UserError("target " + model.target().name + " cannot run " + row.network.name +
                        ", a row to fit: " + e.unsupported.front());
    }
    for (const LayerEstimate &l : e.layers) {
        const auto same = std::find_if(s.parts.begin(), s.parts.end(),
                                       [&](const Sample::Part &p) { return p.layer == l.layer; });
        if (same != s.parts.end()) {
            same->times++;
        } else {
            s.parts.push_back({l.layer, {analyse(l.layer, l.mapping)}, 1});
        }
    }
    return s;
}

double least_s(const CostModel &model, const Sample::Part &part, const Workload &workload) {
    double least = INFINITY;
    for (const LoopNest &nest : part.nests) {
        const Verdict v = model.price(part.layer, nest, workload);
        least = std::min(least, std::get<Cost>(v).latency.count());
    }
    return least;
}

double predicted_s(const Models &models, const Sample &sample) {
    const CostModel &model = *models[sample.task];
    double total = model.network_cost(sample.sums, sample.workload).latency.count();
    for (const Sample::Part &p : sample.parts) {
        total += p.times * least_s(model, p, sample.workload);
    }
    return total;
}

/// Adds what `now` has, a look at the same rows with other constants, to the mappings of `all`.
void add_mappings(std::vector<Sample> &all, const std::vector<Sample> &now, const Models &models) {
    for (std::size_t i = 0; i < all.size(); i++) {
        const CostModel &model = *models[all[i].task];
        for (std::size_t k = 0; k < all[i].parts.size(); k++) {
            Sample::Part &part = all[i].parts[k];
            const Sample::Part &other = now[i].parts[k];
            if (least_s(model, other, now[i].workload) <
                least_s(model, part, all[i].workload) * (1 - 1e-12)) {
                part.nests.insert(part.nests.end(), other.nests.begin(), other.nests.end());
            }
        }
    }
}

Axis axis_for(const Target &target, const std::string &key, std::vector<std::size_t> tasks) {
    std::vector<std::string> known;
    for (const ConstantSpec &spec : constant_specs(target)) {
        if (!spec.is(ConstantSpec::rate) && !spec.is(ConstantSpec::time)) {
            continue;
        }
        if (!target.has(spec.key)) { // an optional one: the device has nothing like it
            if (spec.key == key) {
                throw UserError("'" + key + "' cannot be fitted: " + target.name +
                                " does not have it");
            }
            continue;
        }
        if (spec.key == key) {
            const bool rate = spec.is(ConstantSpec::rate);
            return {key, rate, rate ? 1 / spec.most : spec.least, rate ? 1 / spec.least : spec.most,
                    std::move(tasks)};
        }
        known.push_back(spec.key);
    }
    throw UserError("'" + key + "' of " + target.name + " cannot be fitted" +
                    did_you_mean(key, known) + "; expected one of " + join(known));
}

/// Rows or numbers that would count twice, and numbers that nobody shares.
void refuse_repetitions(const std::vector<CalibrationTask> &tasks,
                        const std::vector<std::string> &shared) {
    if (tasks.size() == 1 && !shared.empty()) {
        throw UserError("'" + shared.front() + "' cannot be shared: " + tasks.front().target.name +
                        " is the only target; fit it as its own (--fit)");
    }
    std::set<std::string> names;
    for (const CalibrationTask &task : tasks) {
        if (!names.insert(task.target.name).second) {
            throw UserError("target " + task.target.name + " is to be fitted twice");
        }
        std::vector<std::string> keys = task.own;
        keys.insert(keys.end(), shared.begin(), shared.end());
        std::set<std::string> seen;
        for (const std::string &key : keys) {
            if (!seen.insert(key).second) {
                throw UserError("'" + key + "' of " + task.target.name + " is to be fitted twice");
            }
        }
    }
}

std::vector<Axis> axes_of(const std::vector<CalibrationTask> &tasks,
                          const std::vector<std::string> &shared) {
    std::vector<Axis> axes;
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < tasks.size(); i++) {
        all.push_back(i);
        for (const std::string &key : tasks[i].own) {
            axes.push_back(axis_for(tasks[i].target, key, {i}));
        }
    }
    for (const std::string &key : shared) {
        for (const CalibrationTask &task : tasks) {
            axis_for(task.target, key, {}); // every target must have it
        }
        axes.push_back(axis_for(tasks.front().target, key, all));
    }
    return axes;
}

/// To `digits` significant decimal digits, as a file shows them.
double rounded(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return std::stod(text);
}

/// The targets with the values that the numbers `x` stand for.
std::vector<Target> targets_at(const std::vector<CalibrationTask> &tasks,
                               const std::vector<Axis> &axes, const Vector &x, bool as_in_a_file) {
    std::vector<Target> targets;
    for (const CalibrationTask &task : tasks) {
        targets.push_back(task.target);
    }
    for (std::size_t i = 0; i < axes.size(); i++) {
        const double value = axes[i].value(x[static_cast<Eigen::Index>(i)]);
        for (const std::size_t task : axes[i].tasks) {
            targets[task].constants[axes[i].key].value = as_in_a_file ? rounded(value, 6) : value;
        }
    }
    return targets;
}

Models models_of(std::vector<Target> targets) {
    Models models;
    for (Target &target : targets) {
        models.push_back(make_cost_model(std::move(target)));
    }
    return models;
}

/// All rows under the mappings that the models choose.
std::vector<Sample> samples_of(const std::vector<CalibrationTask> &tasks, const Models &models) {
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < tasks.size(); i++) {
        for (const TimedNetwork &row : tasks[i].rows) {
            samples.push_back(sample_of(i, *models[i], row));
        }
    }
    return samples;
}

Vector relative_errors(const Models &models, const std::vector<Sample> &samples) {
    Vector r(static_cast<Eigen::Index>(samples.size()));
    for (std::size_t i = 0; i < samples.size(); i++) {
        r[static_cast<Eigen::Index>(i)] =
            predicted_s(models, samples[i]) / samples[i].published_s - 1;
    }
    return r;
}

/// The fit of all numbers, with mappings that no longer change.
class SettledFit {
public:
    SettledFit(const std::vector<CalibrationTask> &tasks, const std::vector<Axis> &axes)
        : tasks_(tasks), axes_(axes) {
        std::vector<Unknown> unknowns;
        for (const Axis &axis : axes) {
            unknowns.push_back(axis.unknown());
        }
        samples_ = samples_of(tasks_, models_at(middle(unknowns)));
        const auto errors = [this](const Vector &x) {
            return relative_errors(models_at(x), samples_);
        };
        settle(unknowns, errors);
        // Mappings that are best with other constants may make those the better fit.
        for (Eigen::Index i = 0; i < best_.size(); i++) {
            for (const double factor : {0.5, 2.0}) {
                const Unknown &unknown = unknowns[static_cast<std::size_t>(i)];
                Vector x = best_;
                x[i] = std::clamp(x[i] * factor, unknown.least, unknown.most);
                look_for_mappings(x);
            }
        }
        settle(unknowns, errors);
    }

    std::vector<Target> targets() const { return targets_at(tasks_, axes_, best_, true); }
    const std::vector<Sample> &samples() const { return samples_; }

    /// What the fit without the row says about it.
    double held_out_s(std::size_t row) const {
        const Vector x = fit_->best_without(static_cast<Eigen::Index>(row));
        return predicted_s(models_of(targets_at(tasks_, axes_, x, true)), samples_[row]);
    }

    void refuse_undetermined() const {
        const std::vector<std::size_t> loose = fit_->undetermined(best_);
        if (!loose.empty()) {
            const Axis &axis = axes_[loose.front()];
            throw UserError("the rows of " + tasks_[axis.tasks.front()].target.name +
                            " do not determine " + axis.key +
                            ": at the best fit they do not depend on it; leave it out");
        }
    }

private:
    void look_for_mappings(const Vector &x) {
        const Models models = models_at(x);
        add_mappings(samples_, samples_of(tasks_, models), models);
    }

    /// Fits until the best fit brings no better mappings.
    void settle(const std::vector<Unknown> &unknowns, const BoundedFit::Residuals &errors) {
        bool settled = false;
        for (int round = 0; round < 8 && !settled; round++) {
            fit_.emplace(unknowns, errors);
            best_ = fit_->best();
            const Vector before = errors(best_);
            look_for_mappings(best_);
            settled = (errors(best_) - before).norm() < 1e-9;
        }
    }

    Models models_at(const Vector &x) const {
        return models_of(targets_at(tasks_, axes_, x, false));
    }

    const std::vector<CalibrationTask> &tasks_;
    const std::vector<Axis> &axes_;
    std::optional<BoundedFit> fit_;
    Vector best_;
    std::vector<Sample> samples_;
};

std::string names_of(const std::vector<CalibrationTask> &tasks) {
    std::vector<std::string> names;
    for (const CalibrationTask &task : tasks) {
        names.push_back(task.target.name);
    }
    return join(names);
}

std::size_t row_count(const std::vector<CalibrationTask> &tasks) {
    std::size_t rows = 0;
    for (const CalibrationTask &task : tasks) {
        rows += task.rows.size();
    }
    return rows;
}

/// What the file of the target says about the fit but for its rows.
Calibration calibration_of(const std::vector<CalibrationTask> &tasks, std::size_t which,
                           const std::vector<std::string> &shared) {
    Calibration c;
    c.fitted = tasks[which].own;
    if (tasks.size() > 1) {
        c.fitted.insert(c.fitted.end(), shared.begin(), shared.end());
        c.shared = shared;
        for (std::size_t i = 0; i < tasks.size(); i++) {
            if (i != which) {
                c.together_with.push_back(tasks[i].target.name);
            }
        }
    }
    return c;
}

} // namespace

CalibrationSet calibration_set(const Target &target, const std::vector<LatencyRow> &rows,
                               const Zoo &zoo) {
    CalibrationSet set;
    for (const LatencyRow &row : rows) {
        if (row.target != target.name || row.split != Split::calibrate) {
            continue;
        }
        const Family *family = zoo.find(row.network);
        if (family == nullptr) {
            if (std::find(set.skipped.begin(), set.skipped.end(), row.network) ==
                set.skipped.end()) {
                set.skipped.push_back(row.network);
            }
            continue;
        }
        Variant variant;
        variant.width = row.width;
        variant.resolution = row.resolution;
        set.rows.push_back({build(*family, variant),
                            workload_for(target, row.precision, row.threads), row.latency});
    }
    return set;
}

std::vector<Target> calibrate(const std::vector<CalibrationTask> &tasks,
                              const std::vector<std::string> &shared) {
    refuse_repetitions(tasks, shared);
    const std::vector<Axis> axes = axes_of(tasks, shared);
    const std::size_t rows = row_count(tasks);
    if (axes.empty() || rows < 2 * axes.size()) {
        throw UserError("fitting " + std::to_string(axes.size()) + " constants of " +
                        names_of(tasks) + " takes at least " + std::to_string(2 * axes.size()) +
                        " rows (two for each), there are " + std::to_string(rows));
    }
    const SettledFit fit(tasks, axes);
    fit.refuse_undetermined();
    std::vector<Target> results = fit.targets();
    const Models models = models_of(results);
    for (std::size_t i = 0; i < results.size(); i++) {
        results[i].calibration = calibration_of(tasks, i, shared);
    }
    for (std::size_t i = 0, place = 0; i < fit.samples().size(); i++, place++) {
        const Sample &sample = fit.samples()[i];
        if (i > 0 && sample.task != fit.samples()[i - 1].task) {
            place = 0;
        }
        results[sample.task].calibration->rows.push_back(
            {tasks[sample.task].rows[place].network.name, sample.workload.precision,
             sample.workload.threads, rounded(sample.published_s * 1e3, 6),
             rounded(predicted_s(models, sample) * 1e3, 4), rounded(fit.held_out_s(i) * 1e3, 4)});
    }
    for (Target &target : results) {
        for (const std::string &key : target.calibration->fitted) {
            target.constants[key].provenance = {
                "least squares of the relative error on " + std::to_string(rows) +
                    " calibrate rows" + (tasks.size() > 1 ? " of " + names_of(tasks) : "") +
                    " (edgefront calibrate)",
                "fitted"};
        }
        target.hash = price_hash(target);
    }
    for (Target &target : results) { // files leave out what the new file of the base says
        for (const Target &other : results) {
            if (target.base && target.base->name == other.name) {
                target.base = std::make_shared<const Target>(other);
            }
        }
    }
    return results;
}

Target calibrate(const Target &target, const std::vector<std::string> &fitted,
                 const std::vector<TimedNetwork> &rows) {
    return calibrate({{target, rows, fitted}}, {}).front();
}

std::vector<CalibrationTask>
calibration_tasks(const Target &target, const std::vector<LatencyRow> &rows, const Zoo &zoo) {
    std::vector<Target> targets = {target};
    if (target.calibration) {
        for (const std::string &name : target.calibration->together_with) {
            targets.push_back(find_target(name));
        }
    }
    std::vector<CalibrationTask> tasks;
    for (const Target &t : targets) {
        CalibrationTask task{t, calibration_set(t, rows, zoo).rows, {}};
        if (t.calibration) {
            const std::vector<std::string> &shared = t.calibration->shared;
            for (const std::string &key : t.calibration->fitted) {
                if (std::find(shared.begin(), shared.end(), key) == shared.end()) {
                    task.own.push_back(key);
                }
            }
        }
        tasks.push_back(std::move(task));
    }
    std::sort(tasks.begin(), tasks.end(),
              [](const auto &a, const auto &b) { return a.target.name < b.target.name; });
    return tasks;
}

} // namespace edgefront
