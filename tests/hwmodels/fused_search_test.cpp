// The search of fusions against enumerating its whole space, and the prices of groups.
#include "base/error.h"
#include "dsl/zoo.h"
#include "hwmodels/edgetpu_model.h"
#include "hwmodels/fused_search.h"
#include "tests/hwmodels/tiny_targets.h"
#include "tests/schedules/random_group.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

namespace edgefront {
namespace {

ArrayLimits random_limits(Random &random, int most) {
    ArrayLimits limits;
    limits.rows = up_to(random, most);
    limits.columns = up_to(random, most);
    limits.arrays = up_to(random, 2);
    limits.groups_at_once = random.below(2) == 0 ? 1 : limits.columns;
    limits.preload = random.below(2) == 0;
    limits.scratchpad = Bytes(random.below(5) == 0 ? up_to(random, 40) : up_to(random, 600));
    return limits;
}

std::vector<ArrayPrices> random_prices(Random &random, std::size_t members) {
    const double border = 1e-9 * random.uniform() * random.uniform();
    const double tile = 1e-9 * random.uniform();
    std::vector<ArrayPrices> prices;
    for (std::size_t i = 0; i < members; i++) {
        prices.push_back({1e-9 * (0.1 + random.uniform()), 1e-9 * random.uniform(), border, tile});
    }
    return prices;
}

struct Enumerated {
    double time = std::numeric_limits<double>::infinity();
    std::int64_t bytes = std::numeric_limits<std::int64_t>::max();
    std::int64_t plans = 0;
};

Enumerated enumerate(const std::vector<Layer> &layers, const ArrayLimits &limits,
                     const std::vector<ArrayPrices> &prices) {
    const FusedProblem problem(layers);
    Enumerated best;
    for_each_fusion(layers, limits, [&](Fusion plan) {
        const Strips strips = problem.strips(plan.rows, plan.keep_lines);
        std::vector<std::vector<Mapping>> uses(layers.size());
        for (std::size_t i = 0; i < layers.size(); i++) {
            const Layer step =
                largest_step(layers, i, strips.tensors[i + 1].most_fresh, problem.slice(plan));
            MappingSpace(step, limits).for_each_array([&](const Mapping &m) {
                uses[i].push_back(m);
            });
        }
        plan.members.resize(layers.size());
        const std::function<void(std::size_t)> choose = [&](std::size_t i) {
            if (i < layers.size()) {
                for (const Mapping &m : uses[i]) {
                    plan.members[i] = m;
                    choose(i + 1);
                }
                return;
            }
            best.plans++;
            const FusedNest nest = analyse(layers, plan);
            if (nest.level.footprint() > limits.scratchpad) {
                return;
            }
            const double time = fused_seconds(nest, prices).count();
            const std::int64_t bytes = nest.level.tiles.traffic().count();
            if (time < best.time || (time == best.time && bytes < best.bytes)) {
                best.time = time;
                best.bytes = bytes;
            }
        };
        choose(0);
    });
    return best;
}

TEST(FusedSearch, FindsWhatEnumeratingEverythingFinds) {
    Random random(20261127);
    int infeasible = 0, threes = 0;
    std::int64_t plans = 0, priced = 0;
    for (int i = 0; i < 300 && !HasFailure(); i++) {
        const bool three = i % 10 == 0;
        std::vector<Layer> layers;
        do {
            layers = random_group(random, three ? Shape{5, 2, 3} : Shape{7, 4, 4});
        } while ((layers.size() == 3) != three);
        ArrayLimits limits = random_limits(random, three ? 2 : 3);
        if (i % 2 == 0) { // about as much as some fusion takes, so that a few bytes matter
            limits.scratchpad = analyse(layers, random_fusion(random, layers)).level.footprint() +
                                Bytes(static_cast<std::int64_t>(random.below(4)));
        }
        const auto prices = random_prices(random, layers.size());
        const Enumerated all = enumerate(layers, limits, prices);
        const FusionChoice choice = best_fusion(layers, limits, prices);
        plans += all.plans;
        priced += choice.priced;
        threes += three;
        const std::string what = key(layers) + "  " + to_string(choice.plan);
        ASSERT_TRUE(choice.proven) << what;
        if (all.time == std::numeric_limits<double>::infinity()) {
            infeasible++;
            EXPECT_FALSE(choice.fits) << what;
            EXPECT_NE(fusion_problem(layers, choice.plan, limits), "") << what;
            continue;
        }
        ASSERT_TRUE(choice.fits) << what;
        EXPECT_EQ(fusion_problem(layers, choice.plan, limits), "") << what;
        EXPECT_NEAR(choice.time.count() / all.time, 1, 1e-12) << what;
        const FusedNest nest = analyse(layers, choice.plan);
        EXPECT_NEAR(fused_seconds(nest, prices) / choice.time, 1, 1e-12) << what;
        EXPECT_LE(nest.level.tiles.traffic().count(), all.bytes) << what;
        EXPECT_EQ(parse_fusion(to_string(choice.plan)), choice.plan);
    }
    EXPECT_EQ(threes, 30);
    EXPECT_GT(infeasible, 10);
    EXPECT_LT(infeasible, 150);
    EXPECT_LT(priced * 10, plans);
}

TEST(FusedSearch, IsNeverSlowerOnLargerHardware) {
    Random random(19);
    int changed = 0;
    for (int i = 0; i < 300 && !HasFailure(); i++) {
        const std::vector<Layer> layers = random_group(random, {8, 5, 6});
        ArrayLimits limits = random_limits(random, 4);
        const auto prices = random_prices(random, layers.size());
        const FusionChoice before = best_fusion(layers, limits, prices);
        switch (random.below(5)) {
        case 0: limits.rows += up_to(random, 4); break;
        case 1: limits.columns += up_to(random, 4); break;
        case 2: limits.arrays += up_to(random, 4); break;
        case 3: limits.scratchpad += Bytes(up_to(random, 200)); break;
        case 4: limits.preload = true; break;
        }
        const FusionChoice after = best_fusion(layers, limits, prices);
        if (before.fits) {
            ASSERT_TRUE(after.fits);
            EXPECT_LE(after.time.count(), before.time.count() * (1 + 1e-12)) << key(layers);
            changed += after.time < before.time;
        }
    }
    EXPECT_GT(changed, 10);
}

TEST(FusedSearch, SaysWhenItStoppedBeforeTheEnd) {
    Random random(5);
    int stopped = 0;
    for (int i = 0; i < 20; i++) {
        const std::vector<Layer> layers = random_group(random, {14, 14, 16});
        const ArrayLimits limits{8, 8, 4, 8, true, Bytes(4000)};
        const auto prices = random_prices(random, layers.size());
        const FusionChoice exact = best_fusion(layers, limits, prices);
        const FusionChoice less = best_fusion(layers, limits, prices, 1);
        ASSERT_TRUE(exact.proven);
        EXPECT_LE(less.priced, exact.priced);
        EXPECT_TRUE(less.proven || less.time >= exact.time);
        EXPECT_EQ(less.fits, exact.fits);
        EXPECT_TRUE(!exact.fits || less.time <= exact.time * 3) << less.time / exact.time;
        stopped += !less.proven;
    }
    EXPECT_GT(stopped, 5);
}

const Workload int8_workload{DataType::int8, 1};

std::vector<Layer> int8_group(Random &random, const Shape &largest = {14, 6, 12}) {
    std::vector<Layer> layers = random_group(random, largest);
    for (Layer &layer : layers) {
        layer.type = DataType::int8;
    }
    return layers;
}

TEST(FusedPrice, IsWhatTheSearchMinimises) {
    const EdgeTpuModel model(target_from(tiny_edgetpu_json()));
    Random random(3);
    for (int i = 0; i < 100; i++) {
        const std::vector<Layer> layers = int8_group(random);
        std::vector<ArrayPrices> prices;
        for (const Layer &layer : layers) {
            prices.push_back(model.prices(layer, int8_workload));
        }
        const FusionChoice choice = best_fusion(layers, model.limits(), prices);
        const auto found = model.search_fused(layers, int8_workload, default_most_priced);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->plan, choice.plan);
        const Verdict verdict =
            model.price_fused(layers, analyse(layers, choice.plan), int8_workload);
        ASSERT_TRUE(std::holds_alternative<Cost>(verdict)) << key(layers);
        EXPECT_NEAR(std::get<Cost>(verdict).latency / choice.time, 1, 1e-12) << key(layers);
    }
}

TEST(FusedPrice, IsNeverBelowMultipliersAndBandwidth) {
    const Target target = target_from(tiny_edgetpu_json());
    const auto model = make_cost_model(target);
    const double macs_per_s = 1e9 * 2 * 8 * 4, memory = 100e9, scratchpad = 200e9;
    Random random(6);
    int priced = 0;
    for (int i = 0; i < 3000 && !HasFailure(); i++) {
        const std::vector<Layer> layers = int8_group(random);
        Fusion plan = random_fusion(random, layers);
        for (Mapping &m : plan.members) {
            m.array_rows = up_to(random, 2);
            m.array_columns = up_to(random, 2);
            m.pixel_arrays = m.channel_arrays = up_to(random, 2);
        }
        const Verdict verdict = model->price_fused(layers, analyse(layers, plan), int8_workload);
        const Cost *cost = std::get_if<Cost>(&verdict);
        ASSERT_NE(cost, nullptr) << to_string(plan) << std::get<Infeasible>(verdict).reason;
        Macs useful;
        Bytes border = output_bytes(layers.back()), unique;
        for (const Layer &l : layers) {
            useful += macs(l);
            unique += weight_bytes(l);
            border += weight_bytes(l);
        }
        unique += Bytes(layers[0].input.elements()) + output_bytes(layers.back());
        const double latency = cost->latency.count() * (1 + 1e-12);
        EXPECT_GE(latency, static_cast<double>(useful.count()) / macs_per_s) << to_string(plan);
        EXPECT_GE(latency, static_cast<double>(unique.count()) / memory) << to_string(plan);
        EXPECT_GE(latency, static_cast<double>(border.count()) / scratchpad) << to_string(plan);
        EXPECT_LE(cost->lower_bound.count(), latency);
        EXPECT_EQ(cost->macs, useful);
        EXPECT_LE(cost->utilisation, 1);
        double sum = 0;
        for (const Share &share : shares(*cost)) {
            EXPECT_GE(share.time.count(), -1e-18) << share.what;
            sum += share.time.count();
        }
        EXPECT_NEAR(sum / cost->latency.count(), 1, 1e-9);
        // 2 pJ a multiply-add, repeated ones too; 1 and 3 pJ a byte.
        const FusedNest nest = analyse(layers, plan);
        EXPECT_NEAR(cost->energy.count(),
                    2.0 * static_cast<double>((useful + nest.repeated()).count()) +
                        static_cast<double>(nest.traffic().count()) +
                        3.0 * static_cast<double>(nest.level.tiles.traffic().count()),
                    1e-6 * cost->energy.count());
        priced++;
    }
    EXPECT_GT(priced, 1000);
}

TEST(FusedPrice, RefusesWhatDoesNotFitOrCannotRun) {
    const Target small =
        with_constant(target_from(tiny_edgetpu_json()), "scratchpad_kib", 0.01); // 10 bytes
    Random random(8);
    const std::vector<Layer> layers = int8_group(random);
    const auto price = [&](const Target &target) {
        const auto model = make_cost_model(target);
        const auto choice = model->search_fused(layers, int8_workload, default_most_priced);
        return model->price_fused(layers, analyse(layers, choice->plan), int8_workload);
    };
    const Verdict verdict = price(small);
    ASSERT_TRUE(std::holds_alternative<Infeasible>(verdict));
    const std::string reason = std::get<Infeasible>(verdict).reason;
    EXPECT_NE(reason.find("the hardware has 10"), std::string::npos) << reason;
    EXPECT_NE(reason.find("no strip fits, the smallest takes"), std::string::npos) << reason;
    Target refusing = target_from(tiny_edgetpu_json());
    refusing.unsupported["depthwise_conv2d"] = {"made up", {"", ""}};
    EXPECT_EQ(std::holds_alternative<Unsupported>(price(refusing)),
              std::any_of(layers.begin(), layers.end(),
                          [](const Layer &l) { return l.op == Op::depthwise_conv2d; }));
}

TEST(FusedPrice, IsNoneOnKindsThatDoNotFuse) {
    const auto model = make_cost_model(target_from(tiny_dsp_json()));
    Random random(9);
    const std::vector<Layer> layers = int8_group(random);
    EXPECT_FALSE(model->fuses());
    EXPECT_FALSE(model->search_fused(layers, int8_workload, default_most_priced));
    const Verdict verdict =
        model->price_fused(layers, analyse(layers, random_fusion(random, layers)), int8_workload);
    ASSERT_TRUE(std::holds_alternative<Unsupported>(verdict));
    EXPECT_THROW(require_fusion(*model), UserError);
}

TEST(FusedEstimate, AddsUpAndIsNeverSlowerThanLayerByLayer) {
    const Zoo zoo;
    // On-chip memory so slow that it is worth keeping tensors away from it.
    const Target target = with_constant(target_from(tiny_edgetpu_json()), "memory_gb_per_s", 4);
    const auto model = make_cost_model(target);
    for (const char *name : {"mobilenet_v2@0.35,96", "mobilenet_v1@0.25,128"}) {
        const Network network = zoo.network(name);
        const Estimate apart = estimate(*model, network, int8_workload);
        const Estimate fused = estimate(*model, network, int8_workload, Fuse::where_cheaper);
        EXPECT_TRUE(apart.groups.empty());
        ASSERT_FALSE(fused.groups.empty()) << name;
        EXPECT_LT(fused.total.latency, apart.total.latency) << name;
        EXPECT_EQ(fused.total.macs, apart.total.macs);
        EXPECT_FALSE(fused.interval);
        EXPECT_EQ(fused.weights, apart.weights);
        EXPECT_LT(fused.peak, apart.peak) << name; // that of an expanded tensor, inside of a group
        double sum = fused.network.latency.count();
        std::size_t layers = 0;
        for (const EstimatePart &part : parts(fused)) {
            EXPECT_EQ(part.first, layers);
            layers += part.members;
            const Cost &cost = std::get<Cost>(*part.verdict);
            sum += cost.latency.count();
            if (part.group != nullptr) {
                EXPECT_LT(cost.latency, part.group->separate.latency);
                EXPECT_TRUE(part.group->proven);
            }
        }
        EXPECT_EQ(layers, network.nodes.size());
        EXPECT_NEAR(sum / fused.total.latency.count(), 1, 1e-12);
    }
}

} // namespace
} // namespace edgefront
