// Runs of the exact search beside others of the same space, and spaces for them.
#pragma once

#include "base/files.h"
#include "base/random.h"
#include "search/sweep.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace edgefront {

class ExactTest : public ::testing::Test {
protected:
    RunResult run(const DesignSpace &space, const std::string &strategy, double epsilon = 0,
                  std::int64_t memory_bytes = std::int64_t{1} << 30) {
        SweepRequest request;
        request.strategy = strategy;
        if (strategy == "exact") {
            request.epsilon = epsilon;
            request.memory_bytes = memory_bytes;
        }
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
inline Json random_space(std::uint64_t seed, const Json &targets) {
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

/// Large enough for thousands of labels, small enough for an exact front in a second.
inline DesignSpace deep_space(const std::string &cpu) {
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

/// Whether some point is within the factor of `wanted` in every objective.
inline bool matched(const RunResult &front, const RunPoint &wanted, double factor) {
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

} // namespace edgefront
