#include "search/hardware_space.h"

#include "search/design_space_json.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

constexpr const char *schema = "edgefront/hardware_space/1";
constexpr double most = 1e15; ///< of any bound or weight
constexpr std::size_t most_points = 1000000;

/// The base target with `value` for the axis' constants; a complaint gets the place in the file.
void check_value(const JsonReader &json, const Target &base, const HardwareAxis &axis,
                 double value) {
    std::vector<std::pair<std::string, double>> changes;
    for (const std::string &key : axis.constants) {
        changes.emplace_back(key, value);
    }
    try {
        set_constants(base, changes);
    } catch (const UserError &e) {
        throw json.error(e.what());
    }
}

/// {"from": 1, "to": 16, "factor": 2} or {"from": 1, "to": 3, "steps": 5}; both ends belong to it.
std::vector<double> read_range(const JsonReader &json) {
    const double from = json.at("from").number(-most, most);
    const JsonReader end = json.at("to");
    const double to = end.number(-most, most);
    if (to <= from) {
        throw end.error("expected more than \"from\"");
    }
    const auto factor = json.find("factor");
    const auto steps = json.find("steps");
    json.finish();
    if (factor.has_value() == steps.has_value()) {
        throw json.error("expected either \"factor\" or \"steps\"");
    }
    std::vector<double> values;
    if (steps) {
        const auto n = steps->integer(2, 10000);
        for (std::int64_t i = 0; i < n; i++) {
            const double share = static_cast<double>(i) / static_cast<double>(n - 1);
            values.push_back(from + share * (to - from));
        }
        return values;
    }
    const double step = factor->number(1.001, 1e6);
    if (from <= 0) {
        throw json.at("from").error("expected more than 0 with a factor");
    }
    for (double value = from; value <= to * (1 + 1e-9); value *= step) {
        values.push_back(value);
    }
    return values;
}

std::vector<double> read_values(const JsonReader &json, const Target &base,
                                const HardwareAxis &axis) {
    std::vector<double> values;
    if (json.is_object()) {
        values = read_range(json);
        for (const double value : values) {
            check_value(json, base, axis, value);
        }
        return values;
    }
    for (const JsonReader &item : json.items()) {
        const double value = item.number(-most, most);
        check_value(item, base, axis, value);
        if (std::find(values.begin(), values.end(), value) != values.end()) {
            throw item.error("this value stands twice");
        }
        values.push_back(value);
    }
    if (values.empty()) {
        throw json.error("expected at least one value");
    }
    return values;
}

std::vector<std::string> constant_keys(const Target &target) {
    std::vector<std::string> keys;
    for (const ConstantSpec &spec : constant_specs(target)) {
        keys.push_back(spec.key);
    }
    return keys;
}

/// The names of constants, one or several; each only once.
std::vector<std::string> read_constants(const JsonReader &json,
                                        const std::vector<std::string> &known) {
    std::vector<std::string> names;
    for (const JsonReader &item : json.is_array() ? json.items() : std::vector<JsonReader>{json}) {
        names.push_back(known[item.one_of(known)]);
        if (std::count(names.begin(), names.end(), names.back()) > 1) {
            throw item.error("this constant stands twice");
        }
    }
    if (names.empty()) {
        throw json.error("expected at least one constant");
    }
    return names;
}

std::vector<HardwareAxis> read_axes(const JsonReader &json, const Target &base) {
    const std::vector<std::string> known = constant_keys(base);
    std::vector<HardwareAxis> axes;
    std::vector<std::string> used;
    for (const JsonReader &item : json.items()) {
        HardwareAxis axis;
        axis.constants = read_constants(item.at("constant"), known);
        for (const std::string &key : axis.constants) {
            if (std::find(used.begin(), used.end(), key) != used.end()) {
                throw item.at("constant").error("'" + key + "' is on another axis already");
            }
            used.push_back(key);
        }
        axis.values = read_values(item.at("values"), base, axis);
        item.finish();
        axes.push_back(std::move(axis));
    }
    if (axes.empty()) {
        throw json.error("expected at least one axis");
    }
    return axes;
}

void read_area(const JsonReader &json, HardwareSpace &space) {
    space.area_unit = json.at("unit").string();
    const std::vector<std::string> known = constant_keys(space.base);
    // What an axis sets exists at every point, what the base lacks otherwise does not.
    const auto exists = [&](const std::string &key) {
        return space.base.has(key) ||
               std::any_of(space.axes.begin(), space.axes.end(), [&](const HardwareAxis &axis) {
                   const auto &keys = axis.constants;
                   return std::find(keys.begin(), keys.end(), key) != keys.end();
               });
    };
    for (const JsonReader &item : json.at("terms").items()) {
        AreaTerm term;
        const JsonReader product = item.at("product");
        term.product = read_constants(product, known);
        for (const std::string &key : term.product) {
            if (!exists(key)) {
                throw product.error("target " + space.base.name + " has no " + key);
            }
        }
        term.weight = item.at("weight").number(0, most);
        term.provenance.source = item.at("source").string();
        const auto &levels = confidence_names();
        term.provenance.confidence = levels[item.at("confidence").one_of(levels)];
        item.finish();
        space.area_terms.push_back(std::move(term));
    }
    if (space.area_terms.empty()) {
        throw json.at("terms").error("expected at least one term");
    }
    json.finish();
}

HardwareMeasure read_measure(const JsonReader &json, const HardwareSpace &space) {
    HardwareMeasure measure;
    const JsonReader metric = json.at("metric");
    measure.metric = static_cast<HardwareMetric>(metric.one_of(hardware_metric_names()));
    const auto over = json.find("over");
    if (measure.metric == HardwareMetric::area) {
        if (over) {
            throw over->error("the area does not depend on networks");
        }
        if (space.area_terms.empty()) {
            throw metric.error("the area needs its formula, an \"area\" of the space");
        }
    } else if (over) {
        measure.over = static_cast<Over>(over->one_of(over_names()));
    }
    return measure;
}

HardwareConstraint read_constraint(const JsonReader &json, const HardwareSpace &space) {
    HardwareConstraint constraint;
    constraint.measure = read_measure(json, space);
    if (const auto bound = json.find("at_most")) {
        constraint.at_most = bound->number(0, most);
    }
    if (const auto bound = json.find("at_least")) {
        constraint.at_least = bound->number(0, most);
    }
    json.finish();
    if (constraint.at_most.has_value() == constraint.at_least.has_value()) {
        throw json.error("expected either \"at_most\" or \"at_least\"");
    }
    return constraint;
}

} // namespace

const std::vector<std::string> &hardware_metric_names() {
    static const std::vector<std::string> names = {"latency_ms", "energy_mj", "area"};
    return names;
}

const std::vector<std::string> &over_names() {
    static const std::vector<std::string> names = {"sum", "worst", "each"};
    return names;
}

std::size_t HardwareSpace::size() const {
    std::size_t n = 1;
    for (const HardwareAxis &axis : axes) {
        n *= axis.values.size();
    }
    return n;
}

std::vector<int> HardwareSpace::at(std::size_t index) const {
    std::vector<int> choices(axes.size());
    for (std::size_t a = axes.size(); a-- > 0;) {
        choices[a] = static_cast<int>(index % axes[a].values.size());
        index /= axes[a].values.size();
    }
    return choices;
}

std::size_t HardwareSpace::index(const std::vector<int> &choices) const {
    std::size_t index = 0;
    for (std::size_t a = 0; a < axes.size(); a++) {
        index = index * axes[a].values.size() + static_cast<std::size_t>(choices[a]);
    }
    return index;
}

Target HardwareSpace::target(const std::vector<int> &choices) const {
    std::vector<std::pair<std::string, double>> changes;
    for (std::size_t a = 0; a < axes.size(); a++) {
        for (const std::string &key : axes[a].constants) {
            changes.emplace_back(key, axes[a].values[static_cast<std::size_t>(choices[a])]);
        }
    }
    return set_constants(base, changes);
}

double HardwareSpace::area(const Target &target) const {
    double area = 0;
    for (const AreaTerm &term : area_terms) {
        double part = term.weight;
        for (const std::string &key : term.product) {
            part *= target.constant(key);
        }
        area += part;
    }
    return area;
}

HardwareSpace read_hardware_space(const JsonReader &json) {
    if (const JsonReader given = json.at("schema"); given.string() != schema) {
        throw given.error(std::string("expected \"") + schema + "\"");
    }
    HardwareSpace space;
    space.name = json.at("name").string();
    if (const auto description = json.find("description")) {
        space.description = description->string();
    }
    space.how = read_space_target(json.at("target"));
    space.base = find_target(space.how.name);
    const JsonReader axes = json.at("axes");
    space.axes = read_axes(axes, space.base);
    double points = 1;
    for (const HardwareAxis &axis : space.axes) {
        points *= static_cast<double>(axis.values.size());
    }
    if (points > static_cast<double>(most_points)) {
        throw axes.error("these are more than " + std::to_string(most_points) + " points");
    }
    if (const auto area = json.find("area")) {
        read_area(*area, space);
    }
    const JsonReader objectives = json.at("objectives");
    for (const JsonReader &item : objectives.items()) {
        const HardwareMeasure measure = read_measure(item, space);
        item.finish();
        for (const HardwareMeasure &other : space.objectives) {
            if (other.metric == measure.metric && other.over == measure.over) {
                throw item.error("this objective stands twice");
            }
        }
        space.objectives.push_back(measure);
    }
    if (space.objectives.empty()) {
        throw objectives.error("expected at least one objective");
    }
    if (const auto constraints = json.find("constraints")) {
        for (const JsonReader &item : constraints->items()) {
            space.constraints.push_back(read_constraint(item, space));
        }
    }
    json.finish();
    return space;
}

} // namespace edgefront
