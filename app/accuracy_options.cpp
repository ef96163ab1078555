#include "app/accuracy_options.h"

#include <algorithm>

namespace edgefront {

void AccuracyOptions::add_to(CLI::App &app) {
    const CLI::Validator not_empty(
        [](const std::string &text) { return std::string(text.empty() ? "it is empty" : ""); }, "",
        "not empty");
    auto *family =
        app.add_option("--accuracy-anchored", anchored,
                       "top1 between the published widths and resolutions of this family: FAMILY "
                       "or FAMILY:RECIPE (`edgefront compare accuracy` lists them)")
            ->check(not_empty);
    auto *table = app.add_option("--accuracy-csv", csv,
                                 "top1 from this table: columns accuracy (percent), and id or the "
                                 "choices")
                      ->check(not_empty)
                      ->excludes(family);
    app.add_option("--accuracy-command", command,
                   "top1 from this program: {network} is the file of a network, the last line "
                   "it prints the percentage")
        ->check(not_empty)
        ->excludes(family)
        ->excludes(table);
    app.add_flag("--accuracy-model", model,
                 "Predict what has no value by ridge regression; refused when it does not rank");
    app.add_option("--accuracy-samples", samples,
                   "Networks the command is asked about for the model")
        ->check(CLI::Range(20, 1000000));
    app.add_option("--accuracy-timeout", timeout_s, "Seconds a command may take")
        ->check(CLI::Range(1, 10000000));
    about_commands_ = {
        app.add_option("--accuracy-jobs", hooks.jobs, "Commands at the same time")
            ->check(CLI::Range(1, 1024))
            ->capture_default_str(),
        app.add_option("--accuracy-cache", hooks.cache,
                       "File of what commands answered (accuracy_cache.jsonl in the run's folder). "
                       "It knows a command by its text: when a program that it names has changed, "
                       "use another file")
            ->check(not_empty),
        app.add_flag("--accuracy-retry", hooks.retry, "Run commands again that failed before")};
}

bool AccuracyOptions::about_commands() const {
    return std::any_of(about_commands_.begin(), about_commands_.end(),
                       [](const CLI::Option *option) { return option->count() > 0; });
}

void AccuracyOptions::require_used(const std::optional<AccuracySpec> &source) const {
    if (about_commands() && (!source || source->source != AccuracySpec::Source::command)) {
        throw UserError("--accuracy-jobs, --accuracy-cache and --accuracy-retry are about the "
                        "commands of --accuracy-command (or of the space's \"accuracy\"), and "
                        "none runs here");
    }
}

bool AccuracyOptions::given() const {
    return !anchored.empty() || !csv.empty() || !command.empty() || model || samples || timeout_s;
}

AccuracySpec AccuracyOptions::spec(const std::optional<AccuracySpec> &own) const {
    AccuracySpec spec = own.value_or(AccuracySpec());
    bool known = own.has_value();
    if (!anchored.empty()) {
        spec = anchored_spec(anchored);
        known = true;
    } else if (!csv.empty() || !command.empty()) {
        spec = AccuracySpec();
        spec.source = csv.empty() ? AccuracySpec::Source::command : AccuracySpec::Source::csv;
        spec.file = csv;
        spec.command = command;
        known = true;
        if (csv.empty()) {
            check_accuracy_command(command);
        }
    }
    const bool runs = known && spec.source == AccuracySpec::Source::command;
    if (model && !runs && !(known && spec.source == AccuracySpec::Source::csv)) {
        throw UserError("--accuracy-model needs the values of --accuracy-csv or "
                        "--accuracy-command");
    }
    if ((samples || timeout_s) && !runs) {
        throw UserError("--accuracy-samples and --accuracy-timeout are of --accuracy-command");
    }
    spec.model = spec.model || model;
    if (samples && !spec.model) {
        throw UserError("--accuracy-samples are those of --accuracy-model");
    }
    spec.samples = samples.value_or(spec.samples);
    spec.timeout_s = timeout_s.value_or(spec.timeout_s);
    return spec;
}

std::vector<std::string> AccuracyOptions::apply(DesignSpace &space) const {
    if (!given()) {
        return {};
    }
    space.accuracy = spec(space.accuracy);
    std::vector<std::string> replaced;
    if (space.uses_top1()) {
        return replaced;
    }
    const auto is_capacity = [](const Objective &o) {
        return o.sense == Sense::maximise &&
               (o.measure.metric == Metric::macs || o.measure.metric == Metric::params);
    };
    for (const auto &objective : space.objectives) {
        if (is_capacity(objective)) {
            replaced.push_back(objective.measure.name());
        }
    }
    auto &objectives = space.objectives;
    objectives.erase(std::remove_if(objectives.begin(), objectives.end(), is_capacity),
                     objectives.end());
    objectives.push_back({{Metric::top1, ""}, Sense::maximise});
    return replaced;
}

} // namespace edgefront
