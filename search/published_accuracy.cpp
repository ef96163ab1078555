#include "search/published_accuracy.h"

#include "base/csv.h"
#include "dsl/zoo.h"

#include <algorithm>
#include <map>
#include <sstream>

namespace edgefront {

namespace {

const std::vector<std::string> &accuracy_columns() {
    static const std::vector<std::string> columns = {"network",      "width",        "resolution",
                                                     "top1_percent", "top5_percent", "recipe",
                                                     "caveats",      "source"};
    return columns;
}

/// Words of `caveat_names()`, each at most once, in their order.
std::string read_caveats(const CsvRow &line) {
    const auto &names = caveat_names();
    std::istringstream cell(line.text("caveats"));
    auto next = names.begin();
    for (std::string word; cell >> word;) {
        const auto found = std::find(next, names.end(), word);
        if (found == names.end()) {
            throw line.error("caveats", "expected words of " + join(names) +
                                            " in this order, found '" + line.text("caveats") + "'");
        }
        next = found + 1;
    }
    return line.text("caveats");
}

AccuracyRow read_accuracy_row(const CsvRow &line) {
    AccuracyRow row;
    row.network = line.text("network");
    row.width = line.number("width", 0.01, 100);
    row.resolution = static_cast<int>(line.integer("resolution", 1, 4096));
    row.top1_percent = line.number("top1_percent", 0, 100);
    row.top5_percent = line.find_number("top5_percent", row.top1_percent, 100);
    row.recipe = line.text("recipe");
    row.caveats = read_caveats(line);
    row.source = line.text("source");
    for (const char *column : {"network", "recipe", "source"}) {
        if (line.empty(column)) {
            throw line.error(column, "must not be empty");
        }
    }
    return row;
}

} // namespace

const std::vector<std::string> &caveat_names() {
    static const std::vector<std::string> names = {"quantized", "distilled", "extra_data"};
    return names;
}

std::vector<AccuracyRow> read_accuracy_rows(const std::filesystem::path &path) {
    std::vector<AccuracyRow> rows;
    std::map<std::string, std::string> caveats; // by recipe
    const CsvTable table = read_csv(path, accuracy_columns());
    for (const CsvRow &line : table.rows()) {
        rows.push_back(read_accuracy_row(line));
        const AccuracyRow &row = rows.back();
        const std::string &first = caveats.emplace(row.recipe, row.caveats).first->second;
        if (first != row.caveats) {
            throw line.error("caveats",
                             "recipe '" + row.recipe + "' has '" + first + "' in an earlier row");
        }
    }
    return rows;
}

std::vector<AccuracyRow> read_accuracy_rows() {
    return read_accuracy_rows(data_directory() / "published" / "accuracy.csv");
}

} // namespace edgefront
