#include "base/files.h"
#include "base/random.h"
#include "search/front_summary.h"
#include "search/genes.h"
#include "search/sweep.h"
#include "search/tracer.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>
#include <pagmo/utils/hypervolume.hpp>

#include <cmath>

namespace edgefront {
namespace {

TEST(Trace, the_gain_is_that_since_the_last_point_far_enough_back) {
    const Trace trace{{}, {}, {{100, 5, 0.2}, {200, 6, 0.3}, {290, 7, 0.32}, {300, 9, 0.33}}};
    EXPECT_DOUBLE_EQ(trace.gain(10), 0.33 / 0.32 - 1);
    EXPECT_DOUBLE_EQ(trace.gain(50), 0.33 / 0.3 - 1);
    EXPECT_DOUBLE_EQ(trace.gain(200), 0.33 / 0.2 - 1);
    EXPECT_TRUE(std::isinf(trace.gain(201)));
    EXPECT_TRUE(std::isinf((Trace{{}, {}, {{1, 0, 0}, {9, 1, 0.1}}}).gain(5)));
}

TEST(Trace, reads_back_and_refuses_evaluations_that_do_not_grow) {
    const Trace trace{{1, 9}, {2, 3}, {{100, 5, 0.25}, {200, 6, 0.3}}};
    const Json json = to_json(trace);
    EXPECT_EQ(to_json(read_trace(JsonReader::parse(json.dump(), "trace"))), json);
    Json bad = json;
    bad["points"][1]["evaluated"] = 100;
    EXPECT_THROW(read_trace(JsonReader::parse(bad.dump(), "trace")), UserError);
    bad = json;
    bad["points"][1]["hypervolume"] = 1.5;
    EXPECT_THROW(read_trace(JsonReader::parse(bad.dump(), "trace")), UserError);
}

TEST(Tracer, the_estimate_is_near_the_exact_hypervolume_and_the_box_holds_the_space) {
    const DesignSpace space = space_of(uib_small_on_cpu_json());
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    const Tracer tracer(space, tables, {});
    const Trace &box = tracer.trace();
    ParetoFront front({Sense::minimise, Sense::maximise, Sense::maximise});
    const Genes genes(space);
    Random random(1);
    double before = 0;
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 100; k++) {
            const Choices choices = genes.draw(random);
            const auto values = tables.evaluate(choices).values;
            front.admit({choices, values});
            for (std::size_t o = 0; o < 3; o++) {
                const bool maximise = front.senses()[o] == Sense::maximise;
                EXPECT_GE(values[o], maximise ? box.worst[o] : box.best[o]);
                EXPECT_LE(values[o], maximise ? box.best[o] : box.worst[o]);
            }
        }
        std::vector<std::vector<double>> points;
        for (const auto &member : front.members()) {
            points.emplace_back();
            for (std::size_t o = 0; o < 3; o++) {
                points.back().push_back((member.values[o] - box.best[o]) /
                                        (box.worst[o] - box.best[o]));
            }
        }
        const double exact = pagmo::hypervolume(points).compute({1, 1, 1});
        const double estimate = tracer.hypervolume(front);
        EXPECT_NEAR(estimate, exact, 0.005); // as tracer.h says
        EXPECT_GE(estimate, before);
        EXPECT_GT(estimate, 0.05);
        before = estimate;
    }
}

class TraceTest : public ::testing::Test {
protected:
    RunConfig config(const char *strategy, std::int64_t evaluations,
                     std::optional<std::int64_t> patience) const {
        SweepRequest request;
        request.strategy = strategy;
        request.evaluations = evaluations;
        request.population = 40;
        request.patience = patience;
        if (patience) {
            request.min_gain = 0.02;
        }
        return resolve(space_, price_targets(space_), request, "0.0.test");
    }
    SweepOutcome run(const RunConfig &config, const std::string &folder, int steps = 1 << 30) {
        int count = 0;
        SweepHooks hooks;
        hooks.stop = [&] { return count++ == steps; };
        return run_sweep(config, root_ / folder, zoo_, hooks);
    }

    Zoo zoo_;
    DesignSpace space_ = space_of(uib_small_on_cpu_json());
    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-trace"};
    const std::filesystem::path &root_ = temporary_.path();
};

TEST_F(TraceTest, a_sweep_records_how_its_front_grew) {
    for (const char *strategy : {"nsga2", "evolution"}) {
        const RunResult result = run(config(strategy, 500, {}), strategy).result;
        const auto &points = result.trace.points;
        ASSERT_GT(points.size(), 10u);
        EXPECT_EQ(points.back().evaluated, result.counters.evaluated);
        EXPECT_EQ(points.back().front, static_cast<std::int64_t>(result.points.size()));
        for (std::size_t i = 1; i < points.size(); i++) {
            EXPECT_GT(points[i].evaluated, points[i - 1].evaluated);
            EXPECT_GE(points[i].hypervolume, points[i - 1].hypervolume);
        }
        EXPECT_GT(points.back().hypervolume, points.front().hypervolume);
        EXPECT_NE(summary(result).find(growth(result)), std::string::npos);
    }
}

TEST_F(TraceTest, growth_is_told_where_a_budget_ends_the_search_and_points_are_near_enough) {
    RunResult result;
    result.config.strategy = "nsga2";
    result.config.evaluations = 1000;
    result.trace.points = {{100, 1, 0.1}, {800, 1, 0.1}, {850, 1, 0.1}, {900, 1, 0.1}};
    EXPECT_EQ(growth(result).find("over the last"), std::string::npos);
    result.trace.points.push_back({1000, 9, 0.23});
    EXPECT_NE(growth(result).find("over the last 100 evaluations it grew by 130 %"),
              std::string::npos)
        << growth(result);
    for (const char *strategy : {"exhaustive", "exact"}) {
        result.config.strategy = strategy;
        result.config.evaluations = strategy == std::string("exact") ? 0 : 1000;
        EXPECT_EQ(growth(result).find("over the last"), std::string::npos);
    }
}

TEST_F(TraceTest, patience_ends_a_search_that_has_come_to_a_stand) {
    const RunConfig patient = config("nsga2", 5000, 300);
    const RunResult result = run(patient, "whole").result;
    EXPECT_TRUE(result.finished);
    EXPECT_LT(result.counters.evaluated, 4000);
    EXPECT_LT(result.trace.gain(300), 0.02);
    EXPECT_NE(growth(result).find("no more were needed"), std::string::npos);
    // One point earlier it had not.
    Trace earlier = result.trace;
    earlier.points.pop_back();
    EXPECT_GE(earlier.gain(300), 0.02);
    EXPECT_EQ(run(patient, "whole").end, SweepEnd::already_finished);
    for (int pieces = 0; run(patient, "pieces", 15).end == SweepEnd::interrupted; pieces++) {
        ASSERT_LT(pieces, 100);
    }
    for (const char *name : {"/run.json", "/front.json", "/front.csv"}) {
        EXPECT_EQ(read_file(root_ / ("whole" + std::string(name))),
                  read_file(root_ / ("pieces" + std::string(name))));
    }
}

TEST_F(TraceTest, only_searches_with_a_budget_have_patience) {
    SweepRequest request;
    request.patience = 10;
    for (const char *strategy : {"exact", "exhaustive", "netadapt", "reward"}) {
        request.strategy = strategy;
        try {
            resolve(space_, price_targets(space_), request, "0.0.test");
            ADD_FAILURE() << strategy;
        } catch (const UserError &e) {
            EXPECT_NE(std::string(e.what()).find("--patience is an option of the strategies "
                                                 "nsga2, evolution, local, not of " +
                                                 std::string(strategy)),
                      std::string::npos)
                << e.what();
        }
    }
    request = {};
    request.strategy = "nsga2";
    request.min_gain = 0.1;
    EXPECT_THROW(resolve(space_, price_targets(space_), request, "0.0.test"), UserError);
}

} // namespace
} // namespace edgefront
