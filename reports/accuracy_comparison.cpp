#include "reports/accuracy_comparison.h"

#include "search/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace edgefront {

namespace {

AccuracyComparisonRow compare_row(const AccuracyRow &published, const Zoo &zoo) {
    AccuracyComparisonRow row;
    row.published = published;
    const Family *family = zoo.find(published.network);
    if (family == nullptr) {
        row.reason = "not in the zoo";
        return row;
    }
    Variant variant;
    variant.width = published.width;
    variant.resolution = published.resolution;
    const Network network = build(*family, variant);
    row.macs = macs(network);
    row.params = params(network);
    return row;
}

void summarise(AccuracyRecipe &recipe) {
    std::stable_sort(recipe.rows.begin(), recipe.rows.end(), [](const auto &a, const auto &b) {
        return a.macs && (!b.macs || *a.macs < *b.macs);
    });
    std::vector<double> top1;
    std::vector<double> all_macs;
    std::vector<double> all_params;
    for (const auto &row : recipe.rows) {
        if (row.macs) {
            top1.push_back(row.published.top1_percent);
            all_macs.push_back(static_cast<double>(row.macs->count()));
            all_params.push_back(static_cast<double>(row.params->count()));
        }
    }
    recipe.counted = static_cast<int>(top1.size());
    recipe.spearman_macs = spearman(all_macs, top1);
    recipe.spearman_params = spearman(all_params, top1);
}

template <typename Quantity>
Json millions(const std::optional<Quantity> &quantity) {
    return quantity ? Json(static_cast<double>(quantity->count()) / 1e6) : Json();
}

std::string correlation(const std::optional<double> &value) {
    return value ? fmt::format("{:.3f}", *value) : "-";
}

Json number(const std::optional<double> &value) {
    return value ? Json(*value) : Json();
}

} // namespace

std::vector<AccuracyRecipe> compare_accuracy(const std::vector<AccuracyRow> &rows, const Zoo &zoo) {
    std::vector<AccuracyRecipe> recipes;
    for (const auto &row : rows) {
        auto recipe = std::find_if(recipes.begin(), recipes.end(),
                                   [&](const auto &known) { return known.name == row.recipe; });
        if (recipe == recipes.end()) {
            recipe = recipes.insert(recipe, {row.recipe, row.caveats, {}, 0, {}, {}});
        }
        recipe->rows.push_back(compare_row(row, zoo));
    }
    for (auto &recipe : recipes) {
        summarise(recipe);
    }
    std::stable_partition(recipes.begin(), recipes.end(),
                          [](const auto &recipe) { return recipe.caveats.empty(); });
    return recipes;
}

Table to_table(const std::vector<AccuracyRecipe> &recipes, bool with_skipped) {
    Table table;
    table.columns = {{"recipe", "recipe"},         {"caveats", "caveats"},
                     {"network", "network"},       {"width", "width"},
                     {"resolution", "resolution"}, {"top1_percent", "top-1 %"},
                     {"top5_percent", "top-5 %"},  {"macs_m", "MACs M", 1},
                     {"params_m", "params M", 2},  {"source", "source"}};
    if (with_skipped) {
        table.columns.push_back({"reason", "reason"});
    }
    std::map<std::string, std::vector<std::string>> skipped; // networks by reason
    std::size_t rows = 0;
    int counted = 0;
    for (const auto &recipe : recipes) {
        rows += recipe.rows.size();
        counted += recipe.counted;
        for (const auto &row : recipe.rows) {
            const AccuracyRow &published = row.published;
            if (!row.macs) {
                auto &names = skipped[row.reason];
                if (std::find(names.begin(), names.end(), published.network) == names.end()) {
                    names.push_back(published.network);
                }
                if (!with_skipped) {
                    continue;
                }
            }
            table.rows.push_back({recipe.name, recipe.caveats, published.network, published.width,
                                  published.resolution, published.top1_percent,
                                  number(published.top5_percent), millions(row.macs),
                                  millions(row.params), published.source});
            if (with_skipped) {
                table.rows.back().push_back(row.reason);
            }
        }
        if (recipe.spearman_macs || recipe.spearman_params) {
            table.notes.push_back(
                fmt::format("{}: {} rows, Spearman of top-1 with MACs {}, with parameters {}{}",
                            recipe.name, recipe.counted, correlation(recipe.spearman_macs),
                            correlation(recipe.spearman_params),
                            recipe.caveats.empty() ? "" : " (" + recipe.caveats + ")"));
        }
    }
    for (const auto &[reason, networks] : skipped) {
        table.notes.push_back(fmt::format("skipped, {}: {}", reason, join(networks)));
    }
    table.notes.push_back(fmt::format("{} rows of {} recipes: {} counted, {} skipped (accuracies "
                                      "published, MACs and parameters counted)",
                                      rows, recipes.size(), counted,
                                      rows - static_cast<std::size_t>(counted)));
    return table;
}

Json to_json(const std::vector<AccuracyRecipe> &recipes) {
    Json summaries = Json::array();
    for (const auto &recipe : recipes) {
        summaries.push_back({{"recipe", recipe.name},
                             {"caveats", recipe.caveats},
                             {"rows", recipe.rows.size()},
                             {"counted", recipe.counted},
                             {"spearman_macs", number(recipe.spearman_macs)},
                             {"spearman_params", number(recipe.spearman_params)}});
    }
    return {{"rows", Json::parse(render(to_table(recipes, true), Format::json))},
            {"recipes", std::move(summaries)}};
}

} // namespace edgefront
