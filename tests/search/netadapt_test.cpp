#include "search/genes.h"
#include "tests/search/sweep_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace edgefront {
namespace {

SweepRequest down(const std::string &from, std::optional<double> until = {}) {
    SweepRequest request;
    request.strategy = "netadapt";
    request.netadapt.from = from;
    request.netadapt.toward = "latency_ms:pixel6-cpu";
    request.netadapt.until = until;
    return request;
}

/// uib_small on the phone's CPU alone.
DesignSpace one_cpu() {
    Json json = write_space(shipped_space("uib_small"));
    json["targets"] = {"pixel6-cpu"};
    json["objectives"].erase(1);
    return space_of(json);
}

std::string complaint(const DesignSpace &space, const SweepRequest &request) {
    try {
        resolve(space, price_targets(space), request, "0.0.test");
        return "accepted";
    } catch (const UserError &e) {
        return e.what();
    }
}

class NetAdaptTest : public SweepFixture {};

TEST_F(NetAdaptTest, every_step_takes_the_best_of_the_changes_that_save_enough) {
    const DesignSpace space = one_cpu();
    SweepRequest request = down("mobilenet_v4_conv_small", 1.0);
    request.netadapt.step = 0.05;
    request.netadapt.decay = 0.9;
    request.netadapt.weights = {"macs=2", "params=0.5"};
    const RunResult result = result_of(space, request, "r");
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    const Genes genes(space);
    ASSERT_GT(result.path.size(), 8u);
    EXPECT_EQ(result.path[0].change, "");
    double step = 0.05;
    for (std::size_t i = 1; i < result.path.size(); i++) {
        const auto &before = result.path[i - 1].point, &after = result.path[i].point;
        const double needed = std::min(step, before.values[0] - 1.0);
        EXPECT_LE(after.values[0], before.values[0] - needed);
        std::int64_t proposals = 0;
        double least = 1e9;
        for (const auto &choices : genes.neighbours(space.parse(before.choices))) {
            const Evaluation e = tables.evaluate(choices);
            if (e.feasible() && before.values[0] - e.values[0] >= needed) {
                proposals++;
                least = std::min(least, 2 * (1 - e.values[1] / before.values[1]) +
                                            0.5 * (1 - e.values[2] / before.values[2]));
            }
        }
        EXPECT_EQ(result.path[i].proposals, proposals);
        EXPECT_DOUBLE_EQ(result.path[i].loss, least);
        EXPECT_EQ(tables.evaluate(space.parse(after.choices)).values, after.values);
        std::size_t changed = 0;
        for (std::size_t a = 0; a < space.axes().size(); a++) {
            changed += before.choices[a] != after.choices[a] && !before.choices[a].empty() &&
                       !after.choices[a].empty();
        }
        EXPECT_EQ(changed, 1u) << result.path[i].change;
        step *= 0.9;
    }
    EXPECT_LE(result.path.back().point.values[0], 1.0);
    EXPECT_GT(result.path[result.path.size() - 2].point.values[0], 1.0);
}

TEST_F(NetAdaptTest, all_that_was_evaluated_is_in_the_front_or_beaten_by_it) {
    const DesignSpace space = one_cpu();
    const RunResult result = result_of(space, down("mobilenet_v4_conv_small", 1.5), "r");
    for (const auto &step : result.path) {
        EXPECT_TRUE(std::any_of(result.points.begin(), result.points.end(), [&](const RunPoint &p) {
            return p.values == step.point.values ||
                   dominates(p.values, step.point.values, result.senses());
        }));
        EXPECT_EQ(result.point(step.point.id).values, step.point.values);
    }
    EXPECT_GT(result.points.size(), result.path.size());
}

TEST_F(NetAdaptTest, without_a_wanted_value_it_goes_on_until_no_change_saves_a_step) {
    const DesignSpace space = one_cpu();
    const RunResult result = result_of(space, down("mobilenet_v4_conv_small"), "r");
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    const double step = 0.05 * result.path[0].point.values[0];
    const RunPoint &last = result.path.back().point;
    for (const auto &choices : Genes(space).neighbours(space.parse(last.choices))) {
        const Evaluation e = tables.evaluate(choices);
        EXPECT_TRUE(!e.feasible() || last.values[0] - e.values[0] < step);
    }
}

TEST_F(NetAdaptTest, a_network_that_breaks_a_rule_comes_nearer_to_it_with_every_step) {
    Json json = write_space(one_cpu());
    json["constraints"] = {{{"metric", "params"}, {"at_most", 2500000}}};
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    const RunResult result = result_of(space, down("mobilenet_v4_conv_small"), "r");
    double violation = 1e9;
    ASSERT_GT(result.path.size(), 2u);
    for (const auto &step : result.path) {
        const Evaluation e = tables.evaluate(space.parse(step.point.choices));
        EXPECT_TRUE(e.feasible() || e.violation < violation);
        violation = e.violation;
    }
    EXPECT_FALSE(tables.evaluate(space.parse(result.path[0].point.choices)).feasible());
}

TEST_F(NetAdaptTest, it_goes_on_from_a_point_of_another_run) {
    const DesignSpace space = one_cpu();
    const RunResult first = result_of(space, down("mobilenet_v4_conv_small", 1.5), "first");
    const RunPoint &point = first.points[first.points.size() / 2];
    const RunResult second =
        result_of(space, down((root_ / "first").string() + ":" + point.id, 1.0), "second");
    EXPECT_EQ(second.path[0].point.id, point.id);
    EXPECT_EQ(second.config.netadapt.start, point.choices);
    EXPECT_NE(complaint(space, down((root_ / "first").string() + ":zzzz")).find("no point 'zzzz'"),
              std::string::npos);
}

TEST_F(NetAdaptTest, what_cannot_be_says_why) {
    const DesignSpace space = one_cpu();
    const auto says = [&](const SweepRequest &request, const std::string &expected) {
        const std::string text = complaint(space, request);
        EXPECT_NE(text.find(expected), std::string::npos) << text;
    };
    says(down(""), "--from mobilenet_v4_conv_small");
    says(down("mobilenet_v4_conv_smal"), "did you mean 'mobilenet_v4_conv_small'");
    says(down("mobilenet_v4_conv_small@0.35"), "the space has no width 0.35");
    says(down("mobilenet_v4_conv_medium"), "is outside the space 'uib_small'");
    says(down("224;1;relu"), "found 3 choices");
    SweepRequest request = down("mobilenet_v4_conv_small");
    request.netadapt.toward = "latency_ms:pixel6-cpuu";
    says(request, "did you mean 'latency_ms:pixel6-cpu'");
    request = down("mobilenet_v4_conv_small");
    request.netadapt.weights = {"mac=1"};
    says(request, "did you mean 'macs'");
    request.netadapt.weights = {"macs"};
    says(request, "expected OBJECTIVE=NUMBER");
    request = down("mobilenet_v4_conv_small");
    request.strategy = "evolution";
    says(request, "option of the strategy netadapt, not of evolution");

    Json json = write_space(space);
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", "pixel6-cpu"}}};
    EXPECT_NE(complaint(space_of(json), down("mobilenet_v4_conv_small")).find("maximises nothing"),
              std::string::npos);
}

} // namespace
} // namespace edgefront
