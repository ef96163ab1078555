#include "base/files.h"
#include "base/random.h"
#include "search/accuracy_anchored.h"
#include "search/accuracy_model.h"
#include "search/shell_jobs.h"
#include "search/sweep.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace edgefront {
namespace {

namespace fs = std::filesystem;

Json network_json(const std::string &name) {
    return JsonReader::parse_file(data_directory() / "networks" / (name + ".json")).value();
}

/// Widths and resolutions of MobileNetV1, some of them beyond those published.
Json v1_json() {
    const Json network = network_json("mobilenet_v1");
    Json stem = network["blocks"], head = Json::array();
    for (int i = 0; i < 2; i++) {
        head.insert(head.begin(), stem.back());
        stem.erase(stem.size() - 1);
    }
    return {{"schema", "edgefront/space/1"},
            {"name", "v1"},
            {"rules", "mobilenet_v1"},
            {"resolutions", {128, 176, 224, 256}},
            {"widths", {0.25, 0.4, 0.75, 1}},
            {"stem", stem},
            {"stages", Json::array()},
            {"head", head},
            {"targets", {"pixel6-cpu"}},
            {"accuracy", {{"source", "anchored"}, {"family", "mobilenet_v1"}, {"recipe", "slim"}}},
            {"objectives",
             {{{"metric", "latency_ms"}, {"target", "pixel6-cpu"}}, {{"metric", "top1"}}}}};
}

/// tiny.json with top1 from a source instead of MACs.
Json tiny_with(const Json &accuracy) {
    Json json = tiny_json();
    json["objectives"].back() = {{"metric", "top1"}};
    json["accuracy"] = accuracy;
    return json;
}

std::string message_of(const std::function<void()> &action) {
    try {
        action();
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

#define EXPECT_SAYS(text, what) EXPECT_NE(std::string(text).find(what), std::string::npos) << text

class AccuracyTest : public ::testing::Test {
protected:
    RunResult sweep(const Json &space, const std::string &folder,
                    const std::string &strategy = "auto", const AccuracyHooks &accuracy = {}) {
        const DesignSpace read = space_of(space);
        SweepRequest request;
        request.strategy = strategy;
        if (strategy == "nsga2" || strategy == "evolution") {
            request.population = 8;
        }
        if (request.population || strategy == "local") {
            request.evaluations = 160;
        }
        SweepHooks hooks;
        hooks.accuracy = accuracy;
        hooks.accuracy.folder = root_ / folder;
        outcome_ = run_sweep(resolve(read, price_targets(read), request, "0.0.test"),
                             root_ / folder, zoo_, hooks);
        return outcome_.result;
    }
    /// A script in the folder, and the space that asks it; {network} is its first argument.
    Json asking(const std::string &script, Json more = Json::object()) {
        write_file(root_ / "eval.sh", script);
        more["source"] = "command";
        more["command"] = "sh " + shell_quoted((root_ / "eval.sh").string()) + " {network}";
        Json json = tiny_with(more);
        json["resolutions"] = {96};
        json["widths"] = {0.5};
        return json;
    }
    std::size_t lines(const std::string &file) const {
        const std::string text = read_file(root_ / file);
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }
    static std::int64_t refused(const RunResult &result, const std::string &rule) {
        std::int64_t sum = 0;
        for (const auto &r : result.counters.refused) {
            sum += r.constraint.find(rule) != std::string::npos ? r.candidates : 0;
        }
        return sum;
    }

    Zoo zoo_;
    SweepOutcome outcome_;
    TemporaryFolder temporary_{::testing::TempDir() + "edgefront accuracy's"};
    const fs::path &root_ = temporary_.path();
};

TEST_F(AccuracyTest, a_quadratic_in_width_and_resolution_leaves_a_quarter_of_a_point_open) {
    const AnchoredFit v1("mobilenet_v1", "slim"), v2("mobilenet_v2", "slim");
    EXPECT_EQ(v1.rows(), 16u);
    EXPECT_NEAR(v1.leave_one_out(), 0.23, 0.005);
    EXPECT_EQ(v2.rows(), 22u);
    EXPECT_NEAR(v2.leave_one_out(), 0.65, 0.005);
    for (const auto &row : read_accuracy_rows()) {
        if (row.network == "mobilenet_v1" && row.recipe == "slim") {
            EXPECT_NEAR(v1.top1(row.width, row.resolution), row.top1_percent, 0.5);
            EXPECT_TRUE(v1.inside(row.width, row.resolution));
        }
    }
}

TEST_F(AccuracyTest, only_the_convex_hull_of_published_pairs_is_inside) {
    const AnchoredFit v2("mobilenet_v2", "slim"); // widths above 1 at resolution 224 only
    EXPECT_TRUE(v2.inside(0.6, 150));
    EXPECT_TRUE(v2.inside(1.2, 200));
    EXPECT_FALSE(v2.inside(1.4, 192));
    EXPECT_FALSE(v2.inside(1, 240));
    EXPECT_FALSE(v2.inside(0.3, 160));
}

TEST_F(AccuracyTest, a_grid_that_does_not_determine_the_fit_is_refused) {
    EXPECT_SAYS(message_of([] { AnchoredFit("mobilenet_v3_large", "slim"); }),
                "2 published rows of mobilenet_v3_large (slim) do not determine");
    // Nine rows, but of one width.
    std::vector<AccuracyRow> rows;
    for (int i = 0; i < 9; i++) {
        rows.push_back({"n", 1, 96 + 16 * i, 50.0 + i, {}, "r", "", "s"});
    }
    EXPECT_SAYS(message_of([&] { AnchoredFit fit(rows); }), "do not determine");
}

TEST_F(AccuracyTest, anchored_values_are_fitted_with_their_error_and_refused_outside) {
    const RunResult result = sweep(v1_json(), "r");
    EXPECT_EQ(result.counters.evaluated, 16);
    EXPECT_EQ(refused(result, "inside the widths"), 4) << "resolution 256";
    EXPECT_EQ(result.counters.feasible, 12);
    EXPECT_EQ(result.objectives.back().kind, CostKind::fitted);
    ASSERT_TRUE(result.accuracy.has_value());
    const AnchoredFit fit("mobilenet_v1", "slim");
    EXPECT_EQ(result.accuracy->plus_minus, fit.leave_one_out());
    for (const auto &point : result.points) {
        EXPECT_NEAR(point.values[1],
                    fit.top1(std::stod(point.choices[1]), std::stoi(point.choices[0])), 0.001);
    }
    EXPECT_EQ(to_json(read_run(root_ / "r")), to_json(result));
}

TEST_F(AccuracyTest, another_network_has_no_anchored_accuracy) {
    Json json = v1_json();
    json["stem"][3]["kernel"] = 5;
    EXPECT_EQ(refused(sweep(json, "r"), "is mobilenet_v1 as published"), 12);
    json = v1_json();
    json["activations"] = {"relu6", "hard_swish"};
    EXPECT_EQ(refused(sweep(json, "s"), "is mobilenet_v1 as published (its blocks are others)"),
              12);
}

TEST_F(AccuracyTest, strategies_find_the_front_of_top1_and_keep_a_bound_on_it) {
    Json json = v1_json();
    json["constraints"] = {{{"metric", "top1"}, {"at_least", 60}}};
    const RunResult all = sweep(json, "r");
    for (const char *strategy : {"nsga2", "evolution", "local"}) {
        EXPECT_EQ(front_csv(all), front_csv(sweep(json, strategy, strategy))) << strategy;
    }
    ASSERT_GT(all.points.size(), 2u);
    for (const auto &point : all.points) {
        EXPECT_GE(point.values[1], 60);
    }
    EXPECT_GT(refused(all, "top1 >= 60"), 0);
}

TEST_F(AccuracyTest, top1_needs_a_source_and_a_strategy_that_does_not_add_up) {
    EXPECT_SAYS(message_of([&] { sweep(v1_json(), "r", "exact"); }), "no sum over blocks");
    Json json = v1_json();
    json.erase("accuracy");
    EXPECT_SAYS(message_of([&] { sweep(json, "r"); }), "needs a source");
    json = v1_json();
    json["objectives"].erase(1);
    EXPECT_SAYS(message_of([&] { sweep(json, "r"); }), "asks for top1");
    json = v1_json();
    json["accuracy"]["family"] = "mobilenet_v";
    EXPECT_SAYS(message_of([&] { space_of(json); }), "did you mean 'mobilenet_v");
    json = v1_json();
    json["accuracy"].erase("recipe");
    EXPECT_SAYS(message_of([&] { space_of(json); }), "'slim', 'slim, quantisation-aware'");
    EXPECT_FALSE(fs::exists(root_ / "r"));
}

TEST_F(AccuracyTest, a_table_gives_networks_by_id_or_by_choices) {
    const RunResult capacity = sweep(tiny_json(), "all");
    std::string ids = "accuracy,id\n";
    std::string choices = "id," + join(capacity.choice_names, ",") + ",macs,accuracy\n";
    std::string refined = "id," + join(capacity.choice_names, ",") +
                          ",worst:latency_ms:a+b,predicted latency_ms:a,kind latency_ms:a,"
                          "kind top1,standing,accuracy\n";
    for (std::size_t i = 0; i < capacity.points.size(); i++) {
        const RunPoint &p = capacity.points[i];
        ids += std::to_string(20 + i) + "," + p.id + "\n";
        refined += p.id + "," + join(p.choices, ",") + ",1,2,measured,fitted,on the front," +
                   std::to_string(20 + i) + "\n";
        choices += p.id + "," + join(p.choices, ",") + ",1," + std::to_string(20 + i) + "\n";
    }
    write_file(root_ / "ids.csv", ids);
    write_file(root_ / "choices.csv", choices);
    const auto with = [&](const char *file) {
        return tiny_with({{"source", "csv"}, {"file", (root_ / file).string()}});
    };
    const RunResult by_id = sweep(with("ids.csv"), "r");
    EXPECT_EQ(by_id.counters.feasible, static_cast<std::int64_t>(capacity.points.size()));
    EXPECT_EQ(by_id.objectives.back().kind, CostKind::given);
    EXPECT_EQ(front_csv(by_id), front_csv(sweep(with("choices.csv"), "s")));
    // As a spreadsheet or a refined front writes it, with a row of another space.
    write_file(root_ / "more.csv", "\xef\xbb\xbf" + ids + "77,00000000\n");
    const RunResult more = sweep(with("more.csv"), "m");
    EXPECT_EQ(front_csv(more), front_csv(by_id));
    EXPECT_SAYS(more.accuracy->source, "; 1 of " + std::to_string(capacity.points.size() + 1) +
                                           " rows are of no network of this space");
    write_file(root_ / "refined.csv", refined);
    EXPECT_EQ(front_csv(sweep(with("refined.csv"), "f")), front_csv(by_id));
    // A later change of the table is no silent change of the run.
    write_file(root_ / "ids.csv", ids + "77,00000000\n");
    const RunConfig config = read_run_config(JsonReader::parse_file(root_ / "r" / "run.json"));
    EXPECT_SAYS(message_of([&] { run_sweep(config, root_ / "t", zoo_, {}); }), "no longer those");
    EXPECT_FALSE(fs::exists(root_ / "t" / "run.json"));
}

TEST_F(AccuracyTest, a_wrong_table_is_refused_with_the_place) {
    const auto said = [&](const std::string &text) {
        write_file(root_ / "t.csv", text);
        return message_of([&] {
            sweep(tiny_with({{"source", "csv"}, {"file", (root_ / "t.csv").string()}}), "r");
        });
    };
    EXPECT_SAYS(said("id,acuracy\nx,1\n"), "did you mean 'accuracy'");
    EXPECT_SAYS(said("accuracy\n70\n"), "missing: resolution, width");
    EXPECT_SAYS(said("id,accuracy\nabc,101\n"), "line 2");
    EXPECT_SAYS(said("id,accuracy\nabc,0.7\n"), "expected percent, found fractions");
    EXPECT_SAYS(said("id,accuracy\nabc,70\nabc,71\n"), "line 3");
    EXPECT_SAYS(said("id,accuracy\n"), "no rows");
    EXPECT_SAYS(said("id,accuracy,accuracy\nabc,70,71\n"), "'accuracy' stands twice");
    EXPECT_SAYS(said("id,accuracy\nabc,70\n00000000,71\n"),
                "the ids of all 2 rows are of no network of this space");
    EXPECT_SAYS(said("accuracy,resolution,width,activation,s1_channels,s1_depth,s1_b1,s1_b2,"
                     "s2_channels,s2_depth,s2_b1,s2_b2\n70,100,1,relu,96,1,a5_k5_e3,,96,2,"
                     "a3_k3_e6,a5_k5_e4\n"),
                "no resolution '100'");
    EXPECT_FALSE(fs::exists(root_ / "r" / "run.json"));
}

/// Accuracy that follows MACs, with noise of the given size in points.
std::vector<AccuracyExample> examples(std::size_t count, double noise, double slope = 5) {
    Random random(3);
    std::vector<AccuracyExample> rows;
    for (std::size_t i = 0; i < count; i++) {
        const double x = random.normal(), y = random.normal();
        rows.push_back({{x, y, 7}, 50 + slope * x - y + noise * random.normal()});
    }
    return rows;
}

TEST_F(AccuracyTest, a_model_is_used_when_it_ranks_what_it_has_not_seen) {
    const AccuracyModel model(examples(60, 0.5), 1, "here");
    EXPECT_GT(model.spearman(), 0.95);
    EXPECT_GT(model.spearman_upper().value(), 0.8);
    EXPECT_NEAR(model.error(), 0.5, 0.2);
    EXPECT_NEAR(model.predict({1, -1, 7}), 56, 0.5);
    EXPECT_EQ(model.predict({100, 0, 7}), 100);
}

TEST_F(AccuracyTest, a_model_that_does_not_rank_is_refused_with_the_number) {
    const std::string said = message_of([] { AccuracyModel(examples(60, 5, 0), 1, "here"); });
    EXPECT_SAYS(said, "here: the model does not rank");
    EXPECT_SAYS(said, "below 0.7");
    EXPECT_SAYS(message_of([] { AccuracyModel(examples(19, 0), 1, "here"); }), "too few");
}

constexpr const char *by_size = R"(# more bytes in the file, more accuracy
echo asked >>"$(dirname "$0")/log"
echo "evaluating $1"
awk -v n=$(wc -c <"$1") 'BEGIN { print n / 100 }'
)";

TEST_F(AccuracyTest, a_command_is_asked_once_per_network_and_its_answers_are_kept) {
    const RunResult first = sweep(asking(by_size), "r");
    EXPECT_EQ(static_cast<std::int64_t>(lines("log")), first.counters.feasible);
    EXPECT_GT(first.points.size(), 1u);
    AccuracyHooks hooks;
    hooks.jobs = 3;
    hooks.cache = root_ / "r" / "accuracy_cache.jsonl";
    const RunResult second = sweep(asking(by_size), "s", "auto", hooks);
    EXPECT_EQ(static_cast<std::int64_t>(lines("log")), first.counters.feasible) << "not asked";
    EXPECT_EQ(to_json(first), to_json(second));
    EXPECT_TRUE(fs::is_empty(root_ / "r" / "accuracy")) << "files of evaluated networks are gone";
}

TEST_F(AccuracyTest, the_file_a_command_gets_is_the_network) {
    // Keeps every file, under the id that failed evaluations are reported with.
    Json json = asking("cp \"$1\" \"$(dirname \"$0\")\"\nexit 3\n");
    json["widths"] = {0.75};
    json["rules"] = "mobilenet_v2"; // widths above 1 only scale the last convolution
    const RunResult result = sweep(json, "r");
    EXPECT_EQ(result.points.size(), 0u);
    EXPECT_GT(refused(result, "the command ends well"), 0);
    const DesignSpace space = space_of(json);
    std::vector<std::vector<std::string>> files, networks;
    const auto keys = [](const Network &network) {
        std::vector<std::string> all;
        for (const auto &node : network.nodes) {
            all.push_back(key(node.layer));
        }
        return all;
    };
    for (const auto &entry : fs::directory_iterator(root_)) {
        if (entry.path().extension() == ".json") {
            files.push_back(keys(zoo_.network(entry.path().string())));
        }
    }
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        if (tables.evaluate(space.at(i)).feasible()) {
            networks.push_back(keys(space.network(space.at(i))));
        }
    }
    std::sort(files.begin(), files.end());
    std::sort(networks.begin(), networks.end());
    EXPECT_GT(files.size(), 10u);
    EXPECT_TRUE(files == networks);
}

TEST_F(AccuracyTest, failures_are_survived_and_tried_again_on_demand_only) {
    // Every third network fails, in turn by its exit code, its words and its time.
    const Json json = asking(R"(n=$(cksum <"$1" | cut -c1-3)
echo asked >>"$(dirname "$0")/log"
case $((n % 6)) in
0) echo "no such data" >&2; exit 4 ;;
1) echo "about 70 %" ;;
2) [ -e "$(dirname "$0")/fast" ] || sleep 60; echo 30 ;;
*) echo 40.5 ;;
esac
)",
                             {{"timeout_s", 4}});
    AccuracyHooks hooks;
    hooks.jobs = 32;
    const RunResult result = sweep(json, "r", "auto", hooks);
    const std::int64_t badly = refused(result, "ends well"), words = refused(result, "percentage"),
                       late = refused(result, "within 4 s");
    EXPECT_GT(badly, 0);
    EXPECT_GT(words, 0);
    EXPECT_GT(late, 0);
    EXPECT_GT(refused(result, ": exit code 4, no such data"), 0);
    EXPECT_GT(refused(result, "it printed 'about 70 %'"), 0);
    EXPECT_GT(result.counters.feasible, 0);
    const std::size_t asked = lines("log");
    write_file(root_ / "fast", "");
    hooks.cache = root_ / "r" / "accuracy_cache.jsonl";
    EXPECT_EQ(to_json(sweep(json, "s", "auto", hooks)), to_json(result));
    EXPECT_EQ(lines("log"), asked);
    hooks.retry = true;
    const RunResult again = sweep(json, "t", "auto", hooks);
    EXPECT_EQ(static_cast<std::int64_t>(lines("log") - asked), badly + words + late);
    EXPECT_EQ(again.counters.feasible, result.counters.feasible + late);
}

TEST_F(AccuracyTest, an_interrupted_sweep_ends_its_commands_and_goes_on_with_what_is_known) {
    const RunResult whole = sweep(asking(by_size), "whole");
    const std::size_t all = lines("log");
    AccuracyHooks hooks;
    hooks.stop = [&] { return lines("log") >= all + 20; };
    sweep(asking(by_size), "r", "auto", hooks);
    EXPECT_EQ(outcome_.end, SweepEnd::interrupted);
    const std::size_t known = lines("r/accuracy_cache.jsonl");
    EXPECT_GE(known, 19u);
    // As if the power had gone amid a line.
    write_file(root_ / "r" / "accuracy_cache.jsonl",
               read_file(root_ / "r" / "accuracy_cache.jsonl") + "{\"id\":\"12");
    EXPECT_EQ(to_json(sweep(asking(by_size), "r")), to_json(whole));
    EXPECT_EQ(lines("r/accuracy_cache.jsonl"), all);
}

TEST_F(AccuracyTest, a_model_of_a_commands_answers_says_which_points_are_predicted) {
    const Json json = asking(by_size, {{"model", true}, {"samples", 30}});
    const RunResult result = sweep(json, "r");
    EXPECT_EQ(lines("log"), 30u);
    EXPECT_EQ(result.objectives.back().kind, CostKind::fitted);
    ASSERT_TRUE(result.accuracy.has_value());
    EXPECT_GE(result.accuracy->spearman.value(), 0.7);
    EXPECT_GT(result.accuracy->predicted.size(), 0u);
    EXPECT_LE(result.accuracy->predicted.size(), result.points.size());
    EXPECT_FALSE(result.accuracy->model_hash.empty());
    const std::size_t top1 = result.objectives.size() - 1;
    std::size_t fitted = 0;
    for (const auto &point : result.points) {
        fitted += result.kind_of(point, top1) == "fitted";
    }
    EXPECT_EQ(fitted, result.accuracy->predicted.size());
    Json capacity = tiny_json();
    capacity["resolutions"] = json["resolutions"];
    capacity["widths"] = json["widths"];
    EXPECT_EQ(result.counters.feasible, sweep(capacity, "s").counters.feasible);
}

TEST_F(AccuracyTest, published_networks_are_asked_about_together) {
    Json json = v1_json();
    json["accuracy"] = asking(by_size)["accuracy"];
    json["mark"] = {"mobilenet_v1@1,128", "mobilenet_v1@0.75,224", "mobilenet_v1@0.25,128"};
    AccuracyHooks hooks;
    hooks.jobs = 3;
    std::int64_t first_batch = 0;
    hooks.progress = [&](std::int64_t, std::int64_t planned, std::int64_t) {
        first_batch = first_batch == 0 ? planned : first_batch;
    };
    sweep(json, "r", "auto", hooks);
    EXPECT_EQ(first_batch, 3);
}

TEST_F(AccuracyTest, a_program_that_prints_fractions_is_refused_and_one_with_a_percent_sign_not) {
    EXPECT_SAYS(message_of([&] { sweep(asking("echo 0.71\n"), "r"); }), "is to print percent");
    const RunResult result = sweep(asking("echo '71.5 %'\n"), "s");
    EXPECT_EQ(result.points.front().values.back(), 71.5);
}

TEST_F(AccuracyTest, a_cache_that_cannot_be_written_is_noticed_before_the_first_command) {
    AccuracyHooks hooks;
    hooks.cache = root_ / "no such folder" / "cache.jsonl";
    EXPECT_SAYS(message_of([&] { sweep(asking(by_size), "r", "auto", hooks); }), "cannot write");
    EXPECT_FALSE(fs::exists(root_ / "log"));
}

TEST_F(AccuracyTest, an_interruption_amid_commands_leaves_a_front_of_what_was_known) {
    AccuracyHooks hooks;
    const Json json = asking(by_size);
    hooks.stop = [&] { return fs::exists(root_ / "log") && lines("log") >= 5; };
    sweep(json, "r", "auto", hooks);
    ASSERT_EQ(outcome_.end, SweepEnd::interrupted);
    EXPECT_FALSE(read_run(root_ / "r").finished);
}

} // namespace
} // namespace edgefront
