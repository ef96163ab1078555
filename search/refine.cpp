#include "search/refine.h"

#include "base/files.h"
#include "search/front_view.h"
#include "search/parallel.h"
#include "search/refinery.h"

#include <algorithm>
#include <map>

namespace edgefront {

namespace fs = std::filesystem;

namespace {

constexpr const char *refined_schema = "edgefront/refined/1";

bool better(const RunResult &result, const std::vector<double> &a, const std::vector<double> &b) {
    for (std::size_t o = 0; o < a.size(); o++) {
        if (a[o] != b[o]) {
            return result.objectives[o].sense == Sense::minimise ? a[o] < b[o] : a[o] > b[o];
        }
    }
    return false;
}

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
    std::vector<std::size_t> always;
    const auto add = [&](const std::string &id) {
        const auto at = std::find_if(points.begin(), points.end(),
                                     [&](const RunPoint *point) { return point->id == id; });
        if (at != points.end()) {
            always.push_back(static_cast<std::size_t>(at - points.begin()));
        }
    };
    if (result.preferred) {
        add(result.preferred->id);
    }
    always.push_back(knee(rows, result.senses()));
    for (const auto &mark : result.marks) {
        if (mark.on_front) {
            add(mark.id);
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
