// The final choice inside a running network, and plans that come back from the database.
#include "base/error.h"
#include "base/files.h"
#include "dsl/zoo.h"
#include "search/kernels/host_plans.h"
#include "search/kernels/in_situ.h"
#include "search/kernels/kernel_tuner.h"
#include "search/kernels/network_variants.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace edgefront {
namespace {

/// Works whose trials all went well: of each, the three plans that the model ranks first.
std::vector<TunedLayer> tried_works(const Network &network) {
    std::vector<TunedLayer> works = kernel_works(network);
    for (TunedLayer &w : works) {
        const PlanSpace space(w.layers, isa_info(host_kernel_target().text), 1);
        const TuningKey key = host_key(w.layers, 1, "test");
        TuningRecord &r = w.record;
        r.layer = key.layer;
        r.target = "host";
        r.target_hash = key.target_hash;
        r.version = key.version;
        r.compiler = key.compiler;
        for (std::size_t i = 0; i < std::min<std::size_t>(3, space.size()); i++) {
            r.tried.push_back(
                {space.ranked(i), Seconds(1e-6), Seconds(1e-6 * (1 + 0.1 * double(i))), ""});
        }
        r.plan = space.ranked(0);
        r.measured = Seconds(1e-6);
        r.kind = CostKind::measured;
    }
    return works;
}

class InSitu : public ::testing::Test {
protected:
    InSitu() : network_(Zoo().network("mobilenet_v2@0.35,64")), works_(tried_works(network_)) {
        options_.variants = 2;
        options_.ranking = options_.confirmation = Seconds(0.01);
        options_.build.cache = EDGEFRONT_TEST_CACHE;
        options_.build.tool_version = "test";
    }

    Network network_;
    std::vector<TunedLayer> works_;
    InSituOptions options_;
};

TEST_F(InSitu, VariantsComputeEveryNodeOnceInOrder) {
    const NetworkVariants variants(network_, works_, 2, host_kernel_target());
    const auto check = [&](const NetworkVariants::Variant &v, bool chains) {
        int next = 0;
        std::size_t fused = 0;
        ASSERT_EQ(v.kernels.size(), v.steps.size());
        for (std::size_t i = 0; i < v.kernels.size(); i++) {
            for (const int node : v.kernels[i].nodes) {
                EXPECT_EQ(node, next++);
            }
            const auto &[work, plan] = v.steps[i];
            EXPECT_EQ(works_[work].layers, layers_at(network_, v.kernels[i].nodes));
            EXPECT_EQ(to_string(v.kernels[i].plan), variants.plans(work).at(plan));
            fused += v.kernels[i].plan.fused() ? 1 : 0;
        }
        EXPECT_EQ(next, static_cast<int>(network_.nodes.size()));
        EXPECT_EQ(fused, chains ? kernel_groups(network_).size() : 0);
    };
    for (std::size_t i = 0; i < 3; i++) {
        check(variants.separate(i), false);
        check(variants.chained(i), true);
    }
    const auto defaults = default_kernels(network_, host_kernel_target());
    const auto first = variants.separate(0);
    for (std::size_t i = 0; i < defaults.size(); i++) {
        EXPECT_EQ(first.kernels[i].plan, defaults[i].plan);
    }
}

TEST_F(InSitu, ChoosesAmongThePlansThatWereTriedAndComparesTheWhole) {
    double last = 0;
    options_.progress = [&](double share, const std::string &doing) {
        EXPECT_LE(share, 1);
        last = share;
        EXPECT_FALSE(doing.empty());
    };
    const InSituResult r = choose_in_situ(network_, works_, options_);
    ASSERT_EQ(r.failure, "");
    ASSERT_EQ(r.choices.size(), works_.size());
    EXPECT_GT(last, 0.8);
    EXPECT_GT(r.ratio, 0);
    EXPECT_EQ(r.wrong, 0);
    EXPECT_EQ(r.kept_defaults, !is_gain(r.ratio, r.jitter)) << r.ratio << " " << r.jitter;
    const NetworkVariants variants(network_, works_, 2, host_kernel_target());
    for (std::size_t w = 0; w < works_.size(); w++) {
        const InSituChoice &c = r.choices[w];
        const std::vector<std::string> &plans = variants.plans(w);
        EXPECT_NE(std::find(plans.begin(), plans.end(), c.plan), plans.end()) << c.plan;
        EXPECT_GT(c.time.count(), 0);
        EXPECT_TRUE(c.use || works_[w].fused());
        if (r.kept_defaults) {
            EXPECT_EQ(c.use, !works_[w].fused());
        }
    }
    const InSituResult again = read_result(write_result(r));
    EXPECT_EQ(write_result(again), write_result(r));
}

TEST_F(InSitu, StopsWhenAsked) {
    options_.stop = [] { return true; };
    EXPECT_TRUE(choose_in_situ(network_, works_, options_).interrupted);
}

TEST_F(InSitu, SaysWhatFails) {
    const TemporaryFolder folder(::testing::TempDir() + "edgefront-in-situ");
    write_file(folder.path() / "file", "no folder");
    options_.build.cache = folder.path() / "file";
    const InSituResult r = choose_in_situ(network_, works_, options_);
    EXPECT_NE(r.failure.find("file"), std::string::npos) << r.failure;
}

TEST(IsGain, IsMoreThanEqualNetworksDiffer) {
    EXPECT_TRUE(is_gain(0.96, 0.01));
    EXPECT_FALSE(is_gain(0.995, 0.01));
    EXPECT_FALSE(is_gain(1.0, 0.0));
    EXPECT_FALSE(is_gain(1.02, 0.01));
}

/// The default was refused in the trials: the network's first variant has another plan.
TEST_F(InSitu, NeverTakesADefaultThatTrialsRefused) {
    std::size_t changed = 0;
    for (TunedLayer &w : works_) {
        const std::string usual =
            to_string(usual_plan(w.layers, isa_info(host_kernel_target().text), 1));
        std::vector<TriedPlan> &tried = w.record.tried;
        if (w.fused() || tried[0].plan == usual) {
            continue;
        }
        tried.erase(std::remove_if(tried.begin(), tried.end(),
                                   [&](const TriedPlan &t) { return t.plan == usual; }),
                    tried.end());
        tried.push_back({usual, Seconds(1e-6), {}, "crashed: Segmentation fault"});
        changed++;
    }
    ASSERT_GT(changed, 0u);
    const NetworkVariants variants(network_, works_, 2, host_kernel_target());
    for (std::size_t w = 0; w < works_.size(); w++) {
        for (const TriedPlan &t : works_[w].record.tried) {
            if (!t.refused.empty() && !works_[w].fused()) {
                const auto &plans = variants.plans(w);
                EXPECT_EQ(std::find(plans.begin(), plans.end(), t.plan), plans.end()) << t.plan;
                EXPECT_EQ(plans[0], works_[w].record.tried[0].plan);
            }
        }
    }
}

TEST(BestOf, KeepsTheIncumbentUnlessTheGainIsBeyondTheJitter) {
    const std::vector<std::vector<double>> times = {{1, 1, 1}, {0.98, 0.98}, {}, {0.99}};
    EXPECT_EQ(best_of(times, 0, 0.03), 0u);
    EXPECT_EQ(best_of(times, 0, 0.01), 1u);
    EXPECT_EQ(best_of(times, 3, 0.005), 1u);
}

TEST_F(InSitu, HostPlansComeFromTheDatabaseWhereItHasThem) {
    const TemporaryFolder folder(::testing::TempDir() + "edgefront-host-plans");
    const std::filesystem::path path = folder.path() / "tuning.db";
    const KernelTarget target = host_kernel_target();
    EXPECT_THROW(host_plans(network_, target, path, 1, "test"), UserError);
    EXPECT_FALSE(std::filesystem::exists(path)) << "looking does not make one";
    EXPECT_EQ(host_plans(network_, target, "", 1, "test").tuned, 0u);
    {
        TuningDb db(path);
        for (TunedLayer &w : works_) {
            judge(w.record, {network_.name, w.record.tried.back().plan, {}, !w.fused()});
            judge(w.record, {"another network", w.record.tried.front().plan, {}, true});
            db.put(w.record);
        }
    }
    const HostPlans separate = host_plans(network_, target, path, 1, "test");
    const auto usual = default_kernels(network_, target);
    std::size_t others = 0; // than the default, which is not called tuned
    for (std::size_t i = 0; i < usual.size(); i++) {
        others += separate.kernels[i].plan != usual[i].plan ? 1 : 0;
    }
    EXPECT_EQ(separate.tuned, others);
    EXPECT_GT(others, network_.nodes.size() / 2);
    EXPECT_EQ(separate.kernels.size(), network_.nodes.size());
    for (const KernelChoice &k : separate.kernels) {
        const auto work = std::find_if(works_.begin(), works_.end(), [&](const TunedLayer &w) {
            return w.layers == layers_at(network_, k.nodes);
        });
        EXPECT_EQ(to_string(k.plan), work->record.tried.back().plan);
    }
    // Other threads, other versions: nothing is known of them.
    EXPECT_EQ(host_plans(network_, target, path, 2, "test").tuned, 0u);
    EXPECT_EQ(host_plans(network_, target, path, 1, "other").tuned, 0u);
    {
        TuningDb db(path);
        for (TunedLayer &w : works_) {
            judge(w.record, {network_.name, w.record.tried.back().plan, {}, true});
            db.put(w.record);
        }
        // An edited file: lanes that this machine lacks, for a layer of no chain.
        const auto classifier =
            std::find_if(works_.begin(), works_.end(), [&](const TunedLayer &w) {
                return w.names.front() == network_.nodes.back().name;
            });
        TuningRecord odd = classifier->record;
        odd.judged.back().plan = "tile lanes=64 vectors=1 pixels=1 rows=1 unroll=1 "
                                 "order=pixels_outer parallel=none";
        db.put(odd);
    }
    const HostPlans chains = host_plans(network_, target, path, 1, "test");
    EXPECT_EQ(chains.tuned, network_.nodes.size() - 1);
    EXPECT_EQ(std::count_if(chains.kernels.begin(), chains.kernels.end(),
                            [](const KernelChoice &k) { return k.plan.fused(); }),
              static_cast<std::ptrdiff_t>(kernel_groups(network_).size()));
    plan_package(network_, chains.kernels, target); // is a whole network
}

} // namespace
} // namespace edgefront
