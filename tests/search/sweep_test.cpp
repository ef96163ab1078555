#include "base/random.h"
#include "search/marks.h"
#include "tests/search/sweep_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace edgefront {
namespace {

class SweepTest : public SweepFixture {};

TEST_F(SweepTest, the_exhaustive_front_is_what_building_every_network_finds) {
    const DesignSpace space = shipped_space("tiny");
    const auto targets = price_targets(space);
    struct Built {
        std::string id;
        std::vector<double> values;
    };
    std::vector<Built> all;
    const CostTables tables(space, targets, 1);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        const Choices choices = space.at(i);
        const Network network = space.network(choices);
        const Estimate e = estimate(*targets[0].model, network, targets[0].workload);
        if (e.supported() && tables.evaluate(choices).feasible()) {
            all.push_back({space.id(choices),
                           {milliseconds(e.total.latency), static_cast<double>(e.peak.count()),
                            static_cast<double>(macs(network).count())}});
        }
    }
    const std::vector<Sense> senses = {Sense::minimise, Sense::minimise, Sense::maximise};
    std::vector<std::string> expected, found;
    for (const auto &p : all) {
        if (std::none_of(all.begin(), all.end(),
                         [&](const Built &q) { return dominates(q.values, p.values, senses); })) {
            expected.push_back(p.id);
        }
    }
    const RunResult result = run(config(space), "r").result;
    EXPECT_EQ(result.config.strategy, "exhaustive");
    EXPECT_EQ(result.counters.evaluated, space.size());
    EXPECT_EQ(result.counters.feasible, static_cast<std::int64_t>(all.size()));
    for (const auto &point : result.points) {
        found.push_back(point.id);
    }
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(found, expected);
    EXPECT_GT(found.size(), 10u);
}

TEST_F(SweepTest, nsga2_returns_an_antichain_of_feasible_networks) {
    const DesignSpace space = space_of(uib_small_on_cpu_json());
    const RunResult result = run(config(space, nsga2(20)), "r").result;
    EXPECT_EQ(result.counters.evaluated, 20 * 40);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    std::vector<Sense> senses;
    for (const auto &objective : result.objectives) {
        senses.push_back(objective.sense);
    }
    ASSERT_GT(result.points.size(), 20u);
    for (const auto &p : result.points) {
        const Evaluation e = tables.evaluate(space.parse(p.choices));
        EXPECT_TRUE(e.feasible());
        EXPECT_EQ(e.values, p.values);
        for (const auto &q : result.points) {
            EXPECT_FALSE(dominates(q.values, p.values, senses));
        }
    }
}

TEST_F(SweepTest, nsga2_finds_most_of_the_exact_front_of_a_small_space) {
    const DesignSpace space = shipped_space("tiny");
    const RunResult exact = run(config(space), "exact").result;
    const RunResult found = run(config(space, nsga2(30)), "found").result;
    std::size_t hits = 0;
    for (const auto &point : found.points) {
        hits += std::any_of(exact.points.begin(), exact.points.end(),
                            [&](const RunPoint &p) { return p.id == point.id; });
    }
    EXPECT_GT(static_cast<double>(hits), 0.8 * static_cast<double>(exact.points.size()));
}

TEST_F(SweepTest, the_same_seed_gives_the_same_bytes_with_any_number_of_threads) {
    for (const Json &json : {tiny_json(), uib_small_on_cpu_json()}) {
        const DesignSpace space = space_of(json);
        const RunConfig resolved =
            config(space, space.size() < exhaustive_limit ? SweepRequest{} : nsga2(15));
        SweepHooks one, three;
        one.threads = 1;
        three.threads = 3;
        const std::string a = space.name + "1", b = space.name + "3";
        run(resolved, a, one);
        run(resolved, b, three);
        EXPECT_EQ(file(a + "/front.json"), file(b + "/front.json"));
        EXPECT_EQ(file(a + "/front.csv"), file(b + "/front.csv"));
        EXPECT_EQ(file(a + "/run.json"), file(b + "/run.json"));
    }
}

TEST_F(SweepTest, a_published_network_is_on_the_front_or_dominated_even_after_a_short_search) {
    Json json = uib_small_on_cpu_json();
    json["mark"] = {"mobilenet_v4_conv_small", "mobilenet_v4_conv_small@0.5,192"};
    const RunResult result = run(config(space_of(json), nsga2(1, 8)), "r").result;
    for (const auto &mark : result.marks) {
        EXPECT_TRUE(mark.inside && mark.feasible);
        EXPECT_NE(mark.on_front, !mark.dominated_by.empty()) << mark.network;
    }
}

TEST_F(SweepTest, what_run_json_could_not_hold_is_refused_before_the_search) {
    const DesignSpace space = space_of(uib_small_on_cpu_json());
    const auto refused = [&](const std::string &strategy, const auto &change) -> std::string {
        SweepRequest request;
        request.strategy = strategy;
        change(request);
        try {
            config(space, request);
        } catch (const UserError &e) {
            return e.what();
        }
        return "accepted";
    };
    const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    EXPECT_NE(refused("evolution", [&](auto &r) { r.population = 2000000; }).find("/population"),
              std::string::npos);
    EXPECT_NE(refused("nsga2", [&](auto &r) { r.patience = huge; }).find("/patience"),
              std::string::npos);
    EXPECT_NE(refused("reward",
                      [&](auto &r) {
                          r.reward.quality = "macs";
                          r.reward.target = "latency_ms:pixel6-cpu=1e-320";
                      })
                  .find("/target"),
              std::string::npos);
    const DesignSpace large = shipped_space("mobilenet_v4_uib");
    SweepRequest request;
    request.strategy = "nsga2";
    request.evaluations = (std::int64_t{1} << 53) + 1;
    EXPECT_THROW(config(large, request), UserError);
    request.evaluations.reset();
    request.generations = huge;
    EXPECT_THROW(config(large, request), UserError);
    const DesignSpace tiny = shipped_space("tiny"); // no more than there are networks
    EXPECT_EQ(static_cast<double>(config(tiny, request).evaluations), tiny.size());
}

TEST_F(SweepTest, options_that_a_strategy_would_ignore_are_refused_with_those_that_have_them) {
    const DesignSpace space = shipped_space("tiny");
    SweepRequest base, evaluations, generations, population, epsilon, memory;
    evaluations.evaluations = 100;
    generations.generations = 10;
    population.population = 40;
    epsilon.epsilon = 0.1;
    memory.memory_bytes = 1 << 20;
    const auto refused = [&](const std::string &strategy, SweepRequest request) {
        request.strategy = strategy;
        request.reward.target = strategy == "reward" ? "latency_ms:pixel6-cpu=3" : "";
        try {
            config(space, request);
        } catch (const UserError &) {
            return true;
        }
        return false;
    };
    for (const char *strategy : {"exhaustive", "exact", "nsga2", "evolution", "local", "reward"}) {
        EXPECT_FALSE(refused(strategy, base)) << strategy;
        const std::string s = strategy;
        const bool labels = s == "exact" || s == "local", bred = s == "nsga2" || s == "evolution";
        EXPECT_EQ(refused(s, evaluations), s == "exhaustive" || s == "exact") << s;
        EXPECT_EQ(refused(s, generations), !bred && s != "reward") << s;
        EXPECT_EQ(refused(s, population), !bred) << s; // without a budget reward is exact
        EXPECT_EQ(refused(s, epsilon), !labels) << s;
        EXPECT_EQ(refused(s, memory), !labels && s != "reward") << s;
    }
    population.evaluations = 100;
    memory.evaluations = 100;
    EXPECT_FALSE(refused("reward", population));
    EXPECT_TRUE(refused("reward", memory));
}

TEST_F(SweepTest, auto_enumerates_small_spaces_and_is_exact_where_that_is_quick) {
    const DesignSpace tiny = shipped_space("tiny"), many = shipped_space("uib_small"),
                      three = shipped_space("mobilenet_v4_uib");
    SweepRequest request;
    EXPECT_EQ(config(tiny, request).strategy, "exhaustive");
    EXPECT_EQ(config(many, request).strategy, "nsga2") << "four objectives";
    EXPECT_EQ(config(three, request).strategy, "exact");
    EXPECT_EQ(config(three, request).epsilon, 0.01);
    request.epsilon = 0.05;
    EXPECT_EQ(config(many, request).strategy, "exact");
    EXPECT_EQ(config(many, request).epsilon, 0.05);
    request.epsilon.reset();
    request.evaluations = 100;
    EXPECT_EQ(config(tiny, request).strategy, "nsga2");
    EXPECT_EQ(config(three, request).strategy, "nsga2");
}

TEST_F(SweepTest, another_seed_gives_another_walk) {
    const DesignSpace space = space_of(uib_small_on_cpu_json());
    SweepRequest request = nsga2(3);
    run(config(space, request), "a");
    request.seed = 2;
    run(config(space, request), "b");
    EXPECT_NE(file("a/front.csv"), file("b/front.csv"));
}

TEST_F(SweepTest, an_interrupted_run_goes_on_to_the_same_bytes) {
    const DesignSpace space = space_of(uib_small_on_cpu_json());
    const RunConfig resolved = config(space, nsga2(4));
    run(resolved, "whole");
    for (const int steps : {2, 5}) {
        const std::string folder = "pieces" + std::to_string(steps);
        int pieces = 0;
        const SweepOutcome outcome = run_in_pieces(resolved, folder, steps, pieces);
        EXPECT_EQ(outcome.end, SweepEnd::finished);
        EXPECT_GT(pieces, 2);
        EXPECT_EQ(file("whole/front.json"), file(folder + "/front.json"));
        EXPECT_EQ(file("whole/front.csv"), file(folder + "/front.csv"));
        EXPECT_FALSE(fs::exists(root_ / folder / "state.json"));
    }
}

TEST_F(SweepTest, an_interrupted_enumeration_goes_on_to_the_same_bytes) {
    Json json = tiny_json();
    json["resolutions"] = {96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256};
    json["widths"] = {0.5, 0.625, 0.75, 0.875, 1};
    const DesignSpace space = space_of(json);
    const RunConfig resolved = config(space);
    ASSERT_GT(resolved.evaluations, 8192); // more than one chunk
    run(resolved, "whole");
    int pieces = 0;
    run_in_pieces(resolved, "pieces", 1, pieces);
    EXPECT_GT(pieces, 1);
    EXPECT_EQ(file("whole/front.json"), file("pieces/front.json"));
}

TEST_F(SweepTest, a_finished_run_is_left_alone) {
    const RunConfig resolved = config(shipped_space("tiny"));
    EXPECT_EQ(run(resolved, "r").end, SweepEnd::finished);
    const std::string before = file("r/front.json");
    const auto written = fs::last_write_time(root_ / "r/front.json");
    const SweepOutcome again = run(resolved, "r");
    EXPECT_EQ(again.end, SweepEnd::already_finished);
    EXPECT_FALSE(again.result.points.empty());
    EXPECT_EQ(file("r/front.json"), before);
    EXPECT_EQ(fs::last_write_time(root_ / "r/front.json"), written);
}

TEST_F(SweepTest, a_folder_of_another_configuration_is_refused_with_the_difference) {
    const DesignSpace space = shipped_space("tiny");
    run(config(space), "r");
    const std::string before = file("r/front.json");
    SweepRequest request;
    request.seed = 5;
    try {
        run(config(space, request), "r");
        ADD_FAILURE() << "accepted";
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find("/seed: 1 -> 5"), std::string::npos) << e.what();
    }
    Json json = tiny_json();
    json["widths"] = {0.5, 0.75};
    EXPECT_THROW(run(config(space_of(json)), "r"), UserError);
    EXPECT_EQ(file("r/front.json"), before);
}

TEST_F(SweepTest, run_json_alone_replays_the_run) {
    run(config(shipped_space("tiny")), "a");
    const RunConfig again = read_run_config(JsonReader::parse_file(root_ / "a/run.json"));
    run(again, "b");
    for (const char *name : {"/run.json", "/front.json", "/front.csv"}) {
        EXPECT_EQ(file(std::string("a") + name), file(std::string("b") + name));
    }
}

TEST_F(SweepTest, a_result_reads_back_as_it_was_written) {
    const RunResult result = run(config(shipped_space("tiny")), "r").result;
    const RunResult read = read_run(root_ / "r");
    EXPECT_EQ(to_json(read).dump(), to_json(result).dump());
    EXPECT_EQ(front_csv(read), file("r/front.csv"));
    EXPECT_EQ(read.choice_names.front(), "resolution");
    EXPECT_EQ(read.point(read.points[3].id).values, read.points[3].values);
    EXPECT_THROW(read.point("zzzz"), UserError);
    EXPECT_THROW(read.point(""), UserError);
}

TEST_F(SweepTest, a_point_is_a_network_with_the_priced_latency) {
    const DesignSpace space = shipped_space("tiny");
    const RunResult result = run(config(space), "r").result;
    const auto targets = price_targets(space);
    for (const auto &point : result.points) {
        const Network network = network_of(result, point, zoo_);
        const Estimate e = estimate(*targets[0].model, network, targets[0].workload);
        EXPECT_NEAR(milliseconds(e.total.latency), point.values[0], 1e-8);
        EXPECT_EQ(static_cast<double>(macs(network).count()), point.values[2]);
    }
}

TEST_F(SweepTest, a_space_without_feasible_network_says_how_near_they_came) {
    Json json = tiny_json();
    json["constraints"] = {{{"metric", "params"}, {"at_most", 1000}}};
    const RunResult result = run(config(space_of(json)), "r").result;
    EXPECT_TRUE(result.finished);
    EXPECT_TRUE(result.points.empty());
    EXPECT_EQ(result.counters.feasible, 0);
    const Refusals &refused = result.counters.refused.back();
    EXPECT_EQ(refused.constraint, "params <= 1000");
    EXPECT_EQ(refused.candidates, result.counters.evaluated);
    double least = 1e30;
    const DesignSpace space = space_of(json);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        least = std::min(least, static_cast<double>(params(space.network(space.at(i))).count()));
    }
    EXPECT_EQ(refused.nearest, least);
}

TEST_F(SweepTest, requests_that_cannot_be_are_refused) {
    const DesignSpace space = space_of(uib_small_on_cpu_json());
    SweepRequest request;
    request.strategy = "exhaustive";
    EXPECT_THROW(config(space, request), UserError);
    request.strategy = "nsga3";
    EXPECT_THROW(run(config(space, request), "r"), UserError);
    EXPECT_THROW(config(space, nsga2(1, 30)), UserError);
}

TEST_F(SweepTest, a_broken_checkpoint_is_reported_and_stays) {
    const RunConfig resolved = config(space_of(uib_small_on_cpu_json()), nsga2(6));
    SweepHooks hooks;
    int count = 0;
    hooks.stop = [&] { return count++ == 2; };
    run(resolved, "r", hooks);
    const std::string state = file("r/state.json");
    write_file(root_ / "r/state.json", state.substr(0, state.size() / 2));
    EXPECT_THROW(run(resolved, "r"), UserError);
    EXPECT_EQ(file("r/state.json"), state.substr(0, state.size() / 2));
    write_file(root_ / "r/state.json", state);
    EXPECT_EQ(run(resolved, "r").end, SweepEnd::finished);
}

TEST(Marks, the_published_conv_small_is_inside_the_space_around_it) {
    const Zoo zoo;
    const DesignSpace space = shipped_space("uib_small");
    const auto found = find_in_space(space, zoo, "mobilenet_v4_conv_small");
    ASSERT_TRUE(std::holds_alternative<Choices>(found)) << std::get<std::string>(found);
    const Network ours = space.network(std::get<Choices>(found));
    const Network published = zoo.network("mobilenet_v4_conv_small");
    EXPECT_EQ(macs(ours), macs(published));
    EXPECT_EQ(params(ours), params(published));
    EXPECT_TRUE(std::holds_alternative<Choices>(
        find_in_space(space, zoo, "mobilenet_v4_conv_small@0.5,256")));
}

TEST(Marks, networks_outside_the_space_come_with_the_reason) {
    const Zoo zoo;
    const DesignSpace space = shipped_space("uib_small");
    const auto reason = [&](const std::string &name) {
        const auto found = find_in_space(space, zoo, name);
        return std::holds_alternative<Choices>(found) ? "inside" : std::get<std::string>(found);
    };
    EXPECT_EQ(reason("mobilenet_v4_conv_small@1,320"), "the space has no resolution 320");
    EXPECT_EQ(reason("mobilenet_v4_conv_small@0.35"), "the space has no width 0.35");
    EXPECT_NE(reason("mobilenet_v2").find("activation relu6"), std::string::npos);
    EXPECT_NE(reason("mobilenet_v4_conv_medium@1,224").find("stem"), std::string::npos);
    EXPECT_THROW(find_in_space(space, zoo, "mobilenet_v9"), UserError);
}

/// Only the published blocks are left: every point is Conv-S at some width and resolution.
Json only_conv_small() {
    Json json = write_space(shipped_space("uib_small"));
    const DesignSpace all = shipped_space("uib_small");
    const Zoo zoo;
    const auto choices = std::get<Choices>(find_in_space(all, zoo, "mobilenet_v4_conv_small"));
    const auto values = all.describe(choices);
    for (std::size_t s = 0; s < 2; s++) {
        const std::size_t axis = all.stage_axis(s);
        json["stages"][s]["channels"] = {std::stoi(values[axis])};
        json["stages"][s]["depths"] = {6};
        for (std::size_t p = 0; p < 6; p++) {
            json["stages"][s]["blocks"][p] = Json::array({values[axis + 2 + p]});
        }
    }
    return json;
}

TEST_F(SweepTest, a_published_network_on_the_front_is_said_to_be_there) {
    Json json = only_conv_small();
    json["mark"] = {"mobilenet_v4_conv_small", "mobilenet_v4_conv_small@0.5", "mobilenet_v2"};
    const RunResult result = run(config(space_of(json)), "r").result;
    EXPECT_EQ(result.counters.evaluated, 20);
    ASSERT_EQ(result.marks.size(), 3u);
    for (int m = 0; m < 2; m++) {
        const PublishedMark &mark = result.marks[static_cast<std::size_t>(m)];
        EXPECT_TRUE(mark.inside && mark.feasible);
        EXPECT_EQ(mark.on_front, mark.dominated_by.empty());
        for (const auto &by : mark.dominated_by) {
            const RunPoint &point = result.point(by.id);
            for (std::size_t o = 0; o < mark.values.size(); o++) {
                const bool minimise = result.objectives[o].sense == Sense::minimise;
                EXPECT_DOUBLE_EQ(by.better_by[o], minimise ? mark.values[o] - point.values[o]
                                                           : point.values[o] - mark.values[o]);
                EXPECT_GE(by.better_by[o], 0);
            }
        }
    }
    EXPECT_FALSE(result.marks[2].inside);
}

TEST_F(SweepTest, a_published_network_that_a_target_refuses_has_no_price) {
    Json target =
        JsonReader::parse_file(data_directory() / "targets" / "pixel8-edgetpu.json").value();
    target["unsupported"]["relu"] = target["unsupported"]["hard_swish"];
    make_directory(root_);
    const std::string path = (root_ / "no-relu.json").string();
    write_file(path, target.dump());
    Json json = only_conv_small();
    json["activations"] = {"relu", "relu6"};
    json["targets"] = {path};
    json["objectives"] = {{{"metric", "latency_ms"}, {"target", path}},
                          {{"metric", "macs"}, {"sense", "maximise"}}};
    json["constraints"] = Json::array();
    json["mark"] = {"mobilenet_v4_conv_small"};
    const RunResult result = run(config(space_of(json)), "r").result;
    EXPECT_FALSE(result.points.empty()); // with relu6
    ASSERT_EQ(result.marks.size(), 1u);
    const PublishedMark &mark = result.marks[0];
    EXPECT_TRUE(mark.inside && !mark.feasible);
    EXPECT_NE(mark.reason, "");
    EXPECT_TRUE(mark.values.empty() && mark.dominated_by.empty());
}

} // namespace
} // namespace edgefront
