#include "search/front_filter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace edgefront {

namespace {

/// A column of a front: a choice or an objective.
struct Field {
    bool objective = false;
    std::size_t index = 0;
};

Field find_field(const RunResult &result, const std::string &name) {
    std::vector<std::string> names = result.choice_names;
    for (const auto &objective : result.objectives) {
        names.push_back(objective.name);
    }
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) {
        throw UserError("the front has no column '" + name + "', expected one of " + join(names) +
                        did_you_mean(name, names));
    }
    const auto index = static_cast<std::size_t>(it - names.begin());
    const std::size_t choices = result.choice_names.size();
    return index < choices ? Field{false, index} : Field{true, index - choices};
}

std::optional<double> as_number(const std::string &text) {
    char *end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool is_number = !text.empty() && *end == '\0' && !std::isnan(value);
    return is_number ? std::optional(value) : std::nullopt;
}

std::optional<double> number_at(const RunPoint &point, const Field &field) {
    return field.objective ? std::optional(point.values[field.index])
                           : as_number(point.choices[field.index]);
}

enum class Relation { less_equal, greater_equal, not_equal, less, greater, equal };
/// In enum order; those of two characters come first, for the parser.
constexpr std::array<const char *, 6> relations = {"<=", ">=", "!=", "<", ">", "="};

template <typename T>
bool holds(const T &a, Relation relation, const T &b) {
    switch (relation) {
    case Relation::less_equal: return a <= b;
    case Relation::greater_equal: return a >= b;
    case Relation::not_equal: return a != b;
    case Relation::less: return a < b;
    case Relation::greater: return a > b;
    case Relation::equal: return a == b;
    }
    return false;
}

struct Condition {
    Field field;
    Relation relation = Relation::equal;
    std::string text;
    std::optional<double> number;

    bool operator()(const RunPoint &point) const {
        const auto value = number_at(point, field);
        if (value && number) {
            return holds(*value, relation, *number);
        }
        const bool same = !field.objective && point.choices[field.index] == text;
        return relation == Relation::equal ? same : relation == Relation::not_equal && !same;
    }
};

Condition parse_condition(const RunResult &result, const std::string &text) {
    const auto at = text.find_first_of("<>=!");
    if (at == std::string::npos || at == 0) {
        throw UserError("'" + text + "' is no condition, expected for example " +
                        "'latency_ms:pixel6-cpu<3'");
    }
    Condition condition;
    std::size_t length = 0;
    for (std::size_t r = 0; r < relations.size() && length == 0; r++) {
        if (text.compare(at, std::string(relations[r]).size(), relations[r]) == 0) {
            condition.relation = static_cast<Relation>(r);
            length = std::string(relations[r]).size();
        }
    }
    if (length == 0) {
        throw UserError("'" + text + "': expected one of < <= > >= = !=");
    }
    condition.field = find_field(result, text.substr(0, at));
    condition.text = text.substr(at + length);
    condition.number = as_number(condition.text);
    const bool equality =
        condition.relation == Relation::equal || condition.relation == Relation::not_equal;
    if (!condition.number && (condition.field.objective || !equality)) {
        throw UserError("'" + text + "': expected a number, found \"" + condition.text + "\"");
    }
    return condition;
}

} // namespace

std::vector<RunPoint> filter(const RunResult &result, const std::vector<std::string> &conditions) {
    std::vector<Condition> all;
    for (const auto &text : conditions) {
        all.push_back(parse_condition(result, text));
    }
    std::vector<RunPoint> points;
    for (const auto &point : result.points) {
        if (std::all_of(all.begin(), all.end(), [&](const auto &holds) { return holds(point); })) {
            points.push_back(point);
        }
    }
    return points;
}

void sort_by(std::vector<RunPoint> &points, const RunResult &result, const std::string &name) {
    const Field field = find_field(result, name);
    const bool descending =
        field.objective && result.objectives[field.index].sense == Sense::maximise;
    std::stable_sort(points.begin(), points.end(), [&](const RunPoint &a, const RunPoint &b) {
        const auto x = number_at(a, field), y = number_at(b, field);
        if (x && y) {
            return descending ? *x > *y : *x < *y;
        }
        return !field.objective && a.choices[field.index] < b.choices[field.index];
    });
}

} // namespace edgefront
