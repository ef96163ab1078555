// Trials in worker processes: kernels that are made to crash, hang or err cost one trial each.
#include "base/files.h"
#include "dsl/layer_text.h"
#include "search/kernels/host_plans.h"
#include "search/kernels/kernel_tuner.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>
#include <unistd.h>

namespace edgefront {
namespace {

enum class Deed {
    none,
    crash,
    hang,
    wrong,
    wrong_element,
    write_behind,
    write_before,
    no_kernel,
    late_crash,
    killed
};

class WrongKernel : public TrialKernel {
public:
    WrongKernel(std::unique_ptr<TrialKernel> right, TrialData &data, Deed deed)
        : right_(std::move(right)), data_(data), deed_(deed) {}

    void run() override {
        right_->run();
        const auto elements = static_cast<std::size_t>(data_.layers().back().output.elements());
        switch (deed_) {
        case Deed::crash: std::raise(SIGILL); break; // which no sanitizer catches
        case Deed::killed: std::raise(SIGKILL); break;
        case Deed::late_crash:
            if (++runs_ > 1) {
                std::abort();
            }
            break;
        case Deed::hang:
            for (;;) {
                ::pause();
            }
        case Deed::wrong: data_.output()[elements / 2] += 1; break;
        case Deed::wrong_element: data_.output()[elements - 1] = 0.0f / zero_; break;
        case Deed::write_behind: data_.output()[elements] = 1; break;
        case Deed::write_before: data_.output()[-1] = 1; break;
        case Deed::none:
        case Deed::no_kernel: break;
        }
    }

private:
    std::unique_ptr<TrialKernel> right_;
    TrialData &data_;
    Deed deed_;
    int runs_ = 0;
    volatile float zero_ = 0;
};

/// Kernels of this machine, some of them spoilt.
class SpoiltKernels : public KernelSource {
public:
    std::unique_ptr<TrialKernel> compile(TrialData &data, const std::string &plan) override {
        const auto found = deeds.find(plan);
        const Deed deed = found == deeds.end() ? Deed::none : found->second;
        if (deed == Deed::no_kernel) {
            throw std::runtime_error("no such kernel");
        }
        return std::make_unique<WrongKernel>(right_.compile(data, plan), data, deed);
    }

    std::map<std::string, Deed> deeds;

private:
    HostKernels right_;
};

class KernelTrial : public ::testing::Test {
protected:
    KernelTrial() : works_{{parse_layer("conv2d 7x7x20 -> 25 activation=relu6")}} {
        options_.workers = 1;
        options_.pinned = false;
        options_.most_seconds = 60;
    }

    TrialAnswer ask(ProcessPool &pool, const TrialRequest &request) const {
        pool.ask(0, request);
        for (;;) {
            if (std::optional<TrialAnswer> answer = pool.wait()) {
                return *answer;
            }
        }
    }
    TrialAnswer prepare(ProcessPool &pool, const std::string &plan) const {
        return ask(pool, {0, {plan}, 0});
    }
    /// Of the layer; the first one is right in every test.
    std::string plan(std::size_t i) const { return space_.ranked(i); }

    std::vector<std::vector<Layer>> works_;
    PlanSpace space_{works_[0], isa_info(host_kernel_target().text), 1};
    SpoiltKernels kernels_;
    PoolOptions options_;
};

TEST_F(KernelTrial, ARightKernelHasATime) {
    ProcessPool pool(works_, kernels_, options_);
    EXPECT_EQ(prepare(pool, plan(0)).refused, "");
    EXPECT_EQ(ask(pool, {0, {plan(1), plan(0), plan(1)}, 0}).refused, "");
    const TrialAnswer answer = ask(pool, {0, {plan(0), plan(1), plan(0)}, 5});
    ASSERT_EQ(answer.seconds.size(), 3u);
    for (const std::vector<double> &slices : answer.seconds) {
        ASSERT_EQ(slices.size(), 5u);
        for (const double s : slices) {
            EXPECT_GT(s, 0);
        }
    }
}

TEST_F(KernelTrial, ChainsAreCheckedAndTimedLikeLayers) {
    works_ = {{parse_layer("conv2d 8x8x16 -> 48 activation=relu6"),
               parse_layer("depthwise_conv2d 8x8x48 kernel=3 activation=relu6"),
               parse_layer("conv2d 8x8x48 -> 16 residual=yes")}};
    const PlanSpace space(works_[0], isa_info(host_kernel_target().text), 1);
    ProcessPool pool(works_, kernels_, options_);
    EXPECT_EQ(prepare(pool, space.default_plan()).refused, "");
    EXPECT_EQ(ask(pool, {0, {space.default_plan()}, 2}).seconds.size(), 1u);
    kernels_.deeds[space.ranked(1)] = Deed::wrong; // the pool has its own from its first fork on
    ProcessPool other(works_, kernels_, options_);
    EXPECT_NE(prepare(other, space.ranked(1)).refused.find("wrong: off by"), std::string::npos);
}

TEST_F(KernelTrial, ParallelLoopsRunOnThreadsOfTheirOwn) {
    works_ = {{parse_layer("conv2d 28x28x32 -> 96 activation=relu6")},
              {parse_layer("conv2d 8x8x16 -> 48 activation=relu6"),
               parse_layer("depthwise_conv2d 8x8x48 kernel=3 activation=relu6"),
               parse_layer("conv2d 8x8x48 -> 16 residual=yes")}};
    options_.threads = 2;
    ProcessPool pool(works_, kernels_, options_);
    for (std::size_t work = 0; work < works_.size(); work++) {
        const PlanSpace space(works_[work], isa_info(host_kernel_target().text), 2);
        std::size_t i = 0;
        while (!parse_kernel_plan(space.ranked(i)).parallel()) {
            i++;
        }
        EXPECT_EQ(ask(pool, {work, {space.ranked(i)}, 0}).refused, "") << space.ranked(i);
        EXPECT_EQ(ask(pool, {work, {space.ranked(i)}, 20}).seconds.at(0).size(), 20u);
    }
}

TEST_F(KernelTrial, ACrashCostsItsTrialAndNoMore) {
    kernels_.deeds[plan(1)] = Deed::crash;
    ProcessPool pool(works_, kernels_, options_);
    EXPECT_EQ(prepare(pool, plan(0)).refused, "");
    const TrialAnswer answer = prepare(pool, plan(1));
    EXPECT_EQ(answer.refused, "crashed: Illegal instruction");
    EXPECT_EQ(answer.plan, plan(1));
    EXPECT_TRUE(answer.lost);
    EXPECT_FALSE(answer.outside);
    EXPECT_EQ(prepare(pool, plan(0)).refused, "");
    EXPECT_EQ(ask(pool, {0, {plan(0)}, 1}).seconds.size(), 1u);
}

TEST_F(KernelTrial, ACrashWhileTimingNamesTheKernelThatRan) {
    kernels_.deeds[plan(1)] = Deed::late_crash;
    ProcessPool pool(works_, kernels_, options_);
    EXPECT_EQ(prepare(pool, plan(0)).refused, "");
    EXPECT_EQ(ask(pool, {0, {plan(1), plan(0), plan(1)}, 0}).refused, "");
    const TrialAnswer answer = ask(pool, {0, {plan(0), plan(1), plan(0)}, 3});
    EXPECT_EQ(answer.refused, "crashed: Aborted");
    EXPECT_EQ(answer.plan, plan(1));
}

TEST_F(KernelTrial, AHangIsEnded) {
    kernels_.deeds[plan(1)] = Deed::hang;
    ProcessPool warm(works_, kernels_, options_);
    EXPECT_EQ(prepare(warm, plan(0)).refused, "");
    options_.most_seconds = 2;
    ProcessPool pool(works_, kernels_, options_);
    const TrialAnswer answer = prepare(pool, plan(1));
    EXPECT_EQ(answer.refused, "hung: no answer within 2 s");
    EXPECT_TRUE(answer.lost);
    EXPECT_TRUE(answer.outside) << "the machine may have been stopped";
}

TEST_F(KernelTrial, AKillIsNoFaultOfTheKernel) {
    kernels_.deeds[plan(1)] = Deed::killed;
    ProcessPool pool(works_, kernels_, options_);
    const TrialAnswer answer = prepare(pool, plan(1));
    EXPECT_EQ(answer.refused, "crashed: Killed");
    EXPECT_TRUE(answer.lost);
    EXPECT_TRUE(answer.outside);
}

TEST_F(KernelTrial, WrongBytesAreSeenWhereverTheyAre) {
    kernels_.deeds = {{plan(1), Deed::wrong},
                      {plan(2), Deed::wrong_element},
                      {plan(3), Deed::write_behind},
                      {plan(4), Deed::no_kernel},
                      {plan(5), Deed::write_before}};
    ProcessPool pool(works_, kernels_, options_);
    const TrialAnswer wrong = prepare(pool, plan(1));
    EXPECT_NE(wrong.refused.find("wrong: off by"), std::string::npos);
    EXPECT_TRUE(wrong.lost) << "who knows where else it wrote";
    EXPECT_NE(prepare(pool, plan(2)).refused.find("wrong: off by"), std::string::npos);
    EXPECT_EQ(prepare(pool, plan(3)).refused, "wrong: it writes beside its output");
    EXPECT_EQ(prepare(pool, plan(5)).refused, "wrong: it writes beside its output");
    EXPECT_EQ(prepare(pool, plan(4)).refused, "does not compile: no such kernel");
    EXPECT_EQ(prepare(pool, plan(0)).refused, "");
}

TEST_F(KernelTrial, AWholeSearchSurvivesThemAllAndChoosesARightKernel) {
    const TemporaryFolder folder(std::filesystem::temp_directory_path() / "edgefront-trial");
    TuningDb db(folder.path() / "tuning.db");
    // The default, and what the model likes best, are all spoilt.
    std::set<std::string> spoilt = {space_.default_plan()};
    kernels_.deeds[space_.default_plan()] = Deed::late_crash;
    const std::vector<Deed> deeds = {Deed::crash, Deed::hang, Deed::wrong, Deed::write_behind,
                                     Deed::no_kernel};
    for (std::size_t i = 0; spoilt.size() <= deeds.size(); i++) {
        if (spoilt.insert(plan(i)).second) {
            kernels_.deeds[plan(i)] = deeds[spoilt.size() - 2];
        }
    }
    options_.workers = 2;
    options_.most_seconds = 15;
    ProcessPool pool(works_, kernels_, options_);
    KernelTuneOptions options;
    options.version = "0.1.0";
    options.search.isa = isa_info(host_kernel_target().text);
    options.search.trials = 16;
    const KernelTuneResult r = tune_kernels({{works_[0], {"layer"}, {}, false}}, pool, db, options);
    const TuningRecord &record = r.tuned.layers.at(0).record;
    EXPECT_EQ(spoilt.count(record.plan), 0u) << record.plan;
    EXPECT_TRUE(record.measured);
    int faults = 0;
    for (const TriedPlan &t : record.tried) {
        EXPECT_EQ(t.refused.empty(), spoilt.count(t.plan) == 0) << t.plan << ": " << t.refused;
        faults += t.refused.empty() ? 0 : 1;
    }
    EXPECT_GE(faults, 3);
    EXPECT_EQ(r.progress.refused, faults);
}

} // namespace
} // namespace edgefront
