// Published accuracies beside our counts: data/published/accuracy.csv. Accuracy depends on the
// training recipe by several points, so rows of one recipe stand together and nothing is said
// across recipes.
//
// Columns of the file: network, width and resolution as the zoo names them (the resolution of the
// evaluation); top1_percent and top5_percent on ImageNet-1k; recipe, one name for what was trained
// alike; caveats of that recipe; source.
#pragma once

#include "dsl/zoo.h"
#include "reports/table.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// One published row.
struct AccuracyRow {
    std::string network;
    double width = 1;
    int resolution = 0;
    double top1_percent = 0;
    std::optional<double> top5_percent;
    std::string recipe;
    /// Why the recipe's accuracies are not those of the architecture alone, e.g. "distilled
    /// extra_data"; words of `caveat_names()`, in their order. Empty: trained on ImageNet-1k alone.
    std::string caveats;
    std::string source;
};

/// "quantized", "distilled", "extra_data" (pretrained on, or taught with, more than ImageNet-1k).
const std::vector<std::string> &caveat_names();

/// In the order of the file. Throws UserError naming the line of a bad cell, or of a row whose
/// caveats differ from those of its recipe's other rows.
std::vector<AccuracyRow> read_accuracy_rows(const std::filesystem::path &path);
/// Of the project's own table.
std::vector<AccuracyRow> read_accuracy_rows();

struct AccuracyComparisonRow {
    AccuracyRow published;
    std::optional<Macs> macs; ///< counted; nothing when skipped
    std::optional<Params> params;
    std::string reason; ///< why it is skipped
};

/// The rows of one recipe: those that are counted, fewest MACs first, then the others.
struct AccuracyRecipe {
    std::string name;
    std::string caveats;
    std::vector<AccuracyComparisonRow> rows;
    int counted = 0;
    /// Rank correlations of top-1 with our counts; nothing for fewer than three counted rows.
    std::optional<double> spearman_macs;
    std::optional<double> spearman_params;
};

/// Recipes in order of first appearance, those with caveats last.
std::vector<AccuracyRecipe> compare_accuracy(const std::vector<AccuracyRow> &rows, const Zoo &zoo);

/// `with_skipped`: as `to_table` of CountComparison.
Table to_table(const std::vector<AccuracyRecipe> &recipes, bool with_skipped);
/// {"rows": [...], "recipes": [{recipe, caveats, rows, counted, spearman_macs, spearman_params}]}
Json to_json(const std::vector<AccuracyRecipe> &recipes);

} // namespace edgefront
