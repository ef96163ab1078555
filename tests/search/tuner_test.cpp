#include "base/files.h"
#include "dsl/zoo.h"
#include "search/tuner.h"
#include "tests/hwmodels/tiny_targets.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace edgefront {
namespace {

class Tuner : public ::testing::Test {
protected:
    TemporaryFolder folder_{std::filesystem::temp_directory_path() / "edgefront-tuner"};
    std::filesystem::path path_ = folder_.path() / "tuning.db";
};

TuningRecord record(const std::string &layer, std::int64_t trials, bool proven = false) {
    TuningRecord r;
    r.layer = layer;
    r.target = "tiny";
    r.target_hash = "1234";
    r.version = "0.1.0";
    r.plan = to_string(Mapping());
    r.predicted = Seconds(trials * 1e-6);
    r.budget = r.trials = trials;
    r.proven = proven;
    return r;
}

TuneOptions options() {
    TuneOptions o;
    o.trials = 100'000;
    o.version = "0.1.0";
    return o;
}

const Workload int8_workload{DataType::int8, 1};

TEST_F(Tuner, KeepsRecordsOverOpenings) {
    TuningRecord r = record("conv", 7, true);
    r.measured = Seconds(3e-6);
    TuningDb(path_).put(r);
    const TuningDb db(path_);
    const auto found = db.find({"conv", "1234", 1, "0.1.0", ""});
    ASSERT_TRUE(found);
    EXPECT_EQ(write_record(*found), write_record(r));
    EXPECT_FALSE(db.find({"conv", "1234", 2, "0.1.0", ""}));
    EXPECT_FALSE(db.find({"conv", "1235", 1, "0.1.0", ""}));
    EXPECT_FALSE(db.find({"conv", "1234", 1, "0.2.0", ""}));
}

TEST_F(Tuner, KeepsTrialsOfKernelsPerCompiler) {
    TuningRecord r = record("conv", 2);
    r.plan = to_string(Schedule());
    r.compiler = "Halide 1.2.3, emitter 4";
    r.kind = CostKind::measured;
    r.measured = Seconds(2e-6);
    Schedule other;
    other.unroll = 2;
    judge(r, {"some_network", r.plan, Seconds(3e-6), false});
    judge(r, {"another_network", r.plan, Seconds(4e-6), true});
    r.tried = {{r.plan, Seconds(1e-6), Seconds(2e-6), ""},
               {to_string(other), Seconds(1e-6), std::nullopt, "crashed: Aborted"}};
    TuningDb db(path_);
    db.put(r);
    const auto found = db.find({"conv", "1234", 1, "0.1.0", "Halide 1.2.3, emitter 4"});
    ASSERT_TRUE(found);
    EXPECT_EQ(write_record(*found), write_record(r));
    EXPECT_EQ(trial_of(*found, r.plan)->measured, Seconds(2e-6));
    EXPECT_FALSE(trial_of(*found, to_string(other))->measured);
    Schedule parallel; // the same code on one thread
    parallel.order = LoopOrder::pixels_outer;
    parallel.parallel = ParallelOver::rows;
    EXPECT_EQ(trial_of(*found, to_string(parallel)), trial_of(*found, r.plan));
    EXPECT_FALSE(db.find({"conv", "1234", 1, "0.1.0", "Halide 1.2.3, emitter 5"}));
    EXPECT_FALSE(db.find({"conv", "1234", 1, "0.1.0", ""}));
    // Joined with a file, the one with more trials stays.
    const std::filesystem::path file = folder_.path() / "more.jsonl";
    TuningRecord more = r;
    more.trials = 3;
    write_file(file, write_record(more).dump() + "\n");
    db.import(file);
    EXPECT_EQ(db.all().at(0).trials, 3);
    write_file(file, write_record(r).dump() + "\n");
    db.import(file);
    EXPECT_EQ(db.all().at(0).trials, 3);
}

TEST_F(Tuner, KeepsOneJudgementPerNetwork) {
    TuningRecord r = record("conv", 2);
    Schedule other;
    other.unroll = 2;
    r.compiler = "Halide 1.2.3, emitter 4";
    r.plan = to_string(Schedule());
    EXPECT_FALSE(judgement_for(r, "a"));
    judge(r, {"a", r.plan, Seconds(3e-6), true});
    judge(r, {"b", to_string(other), Seconds(2e-6), true});
    EXPECT_EQ(judgement_for(r, "a")->plan, r.plan);
    EXPECT_EQ(judgement_for(r, "b")->plan, to_string(other));
    EXPECT_EQ(judgement_for(r, "c")->network, "b") << "the latest, where a network has none";
    judge(r, {"a", r.plan, Seconds(1e-6), false});
    EXPECT_EQ(r.judged.size(), 2u);
    EXPECT_EQ(judgement_for(r, "c")->network, "a");
    judge(r, {"", to_string(other), {}, true});
    EXPECT_EQ(judgement_for(r, "c")->network, "a") << "not that of the layer by itself";
    EXPECT_EQ(judgement_for(r, "")->plan, to_string(other));
    EXPECT_EQ(judgement_for(r, "a")->trials, 2);
    EXPECT_FALSE(judgement_for(r, "a")->use);
    r.tried = {{to_string(other), std::nullopt, std::nullopt, "crashed: Aborted"}};
    drop_refused_judgements(r);
    ASSERT_EQ(r.judged.size(), 1u);
    EXPECT_EQ(r.judged[0].network, "a");
    // Joined with a file, networks keep what only one of both knows.
    TuningDb db(path_);
    db.put(r);
    TuningRecord more = record("conv", 3);
    more.compiler = r.compiler;
    more.plan = r.plan;
    judge(more, {"b", r.plan, Seconds(2e-6), true});
    write_file(folder_.path() / "more.jsonl", write_record(more).dump() + "\n");
    db.import(folder_.path() / "more.jsonl");
    const TuningRecord joined = db.all().at(0);
    EXPECT_EQ(joined.trials, 3);
    EXPECT_EQ(joined.judged.size(), 2u);
    EXPECT_EQ(judgement_for(joined, "a")->in_network, Seconds(1e-6));
}

TEST_F(Tuner, RefusesTrialsThatSayNothing) {
    TuningRecord r = record("conv", 1);
    const auto refuses = [&](const TriedPlan &t) {
        TuningRecord with = r;
        with.tried = {t};
        EXPECT_THROW(read_record(JsonReader::of(write_record(with), {"a.jsonl", "line 1"})),
                     UserError);
    };
    const std::string plan = to_string(Schedule());
    refuses({plan, std::nullopt, std::nullopt, ""});
    refuses({plan, std::nullopt, Seconds(1e-6), "crashed"});
    refuses({"tile lanes=none", std::nullopt, Seconds(1e-6), ""});
}

TEST_F(Tuner, RefusesADatabaseOfAnEarlierLayoutAndLeavesItAlone) {
    { TuningDb db(path_); }
    {
        SQLite::Database raw(path_.string(), SQLite::OPEN_READWRITE);
        raw.exec("PRAGMA user_version = 1");
    }
    const std::string before = read_file(path_);
    try {
        TuningDb db(path_);
        ADD_FAILURE();
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find("of an earlier version of this tool"),
                  std::string::npos)
            << e.what();
    }
    EXPECT_EQ(read_file(path_), before);
}

TEST_F(Tuner, JoinsJsonLinesAndKeepsTheBetterRecord) {
    const std::filesystem::path other = folder_.path() / "other.jsonl";
    {
        TuningDb db(folder_.path() / "other.db");
        db.put(record("a", 10));
        db.put(record("b", 10));
        db.put(record("c", 10, true));
        write_file(other, db.to_json_lines());
    }
    TuningDb db(path_);
    db.put(record("a", 20));
    db.put(record("c", 20));
    EXPECT_EQ(db.import(other), 3);
    EXPECT_EQ(db.all().size(), 3u);
    EXPECT_EQ(db.find({"a", "1234", 1, "0.1.0", ""})->trials, 20);
    EXPECT_EQ(db.find({"b", "1234", 1, "0.1.0", ""})->trials, 10);
    EXPECT_TRUE(db.find({"c", "1234", 1, "0.1.0", ""})->proven);
    const std::string lines = db.to_json_lines();
    EXPECT_EQ(db.import(other), 3);
    EXPECT_EQ(db.to_json_lines(), lines);
}

TEST_F(Tuner, RefusesABadLineAndTakesNothingOfItsFile) {
    const std::filesystem::path bad = folder_.path() / "bad.jsonl";
    write_file(bad, write_record(record("a", 1)).dump() + "\n{\"layer\": 3}\n");
    TuningDb db(path_);
    try {
        db.import(bad);
        ADD_FAILURE();
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find("line 2"), std::string::npos) << e.what();
    }
    EXPECT_TRUE(db.all().empty());
}

TEST_F(Tuner, RefusesAFileThatIsNoDatabase) {
    write_file(path_, "this is no database, and longer than the header of one would have been: "
                      "sixteen bytes are looked at, then a hundred");
    EXPECT_THROW(TuningDb db(path_), UserError);
}

TEST_F(Tuner, FindsEveryLayerOnceAndThenKnowsIt) {
    const auto model = make_cost_model(target_from(tiny_edgetpu_json()));
    const Network network = Zoo().network("mobilenet_v2@0.35,96");
    TuningDb db(path_);
    const TuneResult first = tune(network, *model, int8_workload, db, options());
    std::size_t names = 0;
    for (const TunedLayer &l : first.layers) {
        names += l.names.size();
        EXPECT_FALSE(l.from_database);
        EXPECT_TRUE(l.record.proven) << l.names.front();
        EXPECT_EQ(l.record.kind, CostKind::modelled);
        // What is stored is enough to come back to the same price.
        const Verdict verdict = model->price(
            l.layers[0], analyse(l.layers[0], parse_mapping(l.record.plan)), int8_workload);
        EXPECT_EQ(std::get<Cost>(verdict).latency, l.record.predicted);
    }
    EXPECT_EQ(names, network.nodes.size());
    const TuneResult second = tune(network, *model, int8_workload, db, options());
    ASSERT_EQ(second.layers.size(), first.layers.size());
    for (std::size_t i = 0; i < first.layers.size(); i++) {
        EXPECT_TRUE(second.layers[i].from_database);
        EXPECT_EQ(write_record(second.layers[i].record), write_record(first.layers[i].record));
    }
}

TEST_F(Tuner, KeepsFusedGroupsBehindTheLayers) {
    const auto model = make_cost_model(target_from(tiny_edgetpu_json()));
    const Network network = Zoo().network("mobilenet_v2@0.35,96");
    TuningDb db(path_);
    TuneOptions fusing = options();
    fusing.fuse = true;
    const TuneResult first = tune(network, *model, int8_workload, db, fusing);
    std::size_t groups = 0;
    for (const TunedLayer &l : first.layers) {
        if (l.fused()) {
            groups += l.names.size();
            EXPECT_TRUE(l.record.proven) << l.names.front();
            EXPECT_EQ(l.record.layer, key(l.layers));
            const Verdict verdict = model->price_fused(
                l.layers, analyse(l.layers, parse_fusion(l.record.plan)), int8_workload);
            EXPECT_EQ(std::get<Cost>(verdict).latency, l.record.predicted);
        } else {
            EXPECT_EQ(groups, 0u) << l.names.front();
        }
    }
    EXPECT_EQ(groups, fused_groups(network).size());
    for (const TunedLayer &l : tune(network, *model, int8_workload, db, fusing).layers) {
        EXPECT_TRUE(l.from_database) << l.names.front();
    }
}

TEST_F(Tuner, GoesOnWhereItWasStopped) {
    const auto model = make_cost_model(target_from(tiny_edgetpu_json()));
    const Network network = Zoo().network("mobilenet_v2@0.35,96");
    TuningDb db(path_);
    TuneOptions stopping = options();
    int asked = 0;
    stopping.stop = [&] { return ++asked > 5; };
    const TuneResult part = tune(network, *model, int8_workload, db, stopping);
    EXPECT_TRUE(part.interrupted);
    EXPECT_EQ(part.layers.size(), 5u);
    const TuneResult rest = tune(network, *model, int8_workload, db, options());
    EXPECT_FALSE(rest.interrupted);
    for (std::size_t i = 0; i < rest.layers.size(); i++) {
        EXPECT_EQ(rest.layers[i].from_database, i < 5) << i;
    }
}

TEST_F(Tuner, SearchesAgainWhenTheBudgetGrowsOrARecordIsNotTrue) {
    const auto model = make_cost_model(target_from(tiny_edgetpu_json()));
    const Network network = Zoo().network("mobilenet_v2@0.35,96");
    TuningDb db(path_);
    TuneOptions little = options();
    little.trials = 1;
    const TuneResult sampled = tune(network, *model, int8_workload, db, little);
    ASSERT_FALSE(sampled.layers[0].record.proven);
    TuneResult again = tune(network, *model, int8_workload, db, options());
    EXPECT_FALSE(again.layers[0].from_database);
    EXPECT_TRUE(again.layers[0].record.proven);
    TuningRecord wrong = again.layers[0].record;
    wrong.predicted = Seconds(1e-12);
    db.put(wrong);
    again = tune(network, *model, int8_workload, db, options());
    EXPECT_FALSE(again.layers[0].from_database);
    EXPECT_GT(again.layers[0].record.predicted, Seconds(1e-9));
    EXPECT_TRUE(again.layers[1].from_database);
}

TEST_F(Tuner, RefusesRecordsThatSayNothing) {
    const auto refuses = [](TuningRecord r) {
        const Json json = write_record(r);
        EXPECT_THROW(read_record(JsonReader::of(json, {"a.jsonl", "line 1"})), UserError)
            << json.dump();
    };
    TuningRecord r = record("a", 1);
    r.plan = "nonsense";
    refuses(r);
    r.plan = "fuse rows=1 | map | map";
    refuses(r); // one layer
    r = record("a + b + c", 1);
    refuses(r); // a group with the plan of a layer
    r.plan = "fuse rows=1 | map | map";
    refuses(r); // of three layers
    r = record("a", 1);
    r.predicted.reset();
    refuses(r);
    r = record("a", 1);
    r.refused = "unsupported";
    refuses(r);
}

TEST_F(Tuner, SaysWhichKindsHaveMappingsToSearch) {
    EXPECT_THROW(require_search(*make_cost_model(target_from(tiny_cpu_json()))), UserError);
    require_search(*make_cost_model(target_from(tiny_edgetpu_json())));
}

} // namespace
} // namespace edgefront
