#include "search/sweep.h"

#include "base/files.h"
#include "search/design_space_json.h"
#include "search/genes.h"
#include "search/marks.h"
#include "search/parallel.h"
#include "search/tracer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace edgefront {

namespace fs = std::filesystem;

namespace {

constexpr const char *state_name = "state.json";
constexpr const char *state_schema = "edgefront/state/1";
constexpr std::chrono::milliseconds save_every(200);

/// Left where it is when it cannot be removed: it does no harm.
void remove_file(const fs::path &path) {
    std::error_code ignored;
    fs::remove(path, ignored);
}

std::vector<Sense> senses_of(const DesignSpace &space) {
    std::vector<Sense> senses;
    for (const auto &objective : space.objectives) {
        senses.push_back(objective.sense);
    }
    return senses;
}

class Sweep {
public:
    Sweep(const RunConfig &config, const fs::path &directory, const Zoo &zoo,
          const SweepHooks &hooks)
        : config_(config), directory_(directory), zoo_(zoo), hooks_(hooks),
          space_(read_space(JsonReader::parse(config.space.dump(), "run.json#/space"), zoo)),
          targets_(price_targets(space_)), tables_(space_, targets_, hooks.threads),
          strategy_(make_strategy(space_, tables_, config)), front_(senses_of(space_)),
          accuracy_(make_accuracy(space_, zoo, tables_, config.seed, hooks.accuracy)),
          tracer_(space_, tables_, config) {
        counters_.space_size = space_.size();
        for (const auto &rule : tables_.rules()) {
            counters_.refused.push_back({rule, 0, {}});
        }
        if (config.strategy == "reward") {
            require_finite_reward(space_, config.reward, tracer_.trace().best);
        }
        if (hooks_.priced) {
            hooks_.priced(tables_);
        }
    }

    SweepOutcome run() {
        try {
            return search();
        } catch (const AccuracyInterrupted &) {
            // Amid a step: the run goes on from the last saved state, with the values found so far.
            // The strategy may think of the step as done.
            if (begun_) {
                RunResult known = result();
                known.finished = false;
                known.epsilon.reset();
                write_result(directory_, known);
            }
            return {SweepEnd::interrupted, {}};
        }
    }

private:
    SweepOutcome search() {
        if (accuracy_) {
            accuracy_->prepare();
        }
        admit_published();
        if (fs::exists(state_path())) {
            restore(JsonReader::parse_file(state_path()));
        }
        begun_ = true;
        using Clock = std::chrono::steady_clock;
        Clock::time_point due = Clock::now(); // the first step is saved
        Json saved_state;
        while (!finished()) {
            if (hooks_.stop && hooks_.stop()) {
                save();
                write_result(directory_, result());
                return {SweepEnd::interrupted, result()};
            }
            const std::vector<Choices> batch = strategy_->ask(front_);
            strategy_->tell(batch, admit(batch));
            tracer_.record(front_, counters_.evaluated, strategy_->finished());
            if (hooks_.progress) {
                const auto &trace = tracer_.trace().points;
                hooks_.progress({strategy_->done(), strategy_->planned(), front_,
                                 trace.empty() ? 0 : trace.back().hypervolume});
            }
            // Saving takes a tenth of the time at most, however large the state has become.
            const auto begin = Clock::now();
            if (begin >= due) {
                if (Json state = strategy_->state(); state != saved_state) {
                    save();
                    saved_state = std::move(state);
                }
                const auto end = Clock::now();
                due = end + std::max<Clock::duration>(save_every, 9 * (end - begin));
            }
        }
        SweepOutcome outcome{SweepEnd::finished, result()};
        write_result(directory_, outcome.result);
        remove_file(state_path());
        return outcome;
    }

    fs::path state_path() const { return directory_ / state_name; }
    bool finished() const {
        return strategy_->finished() || (strategy_->may_stall() && tracer_.stalled());
    }

    /// The published networks are points like any other: what the front keeps is not beaten by
    /// them.
    void admit_published() {
        std::vector<Choices> marks; // together: a command may run on several at once
        for (const auto &name : space_.marks) {
            const auto found = find_in_space(space_, zoo_, name);
            if (const auto *choices = std::get_if<Choices>(&found)) {
                marks.push_back(*choices);
            }
        }
        const auto evaluations = evaluate(marks);
        for (std::size_t i = 0; i < marks.size(); i++) {
            if (evaluations[i].feasible()) {
                front_.admit({marks[i], evaluations[i].values});
            }
        }
    }

    /// Prices a batch in parallel; accuracies are asked for where nothing else refuses.
    std::vector<Evaluation> evaluate(const std::vector<Choices> &batch) const {
        std::vector<Evaluation> evaluations(batch.size());
        parallel_for(batch.size(), hooks_.threads, 256,
                     [&](std::size_t i) { evaluations[i] = tables_.evaluate(batch[i]); });
        if (!accuracy_) {
            return evaluations;
        }
        std::vector<std::size_t> places;
        std::vector<Choices> asked;
        for (std::size_t i = 0; i < batch.size(); i++) {
            evaluations[i].priced = false;
            if (evaluations[i].feasible()) {
                places.push_back(i);
                asked.push_back(space_.canonical(batch[i]));
            }
        }
        const std::vector<Top1> answers = accuracy_->top1(asked);
        for (std::size_t i = 0; i < places.size(); i++) {
            evaluations[places[i]].priced = true;
            add_top1(evaluations[places[i]], answers[i], space_, tables_);
        }
        return evaluations;
    }

    /// Prices a batch, then takes it in one by one, in its order.
    std::vector<Evaluation> admit(const std::vector<Choices> &batch) {
        std::vector<Evaluation> evaluations = evaluate(batch);
        const bool many = batch.size() + front_.size() > 20000 && batch.size() > 500;
        std::vector<Member> feasible;
        for (std::size_t i = 0; i < batch.size(); i++) {
            const Evaluation &e = evaluations[i];
            counters_.evaluated++;
            counters_.feasible += e.feasible();
            if (e.feasible() && many) {
                feasible.push_back({batch[i], e.values});
            } else if (e.feasible()) {
                front_.admit({batch[i], e.values});
            }
            for (const Broken &broken : e.broken) {
                count(broken, batch[i], e.reason);
            }
        }
        if (many) {
            front_.admit_all(std::move(feasible));
        }
        return evaluations;
    }

    void count(const Broken &broken, const Choices &choices, const std::string &reason) {
        Refusals &refusals = counters_.refused[broken.rule];
        if (refusals.candidates == 0 && broken.rule < targets_.size()) {
            refusals.constraint =
                tables_.rules()[broken.rule] + " (" + tables_.refusal(choices, broken.rule) + ")";
        }
        if (refusals.candidates == 0 && tables_.of_accuracy(broken.rule) && !reason.empty()) {
            refusals.constraint = tables_.rules()[broken.rule] + " (" + reason + ")";
        }
        refusals.candidates++;
        if (tables_.has_bound(broken.rule) &&
            (!refusals.nearest || tables_.nearer(broken.rule, broken.value, *refusals.nearest))) {
            refusals.nearest = broken.value;
        }
    }

    void save() const {
        Json members = Json::array();
        for (const auto &member : front_.members()) {
            members.push_back(member.choices);
        }
        write_file(state_path(), dump_lines({{"schema", state_schema},
                                             {"counters", to_json(counters_)},
                                             {"strategy", strategy_->state()},
                                             {"trace", to_json(tracer_.trace().points)},
                                             {"front", members}}));
    }

    void restore(const JsonReader &state) {
        if (state.at("schema").string() != state_schema) {
            throw state.at("schema").error(std::string("expected \"") + state_schema + "\"");
        }
        counters_ = read_counters(state.at("counters"));
        strategy_->restore(state.at("strategy"));
        tracer_.restore(read_trace_points(state.at("trace")));
        const Genes genes(space_);
        std::vector<Choices> all;
        for (const auto &row : state.at("front").items()) {
            all.push_back(genes.read(row));
        }
        const auto evaluations = evaluate(all);
        std::vector<Member> members;
        for (std::size_t i = 0; i < all.size(); i++) {
            members.push_back({all[i], evaluations[i].values});
        }
        front_.admit_all(std::move(members));
        state.finish();
    }

    RunResult result() const {
        RunResult result;
        result.config = config_;
        result.finished = finished();
        result.epsilon = strategy_->proven_epsilon();
        for (const auto &axis : space_.axes()) {
            result.choice_names.push_back(axis.name);
        }
        for (const auto &objective : space_.objectives) {
            const Measure &measure = objective.measure;
            const std::string metric = to_string(measure.metric);
            result.objectives.push_back(
                {measure.name(), measure.over ? measure.over->quantity(metric) : metric,
                 measure.over ? measure.over->where() : measure.target, objective.sense,
                 measure.metric == Metric::top1 ? kind_of(*space_.accuracy)
                                                : kind_of(measure.metric)});
        }
        result.counters = counters_;
        result.trace = tracer_.trace();
        for (const auto &member : front_.members()) {
            const auto values = space_.describe(member.choices);
            result.points.push_back({DesignSpace::id(values), values, member.values});
        }
        const Evaluate price = [this](const auto &batch) { return evaluate(batch); };
        result.marks = mark_published(space_, zoo_, tables_, price, front_);
        if (accuracy_) {
            result.accuracy = accuracy_->summary(front_.members());
        }
        result.block_rates = tables_.block_rates();
        strategy_->annotate(result);
        return result;
    }

    const RunConfig &config_;
    const fs::path &directory_;
    const Zoo &zoo_;
    const SweepHooks &hooks_;
    DesignSpace space_;
    std::vector<PricedTarget> targets_;
    CostTables tables_;
    std::unique_ptr<Strategy> strategy_;
    ParetoFront front_;
    std::unique_ptr<AccuracySource> accuracy_; ///< none: capacity is the quality
    bool begun_ = false; ///< published networks and what was saved are known: there is a result
    RunCounters counters_;
    Tracer tracer_;
};

} // namespace

std::vector<std::string> differences(const Json &a, const Json &b, std::size_t limit) {
    const Json before = a.flatten(), after = b.flatten();
    std::vector<std::string> lines;
    const auto shown = [](const Json &flat, const std::string &key) {
        return flat.contains(key) ? flat[key].dump() : std::string("absent");
    };
    const auto differ = [&](const std::string &key) {
        if (lines.size() < limit) {
            lines.push_back(key + ": " + shown(before, key) + " -> " + shown(after, key));
        }
    };
    for (const auto &member : before.items()) {
        if (!after.contains(member.key()) || after[member.key()] != member.value()) {
            differ(member.key());
        }
    }
    for (const auto &member : after.items()) {
        if (!before.contains(member.key())) {
            differ(member.key());
        }
    }
    return lines;
}

void require_same_run(const fs::path &path, const Json &there, const Json &wanted) {
    const auto lines = differences(there, wanted);
    if (!lines.empty()) {
        throw UserError({path.string(), ""},
                        "this folder holds another run; choose another or ask for the same. "
                        "Differences:\n  " +
                            join(lines, "\n  "));
    }
}

bool claim_folder(const fs::path &directory, const RunConfig &config) {
    const auto path = directory / "run.json";
    const Json wanted = to_json(config);
    if (fs::exists(path)) {
        require_same_run(path, to_json(read_run_config(JsonReader::parse_file(path))), wanted);
        return true;
    }
    write_file(path, wanted.dump(1) + "\n");
    return false;
}

namespace {

/// What a process that was killed while it wrote a file has left: "state.json.x7Gz0q".
void remove_leftovers(const fs::path &directory) {
    for (const auto &entry : fs::directory_iterator(directory)) {
        const std::string name = entry.path().filename().string();
        for (const std::string file : {"run.json", "front.json", "front.csv", state_name}) {
            if (name.size() == file.size() + 7 &&
                name.compare(0, file.size() + 1, file + ".") == 0) {
                remove_file(entry.path());
            }
        }
    }
}

} // namespace

SweepOutcome run_sweep(const RunConfig &config, const fs::path &directory, const Zoo &zoo,
                       const SweepHooks &hooks) {
    if (!config.merged.empty()) {
        throw UserError("a merged front is no sweep that could go on or be repeated; its runs can "
                        "(\"merged\" in run.json)");
    }
    make_directory(directory);
    const FolderLock lock(directory); // two sweeps would overwrite each other's state
    remove_leftovers(directory);
    const bool known = fs::exists(directory / "run.json") && claim_folder(directory, config);
    if (known && fs::exists(directory / "front.json")) {
        RunResult result = read_run(directory);
        if (result.finished) {
            remove_file(directory / state_name);
            return {SweepEnd::already_finished, std::move(result)};
        }
    }
    Sweep sweep(config, directory, zoo, hooks); // may find the configuration impossible
    claim_folder(directory, config);
    return sweep.run();
}

Network network_of(const RunResult &result, const RunPoint &point, const Zoo &zoo) {
    const DesignSpace space =
        read_space(JsonReader::parse(result.config.space.dump(), "run.json#/space"), zoo);
    return space.network(space.parse(point.choices));
}

} // namespace edgefront
