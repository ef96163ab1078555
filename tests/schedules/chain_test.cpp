// Differential: chains of layers in one kernel against the naive reference, layer by layer.
#include "base/error.h"
#include "dsl/zoo.h"
#include "schedules/emit.h"
#include "schedules/fusion.h"
#include "tests/schedules/kernel_cases.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace edgefront {
namespace {

constexpr double tolerance = 1e-5; // of the range, although errors of three layers add up

/// A chain with seeded operands; each layer's expected output is the next one's input.
struct ChainCase {
    std::vector<Layer> layers;
    std::vector<std::unique_ptr<KernelCase>> cases;

    ChainCase(const std::vector<Layer> &chain, Random random) : layers(chain) {
        const std::vector<float> *input = nullptr;
        for (const Layer &layer : layers) {
            cases.push_back(input == nullptr ? std::make_unique<KernelCase>(layer, random)
                                             : std::make_unique<KernelCase>(layer, random, *input));
            input = &cases.back()->expected;
        }
    }
};

void check(ChainCase &chain, const KernelPlan &plan) {
    const KernelTarget target = host_kernel_target();
    SCOPED_TRACE(kernel_key(chain.layers, plan, target));
    JitKernel kernel(chain.layers, plan, target);
    std::vector<const float *> operands = chain.cases.front()->inputs();
    KernelCase &last = *chain.cases.back();
    if (last.layer.residual) {
        operands.push_back(last.residual.data());
    }
    std::vector<std::unique_ptr<GuardedFloats>> packed;
    const auto add = [&](const std::vector<float> &values) {
        packed.push_back(std::make_unique<GuardedFloats>(values));
        operands.push_back(packed.back()->data());
    };
    for (std::size_t i = 0; i < chain.layers.size(); i++) {
        const KernelCase &c = *chain.cases[i];
        if (!c.layer.has_weights()) {
            continue;
        }
        add(pack_weights(c.layer, plan.members[i], c.weights));
        add(pack_bias(c.layer, plan.members[i], c.bias));
    }
    GuardedFloats out(last.expected.size());
    kernel.bind(operands, out.data());
    kernel.run();
    EXPECT_LE(last.error(out.values()), tolerance);
    EXPECT_TRUE(out.mark_is_intact());
}

KernelPlan draw(const ChainSpace &space, Random &random) {
    KernelPlan plan;
    const auto one_of = [&](const std::vector<int> &values) {
        return values[random.below(values.size())];
    };
    do {
        plan.rows = one_of(space.rows);
        plan.parts = one_of(space.parts);
    } while (space.layers.back().output.height % (plan.rows * plan.parts) != 0);
    for (std::size_t i = 0; i < space.members.size(); i++) {
        plan.members.push_back(space.member(i, plan.rows).draw(random));
    }
    return plan;
}

void check_chain(const std::vector<Layer> &layers, int draws) {
    ASSERT_EQ(chain_obstacle(layers), "");
    const IsaInfo isa = isa_info(host_kernel_target().text);
    Random random(derive_seed(1, key(layers)));
    ChainCase chain(layers, random);
    const KernelPlan plain = default_chain(layers, isa);
    for (const int rows : chain_space(layers, isa).rows) {
        KernelPlan plan = plain;
        plan.rows = rows;
        if (is_legal(layers, plan, isa)) {
            check(chain, plan);
        }
    }
    check(chain, default_chain(layers, isa, 2));
    const ChainSpace space = chain_space(layers, isa);
    for (int i = 0; i < draws; i++) {
        check(chain, draw(space, random));
    }
}

/// Expansion, depthwise and projection of an inverted bottleneck.
std::vector<Layer> bottleneck(Shape input, int expanded, int kernel, int stride, int outputs,
                              Activation activation, bool residual = false) {
    const Layer expand = with(dense_layer(input, 1, 1, expanded), activation);
    const Layer depthwise = with(depthwise_layer(expand.output, kernel, stride), activation);
    const Layer project = dense_layer(depthwise.output, 1, 1, outputs);
    return {expand, depthwise, residual ? with(project, Activation::none, true) : project};
}

TEST(Chain, InvertedBottlenecksEqualTheReference) {
    check_chain(bottleneck({12, 10, 16}, 48, 3, 1, 16, Activation::relu6, true), 3);
    check_chain(bottleneck({14, 14, 24}, 72, 3, 2, 40, Activation::relu), 3);
    check_chain(bottleneck({8, 8, 16}, 96, 5, 1, 24, Activation::hard_swish), 3);
    check_chain(bottleneck({7, 9, 13}, 37, 3, 1, 11, Activation::swish), 2);
    check_chain(bottleneck({6, 6, 8}, 32, 7, 1, 8, Activation::relu), 1);
}

TEST(Chain, OddRowsUnderAStrideEqualTheReference) {
    std::vector<Layer> layers = bottleneck({15, 13, 16}, 32, 3, 2, 16, Activation::relu6);
    layers[1] = with(symmetric(depthwise_layer({15, 13, 32}, 3, 2)), Activation::relu6);
    layers[2] = dense_layer(layers[1].output, 1, 1, 16);
    check_chain(layers, 3);
}

TEST(Chain, PairsOfLayersEqualTheReference) {
    const Layer depthwise = with(depthwise_layer({12, 12, 40}, 3, 1), Activation::relu);
    const Layer project = with(dense_layer(depthwise.output, 1, 1, 24), Activation::relu);
    check_chain({depthwise, project}, 3);
    const Layer expand = with(dense_layer({12, 12, 16}, 1, 1, 48), Activation::hard_swish);
    check_chain({expand, with(depthwise_layer(expand.output, 5, 2), Activation::relu)}, 3);
}

TEST(Chain, AStemBeforeABlockEqualsTheReference) {
    const Layer stem = with(dense_layer({32, 32, 3}, 3, 2, 16), Activation::hard_swish);
    const Layer depthwise = with(depthwise_layer(stem.output, 3, 1), Activation::relu);
    check_chain({stem, depthwise, dense_layer(depthwise.output, 1, 1, 8)}, 3);
    check_chain({with(symmetric(stem), Activation::relu),
                 with(depthwise_layer(stem.output, 3, 2), Activation::relu)},
                2);
}

TEST(Chain, ProductsBehindAScalingOrAProductEqualTheReference) {
    const Layer scale = scale_layer({12, 10, 40});
    check_chain({scale, with(dense_layer(scale.output, 1, 1, 24), Activation::none, true)}, 3);
    const Layer expand = with(dense_layer({7, 7, 24}, 1, 1, 72), Activation::relu);
    check_chain({expand, with(dense_layer(expand.output, 1, 1, 24), Activation::none, true)}, 3);
    // The last tile of the tensor between them is a vector and a half.
    const Layer reduce = with(dense_layer({1, 1, 96}, 1, 1, 168), Activation::relu);
    check_chain({reduce, with(dense_layer(reduce.output, 1, 1, 96), Activation::hard_sigmoid)}, 6);
}

TEST(Chain, OfANetworkAreDisjointAndLeaveNoConsumerOut) {
    std::set<std::string> kinds;
    for (const char *name : {"mobilenet_v1", "mobilenet_v3_large", "mobilenet_v4_conv_small"}) {
        const Network network = Zoo().network(name);
        int before = -1;
        for (const std::vector<int> &group : kernel_groups(network)) {
            std::string kind;
            std::vector<Layer> layers;
            for (const int node : group) {
                EXPECT_GT(node, before) << name;
                before = node;
                layers.push_back(network.nodes[static_cast<std::size_t>(node)].layer);
                kind += to_string(layers.back().op) + std::to_string(layers.back().kernel) + " ";
            }
            kinds.insert(kind);
            EXPECT_EQ(chain_obstacle(layers), "");
            EXPECT_TRUE(is_legal(layers, default_chain(layers, {16, 32}, 2), {16, 32}));
        }
    }
    for (const char *kind : {"conv2d3 depthwise_conv2d3 conv2d1 ", "depthwise_conv2d3 conv2d1 ",
                             "conv2d1 depthwise_conv2d5 ", "channel_scale1 conv2d1 "}) {
        EXPECT_EQ(kinds.count(kind), 1u) << kind;
    }
}

TEST(Chain, PlansPrintAndParse) {
    const std::vector<Layer> layers =
        bottleneck({14, 14, 24}, 72, 3, 2, 40, Activation::relu, false);
    const KernelPlan plan = default_chain(layers, {16, 32}, 2);
    EXPECT_EQ(parse_kernel_plan(to_string(plan)), plan);
    EXPECT_EQ(to_string(plan).rfind("strips rows=", 0), 0u) << to_string(plan);
    EXPECT_EQ(plan.parts, 1) << "seven rows have no halves";
    const KernelPlan one(plan.members[0]);
    EXPECT_EQ(to_string(one), to_string(plan.members[0]));
    EXPECT_EQ(parse_kernel_plan(to_string(one)), one);
    EXPECT_THROW(parse_kernel_plan("strips rows=2 | tile lanes=4"), UserError);
    EXPECT_THROW(parse_kernel_plan("strips row=2 | tile lanes=4 | tile lanes=4"), UserError);
    EXPECT_THROW(parse_kernel_plan("strips rows=0 | tile lanes=4 | tile lanes=4"), UserError);
}

TEST(Chain, PlansOutsideTheSpaceAreRefused) {
    const std::vector<Layer> layers =
        bottleneck({12, 12, 16}, 48, 3, 1, 16, Activation::relu6, true);
    const IsaInfo isa = isa_info(host_kernel_target().text);
    const KernelPlan plan = default_chain(layers, isa);
    ASSERT_TRUE(is_legal(layers, plan, isa));
    KernelPlan uneven = plan;
    uneven.rows = 5;
    EXPECT_THROW(JitKernel(layers, uneven, host_kernel_target()), std::logic_error);
    KernelPlan tall = plan;
    tall.rows = 1;
    tall.members[1].rows = 2;
    EXPECT_FALSE(is_legal(layers, tall, isa));
    KernelPlan parallel = plan;
    parallel.members[2].parallel = ParallelOver::rows;
    EXPECT_FALSE(is_legal(layers, parallel, isa));
    EXPECT_FALSE(is_legal({layers[0], layers[1]}, plan, isa));
}

} // namespace
} // namespace edgefront
