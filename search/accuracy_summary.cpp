#include "search/accuracy_summary.h"

#include <fmt/format.h>

namespace edgefront {

namespace {

Json optional_number(const std::optional<double> &value) {
    return value ? Json(*value) : Json();
}

std::optional<double> read_optional_number(const JsonReader &json) {
    return json.is_number() ? std::optional<double>(json.number(-1e300, 1e300)) : std::nullopt;
}

} // namespace

Json to_json(const AccuracySummary &a) {
    return {{"source", a.source},
            {"kind", to_string(a.kind)},
            {"plus_minus", optional_number(a.plus_minus)},
            {"error", a.error},
            {"spearman", optional_number(a.spearman)},
            {"spearman_upper", optional_number(a.spearman_upper)},
            {"predicted", a.predicted},
            {"model_hash", a.model_hash}};
}

AccuracySummary read_accuracy_summary(const JsonReader &json) {
    AccuracySummary a;
    a.source = json.at("source").string();
    a.kind = static_cast<CostKind>(json.at("kind").one_of(cost_kind_names()));
    a.plus_minus = read_optional_number(json.at("plus_minus"));
    a.error = json.at("error").string();
    a.spearman = read_optional_number(json.at("spearman"));
    a.spearman_upper = read_optional_number(json.at("spearman_upper"));
    a.predicted = json.at("predicted").strings();
    if (const auto hash = json.find("model_hash")) { // older files have none
        a.model_hash = hash->string();
    }
    json.finish();
    return a;
}

std::string AccuracySummary::text() const {
    std::string line = to_string(kind);
    if (plus_minus) {
        line += fmt::format(", +- {:.2f} points ({})", *plus_minus, error);
    }
    if (spearman) {
        line += fmt::format(", Spearman of predictions {:.3f}", *spearman);
    }
    if (spearman_upper) {
        line += fmt::format(" ({:.3f} in the better half)", *spearman_upper);
    }
    return line + "; " + source;
}

} // namespace edgefront
