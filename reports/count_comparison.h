// Published MACs and parameters against the counts of our own layers: data/published/counts.csv.
// Every source counts in its own way; a row names its convention and is compared in it.
#pragma once

#include "dsl/zoo.h"
#include "reports/table.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// What a source counts. All start from multiply-adds of convolutions, fully connected layers and
/// attention products, and from all learned parameters.
enum class Convention {
    base,         ///< just that, in units of 10^6
    no_bn,        ///< parameters without batch-norm gamma and beta (tensorflow/models tables)
    timm,         ///< 2 more MACs for every batch-norm output element
    lite,         ///< 3 more MACs for every batch-norm output element (EfficientNet-Lite README)
    binary_no_bn, ///< no_bn with parameters in units of 2^20 and MACs of 2^30 / 1000
};
const std::vector<std::string> &convention_names();
std::string to_string(Convention convention);

/// A printed number. It stands for everything that would print the same.
struct Figure {
    double value = 0;         ///< in millions, or the unit of the convention
    double ulp = 1;           ///< of the last printed digit, same unit
    bool truncated = false;   ///< the source cuts digits off instead of rounding
    bool explainable = false; ///< the row's explanation says why the count differs here
};

/// One published row.
struct CountRow {
    std::string network;
    Variant variant;
    Convention convention = Convention::base;
    std::optional<Figure> macs;
    std::optional<Figure> params;
    std::string explanation;
    std::string source;
};

/// In the order of the file. Throws UserError naming the line of a bad cell.
std::vector<CountRow> read_count_rows(const std::filesystem::path &path);
/// Of the project's own table.
std::vector<CountRow> read_count_rows();

enum class Agreement {
    ok,        ///< within half a unit of the last printed digit, or 0.5 % if that is more
    explained, ///< not ok, but the row says why
    failed,
    skipped, ///< cannot be counted here; the reason is given
};
/// "ok", "explained", "FAIL", "skipped".
std::string to_string(Agreement agreement);

struct FigureComparison {
    double published = 0;
    double ours = 0; ///< counted, in the row's convention and unit
    double difference_percent = 0;
    Agreement agreement = Agreement::ok;
};

/// One figure against its count in the same unit; never `skipped`.
FigureComparison compare(const Figure &published, double ours);

struct CountComparisonRow {
    CountRow published;
    int classes = 0; ///< as counted
    std::optional<FigureComparison> macs;
    std::optional<FigureComparison> params;
    Agreement verdict = Agreement::skipped; ///< the worse of both
    std::string reason;                     ///< why it is explained or skipped
};

struct CountComparison {
    std::vector<CountComparisonRow> rows;
    int count(Agreement verdict) const;
};

CountComparison compare_counts(const std::vector<CountRow> &rows, const Zoo &zoo);

/// `with_skipped`: a line for each skipped row and a reason for each row, for programs; else the
/// notes below the table say it once for all.
Table to_table(const CountComparison &comparison, bool with_skipped);
/// {"rows": [...], "summary": {"ok": n, "explained": n, "failed": n, "skipped": n}}
Json to_json(const CountComparison &comparison);

} // namespace edgefront
