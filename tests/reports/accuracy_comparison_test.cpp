#include "base/error.h"
#include "base/files.h"
#include "reports/accuracy_comparison.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

namespace edgefront {
namespace {

AccuracyRow row(const std::string &network, double width, const std::string &recipe, double top1,
                const std::string &caveats = "") {
    return {network, width, 224, top1, {}, recipe, caveats, "somewhere"};
}

std::vector<std::string> names(const std::vector<AccuracyRecipe> &recipes) {
    std::vector<std::string> names;
    for (const auto &recipe : recipes) {
        names.push_back(recipe.name);
    }
    return names;
}

TEST(AccuracyComparison, CountsAtTheWidthAndResolutionOfTheRow) {
    const Zoo zoo;
    const auto recipes = compare_accuracy({row("mobilenet_v2", 0.5, "r", 65)}, zoo);
    const Network network = zoo.network("mobilenet_v2@0.5,224");
    EXPECT_EQ(recipes.at(0).rows.at(0).macs->count(), macs(network).count());
    EXPECT_EQ(recipes.at(0).rows.at(0).params->count(), params(network).count());
}

TEST(AccuracyComparison, PutsTheRowsOfARecipeTogetherThoseWithCaveatsLast) {
    const auto recipes = compare_accuracy(
        {row("mobilenet_v2", 1, "taught", 75, "distilled"), row("mobilenet_v2", 1, "b", 72),
         row("mobilenet_v2", 1, "a", 73), row("mobilenet_v2", 0.5, "b", 65)},
        Zoo());
    EXPECT_EQ(names(recipes), (std::vector<std::string>{"b", "a", "taught"}));
    ASSERT_EQ(recipes[0].rows.size(), 2u);
    EXPECT_EQ(recipes[0].rows[0].published.width, 0.5) << "fewest MACs first";
    EXPECT_EQ(recipes[2].caveats, "distilled");
}

TEST(AccuracyComparison, CorrelatesWithinARecipeOnly) {
    const auto recipes = compare_accuracy(
        {row("mobilenet_v2", 0.5, "rising", 65), row("mobilenet_v2", 0.75, "rising", 70),
         row("mobilenet_v2", 1, "rising", 72), row("mobilenet_v2", 0.5, "falling", 72),
         row("mobilenet_v2", 0.75, "falling", 70), row("mobilenet_v2", 1, "falling", 65),
         row("mobilenet_v2", 1, "alone", 65)},
        Zoo());
    EXPECT_DOUBLE_EQ(recipes.at(0).spearman_macs.value(), 1);
    EXPECT_DOUBLE_EQ(recipes.at(0).spearman_params.value(), 1);
    EXPECT_DOUBLE_EQ(recipes.at(1).spearman_macs.value(), -1);
    EXPECT_FALSE(recipes.at(2).spearman_macs.has_value());
}

TEST(AccuracyComparison, SkipsNetworksTheZooLacksAndSaysWhich) {
    const auto recipes =
        compare_accuracy({row("mobilenet_v9", 1, "r", 90), row("mobilenet_v2", 1, "r", 72)}, Zoo());
    ASSERT_EQ(recipes.size(), 1u);
    EXPECT_EQ(recipes[0].counted, 1);
    EXPECT_EQ(recipes[0].rows.at(1).reason, "not in the zoo");
    const Table people = to_table(recipes, false);
    EXPECT_EQ(people.rows.size(), 1u);
    ASSERT_EQ(people.notes.size(), 2u);
    EXPECT_EQ(people.notes[0], "skipped, not in the zoo: mobilenet_v9");
    EXPECT_EQ(to_table(recipes, true).rows.size(), 2u);
    EXPECT_EQ(to_json(recipes)["rows"].size(), 2u);
    EXPECT_EQ(to_json(recipes)["recipes"][0]["counted"], 1);
}

TEST(AccuracyComparison, ThePublishedTableFlagsWhatIsNotTheArchitecturesOwnAccuracy) {
    int flagged = 0;
    std::set<std::string> recipes;
    for (const auto &published : read_accuracy_rows()) {
        recipes.insert(published.recipe);
        flagged += published.caveats.empty() ? 0 : 1;
        for (const char *suspect : {"int8", "uint8", "quantisation", "distil", "_dist_", "jft",
                                    "JFT", "in12k", "in21k", "in22k", "NoisyStudent"}) {
            if (published.recipe.find(suspect) != std::string::npos) {
                EXPECT_NE(published.caveats, "") << published.recipe;
            }
        }
    }
    EXPECT_GT(recipes.size(), 80u);
    EXPECT_GT(flagged, 60);
}

class AccuracyFile : public ::testing::Test {
protected:
    /// What reading a file with these lines below the header complains about.
    std::string complaint(const std::string &lines) {
        const std::string published = read_file(data_directory() / "published" / "accuracy.csv");
        write_file(path_, published.substr(0, published.find('\n') + 1) + lines);
        try {
            read_accuracy_rows(path_);
        } catch (const UserError &e) {
            return e.what();
        }
        return "";
    }

    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-accuracy"};
    const std::filesystem::path path_ = temporary_.path() / "accuracy.csv";
};

TEST_F(AccuracyFile, RefusesBadCellsByLineAndColumn) {
    const std::string path = path_.string();
    EXPECT_EQ(complaint("n,1,224,70,,r,distilled extra_data,s\nn,1,224,70,90,q,,s\n"), "");
    EXPECT_EQ(complaint("n,1,224,170,,r,,s\n"),
              path + ":line 2, column 'top1_percent': 170 is not between 0 and 100");
    EXPECT_EQ(complaint("n,1,224,70,60,r,,s\n"),
              path + ":line 2, column 'top5_percent': 60 is not between 70 and 100");
    EXPECT_EQ(complaint("n,1,224,70,,,,s\n"), path + ":line 2, column 'recipe': must not be empty");
    EXPECT_EQ(complaint("n,1,224,70,,r,destilled,s\n"),
              path + ":line 2, column 'caveats': expected words of quantized, distilled, "
                     "extra_data in this order, found 'destilled'");
    EXPECT_EQ(complaint("n,1,224,70,,r,extra_data distilled,s\n").substr(path.size()),
              ":line 2, column 'caveats': expected words of quantized, distilled, extra_data in "
              "this order, found 'extra_data distilled'");
    EXPECT_EQ(complaint("n,1,224,70,,r,,s\nn,1,224,71,,r,distilled,s\n"),
              path + ":line 3, column 'caveats': recipe 'r' has '' in an earlier row");
}

} // namespace
} // namespace edgefront
