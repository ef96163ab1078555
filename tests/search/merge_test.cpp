#include "base/files.h"
#include "search/merge.h"
#include "search/sweep.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace edgefront {
namespace {

namespace fs = std::filesystem;

class MergeTest : public ::testing::Test {
protected:
    FoundRun sweep(const std::string &folder, const DesignSpace &space, const SweepRequest &request,
                   const SweepHooks &hooks = {}) const {
        const RunConfig config = resolve(space, price_targets(space), request, "0.0.test");
        run_sweep(config, root_ / folder, zoo_, hooks);
        return {folder, read_run(root_ / folder)};
    }
    RunResult merged(const std::vector<FoundRun> &runs) const { return merge_runs(runs, zoo_); }
    std::string text(const std::vector<FoundRun> &runs) const {
        return to_json(merged(runs)).dump();
    }

    Zoo zoo_;
    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-merge"};
    const fs::path &root_ = temporary_.path();
};

/// tiny.json with so many sizes that a short search misses most of the front.
DesignSpace wide_space() {
    Json json = tiny_json();
    json["resolutions"] = {96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256};
    json["widths"] = {0.5, 0.625, 0.75, 0.875, 1};
    return space_of(json);
}

SweepRequest seeded(std::uint64_t seed, std::int64_t generations = 3) {
    SweepRequest request;
    request.strategy = "nsga2";
    request.generations = generations;
    request.population = 40;
    request.seed = seed;
    return request;
}

std::vector<std::string> ids(const std::vector<RunPoint> &points) {
    std::vector<std::string> all;
    for (const auto &point : points) {
        all.push_back(point.id);
    }
    std::sort(all.begin(), all.end());
    return all;
}

/// Of the points of `runs`, those no other beats, by comparing all pairs.
std::vector<std::string> unbeaten(const std::vector<FoundRun> &runs) {
    const std::vector<Sense> senses = runs.front().result.senses();
    std::vector<RunPoint> all, kept;
    for (const auto &run : runs) {
        all.insert(all.end(), run.result.points.begin(), run.result.points.end());
    }
    for (const auto &point : all) {
        if (std::none_of(all.begin(), all.end(), [&](const RunPoint &other) {
                return dominates(other.values, point.values, senses);
            })) {
            kept.push_back(point);
        }
    }
    std::vector<std::string> result = ids(kept);
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

TEST_F(MergeTest, the_union_keeps_what_no_point_of_any_run_beats) {
    const DesignSpace space = wide_space();
    const std::vector<FoundRun> runs = {sweep("a", space, seeded(1, 1)),
                                        sweep("b", space, seeded(2, 1)),
                                        sweep("c", space, seeded(3, 2))};
    const RunResult all = merged(runs);
    EXPECT_EQ(ids(all.points), unbeaten(runs));
    for (const auto &run : runs) {
        EXPECT_LT(run.result.points.size(), all.points.size()) << "no run has it all";
    }
    EXPECT_TRUE(all.finished);
    EXPECT_EQ(all.config.strategy, "merge");
    EXPECT_EQ(all.config.merged.size(), 3u);
    EXPECT_EQ(all.counters.evaluated, 40 * (1 + 1 + 2));
    EXPECT_EQ(all.counters.space_size, space.size());
    std::int64_t feasible = 0;
    for (const auto &run : runs) {
        feasible += run.result.counters.feasible;
    }
    EXPECT_EQ(all.counters.feasible, feasible);
}

TEST_F(MergeTest, published_networks_are_held_against_the_joined_front) {
    const DesignSpace space = wide_space();
    FoundRun a = sweep("a", space, seeded(1)), b = sweep("b", space, seeded(2));
    a.result.marks.clear();
    for (const auto &point : a.result.points) { // every point of `a` as if it were published
        PublishedMark mark;
        mark.network = mark.id = point.id;
        mark.inside = mark.feasible = mark.on_front = true;
        mark.values = point.values;
        a.result.marks.push_back(mark);
    }
    b.result.marks = a.result.marks;
    const RunResult all = merged({a, b});
    const auto kept = unbeaten({a, b});
    std::size_t beaten = 0;
    for (const auto &mark : all.marks) {
        EXPECT_EQ(mark.on_front, std::binary_search(kept.begin(), kept.end(), mark.id));
        EXPECT_NE(mark.on_front, !mark.dominated_by.empty()) << mark.network;
        for (const auto &by : mark.dominated_by) {
            EXPECT_TRUE(dominates(all.point(by.id).values, mark.values, all.senses()));
        }
        beaten += mark.on_front ? 0 : 1;
    }
    EXPECT_GT(beaten, 0u);
    EXPECT_LT(beaten, all.marks.size());
}

TEST_F(MergeTest, the_order_of_the_runs_and_merging_in_steps_change_no_byte) {
    const DesignSpace space = wide_space();
    const FoundRun a = sweep("a", space, seeded(1)), b = sweep("b", space, seeded(2)),
                   c = sweep("c", space, seeded(3));
    const std::string whole = text({a, b, c});
    EXPECT_EQ(text({c, a, b}), whole);
    EXPECT_EQ(text({a, {"ab", merged({b, a})}, c}), whole);
    EXPECT_EQ(text({{"bc", merged({b, c})}, {"ab", merged({a, b})}}), whole)
        << "a run that comes twice counts once";
    FoundRun copy = a;
    copy.folder = "z";
    EXPECT_EQ(text({copy, c, b, a}), whole);
}

TEST_F(MergeTest, samples_add_nothing_to_the_exhaustive_front) {
    const DesignSpace space = shipped_space("tiny");
    const FoundRun all = sweep("all", space, {}), some = sweep("some", space, seeded(1));
    const RunResult joined = merged({some, all});
    EXPECT_EQ(front_csv(joined), front_csv(all.result));
    for (std::size_t m = 0; m < joined.marks.size(); m++) {
        EXPECT_EQ(joined.marks[m].on_front, all.result.marks[m].on_front);
        EXPECT_EQ(joined.marks[m].dominated_by.size(), all.result.marks[m].dominated_by.size());
    }
}

TEST_F(MergeTest, what_an_interrupted_run_has_seen_is_replaced_by_the_whole_run) {
    const DesignSpace space = wide_space();
    SweepHooks stopped;
    int steps = 0;
    stopped.stop = [&] { return steps++ == 2; };
    const FoundRun part = sweep("part", space, seeded(1), stopped);
    const FoundRun whole = sweep("whole", space, seeded(1)), other = sweep("b", space, seeded(2));
    ASSERT_FALSE(part.result.finished);
    EXPECT_FALSE(merged({part, other}).finished);
    const auto seen = [](const FoundRun &run) { return run.result.counters.evaluated; };
    EXPECT_LT(seen(part), seen(whole));
    EXPECT_EQ(merged({part, other}).counters.evaluated, seen(part) + seen(other));
    EXPECT_EQ(text({part, whole, other}), text({whole, other}));
}

TEST_F(MergeTest, refusals_add_up_and_keep_the_nearest_value) {
    Json json = write_space(wide_space());
    json["constraints"] = {{{"metric", "params"}, {"at_most", 1000}},
                           {{"metric", "macs"}, {"at_least", 1e15}}};
    const DesignSpace space = space_of(json);
    const FoundRun a = sweep("a", space, seeded(1)), b = sweep("b", space, seeded(2));
    const RunResult joined = merged({b, a});
    EXPECT_TRUE(joined.points.empty());
    int bounds = 0;
    for (std::size_t r = 0; r < joined.counters.refused.size(); r++) {
        const Refusals &sum = joined.counters.refused[r];
        const Refusals &x = a.result.counters.refused[r], &y = b.result.counters.refused[r];
        EXPECT_EQ(sum.candidates, x.candidates + y.candidates) << sum.constraint;
        if (sum.constraint.rfind("params", 0) == 0) {
            EXPECT_EQ(*sum.nearest, std::min(*x.nearest, *y.nearest));
            bounds++;
        } else if (sum.constraint.rfind("macs", 0) == 0) {
            EXPECT_EQ(*sum.nearest, std::max(*x.nearest, *y.nearest));
            bounds++;
        }
    }
    EXPECT_EQ(bounds, 2);
}

TEST_F(MergeTest, runs_that_cannot_be_compared_are_refused_with_the_difference) {
    const FoundRun a = sweep("a", shipped_space("tiny"), {});
    const auto refusal = [&](const FoundRun &b) -> std::string {
        try {
            merged({a, b});
        } catch (const UserError &e) {
            return e.what();
        }
        return "accepted";
    };
    Json json = tiny_json();
    json["widths"] = {0.5, 0.75};
    EXPECT_NE(refusal(sweep("b", space_of(json), {})).find("/space/widths/1: "), std::string::npos);
    FoundRun changed = a;
    changed.folder = "changed";
    changed.result.config.targets[0].hash = "0123";
    EXPECT_NE(refusal(changed).find("changed: "), std::string::npos);
    EXPECT_NE(refusal(changed).find("/targets/0/hash: "), std::string::npos);
    changed = a;
    changed.result.config.tool_version = "0.0.older";
    EXPECT_NE(refusal(changed).find("/tool_version: "), std::string::npos);
    changed = a;
    changed.result.block_rates[0].ms_per_100_mmacs[0] *= 1.01; // another model, same constants
    EXPECT_NE(refusal(changed).find("/block_rates/0/"), std::string::npos);
    EXPECT_THROW(merged({}), UserError);
}

TEST_F(MergeTest, second_figures_go_to_the_network_they_are_of_when_two_share_an_id) {
    FoundRun a = sweep("a", shipped_space("tiny"), {});
    auto &points = a.result.points;
    ASSERT_GT(points.size(), 2u);
    RunPoint &refined = points[1];
    RefinedPoint second;
    second.predicted = refined.values;
    second.kinds.assign(refined.values.size(), {});
    second.failure = "no compiler";
    refined.refined = second;
    refined.id = points[0].id;
    const auto choices = refined.choices;
    const RunResult joined = merged({a});
    ASSERT_EQ(joined.points.size(), points.size());
    for (const auto &point : joined.points) {
        EXPECT_EQ(point.refined.has_value(), point.choices == choices);
    }
}

TEST_F(MergeTest, a_merged_front_is_a_run_like_any_other_but_cannot_be_swept) {
    const DesignSpace space = wide_space();
    const FoundRun a = sweep("a", space, seeded(1)), b = sweep("b", space, seeded(2));
    const RunResult joined = merged({a, b});
    write_merged(root_ / "both", joined);
    const std::string before = read_file(root_ / "both/front.json");
    const RunResult read = read_run(root_ / "both");
    EXPECT_EQ(to_json(read).dump(), to_json(joined).dump());
    const Network network = network_of(read, read.points[0], zoo_);
    EXPECT_EQ(static_cast<double>(macs(network).count()),
              read.points[0].values[read.objective("macs")]);
    write_merged(root_ / "both", merged({b, a})); // again is no harm
    EXPECT_EQ(read_file(root_ / "both/front.json"), before);
    EXPECT_THROW(write_merged(root_ / "both", merged({a})), UserError);
    EXPECT_THROW(write_merged(root_ / "a", joined), UserError) << "a sweep lives there";
    EXPECT_EQ(read_file(root_ / "both/front.json"), before);
    const RunConfig config = read_run_config(JsonReader::parse_file(root_ / "both/run.json"));
    EXPECT_THROW(run_sweep(config, root_ / "again", zoo_, {}), UserError);
    EXPECT_FALSE(fs::exists(root_ / "again"));
}

TEST_F(MergeTest, a_network_with_two_accuracies_is_refused_and_so_are_two_models) {
    const FoundRun a = sweep("a", wide_space(), seeded(1, 1));
    FoundRun b = a;
    b.folder = "b";
    b.result.points.front().values.back() += 0.5;
    EXPECT_THROW(merged({a, b}), UserError);
    EXPECT_THROW(merged({b, a}), UserError);
    b = a;
    FoundRun c = a;
    b.result.accuracy.emplace();
    c.result.accuracy.emplace();
    EXPECT_NO_THROW(merged({b, c}));
    b.result.accuracy->model_hash = "0123";
    EXPECT_THROW(merged({b, c}), UserError);
    c.result.accuracy->model_hash = "0123";
    EXPECT_NO_THROW(merged({b, c}));
}

} // namespace
} // namespace edgefront
