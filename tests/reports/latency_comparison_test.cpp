#include "base/csv.h"
#include "reports/latency_baselines.h"
#include "reports/latency_comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST(LatencyComparison, WithTooFewRowsTheThreeTermBaselineIsTheOneOfMacsAndSaysSo) {
    const std::vector<LatencyRow> rows = {row("mobilenet_v2", 0.5, Seconds(2e-3)),
                                          row("mobilenet_v2", 1, Seconds(5e-3)),
                                          row("mobilenet_v1", 1, Seconds(6e-3), Split::validate)};
    const LatencyComparison comparison =
        compare_latency(rows, Zoo(), read_targets(), Split::validate);
    ASSERT_EQ(comparison.rows.size(), 1u);
    EXPECT_TRUE(comparison.rows[0].linear3_falls_back);
    EXPECT_EQ(comparison.rows[0].linear3, comparison.rows[0].macs);
    const Json json = to_json(comparison);
    EXPECT_EQ(json["targets"][0]["linear3_fallback_rows"], 1);
    EXPECT_EQ(json["targets"][0]["baselines"]["macs"], json["targets"][0]["baselines"]["linear3"]);
}

TEST(LatencyComparison, WithoutCalibrateRowsThereIsNoBaselineAndNothingToPool) {
    const Json json = to_json(compare_latency(
        {row("mobilenet_v1", 1, Seconds(6e-3), Split::validate)}, Zoo(), read_targets()));
    EXPECT_EQ(json["targets"][0]["rows"], 1);
    EXPECT_TRUE(json["targets"][0]["baselines"]["macs"].is_null());
    EXPECT_TRUE(json["kinds"].empty());
}

TEST(LatencyComparison, PoolsTheTargetsOfAKind) {
    std::vector<LatencyRow> rows;
    for (const double width : {0.35, 0.5, 0.75, 1.0, 1.4}) {
        const Seconds modelled = model_latency("mobilenet_v2", width);
        rows.push_back(row("mobilenet_v2", width, modelled));
        LatencyRow other = row("mobilenet_v2", width, Seconds(1e-3 * width));
        other.target = "coral-usb";
        rows.push_back(other);
        other.target = "pixel8-edgetpu";
        rows.push_back(other);
    }
    const LatencyComparison comparison = compare_latency(rows, Zoo(), read_targets());
    ASSERT_EQ(comparison.kinds.size(), 2u);
    EXPECT_EQ(comparison.kinds[0].hardware, TargetKind::cpu);
    EXPECT_EQ(comparison.kinds[0].rows, 5);
    EXPECT_NEAR(comparison.kinds[0].model->p90_error, 0, 1e-12);
    EXPECT_EQ(comparison.kinds[1].hardware, TargetKind::edgetpu);
    EXPECT_EQ(comparison.kinds[1].targets,
              (std::vector<std::string>{"coral-usb", "pixel8-edgetpu"}));
    EXPECT_EQ(comparison.kinds[1].rows, 10);
    // The median of ten errors lies between those of the two targets.
    const double a = comparison.targets[0].model->median_error;
    const double b = comparison.targets[2].model->median_error;
    EXPECT_EQ(comparison.targets[0].target, "coral-usb");
    EXPECT_GE(comparison.kinds[1].model->median_error, std::min(a, b));
    EXPECT_LE(comparison.kinds[1].model->median_error, std::max(a, b));
    const Json kinds = to_json(comparison)["kinds"];
    for (const char *key : {"kind", "rows", "median_error", "p90_error", "spearman", "baselines"}) {
        EXPECT_TRUE(kinds[0].contains(key)) << key;
    }
    EXPECT_EQ(kinds[1]["kind"], "edgetpu");
}

TEST(LatencyComparison, SummarisesThreadCountsOfATargetByThemselves) {
    const auto model = make_cost_model(find_target("host"));
    std::vector<LatencyRow> rows;
    for (const int threads : {1, 2}) {
        for (const double width : {0.5, 0.75, 1.0}) {
            LatencyRow r = row("mobilenet_v2", width, {});
            r.target = "host";
            r.threads = threads;
            const Network network = Zoo().network("mobilenet_v2", {width, 224});
            // The second thread counts takes what the model says, the first twice that.
            r.latency =
                estimate(*model, network, {DataType::int8, threads}).total.latency * (3 - threads);
            rows.push_back(r);
        }
    }
    const LatencyComparison comparison = compare_latency(rows, Zoo(), read_targets());
    const auto &by_threads = comparison.targets.at(0).threads;
    ASSERT_EQ(by_threads.size(), 2u);
    EXPECT_NEAR(by_threads.at(1).model->median_error, 0.5, 1e-12);
    EXPECT_NEAR(by_threads.at(2).model->median_error, 0, 1e-12);
    EXPECT_DOUBLE_EQ(*by_threads.at(1).model->spearman, 1);
    EXPECT_EQ(to_json(comparison)["targets"][0]["threads"][1]["threads"], 2);
    rows.resize(3);
    EXPECT_TRUE(compare_latency(rows, Zoo(), read_targets()).targets.at(0).threads.empty());
}

TEST(LatencyComparison, ExplainsARowThatMissesByWhereTheModelledTimeGoes) {
    const Seconds modelled = model_latency("mobilenet_v2", 1);
    const LatencyComparison comparison = compare_latency(
        {row("mobilenet_v2", 1, modelled * 0.92), row("mobilenet_v2", 1, modelled * 0.9)}, Zoo(),
        read_targets());
    EXPECT_FALSE(comparison.rows[0].explanation) << "8.7 % is within the goal";
    ASSERT_TRUE(comparison.rows[1].explanation) << "11.1 % is not";
    const Explanation &e = *comparison.rows[1].explanation;
    double whole = 0;
    for (const LatencyPart &part : e.operators) {
        whole += part.share;
    }
    EXPECT_NEAR(whole, 1, 1e-9);
    ASSERT_EQ(e.layers.size(), 5u);
    for (const LatencyPart &part : e.layers) {
        EXPECT_LE(part.share, e.layers[0].share);
        Seconds spent;
        for (const Share &share : part.spent) {
            spent += share.time;
        }
        EXPECT_NEAR(spent / part.time, 1, 1e-9) << part.name;
    }
    const std::string text = render(to_table(comparison, false, true), Format::table);
    EXPECT_NE(text.find("misses: mobilenet_v2@1,224 on pixel6-cpu (int8, 1 thread)"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("of the modelled time: "), std::string::npos);
    EXPECT_EQ(render(to_table(comparison, false), Format::table).find("misses"), std::string::npos);
    const Json rows = to_json(comparison, true)["rows"];
    EXPECT_FALSE(rows[0].contains("explanation"));
    EXPECT_EQ(rows[1]["explanation"]["layers"].size(), 5u);
}

TEST(LatencyBaselines, CountActivationsAndNoWeights) {
    Network network = Zoo().network("mobilenet_v1", {1, 224});
    const BaselineFeatures bytes = baseline_features(with_type(network, DataType::int8));
    EXPECT_EQ(baseline_features(with_type(network, DataType::fp16)).activation_bytes,
              2 * bytes.activation_bytes);
    double expected = 0;
    for (const Node &node : network.nodes) {
        expected += static_cast<double>(node.layer.input.elements() + node.layer.output.elements());
    }
    EXPECT_EQ(bytes.activation_bytes, expected);
    EXPECT_EQ(bytes.macs, static_cast<double>(macs(network).count()));
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
