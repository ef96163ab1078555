// The search for kernels with simulated trials: times are a function of the plan, the clock is a
// count of slices.
#include "base/files.h"
#include "dsl/layer_text.h"
#include "dsl/zoo.h"
#include "search/kernels/host_plans.h"
#include "search/kernels/kernel_tuner.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>

namespace edgefront {
namespace {

/// Plans run as long as `seconds` says, times noise; those in `faults` are no kernels.
class SimulatedPool : public TrialPool {
public:
    explicit SimulatedPool(int workers) : workers_(workers) {}

    int workers() const override { return workers_; }
    void ask(int worker, const TrialRequest &request) override {
        for (const auto &[other, asked] : queue_) {
            EXPECT_NE(other, worker) << "a worker answers one request at a time";
            EXPECT_FALSE(asked.slices > 0 && request.slices > 0) << "two kernels timed at once";
        }
        queue_.emplace_back(worker, request);
    }
    std::optional<TrialAnswer> wait() override {
        if (queue_.empty()) {
            return {};
        }
        // The one asked last: answers come in any order.
        const auto [worker, request] = queue_.back();
        queue_.pop_back();
        TrialAnswer answer;
        answer.worker = worker;
        answer.plan = request.plans[0];
        if (request.slices == 0) {
            prepared.push_back(answer.plan);
            const auto fault = faults.find(answer.plan);
            if (fault != faults.end()) {
                answer.refused = fault->second;
                answer.lost = true;
            }
            if (const auto kills = killed.find(answer.plan);
                kills != killed.end() && kills->second-- > 0) {
                answer.refused = "crashed: Killed";
                answer.lost = answer.outside = true;
            }
            return answer;
        }
        for (const std::string &plan : request.plans) {
            if (dies_when_timed.count(plan) > 0) {
                answer.plan = plan;
                answer.refused = "crashed: late";
                answer.lost = true;
                return answer;
            }
        }
        for (const std::string &plan : request.plans) {
            answer.seconds.emplace_back();
            for (int i = 0; i < request.slices; i++) {
                answer.seconds.back().push_back(seconds(plan) * (1 + 0.01 * random_.uniform()));
            }
        }
        return answer;
    }

    std::function<double(const std::string &)> seconds;
    std::map<std::string, std::string> faults;
    std::map<std::string, int> killed; ///< by others, so many times
    std::set<std::string> dies_when_timed;
    std::vector<std::string> prepared;

private:
    int workers_;
    Random random_{1};
    std::deque<std::pair<int, TrialRequest>> queue_;
};

const std::string layer_text = "conv2d 14x14x96 -> 576 activation=relu6";

/// Fewer cycles by the model are faster, but for what the model does not know: unrolling.
double model_and_more(const std::string &plan) {
    static const PlanSpace space({parse_layer(layer_text)}, {16, 32}, 1);
    const Schedule s = parse_kernel_plan(plan).members[0];
    return space.predicted(plan).count() * 1e-9 * (s.unroll == 4 ? 0.8 : 1) *
           (s.order == LoopOrder::channels_outer ? 1.1 : 1);
}

class KernelTuner : public ::testing::Test {
protected:
    KernelTuner() {
        options_.version = "0.1.0";
        options_.search.isa = {16, 32};
        pool_.seconds = model_and_more;
    }

    KernelTuneResult tune(const std::vector<TunedLayer> &works) {
        TuningDb db(path_);
        return tune_kernels(works, pool_, db, options_);
    }
    KernelTuneResult tune() { return tune({work_}); }

    TemporaryFolder folder_{std::filesystem::temp_directory_path() / "edgefront-kernel-tuner"};
    std::filesystem::path path_ = folder_.path() / "tuning.db";
    TunedLayer work_{{parse_layer(layer_text)}, {"layer"}, {}, false};
    SimulatedPool pool_{2};
    KernelTuneOptions options_;
};

TEST_F(KernelTuner, FindsWhatTheModelDoesNotKnow) {
    const KernelTuneResult r = tune();
    ASSERT_EQ(r.tuned.layers.size(), 1u);
    const TuningRecord &record = r.tuned.layers[0].record;
    EXPECT_EQ(parse_kernel_plan(record.plan).members[0].unroll, 4) << record.plan;
    double least = 1e9;
    const PlanSpace space(work_.layers, {16, 32}, 1);
    for (std::size_t i = 0; i < space.size(); i++) {
        least = std::min(least, model_and_more(space.ranked(i)));
    }
    EXPECT_LT(model_and_more(record.plan), 1.05 * least);
    EXPECT_EQ(record.kind, CostKind::measured);
    EXPECT_TRUE(record.predicted);
    EXPECT_NEAR(record.measured->count(), model_and_more(record.plan),
                0.03 * model_and_more(record.plan));
    EXPECT_LT(record.trials, 300) << "of " << space.size();
    EXPECT_EQ(record.compiler, kernel_compiler());
    // The default is always among them, and no plan twice.
    const TriedPlan *usual = trial_of(record, space.default_plan());
    EXPECT_TRUE(usual && usual->measured);
    std::set<std::string> plans;
    for (const TriedPlan &t : record.tried) {
        EXPECT_TRUE(plans.insert(t.plan).second);
        EXPECT_TRUE(t.predicted);
    }
    EXPECT_TRUE(std::is_sorted(
        record.tried.begin(), record.tried.end(),
        [](const TriedPlan &a, const TriedPlan &b) { return *a.measured < *b.measured; }));
}

TEST_F(KernelTuner, EqualRunsGiveEqualRecords) {
    const KernelTuneResult a = tune();
    std::filesystem::remove(path_);
    pool_ = SimulatedPool(2);
    pool_.seconds = model_and_more;
    const KernelTuneResult b = tune();
    EXPECT_EQ(write_record(a.tuned.layers[0].record), write_record(b.tuned.layers[0].record));
}

TEST_F(KernelTuner, TakesARecordAtRestFromTheDatabase) {
    const KernelTuneResult first = tune();
    pool_.prepared.clear();
    const KernelTuneResult second = tune();
    EXPECT_TRUE(pool_.prepared.empty());
    EXPECT_TRUE(second.tuned.layers[0].from_database);
    EXPECT_EQ(second.progress.trials, 0);
    EXPECT_EQ(write_record(second.tuned.layers[0].record),
              write_record(first.tuned.layers[0].record));
}

TEST_F(KernelTuner, GoesOnWhereItWasStoppedAndTriesNothingTwice) {
    int asked = 0;
    options_.stop = [&] { return ++asked > 60; };
    const KernelTuneResult part = tune();
    EXPECT_TRUE(part.tuned.interrupted);
    std::set<std::string> known;
    {
        const auto record = TuningDb(path_).find(host_key(work_.layers, 1, "0.1.0"));
        ASSERT_TRUE(record) << "whole batches are kept";
        EXPECT_GT(record->trials, 0);
        EXPECT_EQ(record->budget, 0) << "not at rest";
        for (const TriedPlan &t : record->tried) {
            known.insert(t.plan);
        }
    }
    options_.stop = [] { return false; };
    pool_.prepared.clear();
    const KernelTuneResult rest = tune();
    EXPECT_FALSE(rest.tuned.layers[0].from_database);
    const std::string best_then = part.tuned.layers[0].record.plan;
    for (const std::string &plan : pool_.prepared) {
        EXPECT_TRUE(known.count(plan) == 0 || plan == best_then ||
                    model_and_more(plan) <= model_and_more(best_then))
            << plan; // incumbents race again
    }
    EXPECT_LE(model_and_more(rest.tuned.layers[0].record.plan), model_and_more(best_then));
}

TEST_F(KernelTuner, KeepsTheNumberOfTrialsAndGoesOnWithMore) {
    options_.search.trials = 16;
    EXPECT_EQ(tune().tuned.layers[0].record.trials, 16);
    pool_.prepared.clear();
    EXPECT_TRUE(tune().tuned.layers[0].from_database);
    EXPECT_TRUE(pool_.prepared.empty());
    options_.search.trials = 24;
    EXPECT_EQ(tune().tuned.layers[0].record.trials, 24);
}

TEST_F(KernelTuner, NeverChoosesWhatIsNoKernelNorTriesItAgain) {
    const PlanSpace space(work_.layers, {16, 32}, 1);
    const std::string fast_but_wrong = space.ranked(0), crashing = space.ranked(1);
    pool_.faults[space.default_plan()] = "crashed: Segmentation fault";
    pool_.faults[fast_but_wrong] = "wrong: off by 0.5 of its range";
    pool_.dies_when_timed.insert(crashing);
    pool_.seconds = [&](const std::string &plan) {
        return plan == fast_but_wrong || plan == crashing ? 1e-9 : model_and_more(plan);
    };
    const KernelTuneResult r = tune();
    const TuningRecord &record = r.tuned.layers[0].record;
    EXPECT_NE(record.plan, fast_but_wrong);
    EXPECT_NE(record.plan, crashing);
    EXPECT_NE(record.plan, space.default_plan());
    EXPECT_GE(r.progress.refused, 2);
    std::map<std::string, std::string> refused;
    for (const TriedPlan &t : record.tried) {
        EXPECT_EQ(t.refused.empty(), t.measured.has_value());
        refused[t.plan] = t.refused;
    }
    EXPECT_EQ(refused.at(fast_but_wrong), "wrong: off by 0.5 of its range");
    EXPECT_EQ(refused.at(crashing), "crashed: late");
    std::map<std::string, int> times;
    for (const std::string &plan : pool_.prepared) {
        times[plan]++;
    }
    EXPECT_EQ(times[fast_but_wrong], 1);
    pool_.prepared.clear();
    options_.search.trials = record.trials + 8; // more than it had: goes on
    tune();
    for (const std::string &plan : pool_.prepared) {
        EXPECT_NE(plan, fast_but_wrong);
        EXPECT_NE(plan, crashing);
    }
}

TEST_F(KernelTuner, WhatOthersKilledHasASecondChance) {
    const PlanSpace space(work_.layers, {16, 32}, 1);
    const std::string once = space.ranked(0), always = space.ranked(1);
    pool_.killed = {{once, 1}, {always, 100}};
    pool_.seconds = [&](const std::string &plan) {
        return plan == once ? 1e-7 : plan == always ? 1e-9 : model_and_more(plan);
    };
    const KernelTuneResult r = tune();
    const TuningRecord &record = r.tuned.layers[0].record;
    EXPECT_EQ(record.plan, once);
    EXPECT_EQ(trial_of(record, always)->refused, "crashed: Killed");
    EXPECT_EQ(pool_.killed[always], 98);
    EXPECT_EQ(r.progress.refused, 1);
}

TEST_F(KernelTuner, ALayerWithoutAnyKernelSaysWhy) {
    const PlanSpace space(work_.layers, {16, 32}, 1);
    for (std::size_t i = 0; i < space.size(); i++) {
        pool_.faults[space.ranked(i)] = "hung: no answer within 30 s";
    }
    const TuningRecord record = tune().tuned.layers[0].record;
    EXPECT_EQ(record.refused, "hung: no answer within 30 s");
    EXPECT_FALSE(record.measured);
    read_record(JsonReader::of(write_record(record), {"a.jsonl", "line 1"})); // is a record
}

TEST_F(KernelTuner, BeginsWithTheBestPlansOfSimilarLayers) {
    const std::string odd = "tile lanes=16 vectors=2 pixels=3 rows=2 unroll=4 order=channels_outer "
                            "parallel=none";
    pool_.seconds = [&](const std::string &plan) { return plan == odd ? 1e-6 : 1e-5; };
    {
        TuningDb db(path_);
        TuningRecord r;
        const TuningKey key = host_key({parse_layer("conv2d 14x14x80 -> 480")}, 1, "0.1.0");
        r.layer = key.layer;
        r.target = "host";
        r.target_hash = key.target_hash;
        r.version = key.version;
        r.compiler = key.compiler;
        r.plan = odd;
        r.measured = Seconds(1e-6);
        db.put(r);
        r.layer = "conv2d-but-not-a-key"; // edited files do no harm
        db.put(r);
    }
    options_.search.trials = 8;
    EXPECT_EQ(tune().tuned.layers[0].record.plan, odd);
}

TEST_F(KernelTuner, SpendsTrialsWhereTimeIs) {
    TunedLayer small{{parse_layer("conv2d 7x7x16 -> 16")}, {"small"}, {}, false};
    pool_.seconds = [&](const std::string &plan) {
        return plan.find("unroll=4") != std::string::npos ? 0.9e-5 : 1e-5;
    };
    std::vector<TunedLayer> works = {small, work_};
    works[1].names = {"a", "b", "c", "d"}; // four times as much to gain
    std::int64_t answered = 0;
    options_.stop = [&] { return ++answered > 400; };
    const KernelTuneResult r = tune(works);
    ASSERT_EQ(r.tuned.layers.size(), 2u);
    EXPECT_GT(r.tuned.layers[1].record.trials, r.tuned.layers[0].record.trials);
    EXPECT_NEAR(r.progress.defaults.count(), 5e-5, 0.2e-5);
}

TEST_F(KernelTuner, ChainsAreWorksBehindTheLayersAndBeginWithTheirMembersPlans) {
    const Network network = Zoo().network("mobilenet_v2@0.35,96");
    const std::vector<TunedLayer> works = kernel_works(network);
    std::size_t names = 0, chains = 0;
    for (const TunedLayer &w : works) {
        names += w.fused() ? 0 : w.names.size();
        chains += w.fused() ? w.names.size() : 0;
    }
    EXPECT_EQ(names, network.nodes.size());
    EXPECT_EQ(chains, kernel_groups(network).size());
    EXPECT_GT(chains, 10u);

    std::vector<std::string> members;
    const auto chain = std::find_if(works.begin(), works.end(),
                                    [](const TunedLayer &w) { return w.layers.size() == 3; });
    const PlanSpace space(chain->layers, {16, 32}, 1);
    EXPECT_TRUE(space.contains(space.default_plan()));
    for (const Layer &l : chain->layers) {
        members.push_back(PlanSpace({l}, {16, 32}, 1).ranked(0));
    }
    int made = 0;
    for (const int rows : space.strips()) {
        if (const auto plan = space.of_members(rows, members)) {
            EXPECT_TRUE(space.contains(*plan)) << *plan;
            EXPECT_EQ(parse_kernel_plan(*plan).rows, rows);
            made++;
        }
    }
    EXPECT_GT(made, 0);
    for (const std::string &plan : space.neighbours(space.default_plan())) {
        EXPECT_TRUE(space.contains(plan)) << plan;
        EXPECT_NE(plan, space.default_plan());
    }
    for (std::size_t i = 0; i < space.size(); i++) {
        EXPECT_TRUE(space.contains(space.ranked(i)));
        EXPECT_FALSE(parse_kernel_plan(space.ranked(i)).parallel());
    }
}

} // namespace
} // namespace edgefront
