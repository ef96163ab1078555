// Layers small enough to price by hand on devices with round numbers.
#include "base/error.h"
#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "hwmodels/roofline.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

const Workload int8_workload{DataType::int8, 1};

/// 1x1 convolution 4x4x6 -> 4x4x10 with bias and relu: 960 MACs, 96 bytes in, 160 out, 60 weights
/// and a bias of 40.
Layer pointwise() {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::int8;
    l.input = {4, 4, 6};
    l.output = {4, 4, 10};
    l.bias = true;
    l.activation = Activation::relu;
    return l;
}

/// 3x3 depthwise convolution 4x4x10: 1440 MACs, 160 bytes in and out, 90 weights.
Layer depthwise() {
    Layer l;
    l.op = Op::depthwise_conv2d;
    l.type = DataType::int8;
    l.input = {4, 4, 10};
    l.output = {4, 4, 10};
    l.kernel = 3;
    l.pad_top = 1;
    l.pad_left = 1;
    return l;
}

Cost cost(const CostModel &model, const Layer &layer, const Workload &workload = int8_workload) {
    const Verdict v = price_layer(model, layer, workload);
    EXPECT_TRUE(std::holds_alternative<Cost>(v));
    return std::get<Cost>(v);
}

double nanoseconds(Seconds s) {
    return s.count() * 1e9;
}

TEST(CpuModel, PricesAPointwiseLayerByItsFilledUpLanes) {
    const auto model = make_cost_model(target_from(tiny_cpu_json()));
    const Cost c = cost(*model, pointwise());
    // 10 channels fill 12 lanes: 16 pixels x 12 x 6 = 1152 issued MACs at 8 x 0.5 per cycle.
    EXPECT_NEAR(nanoseconds(c.latency), 100 + 288, 1e-6);
    EXPECT_NEAR(c.cycles.count(), 388, 1e-6);
    EXPECT_NEAR(c.energy.count(), 960 * 2 + 356 * (1 + 3), 1e-6);
    ASSERT_EQ(c.traffic.size(), 3u);
    EXPECT_EQ(c.traffic[0].level, "l2");
    EXPECT_EQ(c.traffic[0].bytes, Bytes(356));
    EXPECT_EQ(c.traffic[1].level, "cache");
    EXPECT_EQ(c.traffic[1].bytes, Bytes(356));
    EXPECT_EQ(c.traffic[2].level, "dram");
    EXPECT_EQ(c.traffic[2].bytes, Bytes(0));
    EXPECT_NEAR(c.utilisation, 960 / (8 * 388.0), 1e-12);
    EXPECT_EQ(c.bound_by, BoundBy::compute);
    EXPECT_EQ(c.kind, CostKind::modelled);
}

TEST(CpuModel, PricesALayerByItsBytesWhenTheyTakeLonger) {
    const auto model =
        make_cost_model(with_constant(target_from(tiny_cpu_json()), "cache_gb_per_s", 0.5));
    const Cost c = cost(*model, pointwise());
    EXPECT_NEAR(nanoseconds(c.latency), 100 + 712, 1e-6);
    EXPECT_EQ(c.bound_by, BoundBy::memory);
}

/// In nanoseconds.
double share(const Cost &cost, const std::string &what) {
    double sum = 0;
    for (const Share &s : shares(cost)) {
        sum += s.what == what ? nanoseconds(s.time) : 0;
    }
    return sum;
}

TEST(Shares, NameWhatEveryNanosecondIsSpentOn) {
    const auto model =
        make_cost_model(with_constant(target_from(tiny_cpu_json()), "cache_gb_per_s", 0.5));
    Layer l = pointwise();
    l.activation = Activation::hard_swish;
    const Cost c = cost(*model, l);
    EXPECT_NEAR(share(c, "multiply"), 120, 1e-6);   // 960 at 8 per cycle
    EXPECT_NEAR(share(c, "padding"), 24, 1e-6);     // 1152 - 960 at 8
    EXPECT_NEAR(share(c, "below_peak"), 144, 1e-6); // 1152 at 8 again: half the peak
    EXPECT_NEAR(share(c, "elementwise"), 80, 1e-6); // 160 at 2
    EXPECT_NEAR(share(c, "cache"), 712 - 368, 1e-6);
    EXPECT_NEAR(share(c, "dram"), 0, 1e-6);
    EXPECT_NEAR(share(c, "overhead"), 100, 1e-6);
    EXPECT_NEAR(nanoseconds(c.lower_bound), 712, 1e-6);
    // With a fast memory the multipliers are the bound.
    const auto fast = make_cost_model(target_from(tiny_cpu_json()));
    EXPECT_NEAR(nanoseconds(cost(*fast, l).lower_bound), 120, 1e-6);
}

TEST(Shares, GiveAFartherLevelWhatItTakesBeyondTheNearerOnes) {
    Work work;
    work.clock_ghz = 1;
    work.compute = Cycles(100);
    work.fill_drain = Cycles(20);
    work.macs = Macs(800);
    work.macs_per_cycle = 8;
    work.overhead = Seconds(7e-9);
    const LevelLoad near{"near", Bytes(300), 2, 0, BoundBy::memory, Bytes(200)}; // 150 ns
    const LevelLoad far{"far", Bytes(300), 1, 0, BoundBy::memory, Bytes(300)};   // 300 ns
    const LevelLoad faster{"faster", Bytes(90), 1, 0};                           // 90 ns: hidden
    work.loads = {near, far, faster};
    const Cost overlapped = roofline(work);
    EXPECT_NEAR(nanoseconds(overlapped.latency), 307, 1e-6);
    EXPECT_NEAR(share(overlapped, "multiply"), 100, 1e-6);
    EXPECT_NEAR(share(overlapped, "fill_drain"), 20, 1e-6);
    EXPECT_NEAR(share(overlapped, "near"), 30, 1e-6);
    EXPECT_NEAR(share(overlapped, "far"), 150, 1e-6);
    EXPECT_NEAR(share(overlapped, "faster"), 0, 1e-6);
    EXPECT_NEAR(share(overlapped, "overhead"), 7, 1e-6);
    EXPECT_NEAR(nanoseconds(overlapped.lower_bound), 300, 1e-6);
    for (LevelLoad &load : work.loads) {
        load.exposed = load.bytes;
    }
    const Cost serial = roofline(work);
    EXPECT_NEAR(nanoseconds(serial.latency), 7 + 120 + 150 + 300 + 90, 1e-6);
    EXPECT_NEAR(share(serial, "faster"), 90, 1e-6);
    work.loads[0].exposed = Bytes(10); // 5 ns of it before the work of 120 ns: 150 is longer
    work.loads[1].exposed = Bytes(0);
    work.loads[2].exposed = Bytes(4); // behind the 300 ns of the level before it
    EXPECT_NEAR(nanoseconds(roofline(work).latency), 7 + 300 + 4, 1e-6);
}

TEST(CpuModel, PricesDepthwiseLayersAtTheirOwnRate) {
    const auto model = make_cost_model(target_from(tiny_cpu_json()));
    // 12 of 10 lanes: 16 x 12 x 9 = 1728 at 8 x 0.25 per cycle.
    EXPECT_NEAR(nanoseconds(cost(*model, depthwise()).latency), 100 + 864, 1e-6);
}

TEST(CpuModel, ChargesHardSwishAndResidualsButNotClamping) {
    const auto model = make_cost_model(target_from(tiny_cpu_json()));
    Layer l = pointwise();
    const double relu = nanoseconds(cost(*model, l).latency);
    l.activation = Activation::none;
    EXPECT_NEAR(nanoseconds(cost(*model, l).latency), relu, 1e-6);
    l.activation = Activation::hard_swish; // 160 outputs at 2 per cycle
    EXPECT_NEAR(nanoseconds(cost(*model, l).latency), relu + 80, 1e-6);
    l.residual = true; // 160 more, and 160 bytes
    const Cost c = cost(*model, l);
    EXPECT_NEAR(nanoseconds(c.latency), relu + 160, 1e-6);
    EXPECT_EQ(c.traffic[0].bytes, Bytes(356 + 160));
}

TEST(CpuModel, PricesPoolingAndGatesByTheirElements) {
    const auto model = make_cost_model(target_from(tiny_cpu_json()));
    Layer pool;
    pool.op = Op::global_average_pool;
    pool.input = {4, 4, 10};
    pool.output = {1, 1, 10};
    const Cost c = cost(*model, pool);
    EXPECT_NEAR(nanoseconds(c.latency), 100 + 80, 1e-6);
    EXPECT_EQ(c.utilisation, 0);
    Layer gate;
    gate.op = Op::channel_scale;
    gate.input = {4, 4, 10};
    gate.output = {4, 4, 10};
    gate.others = {{1, 1, 10}};
    EXPECT_NEAR(nanoseconds(cost(*model, gate).latency), 100 + 80, 1e-6);
}

/// 2 heads of 3 channels, 4 queries, 5 keys: 120 MACs, 24 bytes of queries, 30 of keys, 40 scores.
Layer attention_scores() {
    Layer l;
    l.op = Op::attention_scores;
    l.type = DataType::int8;
    l.groups = 2;
    l.input = {1, 4, 6};
    l.others = {{1, 5, 6}};
    l.output = {1, 4, 10};
    return l;
}

/// 4x4x10 to 1x16x10.
Layer reshape() {
    Layer l;
    l.op = Op::reshape;
    l.type = DataType::int8;
    l.input = {4, 4, 10};
    l.output = {1, 16, 10};
    return l;
}

TEST(CpuModel, PricesAttentionAsADenseLayerPerHead) {
    const auto model = make_cost_model(target_from(tiny_cpu_json()));
    const Cost c = cost(*model, attention_scores());
    // 5 keys fill 8 lanes in each of 2 heads: 4 x 16 x 3 = 192 issued MACs at 8 x 0.5 per cycle,
    // 40 scores to scale at 2 per cycle.
    EXPECT_NEAR(nanoseconds(c.latency), 100 + 48 + 20, 1e-6);
    EXPECT_EQ(c.traffic[0].bytes, Bytes(24 + 30 + 40));
    EXPECT_NEAR(c.energy.count(), 120 * 2 + 94 * (1 + 3), 1e-6);
}

TEST(CpuModel, AReshapeCostsTheFixedTimeOfALayer) {
    const auto model = make_cost_model(target_from(tiny_cpu_json()));
    const Cost c = cost(*model, reshape());
    EXPECT_NEAR(nanoseconds(c.latency), 100, 1e-6);
    EXPECT_EQ(c.traffic[0].bytes, Bytes(0));
    EXPECT_EQ(c.energy, Picojoules(0));
}

TEST(CpuModel, ThreadsFollowAmdahlAndShareTheFixedTime) {
    Json json = tiny_cpu_json();
    json["max_threads"] = 4;
    json["constants"]["parallel_fraction"] = {
        {"value", 0.75}, {"source", "made up"}, {"confidence", "assumed"}};
    const auto model = make_cost_model(target_from(json));
    // 1 / (0.25 + 0.75 / 3) = 2 times faster
    EXPECT_NEAR(nanoseconds(cost(*model, pointwise(), {DataType::int8, 3}).latency), 100 + 144,
                1e-6);
    EXPECT_EQ(cost(*model, pointwise(), {DataType::int8, 3}).energy,
              cost(*model, pointwise()).energy);
}

TEST(CpuModel, FetchesActivationsBeyondTheCacheFromDram) {
    const auto model = make_cost_model(target_from(tiny_cpu_json()));
    Layer l = pointwise();
    l.input = {256, 256, 8};
    l.output = {256, 256, 16};
    // 524288 + 1048576 bytes of activations against a cache of 1048576, 128 + 64 of weights
    const Cost c = cost(*model, l);
    EXPECT_EQ(c.traffic.at(1).bytes, Bytes(524288 + 1048576 + 192));
    EXPECT_EQ(c.traffic.at(2).bytes, Bytes(524288));
    EXPECT_NEAR(c.energy.count(), 8388608 * 2.0 + 1573056 * (1.0 + 3.0) + 524288 * 5.0, 1e-3);
    // 65536 x 16 x 8 MACs at 8 x 0.5 per cycle; what DRAM takes at 2 GB/s nothing hides.
    EXPECT_NEAR(nanoseconds(c.latency), 100 + 2097152 + 262144, 1e-3);
}

TEST(CpuModel, StreamsWeightsBeyondTheCacheOnceAnInference) {
    const auto model = make_cost_model(target_from(tiny_cpu_json()));
    NetworkTotals totals;
    totals.weights = Bytes(1024 * 1024);
    EXPECT_NEAR(model->network_cost(totals, int8_workload).latency.count() * 1e6, 7, 1e-9);
    totals.weights += Bytes(4000);
    const Cost c = model->network_cost(totals, int8_workload);
    EXPECT_NEAR(c.latency.count() * 1e6, 7 + 2, 1e-9);
    EXPECT_NEAR(c.energy.count(), 4000 * 5, 1e-6);
    EXPECT_EQ(c.traffic[0].level, "dram");
    EXPECT_EQ(c.traffic[0].bytes, Bytes(4000));
    EXPECT_EQ(c.bound_by, BoundBy::overhead);
}

TEST(DspModel, WorksOnWholeVectors) {
    const auto model = make_cost_model(target_from(tiny_dsp_json()));
    const Cost c = cost(*model, pointwise());
    // 16 of 10 channels: 16 x 16 x 6 = 1536 issued at 2 x 16 x 0.5 per cycle: 96 ns; 4 x 4 x 16
    // outputs at 2 x 8 per cycle: 16 ns. Activations of whole vectors: 4 x 4 x 8 in, 4 x 4 x 16
    // out, 100 weights and bias: 484 bytes at 2 GB/s: 242 ns. One after another.
    EXPECT_EQ(c.traffic.at(1).level, "on_chip");
    EXPECT_EQ(c.traffic.at(1).bytes, Bytes(128 + 256 + 100));
    EXPECT_NEAR(nanoseconds(c.latency), 100 + 96 + 16 + 242, 1e-6);
    EXPECT_EQ(c.bound_by, BoundBy::memory);
    EXPECT_NEAR(c.energy.count(), 960 * 2 + 484 * 3, 1e-6);
    EXPECT_NEAR(c.utilisation, 960 / (32 * 454.0), 1e-12);
}

TEST(DspModel, PadsTheWidthOfARowToo) {
    const auto model = make_cost_model(target_from(tiny_dsp_json()));
    Layer l = pointwise();
    l.input = {5, 5, 8};
    l.output = {5, 5, 8};
    l.bias = false;
    l.residual = true;
    const Cost c = cost(*model, l); // 5 rows of 8 pixels, three times, and 64 weights
    EXPECT_EQ(c.traffic[1].bytes, Bytes(3 * 5 * 8 * 8 + 64));
}

TEST(DspModel, MovesReshapedDataAndReadsOfASliceWhatItKeeps) {
    const auto model = make_cost_model(target_from(tiny_dsp_json()));
    // 4 x 4 x 16 in, 16 x 16 out
    EXPECT_EQ(cost(*model, reshape()).traffic[1].bytes, Bytes(256 + 256));
    Layer slice = reshape();
    slice.op = Op::slice;
    slice.output = {4, 4, 5};
    EXPECT_EQ(cost(*model, slice).traffic[1].bytes, Bytes(128 + 128));
}

TEST(EdgeTpuModel, PricesTheNestOfAMapping) {
    const auto model = make_cost_model(target_from(tiny_edgetpu_json()));
    // 16 pixels on 4 arrays, 10 channels on 2 x 8 columns, 6 channels reduced on 2 rows: 6 folds of
    // 4 pixels, at half the rate 48 ns; skew and loading of the first fold 2 x 2 + 8 - 2 - 1 at
    // half the rate: 18 ns.
    const Mapping m =
        parse_mapping("map dataflow=ws array=2x8 arrays=4x1 preload=1 tile=1x4x4x10x6 buffers=2");
    const LoopNest nest = analyse(pointwise(), m);
    const Cost c = std::get<Cost>(model->price(pointwise(), nest, int8_workload));
    EXPECT_EQ(nest.array.stream, 24);
    // One tile: 96 + 60 + 40 bytes come before and 160 go behind, at 100 GB/s.
    EXPECT_NEAR(nanoseconds(c.latency), 48 + 18 + 3.56, 1e-6);
    EXPECT_NEAR(nanoseconds(c.spent[static_cast<std::size_t>(Activity::fill_drain)]), 18, 1e-9);
    EXPECT_NEAR(nanoseconds(c.spent[static_cast<std::size_t>(Activity::multiply)]), 960 / 64.0,
                1e-9);
    ASSERT_EQ(c.traffic.size(), 2u);
    EXPECT_EQ(c.traffic[0].level, "scratchpad");
    // Inputs once for either fold of channels, weights once for each array, the bias, three sums
    // per output, two of which come back.
    EXPECT_EQ(c.traffic[0].bytes, Bytes(2 * 96 + 4 * 60 + 40 + 160 + 2 * 2 * 4 * 160));
    EXPECT_EQ(c.traffic[1].level, "on_chip");
    EXPECT_EQ(c.traffic[1].bytes, Bytes(356));
    EXPECT_NEAR(c.energy.count(), 960 * 2 + 3192 * 1 + 356 * 3, 1e-6);
    EXPECT_NEAR(c.utilisation, 960 / (64 * 69.56), 1e-9);
    EXPECT_EQ(c.bound_by, BoundBy::compute);
}

TEST(EdgeTpuModel, ChoosesNoSlowerMappingThanAnyOther) {
    const auto model = make_cost_model(target_from(tiny_edgetpu_json()));
    const Mapping m =
        parse_mapping("map dataflow=ws array=2x8 arrays=4x1 preload=1 tile=1x4x4x10x6 buffers=2");
    const Verdict given = model->price(pointwise(), analyse(pointwise(), m), int8_workload);
    EXPECT_LT(cost(*model, pointwise()).latency, std::get<Cost>(given).latency);
}

TEST(EdgeTpuModel, HasNoPriceForTilesThatDoNotFit) {
    const auto model =
        make_cost_model(with_constant(target_from(tiny_edgetpu_json()), "scratchpad_kib", 0.25));
    const Mapping m = parse_mapping("map tile=1x4x4x10x6");
    const Verdict verdict = model->price(pointwise(), analyse(pointwise(), m), int8_workload);
    ASSERT_TRUE(std::holds_alternative<Infeasible>(verdict));
    // Sums of four bytes: 96 + 100 + 640
    const std::string reason = std::get<Infeasible>(verdict).reason;
    EXPECT_EQ(
        reason.find("scratchpad bytes: the mapping takes 836, the hardware has 256 (input 96, "
                    "weights 100, output 640, residual 0); it would fit as map"),
        0u)
        << reason;
    EXPECT_TRUE(std::holds_alternative<Cost>(price_layer(*model, pointwise(), int8_workload)));
}

TEST(EdgeTpuModel, AddsUpStreamedWeightsAndBothTransfers) {
    const auto model = make_cost_model(target_from(tiny_edgetpu_json()));
    NetworkTotals totals;
    totals.weights = Bytes(1024 * 1024 + 1000);
    totals.input = Bytes(500);
    totals.output = Bytes(125);
    const Cost c = model->network_cost(totals, int8_workload);
    EXPECT_NEAR(c.latency.count() * 1e6, 7 + 2 + 2 + 1, 1e-9);
    EXPECT_NEAR(c.energy.count(), 1625 * 5, 1e-6);
    ASSERT_EQ(c.traffic.size(), 1u);
    EXPECT_EQ(c.traffic[0].level, "host_link");
    EXPECT_EQ(c.traffic[0].bytes, Bytes(1625));
}

TEST(EdgeTpuModel, HasNoTransfersWithoutAHostLink) {
    Json json = tiny_edgetpu_json();
    json["constants"].erase("host_in_gb_per_s");
    json["constants"].erase("host_out_gb_per_s");
    const auto model = make_cost_model(target_from(json));
    NetworkTotals totals;
    totals.weights = Bytes(1024 * 1024 + 1000);
    totals.input = Bytes(500);
    const Cost c = model->network_cost(totals, int8_workload);
    EXPECT_NEAR(c.latency.count() * 1e6, 7 + 2, 1e-9);
    EXPECT_EQ(c.traffic[0].level, "dram");
}

TEST(Models, PriceTheBytesOfRegistersWhereTheTargetDoes) {
    for (Json json : {tiny_cpu_json(), tiny_dsp_json(), tiny_edgetpu_json()}) {
        SCOPED_TRACE(json["kind"]);
        const Cost without = cost(*make_cost_model(target_from(json)), pointwise());
        json["constants"]["register_pj_per_byte"] = {
            {"value", 0.5}, {"source", "made up"}, {"confidence", "assumed"}};
        const auto model = make_cost_model(target_from(json));
        const Cost with = cost(*model, pointwise());
        const LoopNest nest = analyse(pointwise(), model->mapping(pointwise(), int8_workload));
        EXPECT_EQ(with.registers, nest.registers);
        EXPECT_GE(with.registers, Bytes(4 * 960));
        EXPECT_NEAR((with.energy - without.energy).count(),
                    0.5 * static_cast<double>(nest.registers.count()), 1e-6);
        EXPECT_EQ(with.latency, without.latency);
        EXPECT_EQ(sum({with, with}).registers, with.registers + with.registers);
    }
}

TEST(Models, GiveAReasonForWhatTheyRefuse) {
    Json json = tiny_dsp_json();
    json["unsupported"]["channel_scale"] = {
        {"reason", "fails to run"}, {"source", "a paper"}, {"confidence", "documented"}};
    json["unsupported"]["hard_swish"] = {
        {"reason", "not mapped"}, {"source", "a page"}, {"confidence", "documented"}};
    const auto model = make_cost_model(target_from(json));
    Layer gate;
    gate.op = Op::channel_scale;
    gate.input = {4, 4, 8};
    gate.output = {4, 4, 8};
    gate.others = {{1, 1, 8}};
    const Verdict by_op = price_layer(*model, gate, int8_workload);
    ASSERT_TRUE(std::holds_alternative<Unsupported>(by_op));
    EXPECT_EQ(std::get<Unsupported>(by_op).reason, "channel_scale: fails to run");
    Layer l = pointwise();
    l.activation = Activation::hard_swish;
    const Verdict by_activation = price_layer(*model, l, int8_workload);
    ASSERT_TRUE(std::holds_alternative<Unsupported>(by_activation));
    EXPECT_EQ(std::get<Unsupported>(by_activation).reason, "hard_swish: not mapped");
    EXPECT_TRUE(std::holds_alternative<Cost>(price_layer(*model, pointwise(), int8_workload)));
}

TEST(Workload, DefaultsToTheTargetsOwn) {
    const Target host = find_target("host");
    EXPECT_EQ(workload_for(host).precision, DataType::fp32);
    EXPECT_EQ(workload_for(host).threads, 1);
    EXPECT_EQ(workload_for(find_target("coral-usb")).precision, DataType::int8);
    EXPECT_EQ(workload_for(host, DataType::int8, 2).threads, 2);
}

TEST(Workload, RefusesAPrecisionOrThreadsWithoutConstants) {
    const Target coral = find_target("coral-usb");
    EXPECT_THROW(workload_for(coral, DataType::fp32), UserError);
    EXPECT_THROW(workload_for(coral, {}, 2), UserError);
    EXPECT_THROW(workload_for(coral, {}, 0), UserError);
}

TEST(Sum, AddsPartsAndWeighsUtilisationByTime) {
    Cost a;
    a.cycles = Cycles(10);
    a.latency = Seconds(1);
    a.energy = Picojoules(3);
    a.traffic = {{"cache", Bytes(5)}};
    a.utilisation = 0.5;
    a.bound_by = BoundBy::memory;
    Cost b = a;
    b.latency = Seconds(3);
    b.traffic = {{"dram", Bytes(7)}, {"cache", Bytes(1)}};
    b.utilisation = 0.1;
    b.bound_by = BoundBy::compute;
    const Cost c = sum({a, b});
    EXPECT_EQ(c.cycles, Cycles(20));
    EXPECT_EQ(c.latency, Seconds(4));
    EXPECT_EQ(c.energy, Picojoules(6));
    ASSERT_EQ(c.traffic.size(), 2u);
    EXPECT_EQ(c.traffic[0].bytes, Bytes(6));
    EXPECT_EQ(c.traffic[1].bytes, Bytes(7));
    EXPECT_NEAR(c.utilisation, 0.2, 1e-12);
    EXPECT_EQ(c.bound_by, BoundBy::compute);
    EXPECT_EQ(sum({}).latency, Seconds(0));
}

} // namespace
} // namespace edgefront
