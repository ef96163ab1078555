#include "base/files.h"
#include "base/random.h"
#include "search/dominance_tree.h"
#include "search/exact.h"
#include "search/sweep.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace edgefront {
namespace {

TEST(DominanceTree, finds_a_point_exactly_when_one_is_nowhere_above_the_query) {
    Random random(1);
    for (const std::size_t n : {1u, 2u, 3u, 5u}) {
        DominanceTree tree(n);
        std::vector<std::vector<std::int64_t>> points;
        int found = 0;
        const auto draw = [&](std::uint64_t below) {
            std::vector<std::int64_t> point;
            for (std::size_t k = 0; k < n; k++) {
                point.push_back(static_cast<std::int64_t>(random.below(below)));
            }
            return point;
        };
        for (int i = 0; i < 700; i++) {
            points.push_back(draw(1000));
            tree.insert(points.back().data());
            const auto query = draw(400);
            const auto nowhere_above = [&](const auto &p) {
                return std::equal(p.begin(), p.end(), query.begin(),
                                  [](auto a, auto b) { return a <= b; });
            };
            const bool expected = std::any_of(points.begin(), points.end(), nowhere_above);
            ASSERT_EQ(tree.find(query.data()) != nullptr, expected);
            found += expected;
        }
        EXPECT_GT(found, 0);
        EXPECT_LT(found, 700);
    }
}

TEST(ParetoFront, many_points_at_once_give_the_same_front_as_one_by_one) {
    Random random(4);
    const std::vector<Sense> senses = {Sense::minimise, Sense::maximise, Sense::minimise};
    ParetoFront one_by_one(senses), at_once(senses);
    for (int batch = 0; batch < 5; batch++) {
        std::vector<Member> points;
        for (int i = 0; i < 400; i++) {
            Member point{{static_cast<int>(random.below(9))}, {}};
            for (std::size_t k = 0; k < senses.size(); k++) {
                point.values.push_back(static_cast<double>(random.below(30)) - 15.5);
            }
            points.push_back(point);
            one_by_one.admit(point);
        }
        at_once.admit_all(points);
        ASSERT_EQ(at_once.size(), one_by_one.size());
        for (std::size_t i = 0; i < at_once.size(); i++) {
            EXPECT_EQ(at_once.members()[i].values, one_by_one.members()[i].values);
            EXPECT_EQ(at_once.members()[i].choices, one_by_one.members()[i].choices);
        }
    }
    EXPECT_GT(at_once.size(), 5u);
}

/// What the exact search relies on; of every device the tool has.
TEST(NetworkCost,
     is_convex_and_never_falls_in_the_weights_and_depends_on_nothing_else_that_varies) {
    for (const auto &entry : read_targets()) {
        const std::string &name = entry.first;
        const auto model = make_cost_model(entry.second);
        const Workload workload = workload_for(model->target());
        NetworkTotals totals;
        totals.input = totals.output = Bytes(100'000);
        const auto cost = [&](std::int64_t weights) {
            totals.weights = Bytes(weights);
            return model->network_cost(totals, workload);
        };
        constexpr std::int64_t step = 300'000;
        for (std::int64_t w = step; w < 100 * step; w += step) {
            const Cost before = cost(w - step), here = cost(w), behind = cost(w + step);
            const auto convex = [&](double a, double b, double c) {
                EXPECT_LE(a, b) << name;
                EXPECT_LE(2 * b, (a + c) * (1 + 1e-12)) << name << " at " << w;
            };
            convex(before.latency.count(), here.latency.count(), behind.latency.count());
            convex(before.energy.count(), here.energy.count(), behind.energy.count());
        }
        const Cost plain = cost(5 * step);
        totals.layers = 70;
        totals.peak_activations = Bytes(5'000'000);
        EXPECT_EQ(cost(5 * step).latency.count(), plain.latency.count()) << name;
        EXPECT_EQ(cost(5 * step).energy.count(), plain.energy.count()) << name;
    }
}

class ExactTest : public ::testing::Test {
protected:
    RunResult run(const DesignSpace &space, const std::string &strategy, double epsilon = 0,
                  std::int64_t memory_bytes = std::int64_t{1} << 30) {
        SweepRequest request;
        request.strategy = strategy;
        request.epsilon = epsilon;
        request.memory_bytes = memory_bytes;
        const RunConfig config = resolve(space, price_targets(space), request, "0.0.test");
        const std::string folder = std::to_string(runs_++);
        return run_sweep(config, root_ / folder, zoo_, SweepHooks()).result;
    }

    /// Both strategies find the same networks with the same values. Returns the size of the front.
    std::size_t expect_equal(const DesignSpace &space) {
        const RunResult expected = run(space, "exhaustive"), found = run(space, "exact");
        EXPECT_EQ(found.epsilon, 0.0);
        EXPECT_EQ(found.points.size(), expected.points.size());
        for (std::size_t i = 0; i < std::min(found.points.size(), expected.points.size()); i++) {
            EXPECT_EQ(found.points[i].id, expected.points[i].id);
            EXPECT_EQ(found.points[i].values, expected.points[i].values);
        }
        return found.points.size();
    }

    /// A target like another, with another constant.
    std::string target(const std::string &base, const std::string &constant, double value) {
        const std::string name = "small-" + base;
        const Json json = {
            {"schema", "edgefront/target/1"},
            {"name", name},
            {"based_on", base},
            {"description", "for a test"},
            {"constants",
             {{constant, {{"value", value}, {"source", "the test"}, {"confidence", "assumed"}}}}}};
        const auto path = root_ / (name + ".json");
        write_file(path, json.dump());
        return path.string();
    }

    Zoo zoo_;
    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-exact"};
    const std::filesystem::path &root_ = temporary_.path();
    int runs_ = 0;
};

/// Two stages with options drawn at random; about 50,000 networks with the seeds used here.
Json random_space(std::uint64_t seed, const Json &targets) {
    Random random(seed);
    Json json = tiny_json();
    const auto position = [&](bool strided, std::size_t count) {
        Json options = Json::array();
        while (options.size() < count) {
            const auto kernel = [&] { return std::vector<int>{0, 3, 5}[random.below(3)]; };
            const int start = kernel(), mid = kernel();
            const Block block = uib(1).start_dw(start).mid_dw(mid).e(
                std::vector<double>{2, 3, 4, 6}[random.below(4)]);
            const std::string name = uib_option(block).name;
            const bool known = std::find(options.begin(), options.end(), name) != options.end();
            if (!known && !(strided && start + mid == 0)) {
                options.push_back(name);
            }
        }
        return options;
    };
    json["resolutions"] = {128, 96};
    json["widths"] = {0.5, 2};
    json["activations"] = {"relu"};
    json["stages"] = Json::array();
    json["stages"].push_back(
        {{"stride", 2},
         {"channels", {64, 48}},
         {"depths", {1, 3}},
         {"blocks", {position(true, 4), position(false, 4), position(false, 4)}}});
    json["stages"].push_back(
        {{"stride", 2},
         {"channels", {96, 160}},
         {"depths", {2, 3}},
         {"blocks", {position(true, 3), position(false, 4), position(false, 3)}}});
    json["targets"] = targets;
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", targets[0]}},
                          {{"metric", "macs"}, {"sense", "maximise"}},
                          {{"metric", "params"}, {"sense", "maximise"}}};
    json["mark"] = Json::array();
    return json;
}

TEST_F(ExactTest, equals_enumeration_on_the_smallest_space) {
    EXPECT_GT(expect_equal(shipped_space("tiny")), 10u);
}

TEST_F(ExactTest, equals_enumeration_on_a_cpu_whose_cache_some_networks_fit) {
    const DesignSpace space = space_of(random_space(1, {target("pixel6-cpu", "cache_mib", 1.5)}));
    EXPECT_GT(space.size(), 30000);
    EXPECT_GT(expect_equal(space), 100u);
}

TEST_F(ExactTest, equals_enumeration_on_a_dsp) {
    EXPECT_GT(expect_equal(space_of(random_space(2, {"hexagon690"}))), 100u);
}

TEST_F(ExactTest, equals_enumeration_on_an_edge_tpu_that_some_weights_spill_out_of) {
    const DesignSpace space =
        space_of(random_space(3, {target("coral-usb", "weight_memory_mib", 1.5)}));
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    // The heaviest network streams weights, the lightest does not.
    std::vector<std::int64_t> streamed;
    for (const int sign : {1, -1}) {
        const Choices choices = extreme_network(space, tables, sign > 0 ? 0 : 1,
                                                tables.column(CostTables::param_count), sign);
        std::vector<std::int64_t> sums(tables.columns(), 0);
        sums[tables.column(0, CostTables::weights)] =
            totals(*targets[0].model, space.network(choices), targets[0].workload).weights.count();
        streamed.push_back(tables.once(0, sums.data()).latency_ps);
        sums[tables.column(0, CostTables::weights)] = 0;
        streamed.back() -= tables.once(0, sums.data()).latency_ps;
    }
    EXPECT_EQ(streamed[0], 0);
    EXPECT_GT(streamed[1], 0);
    EXPECT_GT(expect_equal(space), 100u);
}

TEST_F(ExactTest, equals_enumeration_with_many_objectives_and_bounds) {
    const std::string cpu = target("pixel6-cpu", "cache_mib", 1.5);
    const std::string tpu = target("coral-usb", "weight_memory_mib", 1.5);
    Json json = random_space(4, {cpu, tpu, "hexagon690"});
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", cpu}},
                          {{"metric", "energy_mj"}, {"target", tpu}},
                          {{"metric", "peak_bytes"}, {"target", tpu}},
                          {{"metric", "macs"}, {"sense", "maximise"}}};
    const std::size_t all = expect_equal(space_of(json));
    const auto median = [&](const RunResult &result, std::size_t o) {
        std::vector<double> values;
        for (const auto &point : result.points) {
            values.push_back(point.values[o]);
        }
        std::sort(values.begin(), values.end());
        return values[values.size() / 2];
    };
    const RunResult free = run(space_of(json), "exact");
    json["constraints"] = {
        {{"metric", "frames_per_second"}, {"target", cpu}, {"at_least", 1000 / median(free, 0)}},
        {{"metric", "energy_mj"}, {"target", tpu}, {"at_most", median(free, 1)}},
        {{"metric", "peak_bytes"}, {"target", tpu}, {"at_most", median(free, 2) * 1.5}},
        {{"metric", "macs"}, {"at_most", median(free, 3) * 1.2}},
        {{"metric", "params"}, {"at_least", 500000}}};
    const std::size_t bounded = expect_equal(space_of(json));
    EXPECT_GT(bounded, 5u);
    EXPECT_LT(bounded, all);
    // Bounds on what is no objective.
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", "hexagon690"}},
                          {{"metric", "params"}, {"sense", "maximise"}}};
    EXPECT_GT(expect_equal(space_of(json)), 5u);
}

TEST_F(ExactTest, equals_enumeration_where_positions_are_alike_whether_depths_lie_between_or_not) {
    Json json = random_space(8, {target("pixel6-cpu", "cache_mib", 1.5)});
    json["resolutions"] = {128};
    json["widths"] = {1};
    json["stages"][0]["channels"] = {64};
    json["stages"][1]["blocks"] = {
        {"start_kernels", {0, 3}}, {"mid_kernels", {0, 3}}, {"expansions", {2, 4}}};
    for (const Json &depths : {Json({4}), Json({1, 2, 3, 4}), Json({3, 4})}) {
        json["stages"][1]["depths"] = depths;
        EXPECT_GT(expect_equal(space_of(json)), 100u);
    }
}

TEST_F(ExactTest, equals_enumeration_when_only_a_peak_is_wanted) {
    Json json = random_space(5, {"pixel6-cpu"});
    json["objectives"] = {{{"metric", "peak_bytes"}}};
    json["constraints"] = {{{"metric", "macs"}, {"at_least", 8e7}}};
    EXPECT_EQ(expect_equal(space_of(json)), 1u);
}

/// Whether some point is within the factor of `wanted` in every objective.
bool matched(const RunResult &front, const RunPoint &wanted, double factor) {
    return std::any_of(front.points.begin(), front.points.end(), [&](const RunPoint &p) {
        for (std::size_t o = 0; o < p.values.size(); o++) {
            const bool minimise = front.objectives[o].sense == Sense::minimise;
            if (minimise ? p.values[o] > wanted.values[o] * factor
                         : p.values[o] * factor < wanted.values[o]) {
                return false;
            }
        }
        return true;
    });
}

/// Large enough for thousands of labels, small enough for an exact front in a second.
DesignSpace deep_space(const std::string &cpu) {
    Json json = random_space(6, {cpu});
    json["resolutions"] = {128};
    json["widths"] = {1};
    const Json any = {
        {"start_kernels", {0, 3, 5}}, {"mid_kernels", {0, 3}}, {"expansions", {2, 3, 4, 6}}};
    json["stages"] = {{{"stride", 2}, {"channels", {64}}, {"depths", {4}}, {"blocks", any}},
                      {{"stride", 2}, {"channels", {128}}, {"depths", {7}}, {"blocks", any}}};
    json["constraints"] = {{{"metric", "latency_ms"}, {"target", cpu}, {"at_most", 3}}};
    return space_of(json);
}

TEST_F(ExactTest, epsilon_keeps_its_promise_and_saves_points) {
    const DesignSpace space = deep_space(target("pixel6-cpu", "cache_mib", 1.5));
    const RunResult exact = run(space, "exact");
    EXPECT_EQ(exact.epsilon, 0.0);
    ASSERT_GT(exact.points.size(), 2000u);
    const RunResult rough = run(space, "exact", 0.02);
    ASSERT_TRUE(rough.epsilon.has_value());
    EXPECT_GT(*rough.epsilon, 0);
    EXPECT_LE(*rough.epsilon, 0.02);
    EXPECT_LT(rough.points.size(), exact.points.size() / 2);
    for (const auto &point : exact.points) {
        EXPECT_TRUE(matched(rough, point, 1 + *rough.epsilon)) << point.id;
    }
}

TEST_F(ExactTest, epsilon_keeps_its_promise_with_many_objectives) {
    const std::string cpu = target("pixel6-cpu", "cache_mib", 1.5);
    const std::string tpu = target("coral-usb", "weight_memory_mib", 1.5);
    Json json = write_space(deep_space(cpu));
    json["targets"] = {cpu, tpu, "hexagon690"};
    json["stages"][1]["depths"] = {5};
    json["stages"][1]["blocks"].erase(6);
    json["stages"][1]["blocks"].erase(5);
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", cpu}},
                          {{"metric", "latency_ms"}, {"target", tpu}},
                          {{"metric", "peak_bytes"}, {"target", tpu}},
                          {{"metric", "macs"}, {"sense", "maximise"}},
                          {{"metric", "params"}, {"sense", "maximise"}}};
    const RunResult exact = run(space_of(json), "exact");
    EXPECT_EQ(exact.epsilon, 0.0);
    const RunResult rough = run(space_of(json), "exact", 0.05);
    ASSERT_TRUE(rough.epsilon.has_value());
    EXPECT_GT(*rough.epsilon, 0);
    EXPECT_LE(*rough.epsilon, 0.05);
    EXPECT_LT(rough.points.size(), exact.points.size() / 2);
    for (const auto &point : exact.points) {
        ASSERT_TRUE(matched(rough, point, 1 + *rough.epsilon)) << point.id;
    }
}

TEST_F(ExactTest, little_memory_raises_epsilon_and_says_how_far) {
    const DesignSpace space = deep_space(target("pixel6-cpu", "cache_mib", 1.5));
    const RunResult exact = run(space, "exact");
    const RunResult tight = run(space, "exact", 0, 2 << 20);
    ASSERT_TRUE(tight.epsilon.has_value());
    EXPECT_GT(*tight.epsilon, 0);
    EXPECT_LT(*tight.epsilon, 0.5);
    EXPECT_LT(tight.points.size(), exact.points.size());
    for (const auto &point : exact.points) {
        EXPECT_TRUE(matched(tight, point, 1 + *tight.epsilon)) << point.id;
    }
}

TEST_F(ExactTest, bounds_are_kept_even_when_memory_is_short) {
    const std::string cpu = target("pixel6-cpu", "cache_mib", 1.5);
    Json json = write_space(deep_space(cpu));
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", cpu}},
                          {{"metric", "energy_mj"}, {"target", cpu}}};
    json["constraints"] = {{{"metric", "params"}, {"at_least", 1.2e6}},
                           {{"metric", "macs"}, {"at_least", 9e7}}};
    const RunResult exact = run(space_of(json), "exact");
    EXPECT_EQ(exact.epsilon, 0.0);
    ASSERT_FALSE(exact.points.empty());
    EXPECT_THROW(run(space_of(json), "exact", 0, 1), UserError);
    const RunResult tight = run(space_of(json), "exact", 0, 8 << 20);
    ASSERT_TRUE(tight.epsilon.has_value());
    for (const auto &point : exact.points) {
        EXPECT_TRUE(matched(tight, point, 1 + *tight.epsilon)) << point.id;
    }
}

TEST_F(ExactTest, an_interrupted_run_claims_nothing_and_goes_on_to_the_same_bytes) {
    const DesignSpace space = space_of(random_space(1, {"pixel6-cpu"}));
    SweepRequest request;
    request.strategy = "exact";
    const RunConfig config = resolve(space, price_targets(space), request, "0.0.test");
    run_sweep(config, root_ / "whole", zoo_, SweepHooks());
    int pieces = 0;
    for (bool finished = false; !finished; pieces++) {
        SweepHooks hooks;
        hooks.threads = 3;
        int steps = 0;
        hooks.stop = [&] { return steps++ == 12; }; // a context has 7
        finished = run_sweep(config, root_ / "pieces", zoo_, hooks).end == SweepEnd::finished;
        const RunResult result = read_run(root_ / "pieces");
        EXPECT_EQ(result.finished, finished);
        EXPECT_EQ(result.epsilon.has_value(), finished);
        ASSERT_LT(pieces, 20);
    }
    EXPECT_GT(pieces, 2);
    for (const char *file : {"front.json", "front.csv", "run.json"}) {
        EXPECT_EQ(read_file(root_ / "whole" / file), read_file(root_ / "pieces" / file));
    }
}

TEST_F(ExactTest, a_space_without_feasible_network_shows_the_nearest_one) {
    Json json = tiny_json();
    json["constraints"] = {{{"metric", "params"}, {"at_most", 1000}}};
    const RunResult found = run(space_of(json), "exact"), all = run(space_of(json), "exhaustive");
    EXPECT_TRUE(found.points.empty());
    EXPECT_EQ(found.epsilon, 0.0);
    EXPECT_EQ(found.counters.refused.back().nearest, all.counters.refused.back().nearest);
}

TEST_F(ExactTest, equals_enumeration_on_ten_million_networks) {
    Json json = random_space(7, {target("coral-usb", "weight_memory_mib", 1.5)});
    json["widths"] = {0.5, 0.625, 0.75, 0.875, 1, 1.25, 1.5, 2};
    json["resolutions"] = {96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256};
    json["stages"][0]["depths"] = {2, 3};
    json["stages"][1]["channels"] = {96, 128, 160};
    const Json wide = {{"start_kernels", {0, 3}}, {"mid_kernels", {3}}, {"expansions", {2, 4, 6}}};
    json["stages"][1]["blocks"] = wide;
    const DesignSpace space = space_of(json);
    EXPECT_GT(space.size(), 1e7);
    EXPECT_GT(expect_equal(space), 100u);
}

} // namespace
} // namespace edgefront
