#include "reports/count_comparison.h"

#include "base/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// Rows further off than this need an explanation, unless their last digit is coarser still.
constexpr double tolerance = 0.005;

const std::vector<std::string> &agreement_names() {
    static const std::vector<std::string> names = {"ok", "explained", "FAIL", "skipped"};
    return names;
}

const std::vector<std::string> &count_columns() {
    static const std::vector<std::string> columns = {
        "network",   "width",       "resolution", "input_width", "classes",   "macs_m",
        "macs_ulp",  "params_m",    "params_ulp", "convention",  "truncated", "last_channels",
        "stem_rule", "stem_kernel", "explains",   "explanation", "source"};
    return columns;
}

/// Which figures a cell such as "macs" or "macs params" names.
struct Named {
    bool macs = false;
    bool params = false;
};

Named read_named(const CsvRow &line, const std::string &column) {
    static const std::vector<std::string> choices = {"", "macs", "params", "macs params"};
    const std::size_t choice = line.one_of(column, choices);
    return {(choice & 1) != 0, (choice & 2) != 0};
}

std::optional<Figure> read_figure(const CsvRow &line, const std::string &quantity, bool truncated,
                                  bool explainable) {
    const auto value = line.find_number(quantity + "_m", 1e-6, 1e9);
    const auto ulp = line.find_number(quantity + "_ulp", 1e-9, 1e6);
    if (value.has_value() != ulp.has_value()) {
        throw line.error(quantity + "_ulp", "a figure and the unit of its last digit go together");
    }
    if (!value) {
        return std::nullopt;
    }
    return Figure{*value, *ulp, truncated, explainable};
}

CountRow read_count_row(const CsvRow &line) {
    static const std::vector<std::string> stem_rules = {"", "scaled", "fixed_below_one"};
    CountRow row;
    row.network = line.text("network");
    row.variant.width = line.number("width", 0.01, 100);
    row.variant.resolution = static_cast<int>(line.integer("resolution", 1, 4096));
    row.variant.classes = line.find_integer("classes", 1, 1000000);
    row.variant.last_channels = line.find_integer("last_channels", 1, 1000000);
    if (const std::size_t rule = line.one_of("stem_rule", stem_rules); rule > 0) {
        row.variant.stem_rule =
            rule == 1 ? WidthRule::Stem::scaled : WidthRule::Stem::fixed_below_one;
    }
    row.variant.input_width =
        static_cast<int>(line.find_integer("input_width", 1, 8192).value_or(0));
    row.variant.stem_kernel = line.find_integer("stem_kernel", 1, 15);
    row.convention = static_cast<Convention>(line.one_of("convention", convention_names()));
    row.explanation = line.text("explanation");
    row.source = line.text("source");
    const Named truncated = read_named(line, "truncated");
    const Named explained = read_named(line, "explains");
    if ((explained.macs || explained.params) == row.explanation.empty()) {
        throw line.error("explains", "an explanation names the figures it explains, and only then");
    }
    row.macs = read_figure(line, "macs", truncated.macs, explained.macs);
    row.params = read_figure(line, "params", truncated.params, explained.params);
    return row;
}

/// Our counts in the convention and unit of a row.
struct Counted {
    double macs = 0;
    double params = 0;
};

Counted count_as(Convention convention, const Network &network) {
    const auto all_macs = static_cast<double>(macs(network).count());
    const auto all_params = static_cast<double>(params(network).count());
    const auto bn_params = static_cast<double>(batch_norm_params(network).count());
    const auto bn_elements = static_cast<double>(batch_norm_elements(network));
    constexpr double mega = 1e6;
    constexpr double binary_mega = 1 << 20;
    constexpr double binary_giga = 1 << 30;
    switch (convention) {
    case Convention::base: return {all_macs / mega, all_params / mega};
    case Convention::no_bn: return {all_macs / mega, (all_params - bn_params) / mega};
    case Convention::timm: return {(all_macs + 2 * bn_elements) / mega, all_params / mega};
    case Convention::lite: return {(all_macs + 3 * bn_elements) / mega, all_params / mega};
    case Convention::binary_no_bn:
        return {all_macs / binary_giga * 1000, (all_params - bn_params) / binary_mega};
    }
    return {};
}

std::string row_name(const CountRow &row) {
    const std::string width =
        row.variant.input_width > 0 ? fmt::format("x{}", row.variant.input_width) : "";
    return fmt::format("{}@{},{}{}", row.network, row.variant.width, row.variant.resolution, width);
}

CountComparisonRow compare_row(const CountRow &published, const Zoo &zoo) {
    CountComparisonRow row;
    row.published = published;
    const Family *family = zoo.find(published.network);
    if (family == nullptr) {
        row.reason = "not in the zoo yet";
        return row;
    }
    const Network network = build(*family, published.variant);
    const Counted ours = count_as(published.convention, network);
    row.classes = network.classes;
    row.verdict = Agreement::ok;
    if (published.macs) {
        row.macs = compare(*published.macs, ours.macs);
        row.verdict = std::max(row.verdict, row.macs->agreement);
    }
    if (published.params) {
        row.params = compare(*published.params, ours.params);
        row.verdict = std::max(row.verdict, row.params->agreement);
    }
    if (row.verdict == Agreement::explained) {
        row.reason = published.explanation;
    }
    return row;
}

} // namespace

const std::vector<std::string> &convention_names() {
    static const std::vector<std::string> names = {"base", "no_bn", "timm", "lite", "binary_no_bn"};
    return names;
}

std::string to_string(Convention convention) {
    return convention_names()[static_cast<std::size_t>(convention)];
}

std::string to_string(Agreement agreement) {
    return agreement_names()[static_cast<std::size_t>(agreement)];
}

std::vector<CountRow> read_count_rows(const std::filesystem::path &path) {
    std::vector<CountRow> rows;
    const CsvTable table = read_csv(path, count_columns());
    for (const CsvRow &line : table.rows()) {
        rows.push_back(read_count_row(line));
    }
    return rows;
}

std::vector<CountRow> read_count_rows() {
    return read_count_rows(data_directory() / "published" / "counts.csv");
}

FigureComparison compare(const Figure &published, double ours) {
    constexpr double slack = 1e-9; // of the division and of decimal fractions
    const double printed =
        published.truncated ? std::floor(ours / published.ulp + slack) * published.ulp : ours;
    const double allowed = std::max(published.ulp / 2, tolerance * published.value);
    FigureComparison result;
    result.published = published.value;
    result.ours = ours;
    result.difference_percent = 100 * (ours - published.value) / published.value;
    if (std::abs(printed - published.value) > allowed * (1 + slack)) {
        result.agreement = published.explainable ? Agreement::explained : Agreement::failed;
    }
    return result;
}

int CountComparison::count(Agreement verdict) const {
    return static_cast<int>(std::count_if(rows.begin(), rows.end(),
                                          [&](const auto &row) { return row.verdict == verdict; }));
}

CountComparison compare_counts(const std::vector<CountRow> &rows, const Zoo &zoo) {
    CountComparison comparison;
    for (const auto &row : rows) {
        comparison.rows.push_back(compare_row(row, zoo));
    }
    return comparison;
}

namespace {

Json figure_cell(const std::optional<FigureComparison> &figure, double FigureComparison::*member) {
    return figure ? Json((*figure).*member) : Json();
}

Json published_cell(const std::optional<Figure> &figure) {
    return figure ? Json(figure->value) : Json();
}

/// Texts and the rows they belong to, in order of first appearance.
class Grouped {
public:
    void add(const std::string &text, const std::string &row) {
        auto it = std::find_if(groups_.begin(), groups_.end(),
                               [&](const auto &group) { return group.first == text; });
        if (it == groups_.end()) {
            it = groups_.insert(it, {text, {}});
        }
        if (std::find(it->second.begin(), it->second.end(), row) == it->second.end()) {
            it->second.push_back(row);
        }
    }
    const std::vector<std::pair<std::string, std::vector<std::string>>> &groups() const {
        return groups_;
    }

private:
    std::vector<std::pair<std::string, std::vector<std::string>>> groups_;
};

} // namespace

Table to_table(const CountComparison &comparison, bool with_skipped) {
    Table table;
    table.columns = {{"network", "network"},
                     {"width", "width"},
                     {"resolution", "resolution"},
                     {"classes", "classes"},
                     {"convention", "convention"},
                     {"published_macs_m", "MACs M published"},
                     {"macs_m", "counted", 2},
                     {"macs_difference_percent", "diff %", 2},
                     {"published_params_m", "params M published"},
                     {"params_m", "counted", 4},
                     {"params_difference_percent", "diff %", 2},
                     {"verdict", "verdict"},
                     {"source", "source"}};
    if (with_skipped) { // for people the reasons stand below the table, once
        table.columns.push_back({"reason", "reason"});
    }
    Grouped explanations;
    Grouped skipped;
    for (const auto &row : comparison.rows) {
        const CountRow &published = row.published;
        if (row.verdict == Agreement::explained) {
            explanations.add(row.reason, row_name(published));
        }
        if (row.verdict == Agreement::skipped) {
            skipped.add(row.reason, published.network);
            if (!with_skipped) {
                continue;
            }
        }
        table.rows.push_back(
            {published.network, published.variant.width, published.variant.resolution,
             row.classes > 0 ? Json(row.classes) : Json(), to_string(published.convention),
             published_cell(published.macs), figure_cell(row.macs, &FigureComparison::ours),
             figure_cell(row.macs, &FigureComparison::difference_percent),
             published_cell(published.params), figure_cell(row.params, &FigureComparison::ours),
             figure_cell(row.params, &FigureComparison::difference_percent), to_string(row.verdict),
             published.source});
        if (with_skipped) {
            table.rows.back().push_back(row.reason);
        }
    }
    for (const auto &[text, rows] : explanations.groups()) {
        table.notes.push_back(fmt::format("explained: {} ({})", text, join(rows)));
    }
    for (const auto &[text, networks] : skipped.groups()) {
        table.notes.push_back(fmt::format("skipped, {}: {}", text, join(networks)));
    }
    table.notes.push_back(fmt::format(
        "{} rows: {} ok, {} explained, {} failed, {} skipped (ok: within half a unit of the last "
        "printed digit or {} %, whichever is larger, in the convention of the row)",
        comparison.rows.size(), comparison.count(Agreement::ok),
        comparison.count(Agreement::explained), comparison.count(Agreement::failed),
        comparison.count(Agreement::skipped), 100 * tolerance));
    return table;
}

Json to_json(const CountComparison &comparison) {
    const Table table = to_table(comparison, true);
    return {{"rows", Json::parse(render(table, Format::json))},
            {"summary",
             {{"ok", comparison.count(Agreement::ok)},
              {"explained", comparison.count(Agreement::explained)},
              {"failed", comparison.count(Agreement::failed)},
              {"skipped", comparison.count(Agreement::skipped)}}}};
}

} // namespace edgefront
