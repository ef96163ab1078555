#include "base/files.h"
#include "search/merge.h"
#include "search/refine.h"
#include "search/sweep.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace edgefront {
namespace {

namespace fs = std::filesystem;

/// data/spaces/tiny.json on one device, at one resolution, for latency against MACs.
DesignSpace space_on(const std::string &target, const Json &constraints = Json::array()) {
    Json json = tiny_json();
    json["resolutions"] = {96};
    json["activations"] = {"relu"};
    json["targets"] = {target};
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", target}},
                          {{"metric", "macs"}, {"sense", "maximise"}}};
    json["mark"] = Json::array();
    if (!constraints.empty()) {
        json["constraints"] = constraints;
    }
    return space_of(json);
}

class RefineTest : public ::testing::Test {
protected:
    /// A finished sweep in a folder of its own.
    fs::path sweep(const std::string &folder, const DesignSpace &space) const {
        run_sweep(resolve(space, price_targets(space), {}, "0.0.test"), root() / folder, zoo_, {});
        return root() / folder;
    }
    RefineOutcome refined(const fs::path &folder, std::size_t points,
                          const RefineHooks &hooks = {}) const {
        RefineRequest request;
        request.points = points;
        return refine(folder, zoo_, request, hooks);
    }
    static std::string bytes(const fs::path &folder) {
        return read_file(folder / "front.json") + read_file(folder / "front.csv");
    }
    fs::path root() const { return temporary_.path(); }

    Zoo zoo_;
    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-refine"};
};

/// Times that a test makes up, by order of the calls; a negative one is a network that fails.
RefineHooks clock_of(std::vector<double> times_ms) {
    RefineHooks hooks;
    hooks.build.cache = "unused";
    hooks.measure = [times_ms, next = std::size_t{0}](const Network &,
                                                      const MeasureOptions &) mutable {
        Measurement m;
        const double ms = times_ms.at(next++);
        if (ms < 0) {
            m.failure = "no such kernel";
        } else {
            m.time = Timing{Seconds(ms * 1e-3), Seconds(0.9e-3 * ms), Seconds(1.2e-3 * ms), 7};
        }
        return m;
    };
    return hooks;
}

std::size_t count(const RunResult &result, Standing standing) {
    return static_cast<std::size_t>(
        std::count_if(result.points.begin(), result.points.end(),
                      [&](const RunPoint &p) { return p.standing() == standing; }));
}

TEST_F(RefineTest, refined_values_are_those_of_the_fused_estimate_and_the_first_ones_stay_beside) {
    const fs::path folder = sweep("a", space_on("coral-usb"));
    const RunResult before = read_run(folder);
    EXPECT_EQ(refined(folder, 5).refined, 5u);
    const RunResult after = read_run(folder);
    EXPECT_EQ(after.points.size(), before.points.size());
    EXPECT_EQ(after.refined_objectives(), std::vector<std::size_t>{0});
    const auto model = make_cost_model(find_target("coral-usb"));
    const Workload workload = workload_for(model->target());
    std::size_t faster = 0;
    for (const auto &point : after.points) {
        const RunPoint &first = before.point(point.id);
        EXPECT_EQ(point.first_values(), first.values);
        EXPECT_EQ(point.values[1], first.values[1]) << "MACs have no second figure";
        if (!point.refined) {
            EXPECT_EQ(point.values, first.values);
            continue;
        }
        const Network network = network_of(after, point, zoo_);
        const Estimate fused = estimate(*model, network, workload, Fuse::where_cheaper);
        EXPECT_NEAR(point.values[0], milliseconds(fused.total.latency), 1e-6 * point.values[0]);
        EXPECT_EQ(point.refined->fused, static_cast<int>(fused.groups.size()));
        EXPECT_EQ(point.refined->kinds[0], CostKind::modelled);
        EXPECT_FALSE(point.refined->kinds[1]);
        faster += point.values[0] < first.values[0];
    }
    EXPECT_EQ(count(after, Standing::not_refined), before.points.size() - 5);
    EXPECT_GT(faster, 0u);
}

TEST_F(RefineTest, where_nothing_fuses_and_all_is_proven_the_first_figures_are_confirmed) {
    const fs::path folder = sweep("a", space_on("hexagon690"));
    const RunResult before = read_run(folder);
    const RunResult after = refined(folder, 4).result;
    for (std::size_t i = 0; i < before.points.size(); i++) {
        EXPECT_EQ(after.points[i].id, before.points[i].id);
        EXPECT_EQ(after.points[i].values, before.points[i].values);
    }
    EXPECT_EQ(count(after, Standing::on_front), 4u);
}

TEST_F(RefineTest, more_points_later_interruptions_and_threads_end_with_the_same_bytes) {
    const DesignSpace space = space_on("coral-usb");
    const fs::path whole = sweep("whole", space), pieces = sweep("pieces", space);
    RefineHooks three;
    three.threads = 3;
    refined(whole, 6, three);
    refined(pieces, 2);
    RefineHooks hooks;
    int calls = 0;
    hooks.stop = [&] { return calls++ == 2; };
    const RefineOutcome stopped = refined(pieces, 6, hooks);
    EXPECT_TRUE(stopped.interrupted);
    EXPECT_EQ(stopped.refined, 2u);
    EXPECT_NE(bytes(pieces), bytes(whole));
    EXPECT_EQ(refined(pieces, 6).refined, 2u);
    EXPECT_EQ(bytes(pieces), bytes(whole));
    EXPECT_EQ(refined(pieces, 6).refined, 0u);
    EXPECT_EQ(bytes(pieces), bytes(whole));
}

TEST_F(RefineTest, a_run_that_is_killed_has_what_it_refined) {
    struct Killed {};
    const DesignSpace space = space_on("coral-usb");
    const fs::path whole = sweep("whole", space), killed = sweep("killed", space);
    refined(whole, 4);
    const std::string first = bytes(killed);
    RefineHooks hooks;
    hooks.progress = [](const RefineProgress &p) {
        if (p.done == 3) {
            throw Killed(); // nothing is written any more
        }
    };
    EXPECT_THROW(refined(killed, 4, hooks), Killed);
    EXPECT_EQ(bytes(killed), first);
    EXPECT_EQ(refined(killed, 4).refined, 1u);
    EXPECT_EQ(bytes(killed), bytes(whole));
    EXPECT_FALSE(fs::exists(killed / "refined.json"));
}

TEST_F(RefineTest, a_point_that_is_measured_slow_falls_behind_refined_ones_only) {
    const fs::path folder = sweep("a", space_on("host"));
    const RunResult before = read_run(folder);
    const auto chosen = promising(before, 3);
    // The knee is slower than the largest network, which is slower than the smallest.
    std::vector<double> times(3, 5.0);
    times[0] = 50;
    const RefineOutcome outcome = refined(folder, 3, clock_of(times));
    const RunResult after = read_run(folder);
    const RunPoint &knee = after.point(before.points[chosen[0]].id);
    EXPECT_EQ(knee.standing(), Standing::dominated);
    EXPECT_DOUBLE_EQ(knee.values[0], 50);
    EXPECT_EQ(knee.refined->predicted, before.points[chosen[0]].values);
    EXPECT_EQ(knee.refined->kinds[0], CostKind::measured);
    EXPECT_NEAR(knee.refined->time->jitter(), 0.3, 1e-9);
    EXPECT_EQ(after.points.back().id, knee.id) << "sorted by what stands now";
    for (const auto &rival : knee.refined->dominated_by) {
        EXPECT_TRUE(after.point(rival).refined);
    }
    const RunPoint &largest = *std::max_element(
        after.points.begin(), after.points.end(),
        [](const RunPoint &a, const RunPoint &b) { return a.values[1] < b.values[1]; });
    EXPECT_EQ(largest.standing(), Standing::on_front);
    EXPECT_EQ(count(after, Standing::not_refined), before.points.size() - 3);
}

TEST_F(RefineTest, a_network_that_fails_costs_itself_only_and_is_tried_again) {
    const fs::path folder = sweep("a", space_on("host"));
    const RunResult before = read_run(folder);
    const RunResult failed = refined(folder, 3, clock_of({1, -1, 3})).result;
    EXPECT_EQ(count(failed, Standing::failed), 1u);
    const std::string id = before.points[promising(before, 2)[1]].id;
    EXPECT_EQ(failed.point(id).refined->failure, "no such kernel");
    EXPECT_EQ(failed.point(id).values, before.point(id).values);
    const RefineOutcome again = refined(folder, 3, clock_of({2}));
    EXPECT_EQ(again.refined, 1u);
    EXPECT_DOUBLE_EQ(again.result.point(id).values[0], 2);
}

TEST_F(RefineTest, second_figures_that_break_a_constraint_are_said_to) {
    const Json at_most = {{{"metric", "latency_ms"}, {"target", "host"}, {"at_most", 3}}};
    const fs::path folder = sweep("a", space_on("host", at_most));
    const RunResult before = read_run(folder);
    const RunResult after = refined(folder, 2, clock_of({4, 1})).result;
    const RunPoint &slow = after.point(before.points[promising(before, 1)[0]].id);
    EXPECT_EQ(slow.standing(), Standing::infeasible);
    EXPECT_EQ(slow.refined->breaks, std::vector<std::string>{"latency_ms:host <= 3 (4)"});
    EXPECT_EQ(count(after, Standing::on_front), 1u);
}

TEST_F(RefineTest, fewer_points_are_the_first_of_more_whatever_is_refined_already) {
    const fs::path folder = sweep("a", space_on("host"));
    const RunResult before = read_run(folder);
    std::vector<std::string> ids;
    for (const std::size_t i : promising(before, 6)) {
        ids.push_back(before.points[i].id);
    }
    ASSERT_EQ(ids.size(), 6u);
    const RunResult after = refined(folder, 2, clock_of({80, 90})).result;
    for (std::size_t n = 0; n <= 6; n++) {
        const auto some = promising(after, n);
        ASSERT_EQ(some.size(), n);
        for (std::size_t i = 0; i < n; i++) {
            EXPECT_EQ(after.points[some[i]].id, ids[i]);
        }
    }
    EXPECT_EQ(promising(before, 100000).size(), before.points.size());
}

TEST_F(RefineTest, what_cannot_be_refined_is_refused_and_nothing_changes) {
    const fs::path host = sweep("host", space_on("host"));
    const std::string first = bytes(host);
    RefineRequest search{1, RefineBy::search, {}};
    EXPECT_THROW(refine(host, zoo_, search, {}), UserError) << "a CPU has no searched mappings";
    EXPECT_EQ(bytes(host), first);
    refined(host, 1, clock_of({1}));
    EXPECT_THROW(refine(host, zoo_, search, {}), UserError);
    const fs::path pixel = sweep("pixel", space_on("pixel6-cpu"));
    EXPECT_THROW(refined(pixel, 1), UserError);
    RunResult changed = read_run(pixel);
    changed.config.targets[0].hash = "another";
    write_result(pixel, changed);
    EXPECT_THROW(refined(pixel, 1), UserError);
    changed.finished = false;
    write_result(pixel, changed);
    EXPECT_THROW(refined(pixel, 1), UserError);
}

TEST_F(RefineTest, a_refined_front_is_read_as_it_was_written_and_says_which_number_is_which) {
    const fs::path folder = sweep("a", space_on("host"));
    const RunResult after = refined(folder, 3, clock_of({7, -1, 2})).result;
    const Json written = to_json(after);
    EXPECT_EQ(to_json(read_run(folder)), written);
    for (const char *key : {"predicted", "kinds"}) {
        Json broken = written;
        for (auto &point : broken["points"]) {
            if (point.contains("refined")) {
                point["refined"][key].push_back(point["refined"][key][0]);
            }
        }
        EXPECT_THROW(read_run_result(JsonReader::parse(broken.dump(), "front.json")), UserError);
    }
    const std::string csv = front_csv(after);
    EXPECT_NE(csv.find(",latency_ms:host,macs,predicted latency_ms:host,kind latency_ms:host,"
                       "standing\n"),
              std::string::npos);
    EXPECT_NE(csv.find(",measured,"), std::string::npos);
    EXPECT_NE(csv.find(",modelled,not refined\n"), std::string::npos);
    EXPECT_NE(csv.find(",modelled,failed\n"), std::string::npos);
}

TEST_F(RefineTest, merged_fronts_keep_second_figures_the_surer_ones_in_any_order) {
    const DesignSpace space = space_on("host");
    const fs::path a = sweep("a", space), b = sweep("b", space), c = sweep("c", space);
    refined(a, 2, clock_of({7, 2}));
    RefineHooks shaky = clock_of({9});
    shaky.measure = [measure = shaky.measure](const Network &n, const MeasureOptions &o) {
        Measurement m = measure(n, o);
        m.time->p90 = m.time->p90 * 3.0;
        return m;
    };
    refined(b, 1, shaky);
    const std::vector<FoundRun> runs = {{"a", read_run(a)}, {"b", read_run(b)}, {"c", read_run(c)}};
    const RunResult merged = merge_runs(runs, zoo_);
    const RunResult other = merge_runs({runs[1], runs[2], runs[0]}, zoo_);
    EXPECT_EQ(to_json(merged)["points"], to_json(other)["points"]);
    EXPECT_EQ(to_json(merged)["points"], to_json(runs[0].result)["points"]);
}

/// The worst latency of a device whose figures change and of another, against MACs; that is bounded
/// too.
DesignSpace worst_of(const std::string &refined, const std::string &other, double at_most) {
    const Json worst = {
        {"metric", "latency_ms"}, {"targets", {refined, other}}, {"combine", "worst"}};
    Json bound = worst;
    bound["at_most"] = at_most;
    Json json = tiny_json();
    json["resolutions"] = {96};
    json["activations"] = {"relu"};
    json["targets"] = {refined, other};
    json["objectives"] = {worst, {{"metric", "macs"}, {"sense", "maximise"}}};
    json["constraints"] = {bound};
    json["mark"] = Json::array();
    return space_of(json);
}

TEST_F(RefineTest, what_is_combined_over_devices_is_combined_of_second_figures) {
    const fs::path folder = sweep("a", worst_of("coral-usb", "hexagon690", 1000));
    const RunResult before = read_run(folder);
    const RunResult after = refined(folder, 5).result;
    EXPECT_EQ(after.refined_objectives(), std::vector<std::size_t>{0});
    std::size_t changed = 0;
    for (const auto &point : after.points) {
        if (!point.refined) {
            continue;
        }
        const Network network = network_of(after, point, zoo_);
        double worst = 0;
        for (const std::string name : {"coral-usb", "hexagon690"}) {
            const auto model = make_cost_model(find_target(name));
            const Estimate e = estimate(*model, network, workload_for(model->target()),
                                        model->fuses() ? Fuse::where_cheaper : Fuse::never);
            worst = std::max(worst, milliseconds(e.total.latency));
        }
        EXPECT_NEAR(point.values[0], worst, 1e-6 * worst);
        EXPECT_EQ(point.refined->kinds[0], CostKind::modelled);
        changed += point.values[0] != before.point(point.id).values[0];
    }
    EXPECT_GT(changed, 0u);
}

TEST_F(RefineTest, a_measured_device_counts_in_what_is_combined_and_breaks_its_bound) {
    const fs::path folder = sweep("a", worst_of("host", "pixel6-cpu", 500));
    const RunResult before = read_run(folder);
    const RunResult after = refined(folder, 2, clock_of({600, 1e-3})).result;
    const auto chosen = promising(before, 2);
    const RunPoint &slow = after.point(before.points[chosen[0]].id),
                   &fast = after.point(before.points[chosen[1]].id);
    EXPECT_DOUBLE_EQ(slow.values[0], 600);
    EXPECT_EQ(slow.standing(), Standing::infeasible);
    const auto pixel = make_cost_model(find_target("pixel6-cpu"));
    const Network network = network_of(after, fast, zoo_);
    const double other =
        milliseconds(estimate(*pixel, network, workload_for(pixel->target())).total.latency);
    EXPECT_NEAR(fast.values[0], other, 1e-6 * other) << "the other device is the worst then";
    EXPECT_EQ(fast.refined->kinds[0], CostKind::modelled) << "no clock has shown that";
    EXPECT_EQ(fast.standing(), Standing::on_front);
}

TEST_F(RefineTest, a_time_for_timed_runs_is_refused_where_nothing_is_timed) {
    const fs::path folder = sweep("a", space_on("coral-usb"));
    RefineRequest request;
    request.points = 1;
    request.timed = true;
    EXPECT_THROW(refine(folder, zoo_, request, {}), UserError);
}

} // namespace
} // namespace edgefront
