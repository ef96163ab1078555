#include "search/accuracy_user.h"

#include "base/csv.h"
#include "base/error.h"
#include "base/files.h"
#include "search/strategy.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace edgefront {

std::vector<Top1> UserAccuracy::top1(const std::vector<Choices> &candidates) {
    std::vector<Top1> answers(candidates.size());
    std::vector<std::size_t> places;
    std::vector<Choices> without;
    for (std::size_t i = 0; i < candidates.size(); i++) {
        const auto found = values_.find(candidates[i]);
        if (found != values_.end()) {
            answers[i].percent = found->second;
        } else if (model_) {
            answers[i].percent = rounded_percentage(
                model_->predict(accuracy_features(space_, tables_, candidates[i])));
        } else {
            places.push_back(i);
            without.push_back(candidates[i]);
        }
    }
    if (!without.empty()) {
        const std::vector<Top1> found = missing(without);
        for (std::size_t i = 0; i < places.size(); i++) {
            answers[places[i]] = found[i];
        }
    }
    return answers;
}

AccuracySummary UserAccuracy::summary(const std::vector<Member> &members) const {
    AccuracySummary summary;
    summary.source = source();
    summary.kind = kind_of(*space_.accuracy);
    if (!model_) {
        return summary;
    }
    summary.source += fmt::format("; what has no value is predicted by ridge regression on {} of "
                                  "them",
                                  model_->examples());
    summary.plus_minus = model_->error();
    summary.model_hash = model_->hash();
    summary.error = "of predictions, 10-fold cross-validation";
    summary.spearman = model_->spearman();
    summary.spearman_upper = model_->spearman_upper();
    for (const auto &member : members) {
        if (values_.count(member.choices) == 0) {
            summary.predicted.push_back(space_.id(member.choices));
        }
    }
    return summary;
}

void UserAccuracy::fit(const std::string &name) {
    std::vector<AccuracyExample> examples;
    for (const auto &[choices, percent] : values_) {
        examples.push_back({accuracy_features(space_, tables_, choices), percent});
    }
    model_.emplace(examples, seed_, name);
}

namespace {

class AccuracyTable : public UserAccuracy {
public:
    AccuracyTable(const DesignSpace &space, const CostTables &tables, std::uint64_t seed)
        : UserAccuracy(space, tables, seed), file_(space.accuracy->file), axes_(space.axes()) {
        pinned(*space.accuracy);
        const CsvTable table = read_csv(file_);
        check_columns(table);
        for (const CsvRow &row : table.rows()) {
            add(row, table.columns());
        }
        if (rows_ == 0) {
            throw UserError({file_, ""}, "the table has no rows");
        }
        if (highest_ <= 1) {
            throw UserError(
                {file_, "column 'accuracy'"},
                fmt::format("expected percent, found fractions (the highest is {})", highest_));
        }
        find_networks_of_ids();
        if (space.accuracy->model) {
            fit(file_);
        }
    }

protected:
    std::vector<Top1> missing(const std::vector<Choices> &candidates) override {
        std::vector<Top1> answers;
        for (const Choices &choices : candidates) {
            const std::string id = space_.id(choices);
            const auto found = by_id_.find(id);
            if (found == by_id_.end()) {
                answers.push_back({0, 0, "no row for " + id});
            } else {
                answers.push_back({found->second, {}, ""});
            }
        }
        return answers;
    }
    std::string source() const override {
        return fmt::format("csv: {} rows of {}", rows_, file_) +
               (strange_ > 0 ? fmt::format("; {} of {} rows are of no network of this space",
                                           strange_, rows_)
                             : "");
    }

private:
    /// What a front.csv has beside the choices: "latency_ms:host", "worst:energy_ratio:a+b",
    /// "predicted latency_ms:host", "kind top1", "standing".
    static bool is_figure(std::string column) {
        for (const std::string prefix : {"predicted ", "kind "}) {
            if (column.compare(0, prefix.size(), prefix) == 0) {
                column.erase(0, prefix.size());
                break;
            }
        }
        std::vector<std::string> first = metric_names();
        first.insert(first.end(), {"worst", "mean", "standing"});
        return std::find(first.begin(), first.end(), column.substr(0, column.find(':'))) !=
               first.end();
    }

    /// "accuracy", and an id or every choice that varies; beside them what a front.csv has.
    void check_columns(const CsvTable &table) {
        const auto &columns = table.columns();
        const auto has = [&](const std::string &name) {
            return std::find(columns.begin(), columns.end(), name) != columns.end();
        };
        std::vector<std::string> known = {"id", "accuracy"}, lacking;
        for (const auto &axis : axes_) {
            known.push_back(axis.name);
            if (axis.values.size() > 1 && !has(axis.name)) {
                lacking.push_back(axis.name);
            }
        }
        for (auto column = columns.begin(); column != columns.end(); ++column) {
            if (std::find(columns.begin(), column, *column) != column) {
                throw UserError({file_, "line 1"}, "the column '" + *column + "' stands twice");
            }
        }
        for (const auto &column : columns) {
            if (std::find(known.begin(), known.end(), column) == known.end() &&
                !is_figure(column)) {
                throw UserError({file_, "line 1"},
                                "unknown column '" + column + "', expected accuracy, and id or " +
                                    "the choices of the space" + did_you_mean(column, known));
            }
        }
        if (!has("accuracy")) {
            throw UserError({file_, "line 1"}, "there is no column accuracy (percent)");
        }
        has_id_ = has("id");
        has_choices_ = lacking.empty();
        if (!has_id_ && !has_choices_) {
            throw UserError({file_, "line 1"},
                            "there is neither a column id nor one for every choice; missing: " +
                                join(lacking));
        }
    }

    void add(const CsvRow &row, const std::vector<std::string> &columns) {
        const double percent = row.number("accuracy", 0, 100);
        const auto differs = [&](bool is_new, double there) {
            if (!is_new && there != percent) {
                throw row.error("accuracy", fmt::format("an earlier row has {} for the same "
                                                        "network",
                                                        there));
            }
        };
        if (has_choices_) {
            std::vector<std::string> choices;
            for (const auto &axis : axes_) {
                const bool given =
                    std::find(columns.begin(), columns.end(), axis.name) != columns.end();
                choices.push_back(given ? row.text(axis.name) : axis.values.front());
            }
            const Choices network = [&] {
                try {
                    return space_.parse(choices);
                } catch (const UserError &e) {
                    throw row.error("accuracy", std::string("of no network: ") + e.what());
                }
            }();
            if (has_id_ && row.text("id") != DesignSpace::id(choices)) {
                throw row.error("id", "the choices are those of " + DesignSpace::id(choices));
            }
            const auto [at, is_new] = values_.emplace(network, percent);
            differs(is_new, at->second);
        } else {
            ids_.push_back(row.text("id"));
            const auto [at, is_new] = by_id_.emplace(ids_.back(), percent);
            differs(is_new, at->second);
        }
        highest_ = std::max(highest_, percent);
        rows_++;
    }

    /// A space that can be walked has the networks of all ids, which a model needs to know.
    void find_networks_of_ids() {
        if (by_id_.empty()) {
            return;
        }
        if (space_.size() > exhaustive_limit) {
            if (space_.accuracy->model) {
                throw UserError({file_, "line 1"},
                                "a model needs the choices of each network; in a space of this "
                                "size an id does not tell them");
            }
            return;
        }
        std::unordered_set<std::string> seen;
        for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space_.size()); i++) {
            const Choices choices = space_.at(i);
            const auto found = by_id_.find(space_.id(choices));
            if (found != by_id_.end()) {
                values_.emplace(choices, found->second);
                seen.insert(found->first);
            }
        }
        if (seen.empty()) {
            throw UserError(
                {file_, "column 'id'"},
                fmt::format("the ids of all {} rows are of no network of this space", rows_));
        }
        for (const auto &row : ids_) {
            strange_ += seen.count(row) == 0 ? 1 : 0;
        }
    }

    std::string file_;
    std::vector<Axis> axes_;
    bool has_id_ = false, has_choices_ = false;
    std::unordered_map<std::string, double> by_id_; ///< of tables without choices
    std::vector<std::string> ids_;                  ///< of their rows
    std::size_t rows_ = 0, strange_ = 0;
    double highest_ = 0;
};

} // namespace

std::unique_ptr<AccuracySource> make_accuracy_table(const DesignSpace &space,
                                                    const CostTables &tables, std::uint64_t seed) {
    return std::make_unique<AccuracyTable>(space, tables, seed);
}

} // namespace edgefront
