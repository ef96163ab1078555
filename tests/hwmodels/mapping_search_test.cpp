// The mapping search against enumerating its whole space, on layers and arrays small enough.
#include "base/random.h"
#include "dsl/zoo.h"
#include "hwmodels/dsp_model.h"
#include "hwmodels/edgetpu_model.h"
#include "hwmodels/mapping_search.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

#include <limits>
#include <tuple>

namespace edgefront {
namespace {

Layer small_layer(Random &random) {
    const auto up_to = [&](int n) { return 1 + static_cast<int>(random.below(n)); };
    Layer l;
    l.type = random.below(2) == 0 ? DataType::int8 : DataType::fp16;
    const int groups = random.below(3) == 0 ? 2 : 1;
    switch (random.below(5)) {
    case 0:
        l.op = Op::fully_connected;
        l.input = {1, 1, up_to(12)};
        l.output = {1, 1, up_to(12)};
        l.bias = random.below(2) == 0;
        return l;
    case 1: {
        const int size = up_to(3), keys = up_to(4);
        l.op = Op::attention_scores;
        l.groups = groups;
        l.input = {1, up_to(4), groups * size};
        l.others = {{1, keys, random.below(2) == 0 ? size : groups * size}};
        l.output = {1, l.input.width, groups * keys};
        return l;
    }
    default: break;
    }
    l.residual = random.below(3) == 0;
    l.bias = random.below(2) == 0;
    l.kernel = random.below(2) == 0 ? 1 : 3;
    l.dilation = up_to(2);
    l.pad_top = l.pad_left = l.reach() / 2;
    l.stride = up_to(2);
    l.input = {up_to(5), up_to(5), groups * up_to(5)};
    l.output = {(l.input.height + l.stride - 1) / l.stride,
                (l.input.width + l.stride - 1) / l.stride, groups * up_to(5)};
    l.groups = groups;
    if (random.below(3) == 0) {
        l.op = Op::depthwise_conv2d;
        l.groups = 1;
        l.output.channels = l.input.channels;
    }
    return l;
}

ArrayLimits random_limits(Random &random) {
    const auto up_to = [&](int n) { return 1 + static_cast<int>(random.below(n)); };
    ArrayLimits limits;
    limits.rows = up_to(4);
    limits.columns = up_to(4);
    limits.arrays = up_to(5);
    limits.groups_at_once = random.below(2) == 0 ? 1 : limits.columns;
    limits.preload = random.below(2) == 0;
    limits.scratchpad = Bytes(random.below(4) == 0 ? up_to(20) : up_to(400));
    return limits;
}

/// Of vector units: two registers for the operands that pass, some for what stays.
ArrayLimits random_vector_limits(Random &random) {
    const auto up_to = [&](int n) { return 1 + static_cast<int>(random.below(n)); };
    ArrayLimits limits;
    limits.arrays = up_to(4);
    limits.vector_channels = up_to(3);
    limits.vector_pixels = up_to(2);
    limits.register_bytes = 4 * up_to(3);
    limits.registers = 2 + up_to(5);
    limits.scratchpad = Bytes(random.below(4) == 0 ? up_to(60) : up_to(600));
    return limits;
}

ArrayPrices random_prices(Random &random, const ArrayLimits &limits) {
    ArrayPrices p{1e-9 * (0.1 + random.uniform()), 1e-9 * random.uniform(),
                  1e-9 * random.uniform() * random.uniform(), 1e-9 * random.uniform()};
    if (limits.vectors()) {
        p.mac_s = p.cycle_s / 8;
        p.unit_byte_s = p.border_byte_s;
        p.afterwards_s = 1e-9 * random.uniform();
        if (random.below(4) > 0) {
            p.keeps = limits.scratchpad;
        }
    }
    return p;
}

struct Enumerated {
    double time = std::numeric_limits<double>::infinity();
    std::int64_t bytes = std::numeric_limits<std::int64_t>::max();
    std::int64_t border = std::numeric_limits<std::int64_t>::max();
    std::int64_t mappings = 0;
};

/// Bytes that do not stay in the scratchpad.
std::int64_t moved(const Layer &layer, const ArrayLimits &limits, const LoopNest &nest,
                   const ArrayPrices &prices) {
    return moved_bytes(array_problem(layer, limits.vector_channels, limits.vector_pixels),
                       nest.tiles.weights.footprint.count(), nest.tiles.traffic().count(),
                       prices.keeps);
}

Enumerated enumerate(const Layer &layer, const ArrayLimits &limits, const ArrayPrices &prices) {
    Enumerated best;
    MappingSpace(layer, limits).for_each([&](const Mapping &m) {
        best.mappings++;
        const LoopNest nest = analyse(layer, m);
        if (nest.tiles.footprint() > limits.scratchpad) {
            return;
        }
        const double time = array_seconds(layer, nest, prices).count();
        const std::int64_t bytes = moved(layer, limits, nest, prices);
        const std::int64_t border = limits.vectors() ? nest.traffic().count() : 0;
        if (std::tie(time, bytes, border) < std::tie(best.time, best.bytes, best.border)) {
            best.time = time;
            best.bytes = bytes;
            best.border = border;
        }
    });
    return best;
}

void expect_what_enumerating_finds(ArrayLimits any_limits(Random &), int layers) {
    Random random(20261124);
    int infeasible = 0;
    std::int64_t mappings = 0;
    std::int64_t priced = 0;
    for (int i = 0; i < layers; i++) {
        const Layer layer = small_layer(random);
        const ArrayLimits limits = any_limits(random);
        const ArrayPrices prices = random_prices(random, limits);
        const Enumerated all = enumerate(layer, limits, prices);
        const MappingChoice choice = best_mapping(layer, limits, prices);
        mappings += all.mappings;
        priced += choice.priced;
        ASSERT_TRUE(choice.proven) << key(layer);
        if (all.time == std::numeric_limits<double>::infinity()) {
            infeasible++;
            EXPECT_FALSE(choice.fits) << key(layer);
            EXPECT_NE(mapping_problem(layer, choice.mapping, limits), "") << key(layer);
            continue;
        }
        ASSERT_TRUE(choice.fits) << key(layer) << " " << limits.scratchpad.count();
        EXPECT_EQ(mapping_problem(layer, choice.mapping, limits), "") << key(layer);
        EXPECT_EQ(choice.time.count(), all.time) << key(layer) << " " << to_string(choice.mapping);
        const LoopNest nest = analyse(layer, choice.mapping);
        EXPECT_EQ(array_seconds(layer, nest, prices), choice.time) << to_string(choice.mapping);
        EXPECT_EQ(moved(layer, limits, nest, prices), all.bytes) << to_string(choice.mapping);
        if (limits.vectors()) {
            EXPECT_EQ(nest.traffic().count(), all.border) << to_string(choice.mapping);
        }
    }
    EXPECT_GT(infeasible, 3);
    EXPECT_LT(infeasible, layers / 2);
    EXPECT_LT(priced * 10, mappings);
}

TEST(MappingSearch, FindsWhatEnumeratingEverythingFinds) {
    expect_what_enumerating_finds(random_limits, 60);
}

TEST(MappingSearch, FindsWhatEnumeratingEverythingFindsOnVectorUnits) {
    expect_what_enumerating_finds(random_vector_limits, 200);
}

TEST(MappingSearch, IsNeverSlowerOnLargerHardware) {
    Random random(9);
    for (int i = 0; i < 400; i++) {
        const Layer layer = small_layer(random);
        ArrayLimits limits =
            random.below(2) == 0 ? random_limits(random) : random_vector_limits(random);
        ArrayPrices prices = random_prices(random, limits);
        const MappingChoice before = best_mapping(layer, limits, prices);
        switch (random.below(limits.vectors() ? 7 : 5)) {
        case 0: limits.rows += 1 + static_cast<int>(random.below(4)); break;
        case 1: limits.columns += 1 + static_cast<int>(random.below(4)); break;
        case 2: limits.arrays += 1 + static_cast<int>(random.below(4)); break;
        case 3: limits.scratchpad += Bytes(static_cast<std::int64_t>(random.below(200))); break;
        case 4: limits.preload = true; break;
        case 5: limits.registers += 1 + static_cast<int>(random.below(4)); break;
        case 6: limits.register_bytes += 1 + static_cast<int>(random.below(8)); break;
        }
        if (prices.keeps) {
            prices.keeps = limits.scratchpad;
        }
        const MappingChoice after = best_mapping(layer, limits, prices);
        if (before.fits) {
            ASSERT_TRUE(after.fits);
            EXPECT_LE(after.time, before.time) << key(layer);
        }
    }
}

TEST(MappingSearch, SamplesWhatItMayNotFinish) {
    Layer layer;
    layer.type = DataType::int8;
    layer.input = {28, 28, 96};
    layer.output = {28, 28, 192};
    const ArrayLimits limits{16, 16, 4, 1, true, Bytes(32 * 1024)};
    const ArrayPrices prices{1e-9, 0, 1e-12, 1e-10};
    const MappingChoice exact = best_mapping(layer, limits, prices);
    const MappingChoice sampled = best_mapping(layer, limits, prices, 1000);
    EXPECT_TRUE(exact.proven);
    EXPECT_FALSE(sampled.proven);
    EXPECT_TRUE(sampled.fits);
    EXPECT_EQ(mapping_problem(layer, sampled.mapping, limits), "");
    EXPECT_GE(sampled.time, exact.time);
    EXPECT_LT(sampled.time.count(), 1.5 * exact.time.count());
    EXPECT_EQ(best_mapping(layer, limits, prices, 1000).mapping, sampled.mapping);
}

TEST(MappingSearch, SamplesOnVectorUnitsToo) {
    const DspModel model(find_target("hexagon690"));
    Layer layer;
    layer.type = DataType::int8;
    layer.input = {112, 112, 16};
    layer.output = {112, 112, 96}; // more than the memory holds
    const ArrayPrices prices = model.prices(layer, {DataType::int8, 1});
    const MappingChoice exact = best_mapping(layer, model.limits(), prices);
    const MappingChoice sampled = best_mapping(layer, model.limits(), prices, 100);
    EXPECT_TRUE(exact.proven);
    EXPECT_FALSE(sampled.proven);
    EXPECT_TRUE(sampled.fits);
    EXPECT_EQ(mapping_problem(layer, sampled.mapping, model.limits()), "");
    EXPECT_GE(sampled.time, exact.time);
    EXPECT_LT(sampled.time.count(), 1.5 * exact.time.count());
}

template <typename Model>
void expect_prices_of(const Model &model) {
    const Workload workload{DataType::int8, 1};
    Random random(3);
    for (int i = 0; i < 200; i++) {
        Layer layer = small_layer(random);
        layer.type = workload.precision;
        const MappingChoice choice =
            best_mapping(layer, model.limits(), model.prices(layer, workload));
        ASSERT_TRUE(choice.fits) << key(layer);
        EXPECT_EQ(std::get<Mapping>(model.mapping(layer, workload)), choice.mapping);
        const Verdict verdict = price_layer(model, layer, workload);
        ASSERT_TRUE(std::holds_alternative<Cost>(verdict)) << key(layer);
        const Seconds overhead(model.target().constant("layer_overhead_us") * 1e-6);
        EXPECT_NEAR((std::get<Cost>(verdict).latency - overhead) / choice.time, 1, 1e-9)
            << key(layer);
    }
}

TEST(MappingSearch, PricesAsTheModelsDo) {
    expect_prices_of(EdgeTpuModel(target_from(tiny_edgetpu_json())));
    const Target dsp = target_from(tiny_dsp_json());
    expect_prices_of(DspModel(dsp));
    expect_prices_of(DspModel(with_constant(dsp, "memory_mib", 0.001)));
}

TEST(MappingSearch, SaysWhenTheScratchpadHoldsNoTile) {
    const auto model =
        make_cost_model(with_constant(target_from(tiny_edgetpu_json()), "scratchpad_kib", 0.002));
    Layer layer;
    layer.type = DataType::int8;
    layer.input = layer.output = {4, 4, 8};
    layer.bias = true;
    const Verdict verdict = price_layer(*model, layer, {DataType::int8, 1});
    ASSERT_TRUE(std::holds_alternative<Infeasible>(verdict));
    // one input, one weight with its bias, one partial sum
    const std::string reason = std::get<Infeasible>(verdict).reason;
    EXPECT_NE(reason.find("takes 10, the hardware has 2"), std::string::npos) << reason;
    EXPECT_NE(reason.find("no tile fits, the smallest takes 10"), std::string::npos) << reason;
}

} // namespace
} // namespace edgefront
