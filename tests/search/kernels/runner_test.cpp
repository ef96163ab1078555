// The generated library, loaded and run: threads, repetition, timing, the cache folder.
#include "base/error.h"
#include "dsl/zoo.h"
#include "schedules/package/layer_check.h"
#include "schedules/schedule_space.h"
#include "search/kernels/runner.h"
#include "tests/dsl/network_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace edgefront {
namespace {

class RunnerTest : public ::testing::Test {
protected:
    RunnerTest() : network_(Zoo().network("mobilenet_v3_small@0.75,160")) {
        const KernelTarget target = host_kernel_target();
        plan_ = plan_package(network_, default_kernels(network_, target), target);
        weights_ = random_weights(network_, 1);
        context_.cache = EDGEFRONT_TEST_CACHE;
        context_.tool_version = "test";
    }

    Runner runner(int threads = 1) { return {plan_, weights_, context_, threads}; }

    Network network_;
    PackagePlan plan_;
    NetworkWeights weights_;
    BuildContext context_;
};

TEST_F(RunnerTest, TheOutputDoesNotDependOnThreadsOrOnEarlierRuns) {
    EXPECT_TRUE(std::any_of(plan_.steps.begin(), plan_.steps.end(),
                            [](const PackageStep &s) { return s.plan.parallel(); }));
    const auto input = random_input(network_, 1), other = random_input(network_, 2);
    Runner one = runner();
    const auto expected = one.run(input);
    EXPECT_NE(one.run(other), expected);
    EXPECT_EQ(one.run(input), expected);
    for (const int threads : {2, 3, 7}) {
        Runner many = runner(threads);
        EXPECT_EQ(many.threads(), threads);
        for (int i = 0; i < 20; i++) {
            ASSERT_EQ(many.run(input), expected) << threads << " threads, run " << i;
        }
    }
}

TEST_F(RunnerTest, SeveralInstancesDoNotDisturbEachOther) {
    const auto input = random_input(network_, 1);
    Runner a = runner(), b = runner(2);
    const auto expected = a.run(input);
    b.run(random_input(network_, 5));
    a.rerun();
    EXPECT_EQ(a.run(input), expected);
    EXPECT_EQ(b.run(input), expected);
}

TEST_F(RunnerTest, ATraceSeesEveryLayerInOrderWithItsOperands) {
    Runner r = runner();
    std::size_t i = 0;
    const auto output = r.run(random_input(network_, 1), [&](const edgefront_layer_run &run) {
        const Node &node = network_.nodes.at(i);
        EXPECT_EQ(run.name, node.name);
        EXPECT_EQ(run.kernel, plan_.steps[i].symbol);
        EXPECT_EQ(run.layer.output.channels, node.layer.output.channels);
        EXPECT_EQ(run.others[0] != nullptr, !node.layer.others.empty());
        EXPECT_EQ(run.residual != nullptr, node.layer.residual);
        EXPECT_EQ(run.weights != nullptr, node.layer.has_weights());
        EXPECT_GE(run.seconds, 0);
        i++;
    });
    EXPECT_EQ(i, network_.nodes.size());
    EXPECT_EQ(output.size(), static_cast<std::size_t>(network_.output().elements()));
}

TEST_F(RunnerTest, TheCheckPassesRightLayersAndFindsWronglyPackedWeightsAndOutputs) {
    Runner r = runner();
    int dense = 0;
    r.run(random_input(network_, 1), [&](const edgefront_layer_run &run) {
        const edgefront_layer_check right = edgefront_check_layer(&run);
        EXPECT_TRUE(right.passed) << run.name << " " << right.difference.error;
        edgefront_layer_run wrong = run;
        wrong.output = run.input; // other numbers, enough of them
        if (run.layer.input.height * run.layer.input.width * run.layer.input.channels >=
            run.layer.output.height * run.layer.output.width * run.layer.output.channels) {
            EXPECT_FALSE(edgefront_check_layer(&wrong).passed) << run.name;
        }
        wrong = run;
        wrong.tile = 1;
        if (run.layer.op == edgefront_conv2d && run.tile > 1) {
            EXPECT_FALSE(edgefront_check_layer(&wrong).passed) << run.name;
            dense++;
        }
    });
    EXPECT_GT(dense, 10);
}

TEST_F(RunnerTest, ATraceThatThrowsEndsTheRunAndTheNextOneIsWhole) {
    struct Stop {};
    Runner r = runner(2);
    const auto input = random_input(network_, 1);
    const auto expected = r.run(input);
    int calls = 0;
    EXPECT_THROW(check_layers(r, input,
                              [&](int) {
                                  if (++calls == 5) {
                                      throw Stop();
                                  }
                              }),
                 Stop);
    EXPECT_EQ(calls, 5);
    EXPECT_EQ(r.run(input), expected);
}

/// Every operator that the zoo's convolutional networks lack, with up to eight inputs.
Network every_operator() {
    Builder b({8, 8, 12});
    const auto residual = [](Node &n) {
        n.layer.residual = true;
        n.layer.activation = Activation::relu;
    };
    const auto window = [](Node &n) {
        n.layer.kernel = 3;
        n.layer.pad_top = n.layer.pad_left = 1;
    };
    const auto normed = [](Node &n) { n.offset = Offset::bias; };
    const auto heads = [](int channels) {
        return [channels](Node &n) {
            n.layer.groups = 2;
            n.layer.output.channels = channels;
        };
    };
    const int stem = b.linear(-1, 24, Offset::batch_norm, Activation::gelu);
    const int pooled = b.add(Op::average_pool, {stem}, window);
    const int largest = b.add(Op::max_pool, {pooled}, window);
    const int sum = b.add(Op::elementwise, {largest, stem}, residual);
    const int affine = b.add(Op::affine, {sum}, [](Node &n) { n.offset = Offset::batch_norm; });
    const int group = b.add(Op::group_norm, {affine}, normed);
    const int shuffled = b.add(Op::channel_shuffle, {group}, [](Node &n) { n.layer.groups = 3; });
    const int sliced = b.add(Op::slice, {shuffled}, [](Node &n) {
        n.layer.first_channel = 3;
        n.layer.output.channels = 20;
    });
    const int patches = b.add(Op::unfold, {sliced}, [](Node &n) {
        n.layer.kernel = 2;
        n.layer.output = {4, 16, 20};
    });
    const int norm = b.add(Op::layer_norm, {patches}, normed);
    const int scores = b.add(Op::attention_scores, {norm, patches}, heads(2 * 16));
    const int shares = b.add(Op::softmax, {scores}, heads(2 * 16));
    const int context = b.add(Op::attention_context, {shares, norm}, heads(20));
    const int folded = b.add(Op::fold, {context}, [](Node &n) {
        n.layer.kernel = 2;
        n.layer.output = {8, 8, 20};
    });
    const int all = b.add(Op::concat, {folded, stem, pooled, sum, affine, group, shuffled, sliced},
                          [](Node &n) { n.layer.output.channels = 2 * 20 + 6 * 24; });
    const int larger = b.add(Op::resize_bilinear, {all}, [](Node &n) {
        n.layer.output = {12, 9, 184};
    });
    const int flat = b.add(Op::reshape, {larger}, [](Node &n) { n.layer.output = {9, 12, 184}; });
    b.add(Op::concat, {flat, flat}, [](Node &n) { n.layer.output.height = 18; });
    Network network = b.network();
    network.name = "every operator";
    validate(network);
    return network;
}

TEST_F(RunnerTest, EveryOperatorRunsInPartsOnSeveralThreads) {
    const Network network = every_operator();
    const KernelTarget target = host_kernel_target();
    std::vector<KernelChoice> kernels;
    int parallel = 0;
    for (const Node &node : network.nodes) {
        const ScheduleSpace space = schedule_space(node.layer, isa_info(target.text));
        Schedule s = default_schedule(node.layer, isa_info(target.text));
        s.parallel = ParallelOver::rows;
        if (!space.contains(s)) {
            s.parallel = ParallelOver::none;
        }
        parallel += s.parallel != ParallelOver::none ? 1 : 0;
        kernels.push_back({{static_cast<int>(kernels.size())}, s});
    }
    EXPECT_GT(parallel, 15);
    const PackagePlan plan = plan_package(network, kernels, target);
    const auto weights = random_weights(network, 1);
    const auto input = random_input(network, 1);
    Runner one(plan, weights, context_), three(plan, weights, context_, 3);
    const auto expected = one.run(input, [](const edgefront_layer_run &run) {
        const edgefront_layer_check check = edgefront_check_layer(&run);
        EXPECT_TRUE(check.passed) << run.name << " " << check.difference.error;
    });
    for (int i = 0; i < 10; i++) {
        ASSERT_EQ(three.run(input), expected) << i;
    }
}

/// Every chain of the network in one kernel, in parts for two threads where its rows allow it.
std::vector<KernelChoice> chained_kernels(const Network &network, const KernelTarget &target) {
    const std::vector<KernelChoice> plain = default_kernels(network, target);
    const std::vector<std::vector<int>> groups = kernel_groups(network);
    std::vector<KernelChoice> kernels;
    std::size_t group = 0;
    for (std::size_t i = 0; i < plain.size(); i = kernels.back().nodes.back() + std::size_t{1}) {
        if (group < groups.size() && groups[group][0] == static_cast<int>(i)) {
            std::vector<Layer> layers;
            for (const int node : groups[group]) {
                layers.push_back(network.nodes[static_cast<std::size_t>(node)].layer);
            }
            kernels.push_back({groups[group++], default_chain(layers, isa_info(target.text), 2)});
        } else {
            kernels.push_back(plain[i]);
        }
    }
    return kernels;
}

TEST_F(RunnerTest, ChainsOfLayersRunInOneKernelAndKeepNoTensorBetweenThem) {
    const Network network = Zoo().network("mobilenet_v2@0.35,96");
    const KernelTarget target = host_kernel_target();
    const auto weights = random_weights(network, 1);
    const auto input = random_input(network, 1);
    const PackagePlan separate = plan_package(network, default_kernels(network, target), target);
    const PackagePlan chained = plan_package(network, chained_kernels(network, target), target);
    EXPECT_LT(chained.steps.size(), separate.steps.size() / 2);
    EXPECT_LT(chained.memory.arena, separate.memory.arena);
    EXPECT_GT(chained.scratch, 0);
    EXPECT_EQ(separate.scratch, 0);
    EXPECT_TRUE(std::any_of(chained.steps.begin(), chained.steps.end(), [](const PackageStep &s) {
        return s.plan.fused() && s.plan.parallel();
    }));

    const auto expected = Runner(separate, weights, context_).run(input);
    Runner one(chained, weights, context_), three(chained, weights, context_, 3);
    const auto found = one.run(input);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); i++) {
        ASSERT_NEAR(found[i], expected[i], 1e-4) << i;
    }
    for (int i = 0; i < 10; i++) {
        ASSERT_EQ(three.run(input), found) << i;
    }
    const std::vector<LayerCheck> checks = check_layers(one, input);
    ASSERT_EQ(checks.size(), chained.steps.size());
    for (std::size_t i = 0; i < checks.size(); i++) {
        EXPECT_TRUE(checks[i].passed) << checks[i].name << " " << checks[i].relative_error();
        EXPECT_EQ(checks[i].name, name_of(chained, chained.steps[i]));
    }
}

TEST_F(RunnerTest, AnInputOfAnotherSizeIsABugInTheCaller) {
    Runner r = runner();
    EXPECT_THROW(r.run(std::vector<float>(7)), std::logic_error);
}

TEST_F(RunnerTest, TooManyThreadsAreRefusedWithTheLibrarysReason) {
    try {
        runner(100000);
        FAIL();
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find("threads: expected 1 to 256"), std::string::npos)
            << e.what();
    }
}

TEST_F(RunnerTest, ABenchmarkRunsAsOftenAsAskedAndTimesEveryLayer) {
    Runner r = runner();
    double last = 0;
    BenchOptions options;
    options.repeats = 7;
    const BenchResult result = bench(r, random_input(network_, 1), options, [&](double share) {
        EXPECT_GE(share, last);
        last = share;
    });
    EXPECT_EQ(last, 1.0);
    EXPECT_EQ(result.network.runs, 7);
    ASSERT_EQ(result.kernels.size(), network_.nodes.size());
    Seconds sum;
    for (const Timing &t : result.kernels) {
        EXPECT_EQ(t.runs, 7);
        EXPECT_LE(t.least, t.median);
        EXPECT_LE(t.median, t.p90);
        sum += t.median;
    }
    EXPECT_GT(sum, Seconds(0));
}

TEST(Timing, PercentilesAreNearestRanks) {
    std::vector<Seconds> times;
    for (const double t : {5.0, 1.0, 4.0, 2.0, 3.0, 10.0, 6.0, 9.0, 7.0, 8.0}) {
        times.push_back(Seconds(t));
    }
    const Timing ten = summarise(times);
    EXPECT_EQ(ten.median, Seconds(5));
    EXPECT_EQ(ten.least, Seconds(1));
    EXPECT_EQ(ten.p90, Seconds(9));
    EXPECT_EQ(ten.runs, 10);
    EXPECT_EQ(summarise({Seconds(3)}).p90, Seconds(3));
}

TEST(CacheDirectory, FollowsTheVariablesInTheirOrder) {
    ::setenv("HOME", "/home/somebody", 1);
    ::unsetenv("XDG_CACHE_HOME");
    ::unsetenv("EDGEFRONT_CACHE");
    EXPECT_EQ(cache_directory(), "/home/somebody/.cache/edgefront");
    ::setenv("XDG_CACHE_HOME", "/var/x", 1);
    EXPECT_EQ(cache_directory(), "/var/x/edgefront");
    ::setenv("EDGEFRONT_CACHE", "/var/kernels", 1);
    EXPECT_EQ(cache_directory(), "/var/kernels");
    for (const char *name : {"HOME", "XDG_CACHE_HOME", "EDGEFRONT_CACHE"}) {
        ::unsetenv(name);
    }
    EXPECT_THROW(cache_directory(), UserError);
}

} // namespace
} // namespace edgefront
