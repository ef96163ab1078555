#include "base/error.h"
#include "base/files.h"
#include "reports/count_comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

namespace edgefront {
namespace {

/// MobileNetV2 1.0@224 as torchvision prints it.
CountRow torchvision_row() {
    CountRow row;
    row.network = "mobilenet_v2";
    row.variant.resolution = 224;
    row.variant.classes = 1000;
    row.macs = Figure{301, 1, false, false};
    row.params = Figure{3.504872, 1e-7, false, false};
    return row;
}

Agreement verdict(const CountRow &row) {
    return compare_counts({row}, Zoo()).rows.at(0).verdict;
}

TEST(CountComparison, AcceptsHalfAUnitOfTheLastDigitAndNoMore) {
    const Figure printed{4.2, 0.1, false, false};
    EXPECT_EQ(compare(printed, 4.2499).agreement, Agreement::ok);
    EXPECT_EQ(compare(printed, 4.25).agreement, Agreement::ok);
    EXPECT_EQ(compare(printed, 4.2501).agreement, Agreement::failed);
    EXPECT_EQ(compare(printed, 4.1499).agreement, Agreement::failed);
}

TEST(CountComparison, AcceptsHalfAPercentWhereThatIsMore) {
    const Figure printed{1000, 1, false, false};
    EXPECT_EQ(compare(printed, 1005).agreement, Agreement::ok);
    EXPECT_EQ(compare(printed, 994.9).agreement, Agreement::failed);
}

TEST(CountComparison, CutsTheCountOffWhereTheSourceDoes) {
    const Figure truncated{11, 1, true, false};
    EXPECT_EQ(compare(truncated, 11.94).agreement, Agreement::ok);
    EXPECT_EQ(compare(truncated, 12.0).agreement, Agreement::failed);
    EXPECT_EQ(compare(truncated, 10.99).agreement, Agreement::failed);
    const Figure rounded{11, 1, false, false};
    EXPECT_EQ(compare(rounded, 11.94).agreement, Agreement::failed);
    // 5.4 is 54 times 0.1 only up to the last bit.
    EXPECT_EQ(compare(Figure{5.4, 0.1, true, false}, 5.4).agreement, Agreement::ok);
}

TEST(CountComparison, ExplainsOnlyWhatDiffers) {
    const Figure explained{34, 1, false, true};
    EXPECT_EQ(compare(explained, 30.2).agreement, Agreement::explained);
    EXPECT_EQ(compare(explained, 34.1).agreement, Agreement::ok);
}

TEST(CountComparison, ReportsTheDifferenceInPercentOfThePublishedFigure) {
    EXPECT_DOUBLE_EQ(compare(Figure{200, 1, false, false}, 210).difference_percent, 5);
}

TEST(CountComparison, FailsAPerturbedRow) {
    EXPECT_EQ(verdict(torchvision_row()), Agreement::ok);
    CountRow macs_off = torchvision_row();
    macs_off.macs->value = 304;
    EXPECT_EQ(verdict(macs_off), Agreement::failed);
    CountRow params_off = torchvision_row();
    params_off.params->value = 3.53;
    EXPECT_EQ(verdict(params_off), Agreement::failed);
}

TEST(CountComparison, DoesNotExcuseAFigureTheExplanationIsNotAbout) {
    CountRow row = torchvision_row();
    row.explanation = "a misprint";
    row.macs = Figure{330, 1, false, true};
    EXPECT_EQ(verdict(row), Agreement::explained);
    row.params->value = 3.6;
    EXPECT_EQ(verdict(row), Agreement::failed);
}

TEST(CountComparison, DoesNotUseTheExplanationOfARowThatAgrees) {
    CountRow row = torchvision_row();
    row.explanation = "a misprint";
    row.macs->explainable = true;
    const CountComparison comparison = compare_counts({row}, Zoo());
    EXPECT_EQ(comparison.rows[0].verdict, Agreement::ok);
    EXPECT_EQ(comparison.rows[0].reason, "");
}

TEST(CountComparison, CountsInTheConventionOfTheRow) {
    // MobileNetV2 with 1000 classes: 34112 batch-norm gammas and betas, 6.678 M normalised
    // elements.
    const Network network = Zoo().network("mobilenet_v2", torchvision_row().variant);
    const auto ours = [](Convention convention) {
        CountRow row = torchvision_row();
        row.convention = convention;
        return compare_counts({row}, Zoo()).rows.at(0);
    };
    const double macs_m = static_cast<double>(macs(network).count()) * 1e-6;
    const double elements_m = static_cast<double>(batch_norm_elements(network)) * 1e-6;
    EXPECT_DOUBLE_EQ(ours(Convention::base).params->ours, 3.504872);
    EXPECT_DOUBLE_EQ(ours(Convention::no_bn).params->ours, 3.504872 - 0.034112);
    EXPECT_DOUBLE_EQ(ours(Convention::no_bn).macs->ours, macs_m);
    EXPECT_DOUBLE_EQ(ours(Convention::timm).macs->ours, macs_m + 2 * elements_m);
    EXPECT_DOUBLE_EQ(ours(Convention::lite).macs->ours, macs_m + 3 * elements_m);
    EXPECT_DOUBLE_EQ(ours(Convention::binary_no_bn).params->ours, 3470760.0 / 1048576);
    EXPECT_NEAR(ours(Convention::binary_no_bn).macs->ours, macs_m / 1.073741824, 1e-9);
}

TEST(CountComparison, CountsTheStemAndTheInputThatTheRowNames) {
    for (CountRow &row : read_count_rows()) {
        if (row.network == "mobilenet_edgetpu_v2_xs" && row.variant.stem_kernel) {
            EXPECT_EQ(*row.variant.stem_kernel, 3) << "timm's";
            EXPECT_EQ(verdict(row), Agreement::ok);
        }
    }
    CountRow wide = torchvision_row();
    wide.variant.input_width = 448;
    wide.macs = Figure{601, 1, false, false}; // all but the classifier doubles
    EXPECT_EQ(verdict(wide), Agreement::ok);
    CountRow stem = torchvision_row();
    stem.variant.stem_kernel = 7; // 40 more taps of 3 x 32 weights on 112 x 112 pixels
    stem.macs = Figure{349, 1, false, false};
    stem.params = Figure{3.508712, 1e-7, false, false};
    EXPECT_EQ(verdict(stem), Agreement::ok);
}

TEST(CountComparison, SkipsNetworksTheZooLacks) {
    CountRow row = torchvision_row();
    row.network = "mobilenet_v9";
    const CountComparison comparison = compare_counts({row}, Zoo());
    EXPECT_EQ(comparison.rows[0].verdict, Agreement::skipped);
    EXPECT_EQ(comparison.rows[0].reason, "not in the zoo yet");
    EXPECT_TRUE(to_table(comparison, false).rows.empty());
    EXPECT_EQ(to_table(comparison, true).rows.size(), 1u);
}

TEST(CountComparison, EveryPublishedRowAgreesOrIsExplained) {
    const CountComparison comparison = compare_counts(read_count_rows(), Zoo());
    for (const auto &row : comparison.rows) {
        EXPECT_TRUE(row.verdict == Agreement::ok || row.verdict == Agreement::explained)
            << row.published.network << " width " << row.published.variant.width << " at "
            << row.published.variant.resolution << " from " << row.published.source << ": "
            << to_string(row.verdict) << " " << row.reason;
    }
    EXPECT_EQ(comparison.rows.size(), 179u);
    EXPECT_LE(comparison.count(Agreement::explained), 48);
}

TEST(CountComparison, TheAttentionNetworksAndTheirWidthsAgreeOrAreExplained) {
    int rows = 0;
    for (const auto &row : compare_counts(read_count_rows(), Zoo()).rows) {
        const std::string &name = row.published.network;
        if (name.rfind("mobilevit", 0) == 0 || name.rfind("mobilenet_v4_hybrid", 0) == 0) {
            rows++;
            // The README of MobileViTv3 counts less than its layers do; see the explanation.
            const bool explained = name == "mobilevitv3_xxs" || name == "mobilevitv3_xs";
            EXPECT_EQ(row.verdict, explained ? Agreement::explained : Agreement::ok)
                << name << " " << row.reason;
        }
    }
    EXPECT_EQ(rows, 20);
}

TEST(CountComparison, AnotherStemKernelIsCounted) {
    int rows = 0;
    for (const auto &row : compare_counts(read_count_rows(), Zoo()).rows) {
        if (row.published.variant.stem_kernel) {
            rows++;
            EXPECT_EQ(row.verdict, Agreement::ok) << row.published.network;
        }
    }
    EXPECT_EQ(rows, 1);
}

TEST(CountComparison, TorchvisionsParametersAreReproducedToTheLastInteger) {
    int rows = 0;
    for (const auto &row : compare_counts(read_count_rows(), Zoo()).rows) {
        if (row.published.params && row.published.params->ulp < 1e-6) {
            rows++;
            ASSERT_TRUE(row.params) << row.published.network << ": " << row.reason;
            EXPECT_EQ(std::llround(row.params->ours * 1e6),
                      std::llround(row.params->published * 1e6))
                << row.published.network;
        }
    }
    EXPECT_EQ(rows, 20);
}

TEST(CountComparison, TheExplanationOfMegviisShuffleNetV2Holds) {
    // 784 pixels; with the branches of Megvii's first strided unit instead of torchvision's.
    const std::vector<std::pair<std::string, double>> explained = {
        {"0.5x", 40.48}, {"1.0x", 145.81}, {"1.5x", 298.97}, {"2.0x", 590.78}};
    const Zoo zoo;
    for (const auto &[size, counted] : explained) {
        const Network network = zoo.network("shufflenet_v2_" + size);
        std::int64_t total = macs(network).count();
        std::int64_t channels = 0;
        for (const Node &node : network.nodes) {
            if (node.name == "block2.left" || node.name == "block2.right_last") {
                total -= macs(node.layer).count();
                channels += node.layer.output.channels;
            }
        }
        ASSERT_GT(channels, 24);
        total += 784 * (24 * 24 + channels / 2 * (channels - 24));
        EXPECT_NEAR(static_cast<double>(total) * 1e-6, counted, 0.005) << size;
    }
}

TEST(CountComparison, TheExplanationOfMobileNetV1HalfWidthHolds) {
    const std::vector<std::pair<double, double>> published = {
        {1.0, 4.24}, {0.75, 2.59}, {0.5, 1.34}, {0.25, 0.47}};
    const Zoo zoo;
    for (const auto &[width, printed] : published) {
        const Network network = zoo.network("mobilenet_v1", {width, 224});
        const std::int64_t three_per_channel =
            params(network).count() + batch_norm_params(network).count() / 2;
        EXPECT_EQ(std::lround(static_cast<double>(three_per_channel) * 1e-4),
                  std::lround(printed * 100))
            << width;
    }
}

class CountFile : public ::testing::Test {
protected:
    /// What reading a file with one row, made of `cells` in the order of the header, complains
    /// about.
    std::string complaint(const std::string &cells) {
        const std::string published = read_file(data_directory() / "published" / "counts.csv");
        write_file(path_, published.substr(0, published.find('\n') + 1) + cells + "\n");
        try {
            read_count_rows(path_);
        } catch (const UserError &e) {
            return e.what();
        }
        return "";
    }

    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-counts"};
    const std::filesystem::path path_ = temporary_.path() / "counts.csv";
};

TEST_F(CountFile, RefusesBadCellsByLineAndColumn) {
    const std::string path = path_.string();
    EXPECT_EQ(complaint("n,1,224,,,300,1,3.4,0.1,base,,,,,,,s"), "");
    EXPECT_EQ(complaint("n,wide,224,,,300,1,3.4,0.1,base,,,,,,,s"),
              path + ":line 2, column 'width': expected a number, found 'wide'");
    EXPECT_EQ(complaint("n,1,224,,,300,1,3.4,0.1,bass,,,,,,,s"),
              path + ":line 2, column 'convention': 'bass' is none of base, no_bn, timm, lite, "
                     "binary_no_bn; did you mean 'base'?");
    EXPECT_EQ(complaint("n,1,224,,,300,,3.4,0.1,base,,,,,,,s"),
              path + ":line 2, column 'macs_ulp': a figure and the unit of its last digit go "
                     "together");
    EXPECT_EQ(complaint("n,1,224,,,300,1,3.4,0.1,base,,,,,,because,s"),
              path + ":line 2, column 'explains': an explanation names the figures it explains, "
                     "and only then");
}

} // namespace
} // namespace edgefront
