// Evolution, local search: how much of the exact front they find on spaces that can be enumerated.
#include "search/genes.h"
#include "search/local.h"
#include "tests/search/sweep_fixture.h"

#include <pagmo/utils/hypervolume.hpp>

#include <algorithm>
#include <set>

namespace edgefront {
namespace {

/// 8,640 networks with the objectives of tiny: latency, peak memory and MACs. Behind the small stem
/// the peak is a matter of the blocks.
DesignSpace middle_space() {
    Json json = tiny_json();
    json["stem"] = {{{"op", "conv"}, {"kernel", 3}, {"channels", 8}, {"stride", 2}}};
    json["resolutions"] = {96, 112, 128, 144, 160, 176, 192, 208, 224};
    json["widths"] = {0.5, 0.625, 0.75, 0.875, 1};
    return space_of(json);
}

SweepRequest budget(const std::string &strategy, std::int64_t evaluations) {
    SweepRequest request;
    request.strategy = strategy;
    request.evaluations = evaluations;
    if (strategy == "evolution") {
        request.population = 80;
    }
    return request;
}

SweepRequest enumeration() {
    SweepRequest request;
    request.strategy = "exhaustive";
    return request;
}

double hypervolume(const RunResult &result, const std::vector<double> &reference) {
    std::vector<std::vector<double>> costs;
    for (const auto &point : result.points) {
        costs.push_back(point.values);
        for (std::size_t o = 0; o < result.objectives.size(); o++) {
            costs.back()[o] *= result.objectives[o].sense == Sense::maximise ? -1 : 1;
        }
    }
    return pagmo::hypervolume(costs).compute(reference);
}

/// Of the exact front, with a reference 1 % of its range behind its worst values.
double hypervolume_share(const RunResult &found, const RunResult &exact) {
    std::vector<double> reference;
    for (std::size_t o = 0; o < exact.objectives.size(); o++) {
        const double sign = exact.objectives[o].sense == Sense::maximise ? -1 : 1;
        double least = sign * exact.points[0].values[o], most = least;
        for (const auto &point : exact.points) {
            least = std::min(least, sign * point.values[o]);
            most = std::max(most, sign * point.values[o]);
        }
        reference.push_back(most + 0.01 * (most - least));
    }
    RunResult inside = found;
    auto &points = inside.points;
    points.erase(std::remove_if(points.begin(), points.end(),
                                [&](const RunPoint &p) {
                                    for (std::size_t o = 0; o < reference.size(); o++) {
                                        const bool maximise =
                                            exact.objectives[o].sense == Sense::maximise;
                                        if ((maximise ? -1 : 1) * p.values[o] >= reference[o]) {
                                            return true;
                                        }
                                    }
                                    return false;
                                }),
                 points.end());
    return hypervolume(inside, reference) / hypervolume(exact, reference);
}

double share_of_points(const RunResult &found, const RunResult &exact) {
    std::set<std::string> ids;
    for (const auto &point : found.points) {
        ids.insert(point.id);
    }
    const auto hits = std::count_if(exact.points.begin(), exact.points.end(),
                                    [&](const RunPoint &p) { return ids.count(p.id) > 0; });
    return static_cast<double>(hits) / static_cast<double>(exact.points.size());
}

class HeuristicsTest : public SweepFixture {};

TEST_F(HeuristicsTest, evolution_finds_nearly_all_of_the_front_of_a_small_space) {
    const DesignSpace space = middle_space();
    const RunResult exact = result_of(space, enumeration(), "exact");
    for (const std::uint64_t seed : {1, 2, 3}) {
        SweepRequest request = budget("evolution", 2000); // of 8640 networks
        request.seed = seed;
        const RunResult found = result_of(space, request, std::to_string(seed));
        EXPECT_EQ(found.counters.evaluated, 2000);
        EXPECT_FALSE(found.epsilon); // nothing is proven
        EXPECT_GE(hypervolume_share(found, exact), 0.999) << seed;
        EXPECT_GE(share_of_points(found, exact), 0.9) << seed;
    }
}

TEST_F(HeuristicsTest, evolution_beats_as_many_networks_drawn_at_random) {
    const DesignSpace space = middle_space();
    const RunResult exact = result_of(space, enumeration(), "exact");
    SweepRequest random = budget("evolution", 1000);
    random.population = 1000; // all in the first generation
    const RunResult drawn = result_of(space, random, "drawn");
    EXPECT_EQ(drawn.counters.evaluated, 1000);
    const RunResult found = result_of(space, budget("evolution", 1000), "found");
    EXPECT_LT(hypervolume_share(drawn, exact), hypervolume_share(found, exact) - 0.02);
}

TEST_F(HeuristicsTest, evolution_asks_for_no_network_twice_and_ends_when_all_are_known) {
    const DesignSpace space = shipped_space("tiny");
    const RunConfig resolved = config(space, budget("evolution", 1000000));
    EXPECT_EQ(resolved.evaluations, static_cast<std::int64_t>(space.size()));
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    const auto strategy = make_strategy(space, tables, resolved);
    ParetoFront front({Sense::minimise, Sense::minimise, Sense::maximise});
    std::set<Choices> seen;
    while (!strategy->finished()) {
        const auto batch = strategy->ask(front);
        std::vector<Evaluation> prices;
        for (const auto &choices : batch) {
            EXPECT_TRUE(seen.insert(choices).second);
            EXPECT_EQ(space.canonical(choices), choices);
            prices.push_back(tables.evaluate(choices));
            if (prices.back().feasible()) {
                front.admit({choices, prices.back().values});
            }
        }
        strategy->tell(batch, prices);
    }
    EXPECT_GT(static_cast<double>(seen.size()), 0.95 * space.size());
}

TEST_F(HeuristicsTest, local_search_finds_the_front_with_peak_memory_from_one_without) {
    const DesignSpace space = middle_space();
    const DesignSpace easy = relaxed(space);
    ASSERT_EQ(easy.objectives.size(), 2u); // without the peak
    EXPECT_NE(relaxation(space).find("peak_bytes"), std::string::npos);
    const RunResult exact = result_of(space, enumeration(), "exact");
    const RunResult found = result_of(space, budget("local", 100000), "found");
    EXPECT_LT(found.counters.evaluated, 2000);
    EXPECT_FALSE(found.epsilon);
    EXPECT_GE(hypervolume_share(found, exact), 0.9999);
    EXPECT_GE(share_of_points(found, exact), 0.95);
    // What the relaxed front alone has is less: the neighbours are worth their price.
    const RunResult start = result_of(space, budget("local", 1), "start");
    EXPECT_LT(share_of_points(start, exact), 0.9);
    EXPECT_EQ(file("start/run.json").find("population"), std::string::npos);
}

TEST_F(HeuristicsTest, patience_lets_a_local_search_finish_the_front_it_starts_from) {
    const DesignSpace space = middle_space();
    const RunResult start = result_of(space, budget("local", 1), "start"); // that front alone
    SweepRequest hasty = budget("local", 100000);
    hasty.patience = 1;
    hasty.min_gain = 1;
    const RunResult found = result_of(space, hasty, "found");
    EXPECT_GE(found.counters.evaluated, start.counters.evaluated);
    EXPECT_LT(found.counters.evaluated, space.size());
}

TEST_F(HeuristicsTest, local_search_leaves_no_neighbour_of_its_front_untried) {
    const DesignSpace space = middle_space();
    const RunResult found = result_of(space, budget("local", 100000), "found");
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    const Genes genes(space);
    ParetoFront front(found.senses());
    for (const auto &point : found.points) {
        front.admit({space.parse(point.choices), point.values});
    }
    const auto before = front.members();
    for (const auto &member : before) {
        for (const auto &choices : genes.neighbours(member.choices)) {
            const Evaluation e = tables.evaluate(choices);
            EXPECT_TRUE(!e.feasible() || front.contains(e.values) ||
                        !front.dominators(e.values).empty());
        }
    }
}

TEST_F(HeuristicsTest, local_search_finds_its_way_into_a_peak_its_relaxed_front_breaks) {
    Json json = write_space(middle_space());
    json["resolutions"] = {96};
    json["widths"] = {1};
    json["activations"] = {"relu"};
    const DesignSpace with_peak = space_of(json); // its second objective
    json["objectives"] = {{{"metric", "macs"}, {"sense", "maximise"}}};
    const RunResult free = result_of(space_of(json), enumeration(), "free");
    const auto targets = price_targets(with_peak);
    const CostTables tables(with_peak, targets, 1);
    ASSERT_EQ(free.points.size(), 1u);
    const double peak = tables.evaluate(with_peak.parse(free.points[0].choices)).values[1];
    json["constraints"] = {
        {{"metric", "peak_bytes"}, {"target", "pixel6-cpu"}, {"at_most", peak - 1}}};
    const DesignSpace space = space_of(json);
    EXPECT_NE(relaxation(space).find("constraint on peak_bytes"), std::string::npos);
    const RunResult exact = result_of(space, enumeration(), "exact");
    const RunResult start = result_of(space, budget("local", 1), "start");
    const RunResult found = result_of(space, budget("local", 100000), "found");
    EXPECT_TRUE(start.points.empty());
    ASSERT_FALSE(exact.points.empty());
    ASSERT_FALSE(found.points.empty());
    EXPECT_EQ(found.points[0].values, exact.points[0].values);
}

TEST_F(HeuristicsTest, every_strategy_goes_on_to_the_same_bytes) {
    Json json = tiny_json();
    json["resolutions"] = {96, 128, 160, 192, 224};
    json["widths"] = {0.5, 0.75, 1};
    const DesignSpace space = space_of(json);
    SweepRequest netadapt;
    netadapt.strategy = "netadapt";
    netadapt.netadapt.from = "224;1;relu;96;2;a5_k5_e3;a0_k3_e2;128;2;a3_k3_e6;a5_k5_e4";
    netadapt.netadapt.toward = "latency_ms:pixel6-cpu";
    netadapt.netadapt.step = 0.01;
    SweepRequest reward;
    reward.strategy = "reward";
    reward.reward.target = "latency_ms:pixel6-cpu=0.4";
    SweepRequest evolved = reward;
    evolved.evaluations = 600;
    evolved.population = 40;
    SweepRequest exact;
    exact.strategy = "exact";
    int number = 0;
    for (const auto &request :
         {budget("evolution", 600), budget("local", 5000), netadapt, reward, evolved, exact}) {
        const std::string name = request.strategy + std::to_string(number++);
        const RunConfig resolved = config(space, request);
        SweepHooks three;
        three.threads = 3;
        run(resolved, name + "-whole", three);
        int pieces = 0;
        run_in_pieces(resolved, name + "-pieces", 7, pieces); // more than a context takes
        EXPECT_GT(pieces, 1) << name;
        for (const char *part : {"/run.json", "/front.json", "/front.csv"}) {
            EXPECT_EQ(file(name + "-whole" + part), file(name + "-pieces" + part)) << name;
        }
        const RunConfig replayed =
            read_run_config(JsonReader::parse_file(root_ / (name + "-whole/run.json")));
        run(replayed, name + "-replayed");
        EXPECT_EQ(file(name + "-whole/front.json"), file(name + "-replayed/front.json")) << name;
        const RunResult read = read_run(root_ / (name + "-whole"));
        EXPECT_EQ(dump_lines(to_json(read)), file(name + "-whole/front.json"));
    }
}

TEST_F(HeuristicsTest, what_a_killed_process_left_half_is_cleared_away) {
    const RunConfig resolved = config(shipped_space("tiny"));
    run(resolved, "r");
    write_file(root_ / "r/state.json", "{}");
    write_file(root_ / "r/front.json.a1B2c3", "{");
    write_file(root_ / "r/notes.json.a1B2c3", "mine");
    EXPECT_EQ(run(resolved, "r").end, SweepEnd::already_finished);
    EXPECT_FALSE(fs::exists(root_ / "r/state.json"));
    EXPECT_FALSE(fs::exists(root_ / "r/front.json.a1B2c3"));
    EXPECT_TRUE(fs::exists(root_ / "r/notes.json.a1B2c3"));
}

} // namespace
} // namespace edgefront
