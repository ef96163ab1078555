// The nest of a mapping against loops that are really walked, and against SCALE-Sim.
#include "base/csv.h"
#include "base/error.h"
#include "base/random.h"
#include "schedules/array_nest.h"
#include "schedules/loop_nest.h"
#include "schedules/mapping_space.h"
#include "tests/schedules/array_walk.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <regex>
#include <set>
#include <tuple>

namespace edgefront {
namespace {

/// A small layer with multiply-adds: dense, grouped, depthwise, strided, dilated, fully connected
/// or attention with keys per head or shared.
Layer random_layer(Random &random) {
    Layer l;
    l.type = random.below(2) == 0 ? DataType::int8 : DataType::fp32;
    l.bias = random.below(2) == 0;
    l.residual = random.below(4) == 0;
    const int kind = static_cast<int>(random.below(5));
    const int groups = up_to(random, 3);
    if (kind == 4) {
        l.op = Op::fully_connected;
        l.input = {1, 1, up_to(random, 30)};
        l.output = {1, 1, up_to(random, 30)};
        return l;
    }
    if (kind == 3) {
        const bool scores = random.below(2) == 0;
        const int size = up_to(random, 5), tokens = up_to(random, 6), rows = up_to(random, 2);
        l.op = scores ? Op::attention_scores : Op::attention_context;
        l.bias = l.residual = false;
        l.groups = groups;
        l.others = {{rows, tokens, random.below(2) == 0 ? size : size * groups}};
        l.input = {rows, up_to(random, 6), groups * (scores ? size : tokens)};
        l.output = {rows, l.input.width, groups * (scores ? tokens : size)};
        return l;
    }
    l.kernel = up_to(random, 4);
    l.stride = up_to(random, 2);
    l.dilation = up_to(random, 2);
    l.pad_top = static_cast<int>(random.below(static_cast<std::uint64_t>(l.reach())));
    l.pad_left = l.reach() / 2;
    l.input = {up_to(random, 9), up_to(random, 9), groups * up_to(random, 6)};
    l.output = {(l.input.height + l.stride - 1) / l.stride,
                (l.input.width + l.stride - 1) / l.stride, groups * up_to(random, 6)};
    l.groups = kind == 0 ? groups : 1;
    if (kind == 2) {
        l.op = Op::depthwise_conv2d;
        l.output.channels = l.input.channels;
    }
    return l;
}

ArrayProblem problem_of(const Layer &layer, const Mapping &m) {
    return array_problem(layer, m.vector_channels, m.vector_pixels);
}

/// Pixels of one direction that outputs [from, from + n) span, those stepped over included, without
/// what lies outside.
std::int64_t span(std::int64_t from, std::int64_t n, int stride, int reach, int pad,
                  std::int64_t inputs) {
    std::int64_t count = 0;
    const std::int64_t end = (from + n - 1) * stride - pad + std::max(reach, stride);
    for (std::int64_t i = from * stride - pad; i < end; i++) {
        count += i >= 0 && i < inputs;
    }
    return count;
}

/// Walks the tiles in order and moves one whenever it is not the one that is there.
struct Walk {
    std::int64_t input = 0, weights = 0, reads_back = 0, writes = 0, residual = 0;
    FoldWalk array;

    Walk(const ArrayProblem &p, const Mapping &m) {
        const std::vector<std::pair<std::int64_t, std::int64_t>> loops[4] = {
            tiles(p.rows, m.tile.rows), tiles(p.columns, m.tile.columns),
            tiles(p.channels, m.tile.channels), tiles(p.reduction, m.tile.reduction)};
        using Key = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;
        std::optional<Key> input_there, weights_there, output_there;
        std::map<Key, std::size_t> done; // tiles of the reduction that an output tile has seen
        std::int64_t output_there_size = 0;
        const auto leave_output = [&] {
            if (output_there) {
                const bool final = done[*output_there] == loops[3].size();
                writes += output_there_size * (final ? p.element : sum_bytes);
            }
        };
        const auto group_tiles = tiles(p.groups, m.tile.groups);
        for (std::size_t g = 0; g < group_tiles.size(); g++) {
            const std::int64_t groups = group_tiles[g].second;
            std::size_t at[4];
            const auto index = [&](int depth) -> std::size_t & {
                return at[static_cast<std::size_t>(m.order[static_cast<std::size_t>(depth)])];
            };
            const auto trips = [&](int depth) {
                return loops[static_cast<std::size_t>(m.order[static_cast<std::size_t>(depth)])]
                    .size();
            };
            for (index(0) = 0; index(0) < trips(0); index(0)++) {
                for (index(1) = 0; index(1) < trips(1); index(1)++) {
                    for (index(2) = 0; index(2) < trips(2); index(2)++) {
                        for (index(3) = 0; index(3) < trips(3); index(3)++) {
                            const auto [row, rows] = loops[0][at[0]];
                            const auto [column, columns] = loops[1][at[1]];
                            const std::int64_t n = loops[2][at[2]].second;
                            const std::int64_t k = loops[3][at[3]].second;
                            const Key in(g, at[0], at[1], at[3]), w(g, at[2], at[3], 0),
                                out(g, at[0], at[1], at[2]);
                            if (input_there != in) {
                                input +=
                                    span(row, rows, p.stride, p.reach, p.pad_top, p.input_rows) *
                                    span(column, columns, p.stride, p.reach, p.pad_left,
                                         p.input_columns) *
                                    ceil_div(k, p.reduction_unit) * p.reduction_unit * groups *
                                    p.element;
                                input_there = in;
                            }
                            if (weights_there != w) {
                                weights += p.taps * k * n * groups * p.element;
                                weights_there = w;
                            }
                            if (output_there != out) {
                                leave_output();
                                output_there = out;
                                output_there_size = rows * columns * n * groups;
                                reads_back += done[out] > 0 ? output_there_size * sum_bytes : 0;
                                residual += done[out] == 0 && p.residual
                                                ? output_there_size * p.element
                                                : 0;
                            }
                            done[out]++;
                            array.work(p, m, groups, rows * columns, n, k * p.taps);
                        }
                    }
                }
            }
        }
        leave_output();
    }
};

TEST(MappedNest, IsWhatWalkingItsTilesMoves) {
    Random random(4);
    std::set<Op> seen;
    for (int i = 0; i < 20000; i++) {
        const Layer layer = random_layer(random);
        const Mapping m = random_mapping(random);
        ASSERT_EQ(shape_problem(layer), "") << key(layer);
        ASSERT_EQ(array_problem(layer).macs(), macs(layer).count()) << key(layer);
        ASSERT_EQ(array_problem(layer).outputs(), layer.output.elements()) << key(layer);
        const LoopNest nest = analyse(layer, m);
        const Walk walk(problem_of(layer, m), m);
        const std::string what = key(layer) + "  " + to_string(m);
        EXPECT_EQ(nest.tiles.input.reads.count(), walk.input) << what;
        if (!layer.bias) {
            EXPECT_EQ(nest.tiles.weights.reads.count(), walk.weights) << what;
        }
        EXPECT_EQ(nest.tiles.output.reads.count(), walk.reads_back) << what;
        EXPECT_EQ(nest.tiles.output.writes.count(), walk.writes) << what;
        EXPECT_EQ(nest.tiles.residual.reads.count(), walk.residual) << what;
        EXPECT_EQ(nest.array.stream, walk.array.stream) << what;
        EXPECT_EQ(nest.array.fill, walk.array.fill(m)) << what;
        EXPECT_GE(nest.issued, nest.macs) << what;
        EXPECT_EQ(nest.registers.count(), 4 * nest.issued.count() * size_of(layer.type)) << what;
        seen.insert(layer.op);
        if (HasFailure()) {
            break;
        }
    }
    EXPECT_EQ(seen.size(), 5u);
}

TEST(MappedNest, NeverTakesMoreFootprintThanItsTensors) {
    Random random(5);
    for (int i = 0; i < 2000; i++) {
        const Layer layer = random_layer(random);
        Mapping m = random_mapping(random);
        m.double_buffered = false;
        const ArrayProblem p = problem_of(layer, m);
        const LoopNest nest = analyse(layer, m);
        EXPECT_LE(nest.tiles.weights.footprint.count(),
                  p.weights() * p.element + (p.bias ? 4 * p.groups * p.channels : 0));
        EXPECT_LE(nest.tiles.output.footprint.count(), p.outputs() * sum_bytes);
        m.double_buffered = true;
        const Bytes twice = analyse(layer, m).tiles.footprint();
        EXPECT_GE(twice, nest.tiles.footprint());
        EXPECT_LE(twice, nest.tiles.footprint() * 2);
    }
}

TEST(MappedNest, HasScaleSimsCyclesAndReadsInSystolicMode) {
    const CsvTable table =
        read_csv(std::filesystem::path(EDGEFRONT_ROOT) / "tests/golden/scalesim.csv",
                 {"tool", "dataflow", "array", "layer", "m", "k", "n", "cycles", "input_reads",
                  "weight_reads", "output_writes"});
    ASSERT_EQ(table.rows().size(), 84u);
    for (const CsvRow &row : table.rows()) {
        const auto extent = [&](const char *column) {
            return static_cast<int>(row.integer(column, 1, 1 << 20));
        };
        Layer layer; // a product is a pointwise convolution over a row of pixels
        layer.type = DataType::int8;
        layer.input = {1, extent("m"), extent("k")};
        layer.output = {1, extent("m"), extent("n")};
        Mapping m =
            parse_mapping("map dataflow=" + row.text("dataflow") + " array=" + row.text("array"));
        m.tile = {1, 1, extent("m"), extent("n"), extent("k")};
        const LoopNest nest = analyse(layer, m);
        const std::string what = row.text("tool") + " " + row.text("layer") + to_string(m);
        EXPECT_EQ(nest.array.stream + nest.array.fill, row.integer("cycles", 1, 1 << 30)) << what;
        EXPECT_EQ(nest.input.reads.count(), row.integer("input_reads", 1, 1 << 30)) << what;
        EXPECT_EQ(nest.weights.reads.count(), row.integer("weight_reads", 1, 1 << 30)) << what;
        if (m.dataflow != Dataflow::output_stationary) { // there it counts the skew's zeros too
            const std::int64_t outputs = layer.output.elements();
            EXPECT_EQ((nest.output.writes.count() - outputs) / sum_bytes + outputs,
                      row.integer("output_writes", 1, 1 << 30))
                << what;
        }
    }
}

TEST(MappingText, ComesBackAsItWas) {
    Random random(6);
    for (int i = 0; i < 500; i++) {
        const Mapping m = random_mapping(random);
        EXPECT_EQ(parse_mapping(to_string(m)), m) << to_string(m);
    }
    EXPECT_EQ(parse_mapping("map"), Mapping());
}

TEST(MappingText, NamesWhatItCannotRead) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"tile lanes=4", "expected \"map knob=value"},
        {"map dataflw=ws", "unknown knob 'dataflw'.*did you mean 'dataflow'"},
        {"map dataflow=rs", "dataflow has 'rs', expected one of ws, os, is"},
        {"map array=4", "expected 2 numbers"},
        {"map array=4x0", "array has '0', expected an integer from 1"},
        {"map tile=1x2x3x4", "expected 5 numbers"},
        {"map order=rows,rows,columns,channels", "expected each of rows, columns"},
        {"map vector=32", "expected 2 numbers"},
        {"map buffers=3", "integer from 1 to 2"},
        {"map preload=1 preload=0", "given twice"},
        {"map preload", "no knob=value"}};
    for (const auto &[text, pattern] : cases) {
        try {
            parse_mapping(text);
            ADD_FAILURE() << text;
        } catch (const UserError &e) {
            EXPECT_TRUE(std::regex_search(e.what(), std::regex(pattern))) << e.what();
        }
    }
}

TEST(ArrayProblem, IsFilledUpToWholeVectors) {
    Layer layer;
    layer.type = DataType::int8;
    layer.kernel = 3;
    layer.pad_top = layer.pad_left = 1;
    layer.input = {7, 7, 24};
    layer.output = {7, 7, 40};
    const ArrayProblem dense = array_problem(layer, 32, 4);
    EXPECT_EQ(dense.channels, 64);
    EXPECT_EQ(dense.columns, 8);
    EXPECT_EQ(dense.input_columns, 8);
    EXPECT_EQ(dense.reduction, 24); // what fills up inputs is stored, not multiplied
    EXPECT_EQ(dense.stored_reduction(24), 32);
    EXPECT_EQ(dense.rows, 7);
    layer.groups = 2; // 20 channels each, which share no vector
    EXPECT_EQ(array_problem(layer, 32, 4).channels, 32);
    EXPECT_EQ(array_problem(layer, 32, 4).groups, 2);
    layer.groups = 1;
    layer.op = Op::depthwise_conv2d;
    layer.input.channels = 40;
    EXPECT_EQ(array_problem(layer, 32, 4).groups, 64);
    EXPECT_EQ(array_problem(layer, 32, 4).channels, 1);
    EXPECT_EQ(array_problem(layer, 1, 1).macs(), macs(layer).count());
}

TEST(MappingSpace, HoldsWhatRegistersAllowInWholeVectors) {
    Layer layer;
    layer.type = DataType::int8;
    layer.input = {14, 14, 96};
    layer.output = {14, 14, 160};
    ArrayLimits limits;
    limits.arrays = 2;
    limits.registers = 32;
    limits.register_bytes = 128;
    limits.vector_channels = 32;
    limits.vector_pixels = 4;
    limits.scratchpad = Bytes(1 << 20);
    const MappingSpace space(layer, limits);
    EXPECT_EQ(space.column_tiles(), (std::vector<std::int64_t>{16, 8, 4}));
    EXPECT_EQ(space.reduction_tiles(Mapping()), (std::vector<std::int64_t>{96, 64, 32}));
    std::set<Dataflow> seen;
    int most_rows = 0;
    space.for_each_array([&](const Mapping &m) {
        seen.insert(m.dataflow);
        EXPECT_LE(registers_in_use(m, limits, 1), 32) << to_string(m);
        EXPECT_EQ(too_large(layer, m, limits), "") << to_string(m);
        for (const std::int64_t tile : space.channel_tiles(m)) {
            EXPECT_EQ(tile % 32, 0) << to_string(m);
        }
        if (m.dataflow == Dataflow::output_stationary && m.array_columns == 32) {
            most_rows = std::max(most_rows, m.array_rows);
        }
    });
    EXPECT_EQ(seen.size(), 3u);
    EXPECT_EQ(most_rows, 28); // of 30 registers: 14 x 16 pixels in 8 even parts
}

TEST(MappingLimits, NameWhatAMappingBreaksAndWhatWouldFit) {
    Layer layer;
    layer.type = DataType::int8;
    layer.input = {8, 8, 32};
    layer.output = {8, 8, 64};
    ArrayLimits limits{8, 8, 2, 1, false, Bytes(4096)};
    Mapping m = parse_mapping("map dataflow=os array=8x8 tile=1x8x8x16x32 buffers=2");
    // inputs 2048, twice 512 weights, twice 1024 outputs
    EXPECT_EQ(analyse(layer, m).tiles.footprint(), Bytes(2048 + 1024 + 2048));
    const std::string problem = mapping_problem(layer, m, limits);
    EXPECT_NE(problem.find("takes 5120, the hardware has 4096"), std::string::npos) << problem;
    EXPECT_NE(problem.find("it would fit with one buffer"), std::string::npos) << problem;
    limits.scratchpad = Bytes(1000);
    const std::string smaller = mapping_problem(layer, m, limits);
    const std::size_t at = smaller.find("map dataflow");
    ASSERT_NE(at, std::string::npos) << smaller;
    EXPECT_EQ(mapping_problem(layer, parse_mapping(smaller.substr(at)), limits), "");
    limits.scratchpad = Bytes(2);
    EXPECT_NE(mapping_problem(layer, m, limits).find("no tile fits, the smallest takes"),
              std::string::npos);
    limits.scratchpad = Bytes(1 << 20);
    EXPECT_EQ(mapping_problem(layer, m, limits), "");
    m.array_rows = 9;
    EXPECT_NE(mapping_problem(layer, m, limits).find("array rows: the mapping takes 9"),
              std::string::npos);
    m.array_rows = 8;
    m.preload = true;
    EXPECT_NE(mapping_problem(layer, m, limits).find("preload"), std::string::npos);
}

} // namespace
} // namespace edgefront
