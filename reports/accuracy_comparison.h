// Published accuracies beside our counts: data/published/accuracy.csv. Accuracy depends on the
// training recipe by several points, so rows of one recipe stand together and nothing is said
// across recipes.
#pragma once

#include "dsl/zoo.h"
#include "reports/table.h"
#include "search/published_accuracy.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

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
