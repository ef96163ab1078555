#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "dsl/family_json.h"
#include "search/accuracy_cache.h"
#include "search/accuracy_user.h"
#include "search/genes.h"
#include "search/shell_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <sstream>

namespace edgefront {

namespace fs = std::filesystem;

namespace {

/// The last line that is not blank, without what is blank around it.
std::string last_line(const std::string &text) {
    std::istringstream lines(text);
    std::string last;
    for (std::string line; std::getline(lines, line);) {
        const auto begin = line.find_first_not_of(" \t\r");
        if (begin != std::string::npos) {
            last = line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
        }
    }
    return last;
}

std::optional<double> percentage(const std::string &text) {
    char *end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const std::string rest = end;
    const bool whole = end != text.c_str() && (rest.empty() || rest == "%" || rest == " %");
    return whole && value >= 0 && value <= 100 ? std::optional<double>(value) : std::nullopt;
}

/// As much of a long line as stands in a table.
std::string shortened(const std::string &text) {
    return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

class AccuracyCommand : public UserAccuracy {
public:
    AccuracyCommand(const DesignSpace &space, const CostTables &tables, std::uint64_t seed,
                    const AccuracyHooks &hooks)
        : UserAccuracy(space, tables, seed), spec_(*space.accuracy), hooks_(hooks),
          cache_(hooks.cache.empty() ? hooks.folder / "accuracy_cache.jsonl" : hooks.cache) {}

    void prepare() override {
        if (spec_.model) {
            const std::vector<Choices> asked = samples();
            missing(asked);
            fit(fmt::format("the command, with {} of {} networks evaluated", values_.size(),
                            asked.size()));
        }
    }

protected:
    std::vector<Top1> missing(const std::vector<Choices> &candidates) override {
        run(candidates);
        std::vector<Top1> answers;
        for (const Choices &choices : candidates) {
            const auto found = values_.find(choices);
            if (found != values_.end()) {
                answers.push_back({found->second, {}, ""});
            } else {
                const CommandAnswer &failed = failed_.at(choices);
                answers.push_back({0, static_cast<std::size_t>(failed.failure),
                                   space_.id(choices) + ": " + failed.reason});
            }
        }
        return answers;
    }
    std::string source() const override { return "command: " + spec_.command; }

private:
    /// A candidate to be evaluated, and where.
    struct Task {
        Choices choices;
        std::string id;
        std::string network; ///< hash of its file
    };

    /// Different networks that nothing else refuses, drawn evenly over every axis.
    std::vector<Choices> samples() const {
        const Genes genes(space_);
        const auto wanted = static_cast<std::size_t>(spec_.samples);
        Random random(derive_seed(seed_, "samples of the accuracy model"));
        std::set<Choices> drawn;
        std::vector<Choices> samples;
        for (std::size_t tries = 0; tries < 200 * wanted && samples.size() < wanted; tries++) {
            Choices choices = genes.draw(random);
            if (drawn.insert(choices).second && tables_.evaluate(choices).feasible()) {
                samples.push_back(std::move(choices));
            }
        }
        return samples;
    }

    fs::path file_of(const Task &task, const char *ending) const {
        return hooks_.folder / "accuracy" / (task.network + ending);
    }

    /// The network as a file of its own that every command reads, with its width in it.
    std::string network_file(const Choices &choices) const {
        Family family = space_.rules;
        family.name = "network"; // the same network of another space is no other network
        family.aliases.clear();
        const Context &context = space_.contexts()[space_.context_of(choices)];
        family.activation = context.activation;
        family.resolution = context.resolution;
        family.resolutions = {family.resolution};
        family.base_width *= context.width;
        family.width.values.clear();
        family.blocks = space_.blocks(choices);
        return write_family(family).dump(1) + "\n";
    }

    /// Every candidate gets a value or a failure: from memory, the cache, or the command.
    void run(const std::vector<Choices> &candidates) {
        std::vector<Task> tasks, repeated;
        std::set<std::string> added;
        for (const Choices &choices : candidates) {
            if (values_.count(choices) > 0 || failed_.count(choices) > 0) {
                continue;
            }
            const std::string text = network_file(choices);
            const Task task{choices, space_.id(choices), stable_hash_hex(text)};
            const CommandAnswer *known = cache_.find(spec_.command, task.network);
            const bool again = known != nullptr && !known->percent &&
                               (hooks_.retry || (known->failure == CommandAnswer::too_long &&
                                                 known->timeout_s < spec_.timeout_s));
            if (known != nullptr && !again) {
                remember(choices, *known);
            } else if (added.insert(task.network).second) {
                make_directory(hooks_.folder / "accuracy");
                write_file(file_of(task, ".json"), text);
                tasks.push_back(task);
            } else {
                repeated.push_back(task);
            }
        }
        evaluate(tasks);
        for (const Task &task : repeated) {
            remember(task.choices, *cache_.find(spec_.command, task.network));
        }
        refuse_fractions();
    }

    /// One network may be as bad as that; that all are is a program that prints fractions.
    void refuse_fractions() const {
        constexpr std::size_t enough = 3;
        const auto is_fraction = [](const auto &value) { return value.second <= 1; };
        if (values_.size() >= enough && std::all_of(values_.begin(), values_.end(), is_fraction)) {
            throw UserError(fmt::format(
                "the command '{}' is to print percent, and its {} answers so far are fractions, at "
                "most 1; once it does, take another --accuracy-cache than {}, which has them",
                spec_.command, values_.size(), cache_.path().string()));
        }
    }

    void evaluate(const std::vector<Task> &tasks) {
        if (tasks.empty()) {
            return;
        }
        cache_.require_writable(); // an hour's answers are not to be lost
        std::vector<ShellJob> jobs;
        for (const Task &task : tasks) {
            jobs.push_back({command_for(fs::absolute(file_of(task, ".json"))),
                            file_of(task, ".out"), file_of(task, ".err")});
        }
        std::int64_t ended = 0, failures = 0;
        ShellHooks hooks;
        hooks.jobs = hooks_.jobs;
        hooks.timeout_s = spec_.timeout_s;
        hooks.stop = hooks_.stop;
        hooks.ended = [&](std::size_t i, const ShellEnd &end) {
            const CommandAnswer answer = judge(tasks[i], end);
            cache_.add(spec_.command, tasks[i].network, tasks[i].id, answer);
            remember(tasks[i].choices, answer);
            if (answer.percent) { // what failed stays to be looked at
                for (const char *ending : {".json", ".out", ".err"}) {
                    std::error_code ec;
                    fs::remove(file_of(tasks[i], ending), ec);
                }
            }
            failures += answer.percent ? 0 : 1;
            if (hooks_.progress) {
                hooks_.progress(++ended, static_cast<std::int64_t>(tasks.size()), failures);
            }
        };
        if (!run_shell_jobs(jobs, hooks)) {
            throw AccuracyInterrupted();
        }
    }

    std::string command_for(const fs::path &network) const {
        static const std::string place = "{network}";
        std::string command = spec_.command;
        const std::string quoted = shell_quoted(network.string());
        for (std::size_t at = 0; (at = command.find(place, at)) != std::string::npos;
             at += quoted.size()) {
            command.replace(at, place.size(), quoted);
        }
        return command;
    }

    CommandAnswer judge(const Task &task, const ShellEnd &end) const {
        CommandAnswer answer;
        answer.timeout_s = spec_.timeout_s;
        if (end.too_long) {
            answer.failure = CommandAnswer::too_long;
            answer.reason = fmt::format("ended after {} s", spec_.timeout_s);
        } else if (!end.well()) {
            const std::string said = last_line(read_file(file_of(task, ".err")));
            answer.reason = end.signal != 0 ? fmt::format("ended by signal {}", end.signal)
                                            : fmt::format("exit code {}", end.exit_code);
            answer.reason += said.empty() ? "" : ", " + shortened(said);
        } else {
            const std::string said = last_line(read_file(file_of(task, ".out")));
            answer.percent = percentage(said);
            answer.failure = CommandAnswer::no_percentage;
            answer.reason = answer.percent ? ""
                            : said.empty() ? "it printed nothing"
                                           : "it printed '" + shortened(said) + "'";
        }
        return answer;
    }

    void remember(const Choices &choices, const CommandAnswer &answer) {
        if (answer.percent) {
            values_[choices] = *answer.percent;
        } else {
            failed_[choices] = answer;
        }
    }

    AccuracySpec spec_;
    AccuracyHooks hooks_;
    AccuracyCache cache_;
    std::map<Choices, CommandAnswer> failed_;
};

} // namespace

std::unique_ptr<AccuracySource> make_accuracy_command(const DesignSpace &space,
                                                      const CostTables &tables, std::uint64_t seed,
                                                      const AccuracyHooks &hooks) {
    return std::make_unique<AccuracyCommand>(space, tables, seed, hooks);
}

} // namespace edgefront
