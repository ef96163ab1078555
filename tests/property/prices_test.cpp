// A million prices: random layers under random schedules or mappings, and those that the models
// choose, on random devices of every kind, each constant anywhere in its range. EDGEFRONT_CASES
// asks for more.
#include "hwmodels/cost_model.h"
#include "tests/hwmodels/soundness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace edgefront {
namespace {

int cases() {
    const char *given = std::getenv("EDGEFRONT_CASES");
    return given != nullptr ? std::max(1, std::atoi(given)) : 1000000;
}

/// Anywhere in the range of the constant, each order of magnitude as likely as the others.
double random_value(Random &random, const ConstantSpec &spec) {
    if (spec.least == 0 && random.below(8) == 0) {
        return 0;
    }
    if (random.below(16) == 0) {
        return random.below(2) == 0 ? spec.least : spec.most;
    }
    const double least = std::max(spec.least, spec.most * 1e-7);
    const double value = least * std::pow(spec.most / least, random.uniform());
    return std::min(spec.most, spec.is(ConstantSpec::whole) ? std::floor(value) : value);
}

/// A device of the same kind as `like`, with all constants its model may ask for.
Target random_target(Random &random, const Target &like) {
    Target target = like;
    target.unsupported.clear();
    target.max_threads = 1;
    std::vector<std::pair<std::string, double>> values;
    for (const ConstantSpec &spec : constant_specs(target)) {
        values.emplace_back(spec.key, random_value(random, spec));
    }
    target = set_constants(target, values);
    if (random.below(2) == 0) { // then weights and activations share a memory
        target.constants.erase("activation_memory_kib");
    }
    if (target.has("parallel_fraction")) {
        target.max_threads = 1 + static_cast<int>(random.below(8));
    }
    return target;
}

/// The device with one constant that is as good or better: a random one of those that more (or, of
/// times, less) of can only help. Names it.
Target better_target(Random &random, const Target &target, std::string &what) {
    static const std::set<std::string> hardware = {"clock_ghz",
                                                   "cache_mib",
                                                   "memory_mib",
                                                   "l1_kib",
                                                   "l2_kib",
                                                   "load_ports",
                                                   "issue_width",
                                                   "vector_units",
                                                   "dram_gb_per_s",
                                                   "parallel_fraction",
                                                   "l2_bytes_per_cycle",
                                                   "array_rows",
                                                   "thread_clock_ghz",
                                                   "array_columns",
                                                   "arrays",
                                                   "group_columns",
                                                   "scratchpad_kib",
                                                   "preload",
                                                   "weight_memory_mib",
                                                   "activation_memory_kib",
                                                   "vector_registers",
                                                   "load_slots"};
    std::vector<ConstantSpec> specs;
    for (const ConstantSpec &spec : constant_specs(target)) {
        if (!target.has(spec.key)) {
            continue;
        }
        // Threads on slow cores do not even replace the fast one: then less of a layer for them is
        // better.
        if (spec.key == "parallel_fraction" && target.has("thread_clock_ghz") &&
            2 * target.constant("thread_clock_ghz") < target.constant("clock_ghz")) {
            continue;
        }
        if (spec.is(ConstantSpec::rate) || spec.is(ConstantSpec::time) ||
            hardware.count(spec.key) > 0 || spec.key.find("mac_per_cycle") == 0) {
            specs.push_back(spec);
        }
    }
    const ConstantSpec &spec = specs[random.below(specs.size())];
    const double value = target.constant(spec.key);
    const double factor = 1 + 4 * random.uniform();
    what = spec.key;
    double better = spec.is(ConstantSpec::time) ? std::max(spec.least, value / factor)
                                                : std::min(spec.most, value * factor);
    if (spec.is(ConstantSpec::whole)) {
        better = std::ceil(better); // preload from 0 to 1 too
    }
    return set_constant(target, spec.key, better);
}

Schedule random_schedule(Random &random) {
    const auto up_to = [&](int n) { return 1 + static_cast<int>(random.below(n)); };
    Schedule s;
    s.lanes = up_to(64);
    s.vectors = up_to(8);
    s.pixels = up_to(16);
    s.rows = up_to(4);
    s.unroll = up_to(8);
    s.order = random.below(2) == 0 ? LoopOrder::pixels_outer : LoopOrder::channels_outer;
    s.parallel = static_cast<ParallelOver>(random.below(3));
    return s;
}

/// Of vector units, register tiles that mostly fit; the memory may hold the tiles or not.
Mapping random_vector_mapping(Random &random, const Target &target, const Layer &layer) {
    const auto up_to = [&](double n) {
        return 1 + static_cast<int>(
                       random.below(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(n))));
    };
    Mapping m;
    m.dataflow = static_cast<Dataflow>(random.below(3));
    m.vector_channels = static_cast<int>(target.constant("vector_channels"));
    m.vector_pixels = static_cast<int>(target.constant("vector_pixels"));
    const double stays =
        (target.constant("vector_registers") - 2) * target.constant("vector_bytes") / 4;
    const int columns = std::min(m.vector_channels * up_to(stays / m.vector_channels), 4096);
    (layer.op == Op::depthwise_conv2d ? m.groups_at_once : m.array_columns) = columns;
    m.array_rows = up_to(std::min(stays / columns, 4096.0));
    m.pixel_arrays = up_to(target.constant("vector_units"));
    m.channel_arrays = up_to(target.constant("vector_units") / m.pixel_arrays);
    m.double_buffered = random.below(2) == 0;
    m.tile = {up_to(64), up_to(16), up_to(16), up_to(64), up_to(64)};
    m.order = loop_orders()[random.below(loop_orders().size())];
    return m;
}

/// Within the device's arrays, whether its scratchpad holds the tiles or not.
Mapping random_mapping(Random &random, const Target &target) {
    const auto up_to = [&](double n) {
        return 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(n)));
    };
    Mapping m;
    m.dataflow = static_cast<Dataflow>(random.below(3));
    m.array_rows = up_to(target.constant("array_rows"));
    m.array_columns = up_to(target.constant("array_columns"));
    m.groups_at_once = up_to(std::min(target.constant("group_columns"),
                                      target.constant("array_columns") / m.array_columns));
    m.pixel_arrays = up_to(target.constant("arrays"));
    m.channel_arrays = up_to(target.constant("arrays") / m.pixel_arrays);
    m.preload = target.constant("preload") == 1;
    m.double_buffered = random.below(2) == 0;
    m.tile = {up_to(8), up_to(16), up_to(16), up_to(64), up_to(64)};
    m.order = loop_orders()[random.below(loop_orders().size())];
    return m;
}

bool has_mappings(const Target &target) {
    return target.kind == TargetKind::edgetpu || target.kind == TargetKind::dsp;
}

Plan random_plan(Random &random, const Target &target, const Layer &layer) {
    switch (target.kind) {
    case TargetKind::edgetpu: return random_mapping(random, target);
    case TargetKind::dsp: return random_vector_mapping(random, target, layer);
    case TargetKind::cpu:
    case TargetKind::gpu:
    case TargetKind::npu: break;
    }
    return random_schedule(random);
}

/// Whether the device's memory or registers cannot hold what the plan keeps there.
bool does_not_fit(const Target &target, const Layer &layer, const LoopNest &nest) {
    const auto kept = static_cast<double>(nest.tiles.footprint().count());
    if (target.kind == TargetKind::edgetpu) {
        return kept > target.constant("scratchpad_kib") * 1024;
    }
    if (target.kind != TargetKind::dsp) {
        return false;
    }
    const auto &m = std::get<Mapping>(nest.plan);
    const double lanes = target.constant("vector_channels");
    const double row = std::ceil(1.0 * m.array_columns * m.groups_at_once / lanes) * lanes *
                       (m.dataflow == Dataflow::output_stationary ? 4 : size_of(layer.type));
    return kept > std::round(target.constant("memory_mib") * 1024 * 1024) ||
           std::ceil(m.array_rows * row / target.constant("vector_bytes")) + 2 >
               target.constant("vector_registers");
}

/// Whether the model's own plans are to be tried too: searching one takes as long as pricing
/// thousands.
bool try_chosen(Random &random, const Target &target, const Layer &layer) {
    return !has_mappings(target) || (random.below(100) == 0 && macs(layer).count() < 10'000'000);
}

/// The price of the plan that the model chooses; nothing when the search did not finish.
std::optional<Cost> chosen_cost(const CostModel &model, const Layer &layer, const Workload &w) {
    Plan plan;
    if (const auto found = model.search(layer, w, 100'000)) {
        if (!found->proven) {
            return {};
        }
        plan = found->plan;
    } else {
        plan = model.mapping(layer, w);
    }
    const Verdict verdict = model.price(layer, analyse(layer, plan), w);
    const Cost *cost = std::get_if<Cost>(&verdict);
    return cost != nullptr ? std::optional(*cost) : std::nullopt;
}

/// Now and then far larger than any network's, so that no count may overflow.
Layer random_sized_layer(Random &random) {
    Layer layer = random_layer(random);
    const int factor = random.below(8) == 0 ? 1 + static_cast<int>(random.below(200)) : 1;
    if (layer.op == Op::conv2d || layer.op == Op::depthwise_conv2d ||
        layer.op == Op::fully_connected) {
        layer.input.channels *= factor;
        layer.output.channels *= factor;
    }
    return layer;
}

TEST(RandomSizedLayers, AreLegalAndSometimesHuge) {
    Random random(2);
    std::int64_t most = 0;
    for (int i = 0; i < 4000; i++) {
        const Layer layer = random_sized_layer(random);
        EXPECT_EQ(shape_problem(layer), "") << key(layer);
        most = std::max(most, macs(layer).count());
    }
    EXPECT_GT(most, std::int64_t{1} << 40);
}

/// Of networks of any size, with next to nothing or more than any memory holds.
NetworkTotals random_totals(Random &random) {
    const auto bytes = [&] {
        return Bytes(static_cast<std::int64_t>(std::pow(1e11, random.uniform())));
    };
    NetworkTotals totals;
    totals.weights = bytes();
    totals.input = bytes();
    totals.output = bytes();
    totals.peak_activations = bytes();
    totals.layers = 1 + static_cast<int>(random.below(1000));
    return totals;
}

/// Prices `n` layers on a device and a better one; returns how many of them have a price.
int try_device(Random &random, const Target &target, int n) {
    std::string change;
    const auto model = make_cost_model(target);
    const auto better = make_cost_model(better_target(random, target, change));
    const auto &types = target.precisions;
    int priced = 0;
    for (int i = 0; i < n; i++) {
        const Workload w{
            types[random.below(types.size())],
            1 + static_cast<int>(random.below(static_cast<std::uint64_t>(target.max_threads)))};
        const NetworkTotals totals = random_totals(random);
        if (better->network_cost(totals, w).latency.count() * rounding >
            model->network_cost(totals, w).latency.count()) {
            ADD_FAILURE() << "a network's own part is slower with a better " << change << ": "
                          << write_target(target).dump();
        }
        Layer layer = random_sized_layer(random);
        layer.type = w.precision;
        const Plan plan = random_plan(random, target, layer);
        const LoopNest nest = analyse(layer, plan);
        const auto where = [&] {
            return to_string(target.kind) + " " + write_target(target).dump() + "\n" + key(layer) +
                   " " + to_string(plan);
        };
        if (nest.macs != macs(layer) || nest.issued < nest.macs) {
            ADD_FAILURE() << "multiply-adds depend on the schedule: " << where();
        }
        if (nest.registers.count() < 4 * size_of(layer.type) * nest.macs.count()) {
            ADD_FAILURE() << "fewer register accesses than multiply-adds need: " << where();
        }
        if (nest.traffic() < unique_bytes(layer)) {
            ADD_FAILURE() << "traffic below the unique bytes: " << where();
        }
        const Verdict verdict = model->price(layer, nest, w);
        if (std::holds_alternative<Infeasible>(verdict) && does_not_fit(target, layer, nest)) {
            continue;
        }
        const Cost *cost = std::get_if<Cost>(&verdict);
        if (cost == nullptr) {
            ADD_FAILURE() << "no price: " << where();
            continue;
        }
        priced++;
        const std::string problem = impossible(target, w, layer, *cost);
        if (!problem.empty()) {
            ADD_FAILURE() << problem << ": " << where();
        }
        const Cost faster = std::get<Cost>(better->price(layer, nest, w));
        if (faster.latency.count() * rounding > cost->latency.count()) {
            ADD_FAILURE() << "slower with a better " << change << ": " << where();
        }
        const bool choose = try_chosen(random, target, layer);
        const auto chosen = choose ? chosen_cost(*model, layer, w) : std::nullopt;
        const auto rechosen = choose ? chosen_cost(*better, layer, w) : std::nullopt;
        if (chosen && rechosen && rechosen->latency.count() * rounding > chosen->latency.count()) {
            ADD_FAILURE() << "slower with a better " << change
                          << " and the mappings the models choose: " << where();
        }
        // A search that says "proven" has the best of all mappings.
        if (chosen && has_mappings(target) &&
            cost->lower_bound.count() * rounding > chosen->latency.count()) {
            ADD_FAILURE() << "the best mapping is below another one's lower bound: " << where();
        }
        if (testing::Test::HasFailure()) {
            break; // one such case is enough to read
        }
    }
    return priced;
}

TEST(MillionPrices, AreSoundAndNoBetterDeviceIsSlower) {
    constexpr int per_device = 250;
    std::vector<Target> like;
    for (const auto &[name, target] : read_targets()) {
        like.push_back(target);
    }
    Random random(4);
    const int enough = cases();
    int priced = 0;
    while (priced < enough && !HasFailure()) {
        priced +=
            try_device(random, random_target(random, like[random.below(like.size())]), per_device);
    }
}

} // namespace
} // namespace edgefront
