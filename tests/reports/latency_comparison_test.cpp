#include "base/csv.h"
#include "reports/latency_comparison.h"

#include <gtest/gtest.h>

#include <set>

namespace edgefront {
namespace {

LatencyRow row(const std::string &network, double width, Seconds latency,
               Split split = Split::calibrate) {
    LatencyRow r;
    r.target = "pixel6-cpu";
    r.network = network;
    r.width = width;
    r.resolution = 224;
    r.precision = DataType::int8;
    r.latency = latency;
    r.split = split;
    r.source = "made for a test";
    return r;
}

Seconds model_latency(const std::string &network, double width) {
    const auto model = make_cost_model(find_target("pixel6-cpu"));
    return estimate(*model, Zoo().network(network, {width, 224}), {DataType::int8, 1})
        .total.latency;
}

TEST(LatencyComparison, AgreesWithItselfWhereTheModelIsThePublishedLatency) {
    std::vector<LatencyRow> rows;
    for (const double width : {0.25, 0.5, 0.75, 1.0}) {
        rows.push_back(row("mobilenet_v1", width, model_latency("mobilenet_v1", width)));
    }
    const LatencyComparison comparison = compare_latency(rows, Zoo(), read_targets());
    ASSERT_EQ(comparison.targets.size(), 1u);
    const TargetComparison &target = comparison.targets[0];
    EXPECT_EQ(target.rows, 4);
    EXPECT_EQ(target.calibrate_rows, 4);
    ASSERT_TRUE(target.model.has_value());
    EXPECT_NEAR(target.model->median_error, 0, 1e-12);
    EXPECT_NEAR(target.model->p90_error, 0, 1e-12);
    EXPECT_DOUBLE_EQ(*target.model->spearman, 1);
    ASSERT_TRUE(target.macs.has_value());
    EXPECT_GT(target.macs->median_error, 0);
}

TEST(LatencyComparison, ReportsRelativeErrors) {
    const Seconds half = Seconds(model_latency("mobilenet_v2", 1).count() / 2);
    const LatencyComparison comparison =
        compare_latency({row("mobilenet_v2", 1, half)}, Zoo(), read_targets());
    EXPECT_NEAR(comparison.targets.at(0).model->median_error, 1, 1e-12);
    const Json json = to_json(comparison);
    EXPECT_NEAR(json["rows"][0]["error_percent"].get<double>(), 100, 1e-9);
    EXPECT_TRUE(json["targets"][0]["spearman"].is_null());
}

TEST(LatencyComparison, BaselinesFindTheFormulaBehindTheirRows) {
    // 1 ms and 10 GMAC/s: exact for `linear3`, which has a fixed time, and not for `macs`.
    std::vector<LatencyRow> rows;
    for (const double width : {0.35, 0.5, 0.75, 1.0, 1.4}) {
        const Network network = Zoo().network("mobilenet_v2", {width, 224});
        const double seconds = 1e-3 + static_cast<double>(macs(network).count()) / 1e10;
        rows.push_back(row("mobilenet_v2", width, Seconds(seconds)));
    }
    const LatencyComparison comparison = compare_latency(rows, Zoo(), read_targets());
    EXPECT_NEAR(comparison.targets.at(0).linear3->p90_error, 0, 1e-9);
    EXPECT_GT(comparison.targets.at(0).macs->p90_error, 0.05);
}

TEST(LatencyComparison, BaselinesNeverSeeValidateRows) {
    std::vector<LatencyRow> rows;
    for (const double width : {0.35, 0.5, 0.75, 1.0, 1.4}) {
        rows.push_back(row("mobilenet_v2", width, Seconds(2e-3 + width * 1e-3)));
    }
    const auto baseline_of_first = [&](double validate_seconds) {
        auto all = rows;
        all.push_back(row("mobilenet_v1", 1, Seconds(validate_seconds), Split::validate));
        const auto compared = compare_latency(all, Zoo(), read_targets());
        return std::make_pair(compared.rows[0].macs->count(), compared.rows[0].linear3->count());
    };
    EXPECT_EQ(baseline_of_first(1e-3), baseline_of_first(1.0));
}

TEST(LatencyComparison, ABaselineWithTooFewRowsIsNull) {
    const std::vector<LatencyRow> rows = {row("mobilenet_v2", 0.5, Seconds(2e-3)),
                                          row("mobilenet_v2", 1, Seconds(5e-3)),
                                          row("mobilenet_v1", 1, Seconds(6e-3), Split::validate)};
    const Json json = to_json(compare_latency(rows, Zoo(), read_targets(), Split::validate));
    ASSERT_EQ(json["rows"].size(), 1u);
    const Json &target = json["targets"][0];
    EXPECT_EQ(target["rows"], 1);
    EXPECT_TRUE(target["baselines"]["macs"].is_object());
    EXPECT_TRUE(target["baselines"]["linear3"].is_null());
}

TEST(LatencyComparison, ListsWhatItCannotPriceWithTheReason) {
    LatencyRow unknown_network = row("mobilenet_v9", 1, Seconds(1e-3));
    LatencyRow unknown_target = row("mobilenet_v2", 1, Seconds(1e-3));
    unknown_target.target = "abacus";
    LatencyRow many_threads = row("mobilenet_v2", 1, Seconds(1e-3));
    many_threads.threads = 1000;
    const LatencyComparison comparison =
        compare_latency({unknown_network, unknown_target, many_threads}, Zoo(), read_targets());
    EXPECT_EQ(comparison.rows[0].reason, "not in the zoo yet");
    EXPECT_EQ(comparison.rows[1].reason, "no target file yet");
    EXPECT_NE(comparison.rows[2].reason, "");
    EXPECT_EQ(comparison.targets.at(0).rows, 0);
    EXPECT_FALSE(comparison.targets[0].model.has_value());
    EXPECT_EQ(comparison.no_target, std::vector<std::string>{"abacus"});
    EXPECT_TRUE(to_table(comparison, false).rows.empty());
    EXPECT_EQ(to_table(comparison, true).rows.size(), 3u);
}

TEST(LatencyComparison, EveryPublishedRowIsPricedOrSaysWhyNot) {
    const auto rows = read_latency_rows();
    EXPECT_EQ(rows.size(), 184u);
    const LatencyComparison comparison = compare_latency(rows, Zoo(), read_targets());
    std::set<std::string> priced;
    for (const auto &row : comparison.rows) {
        EXPECT_EQ(row.predicted.has_value(), row.reason.empty());
        if (row.predicted) {
            priced.insert(row.published.target);
        }
    }
    for (const auto *target : {"pixel6-cpu", "hexagon690", "pixel8-edgetpu", "coral-usb"}) {
        EXPECT_EQ(priced.count(target), 1u) << target;
    }
}

TEST(LatencyComparison, EveryFormatHasTheSameRows) {
    const LatencyComparison comparison =
        compare_latency(read_latency_rows(), Zoo(), read_targets(), Split::validate);
    const Json json = to_json(comparison);
    const CsvTable csv = parse_csv(render(to_table(comparison, true), Format::csv), "csv");
    ASSERT_EQ(csv.rows().size(), json["rows"].size());
    for (std::size_t i = 0; i < csv.rows().size(); i++) {
        EXPECT_EQ(csv.rows()[i].number("published_ms", 0, 1e6),
                  json["rows"][i]["published_ms"].get<double>());
        EXPECT_EQ(csv.rows()[i].text("split"), "validate");
        // As published, without the last bit of a conversion.
        EXPECT_LE(csv.rows()[i].text("published_ms").size(), 8u);
    }
}

} // namespace
} // namespace edgefront
