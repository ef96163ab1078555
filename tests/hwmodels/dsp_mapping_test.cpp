// Mappings on vector units, with figures to work out by hand: at 1 GHz a cycle is a nanosecond.
#include "hwmodels/cost_model.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

const Workload int8_workload{DataType::int8, 1};

/// 1x1 convolution 4x4x6 -> 4x4x10 with bias: 960 multiply-adds, in vectors of 8 channels 1536.
Layer pointwise() {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::int8;
    l.input = {4, 4, 6};
    l.output = {4, 4, 10};
    l.bias = true;
    return l;
}

double nanoseconds(Seconds s) {
    return s.count() * 1e9;
}

TEST(DspMappings, PricesTheRegisterTileOfAMapping) {
    const auto model = make_cost_model(target_from(tiny_dsp_json()));
    // One unit keeps the sums of 4 pixels and 8 channels in 4 of its 6 registers: 4 x 2 such tiles
    // of 6 steps, 32 multiply-adds each, at half of 16 per cycle: 192 ns.
    const Mapping m =
        parse_mapping("map dataflow=os array=4x8 tile=1x4x4x16x6 buffers=1 vector=8x4");
    const LoopNest nest = analyse(pointwise(), m);
    const Cost c = std::get<Cost>(model->price(pointwise(), nest, int8_workload));
    EXPECT_EQ(nest.issued, Macs(1536));
    EXPECT_NEAR(nanoseconds(c.latency), 100 + 192 + 16 + 242, 1e-6);
    // Inputs once for either tile of channels, weights for each of the 4 of pixels, bias, outputs.
    EXPECT_EQ(c.traffic[0].level, "vector_loads");
    EXPECT_EQ(c.traffic[0].bytes, Bytes(2 * 96 + 4 * 96 + 64 + 256));
    // The other unit waits.
    EXPECT_NEAR(nanoseconds(c.spent[static_cast<std::size_t>(Activity::multiply)]), 960 / 32.0,
                1e-9);
    EXPECT_NEAR(nanoseconds(c.spent[static_cast<std::size_t>(Activity::padding)]),
                (2 * 1536 - 960) / 32.0, 1e-9);
}

TEST(DspMappings, WaitsForVectorLoadsThatOutnumberMultiplies) {
    // Partial sums of 16 pixels and 16 channels go out 6 times and come back 5 times. Inputs twice,
    // weights and bias once, all at 32 bytes per cycle of one unit; multiplying takes 192 ns.
    const auto model = make_cost_model(target_from(tiny_dsp_json()));
    const Mapping m =
        parse_mapping("map dataflow=ws array=1x8 tile=1x4x4x16x6 buffers=1 vector=8x4");
    const Cost c =
        std::get<Cost>(model->price(pointwise(), analyse(pointwise(), m), int8_workload));
    const double bytes = 2 * 96 + 96 + 64 + 256 + 2 * 5 * 256 * 4;
    EXPECT_EQ(c.traffic[0].bytes.count(), bytes);
    EXPECT_NEAR(nanoseconds(c.latency), 100 + bytes / 32 + 242, 1e-6);
}

TEST(DspMappings, MovesTilesFromDramWhenTheMemoryCannotHoldTheLayer) {
    const auto model =
        make_cost_model(with_constant(target_from(tiny_dsp_json()), "memory_mib", 420.0 / 0x1p20));
    // Two tiles of rows, two of channels: inputs 128 bytes, weights and bias of 160 twice, outputs
    // 256. Weights are a matter of the network the first time, and as many bytes of activations
    // stay as there is room for beside the weights' buffer.
    const auto price = [&](const std::string &buffers) {
        const Mapping m =
            parse_mapping("map dataflow=os array=4x8 tile=1x2x4x8x6 "
                          "order=rows,columns,channels,reduction vector=8x4 buffers=" +
                          buffers);
        return std::get<Cost>(model->price(pointwise(), analyse(pointwise(), m), int8_workload));
    };
    const Cost one = price("1"); // a buffer of 80 bytes
    EXPECT_EQ(one.traffic[2].level, "dram");
    EXPECT_EQ(one.traffic[2].bytes, Bytes(128 + 2 * 160 + 256 - 160 - (420 - 80)));
    EXPECT_NEAR(nanoseconds(one.latency), 100 + 192 + 16 + 242 + 204 / 4.0, 1e-6);
    const Cost two = price("2"); // two of them, and the memory works beside everything else
    EXPECT_EQ(two.traffic[2].bytes, Bytes(128 + 2 * 160 + 256 - 160 - (420 - 160)));
    EXPECT_NEAR(nanoseconds(two.latency), 100 + 192 + 16 + 242, 1e-6);
}

TEST(DspMappings, SaysWhatWouldFit) {
    const auto reason = [](const Target &target, const std::string &mapping) {
        const LoopNest nest = analyse(pointwise(), parse_mapping(mapping));
        const Verdict v = make_cost_model(target)->price(pointwise(), nest, int8_workload);
        return std::holds_alternative<Infeasible>(v) ? std::get<Infeasible>(v).reason : "";
    };
    const Target dsp = target_from(tiny_dsp_json());
    const std::string tile = " groups=1 arrays=1x1 preload=0 tile=1x4x4x16x6 "
                             "order=channels,rows,columns,reduction buffers=1 vector=8x4";
    EXPECT_EQ(reason(dsp, "map dataflow=os array=7x8" + tile),
              "vector registers: the mapping takes 9, the hardware has 6; it would fit as map "
              "dataflow=os array=4x8" +
                  tile);
    EXPECT_EQ(reason(dsp, "map dataflow=os array=1x48" + tile),
              "vector registers: the mapping takes 8, the hardware has 6; it would fit as map "
              "dataflow=os array=1x24" +
                  tile);
    EXPECT_EQ(reason(with_constant(dsp, "vector_bytes", 4), "map dataflow=os array=1x8" + tile),
              "vector registers: the mapping takes 10, the hardware has 6; no register tile of "
              "this dataflow fits, "
              "the smallest takes 10");
    EXPECT_EQ(reason(dsp, "map dataflow=os arrays=2x2 vector=8x4"),
              "vector units: the mapping takes 4, the hardware has 2");
    EXPECT_EQ(reason(dsp, "map dataflow=os array=4x8"),
              "vectors: the mapping lays out 1x1 channels and pixels, the hardware 8x4");
    EXPECT_EQ(reason(with_constant(dsp, "memory_mib", 420.0 / 0x1p20),
                     "map dataflow=os array=4x8" + tile),
              "on-chip bytes: the mapping takes 544, the hardware has 420 (input 128, weights 160, "
              "output 256, residual 0); it would fit as map dataflow=os array=4x8 groups=1 "
              "arrays=1x1 preload=0 tile=1x2x4x16x6 order=channels,rows,columns,reduction "
              "buffers=1 vector=8x4");
}

TEST(DspMappings, HasNoPriceWhenNothingFits) {
    const Target dsp = target_from(tiny_dsp_json());
    const auto reason = [](const Target &target) {
        const Verdict v = price_layer(*make_cost_model(target), pointwise(), int8_workload);
        return std::holds_alternative<Infeasible>(v) ? std::get<Infeasible>(v).reason : "";
    };
    EXPECT_NE(reason(with_constant(dsp, "memory_mib", 100.0 / 0x1p20))
                  .find("takes 144, the hardware has 100"),
              std::string::npos);
    // 8 sums take 8 registers of 4 bytes, but 8 weights only 2.
    EXPECT_EQ(reason(with_constant(dsp, "vector_bytes", 4)), "");
    EXPECT_NE(reason(with_constant(dsp, "vector_bytes", 1))
                  .find("no register tile of this dataflow fits"),
              std::string::npos);
}

TEST(DspMappings, FindsMappingsThatAreProvenTheBest) {
    const auto model = make_cost_model(target_from(tiny_dsp_json()));
    EXPECT_TRUE(model->searches());
    const auto found = model->search(pointwise(), int8_workload, 1'000'000);
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->proven);
    const auto &m = std::get<Mapping>(found->plan);
    EXPECT_EQ(m.pixel_arrays * m.channel_arrays, 2); // both units
    EXPECT_EQ(m.vector_channels, 8);
    EXPECT_EQ(parse_mapping(to_string(m)), m);
}

} // namespace
} // namespace edgefront
