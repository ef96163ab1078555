// The nest of a fused group against strips, slices and rows that are really walked.
#include "base/error.h"
#include "dsl/zoo.h"
#include "schedules/fused_nest.h"
#include "schedules/fusion_limits.h"
#include "tests/schedules/random_group.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <regex>
#include <set>

namespace edgefront {
namespace {

/// Rows of one tensor, of one slice.
struct Buffer {
    std::set<std::int64_t> there;
    std::int64_t next = 0; ///< the row that was never made
};

/// Goes through strips and slices; makes rows when they are missing, forgets those that nobody
/// needs.
class Walk {
public:
    std::int64_t input = 0, weights = 0, reads_back = 0, writes = 0, residual = 0;
    std::int64_t most_lines = 0;    ///< bytes of middle tensors at a time, finished values
    std::int64_t most_in_rows = 0;  ///< rows of the group's input at a time
    std::vector<std::int64_t> rows; ///< made of each tensor, by the first slice
    std::vector<std::int64_t> stream, fill, issued_macs;
    bool windows_complete = true;

    Walk(const std::vector<Layer> &layers, const Fusion &plan)
        : rows(layers.size() + 1, 0), stream(layers.size(), 0), fill(layers.size(), 0),
          issued_macs(layers.size(), 0), layers_(layers), plan_(plan) {
        const std::int64_t channels = layers[0].output.channels;
        const bool sliced = can_slice(layers) && plan.channels > 0;
        slices_ = tiles(channels, sliced ? std::min(plan.channels, channels) : channels);
        strips_ = tiles(layers.back().output.height, plan.rows);
        const std::size_t outer = by_strips() ? strips_.size() : slices_.size();
        const std::size_t inner = by_strips() ? slices_.size() : strips_.size();
        buffers_.resize(layers.size());
        for (std::size_t a = 0; a < outer; a++) {
            for (std::size_t b = 0; b < inner; b++) {
                by_strips() ? step(a, b) : step(b, a);
            }
        }
        leave_output();
    }

private:
    bool by_strips() const { return plan_.order == FusionOrder::strips; }
    std::int64_t element() const { return size_of(layers_[0].type); }

    void step(std::size_t strip, std::size_t slice) {
        const auto [first, count] = strips_[strip];
        fetch_weights(slice);
        take_output(strip);
        std::set<std::int64_t> made;
        for (std::int64_t r = first; r < first + count; r++) {
            made.insert(r);
        }
        work(layers_.size() - 1, static_cast<std::int64_t>(made.size()), slice);
        for (std::size_t t = layers_.size(); t-- > 0;) {
            made = need(t, made, strip, slice);
            if (t > 0) {
                work(t - 1, static_cast<std::int64_t>(made.size()), slice);
            }
        }
        measure(slice);
        if (plan_.keep_lines) {
            forget(first + count, slice);
        }
    }

    /// Makes of tensor t what member t needs for its rows `outputs`; says which rows it made.
    std::set<std::int64_t> need(std::size_t t, const std::set<std::int64_t> &outputs,
                                std::size_t strip, std::size_t slice) {
        const Layer &l = layers_[t];
        const bool first = strip == 0, last = strip + 1 == strips_.size();
        // Of the input there is one buffer; it is there for all slices of a strip.
        const bool shared = t == 0 && (by_strips() || strips_.size() == 1);
        Buffer &b = buffers_[t][shared ? 0 : slice];
        if (shared && slice > 0) {
            check(l, outputs, b.there);
            return {};
        }
        std::int64_t from = l.input.height, to = 0;
        for (const std::int64_t r : outputs) {
            for (int i = 0; i < std::max(l.reach(), l.stride); i++) {
                const std::int64_t row = r * l.stride - l.pad_top + i;
                if (row >= 0 && row < l.input.height) {
                    from = std::min(from, row);
                    to = std::max(to, row + 1);
                }
            }
        }
        to = last ? l.input.height : to;
        if (plan_.keep_lines) {
            from = b.next;
        } else {
            from = first ? 0 : last ? std::min(from, b.next) : from;
            b.there.clear();
        }
        std::set<std::int64_t> made;
        for (std::int64_t r = from; r < to; r++) {
            made.insert(r);
            b.there.insert(r);
            b.next = std::max(b.next, r + 1);
        }
        check(l, outputs, b.there);
        if (slice == 0) {
            rows[t] += static_cast<std::int64_t>(made.size());
        }
        if (t == 0) {
            input += static_cast<std::int64_t>(made.size()) * l.input.width * l.input.channels *
                     element();
        }
        return made;
    }

    void check(const Layer &l, const std::set<std::int64_t> &outputs,
               const std::set<std::int64_t> &there) {
        for (const std::int64_t r : outputs) {
            for (int tap = 0; tap < l.kernel; tap++) {
                const std::int64_t row = r * l.stride - l.pad_top + tap * l.dilation;
                windows_complete =
                    windows_complete && (row < 0 || row >= l.input.height || there.count(row) > 0);
            }
        }
    }

    /// Rows before the first one that the next row of the consumer reads.
    void forget(std::int64_t next, std::size_t slice) {
        for (std::size_t t = layers_.size(); t-- > 0;) {
            const bool shared = t == 0 && (by_strips() || strips_.size() == 1);
            if (shared && slice + 1 < slices_.size()) {
                return; // the strip's other slices read it
            }
            Buffer &b = buffers_[t][shared ? 0 : slice];
            const Layer &l = layers_[t];
            const std::int64_t oldest =
                next < l.output.height ? next * l.stride - l.pad_top : l.input.height;
            while (!b.there.empty() && *b.there.begin() < oldest) {
                b.there.erase(b.there.begin());
            }
            next = b.next;
        }
    }

    void measure(std::size_t slice) {
        std::int64_t bytes = 0;
        for (std::size_t t = 1; t < layers_.size(); t++) {
            for (auto &[index, buffer] : buffers_[t]) {
                // Without lines, and with slices outside, slices follow each other in one place.
                if (index != slice && (!plan_.keep_lines || !by_strips())) {
                    continue;
                }
                const std::int64_t channels =
                    can_slice(layers_) ? slices_[index].second : layers_[t].input.channels;
                bytes += static_cast<std::int64_t>(buffer.there.size()) * layers_[t].input.width *
                         channels * element();
            }
        }
        most_lines = std::max(most_lines, bytes);
        for (const auto &[index, buffer] : buffers_[0]) {
            most_in_rows = std::max(most_in_rows, static_cast<std::int64_t>(buffer.there.size()));
        }
    }

    void work(std::size_t i, std::int64_t made, std::size_t slice) {
        if (made == 0) {
            return;
        }
        ArrayProblem p = array_problem(layers_[i]);
        if (can_slice(layers_)) {
            std::int64_t *const cut[] = {&p.channels, &p.groups, &p.reduction};
            *cut[i] = slices_[slice].second;
        }
        FoldWalk folds;
        folds.work(p, plan_.members[i], p.groups, made * p.columns, p.channels,
                   p.reduction * p.taps);
        stream[i] += folds.stream;
        fill[i] += folds.fill(plan_.members[i]);
        issued_macs[i] += p.groups * made * p.columns * p.channels * p.reduction * p.taps;
    }

    void fetch_weights(std::size_t slice) {
        const bool stay = slices_.size() == 1 || (plan_.weights_stay && by_strips());
        if (weights_there_.count(slice) > 0) {
            return;
        }
        if (!stay) {
            weights_there_.clear();
        }
        weights_there_.insert(slice);
        for (std::size_t i = 0; i < layers_.size(); i++) {
            const Layer &l = layers_[i];
            if (!can_slice(layers_)) {
                weights += weight_bytes(l).count();
                continue;
            }
            const std::int64_t z = slices_[slice].second;
            const std::int64_t own = weight_count(l).count() / layers_[0].output.channels;
            const bool bias = l.bias && (i < 2 || slice == 0);
            weights += own * z * element() + (bias ? 4 * (i < 2 ? z : l.output.channels) : 0);
        }
    }

    void take_output(std::size_t strip) {
        if (output_there_ != strip) {
            leave_output();
            output_there_ = strip;
            reads_back += seen_[strip] > 0 ? outputs(strip) * sum_bytes : 0;
            residual +=
                seen_[strip] == 0 && layers_.back().residual ? outputs(strip) * element() : 0;
        }
        seen_[strip]++;
    }

    void leave_output() {
        if (output_there_) {
            const bool final = seen_[*output_there_] == slices_.size();
            writes += outputs(*output_there_) * (final ? element() : sum_bytes);
        }
    }

    std::int64_t outputs(std::size_t strip) const {
        const Shape &out = layers_.back().output;
        return strips_[strip].second * out.width * out.channels;
    }

    const std::vector<Layer> &layers_;
    const Fusion &plan_;
    std::vector<std::pair<std::int64_t, std::int64_t>> slices_, strips_;
    std::vector<std::map<std::size_t, Buffer>> buffers_; ///< by tensor and slice
    std::set<std::size_t> weights_there_;
    std::optional<std::size_t> output_there_;
    std::map<std::size_t, std::size_t> seen_; ///< slices, by strip
};

TEST(FusedNest, IsWhatWalkingItsStripsMakesAndMoves) {
    Random random(41);
    int sliced = 0, kept = 0, repeated = 0;
    for (int i = 0; i < 20000 && !HasFailure(); i++) {
        const std::vector<Layer> layers = random_group(random);
        for (const Layer &l : layers) {
            ASSERT_EQ(shape_problem(l), "") << key(l);
        }
        ASSERT_EQ(fusion_obstacle(layers), "");
        const Fusion plan = random_fusion(random, layers);
        const FusedNest nest = analyse(layers, plan);
        const Walk walk(layers, plan);
        const std::string what = key(layers) + "  " + to_string(plan);
        EXPECT_TRUE(walk.windows_complete) << what;
        const TileLevel &tiles = nest.level.tiles;
        EXPECT_EQ(tiles.input.reads.count(), walk.input) << what;
        EXPECT_EQ(tiles.weights.reads.count(), walk.weights) << what;
        EXPECT_EQ(tiles.output.reads.count(), walk.reads_back) << what;
        EXPECT_EQ(tiles.output.writes.count(), walk.writes) << what;
        EXPECT_EQ(tiles.residual.reads.count(), walk.residual) << what;
        std::int64_t all = 0;
        for (std::size_t m = 0; m < layers.size(); m++) {
            EXPECT_EQ(nest.members[m].array.stream, walk.stream[m]) << m << " " << what;
            EXPECT_EQ(nest.members[m].array.fill, walk.fill[m]) << m << " " << what;
            EXPECT_EQ(macs(nest.worked[m]).count(), walk.issued_macs[m]) << m << " " << what;
            EXPECT_EQ(nest.members[m].macs, macs(layers[m])) << what;
            all += walk.issued_macs[m];
            if (m > 0) {
                EXPECT_EQ(nest.worked[m - 1].output.height, walk.rows[m]) << what;
            }
        }
        EXPECT_EQ((nest.macs() + nest.repeated()).count(), all) << what;
        sliced += walk.weights > 0 && can_slice(layers) && plan.channels > 0;
        kept += plan.keep_lines;
        repeated += nest.repeated() > Macs(0);
    }
    EXPECT_GT(sliced, 1000);
    EXPECT_GT(kept, 1000);
    EXPECT_GT(repeated, 1000);
}

TEST(FusedNest, HasRoomForWhatItsLinesHold) {
    Random random(42);
    int exact = 0;
    for (int i = 0; i < 10000 && !HasFailure(); i++) {
        const std::vector<Layer> layers = random_group(random);
        Fusion plan = random_fusion(random, layers);
        plan.double_buffered = false;
        for (Mapping &m : plan.members) { // whose sums stay until they are complete
            m.dataflow = Dataflow::output_stationary;
        }
        const FusedNest nest = analyse(layers, plan);
        const Walk walk(layers, plan);
        const std::string what = key(layers) + "  " + to_string(plan);
        EXPECT_GE(nest.level.lines.count(), walk.most_lines) << what;
        const Shape &in = layers[0].input;
        EXPECT_EQ(nest.level.tiles.input.footprint.count(),
                  walk.most_in_rows * in.width * in.channels * size_of(layers[0].type))
            << what;
        if (layers.size() == 2) {
            EXPECT_EQ(nest.level.lines.count(), walk.most_lines) << what;
            exact++;
        }
        plan.double_buffered = true;
        const Bytes twice = analyse(layers, plan).level.footprint();
        EXPECT_GE(twice, nest.level.footprint());
        EXPECT_LE(twice, nest.level.footprint() * 2);
    }
    EXPECT_GT(exact, 1000);
}

TEST(FusedNest, MovesEveryTensorOfTheBorderAtLeastOnceAndMultipliesTheSame) {
    Random random(43);
    for (int i = 0; i < 5000 && !HasFailure(); i++) {
        const std::vector<Layer> layers = random_group(random);
        const Fusion plan = random_fusion(random, layers);
        const FusedNest nest = analyse(layers, plan);
        const TileLevel &t = nest.level.tiles;
        Bytes weights, border;
        Macs useful;
        for (const Layer &l : layers) {
            weights += weight_bytes(l);
            useful += macs(l);
            border += Bytes(least_border_bytes(array_problem(l)));
        }
        const Layer &last = layers.back();
        EXPECT_GE(t.input.reads.count(), layers[0].input.elements() * size_of(last.type));
        EXPECT_GE(t.weights.reads, weights);
        EXPECT_GE(t.output.writes, output_bytes(last));
        EXPECT_EQ(t.residual.reads, last.residual ? output_bytes(last) : Bytes(0));
        EXPECT_EQ(nest.macs(), useful);
        EXPECT_GE(nest.traffic(), border) << key(layers) << "  " << to_string(plan);
        for (std::size_t m = 0; m < layers.size(); m++) {
            EXPECT_GE(nest.members[m].issued, macs(nest.worked[m]));
        }
    }
}

TEST(FusedNest, CountsAnInvertedBottleneckByHand) {
    // 4x4x2 -> 4x4x6 -> depthwise 3x3 -> 4x4x3, int8, two rows at a time.
    std::vector<Layer> layers(3);
    for (Layer &l : layers) {
        l.type = DataType::int8;
    }
    layers[0].input = {4, 4, 2};
    layers[0].output = layers[1].input = layers[1].output = layers[2].input = {4, 4, 6};
    layers[1].op = Op::depthwise_conv2d;
    layers[1].kernel = 3;
    layers[1].pad_top = layers[1].pad_left = 1;
    layers[2].output = {4, 4, 3};
    const std::string members = " | map dataflow=os | map dataflow=os | map dataflow=os";
    // The first strip needs rows 0 to 2 of the expanded tensor, the second rows 1 to 3.
    FusedNest kept = analyse(layers, parse_fusion("fuse rows=2 channels=all lines=keep" + members));
    EXPECT_EQ(kept.worked[0].output.height, 4);
    EXPECT_EQ(kept.repeated(), Macs(0));
    EXPECT_EQ(kept.level.lines, Bytes((3 + 2) * 4 * 6)); // expanded, and two rows of the next
    EXPECT_EQ(kept.level.tiles.traffic(), Bytes(4 * 4 * 2 + (12 + 54 + 18) + 4 * 4 * 3));
    // Sums that leave the array early take 4 bytes, in the rows that are being made: two products
    // in arrays of one row.
    FusedNest early = analyse(layers, parse_fusion("fuse rows=2 lines=keep | map dataflow=ws "
                                                   "array=1x1 | map dataflow=os | map "
                                                   "dataflow=ws array=6x1"));
    EXPECT_EQ(early.level.lines, kept.level.lines + Bytes(3 * 4 * 6 * 3));
    EXPECT_EQ(early.level.tiles.output.footprint, Bytes(2 * 4 * 3));
    early = analyse(layers, parse_fusion("fuse rows=2 lines=keep | map dataflow=os | map "
                                         "dataflow=os | map dataflow=ws array=5x1"));
    EXPECT_EQ(early.level.lines, kept.level.lines);
    EXPECT_EQ(early.level.tiles.output.footprint, Bytes(2 * 4 * 3 * 4));
    FusedNest made = analyse(layers, parse_fusion("fuse rows=2 lines=recompute" + members));
    EXPECT_EQ(made.worked[0].output.height, 6);
    EXPECT_EQ(made.repeated(), Macs(2 * 4 * 2 * 6));
    EXPECT_EQ(made.level.tiles.input.reads, Bytes(6 * 4 * 2)); // a row of halo at both strips
    // Slices of three channels: sums leave once, the input comes twice.
    FusedNest slices =
        analyse(layers, parse_fusion("fuse rows=2 channels=3 order=slices" + members));
    EXPECT_EQ(slices.level.tiles.input.reads, Bytes(2 * 4 * 4 * 2));
    EXPECT_EQ(slices.level.tiles.output.reads, Bytes(4 * 4 * 3 * 4));
    EXPECT_EQ(slices.level.tiles.output.writes, Bytes(4 * 4 * 3 * (4 + 1)));
    EXPECT_EQ(slices.level.tiles.weights.reads, Bytes(12 + 54 + 18));
    EXPECT_EQ(slices.level.lines, Bytes((3 + 2) * 4 * 3));
    FusedNest strips =
        analyse(layers, parse_fusion("fuse rows=2 channels=3 order=strips" + members));
    EXPECT_EQ(strips.level.tiles.weights.reads, Bytes(2 * (12 + 54 + 18)));
    EXPECT_EQ(strips.level.lines,
              Bytes((3 + 2) * 4 * 3 + 2 * 4 * 3)); // two lines of the other slice
}

TEST(FusionText, ComesBackAsItWas) {
    Random random(44);
    for (int i = 0; i < 500; i++) {
        const Fusion plan = random_fusion(random, random_group(random));
        EXPECT_EQ(parse_fusion(to_string(plan)), plan) << to_string(plan);
    }
}

TEST(FusionText, NamesWhatItCannotRead) {
    const std::string two = " | map | map";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"map rows=1" + two, "expected \"fuse knob=value"},
        {"fuse row=1" + two, "unknown knob 'row'.*did you mean 'rows'"},
        {"fuse rows=0" + two, "rows has '0', expected an integer from 1"},
        {"fuse channels=most" + two, "channels has 'most'"},
        {"fuse order=columns" + two, "order has 'columns', expected one of strips, slices"},
        {"fuse lines=2" + two, "lines has '2', expected one of recompute, keep"},
        {"fuse weights=go" + two, "expected one of stream, stay"},
        {"fuse buffers=3" + two, "integer from 1 to 2"},
        {"fuse rows=1 rows=2" + two, "given twice"},
        {"fuse rows", "no knob=value"},
        {"fuse rows=1 | map", "expected two or three members"},
        {"fuse rows=1" + two + two, "expected two or three members"},
        {"fuse rows=1 | map array=0x1 | map", "mapping .*array has '0'"},
        {"fuse rows=1 | map | map tile=1x2x3x4x5", "member 2 has a tile"}};
    for (const auto &[text, pattern] : cases) {
        try {
            parse_fusion(text);
            ADD_FAILURE() << text;
        } catch (const UserError &e) {
            EXPECT_TRUE(std::regex_search(e.what(), std::regex(pattern))) << e.what();
        }
    }
}

TEST(FusionLimits, NameWhatAFusionBreaksAndWhatWouldFit) {
    Random random(45);
    int infeasible = 0, changed = 0;
    for (int i = 0; i < 3000 && !HasFailure(); i++) {
        const std::vector<Layer> layers = random_group(random);
        const Fusion plan = random_fusion(random, layers);
        ArrayLimits limits{6, 18, 9, 3, true, Bytes(up_to(random, 3000))};
        const FusedNest nest = analyse(layers, plan);
        const std::string problem = fusion_problem(layers, plan, limits);
        EXPECT_EQ(problem.empty(), nest.level.footprint() <= limits.scratchpad);
        if (problem.empty()) {
            continue;
        }
        EXPECT_NE(problem.find("scratchpad bytes: the mapping takes " +
                               std::to_string(nest.level.footprint().count())),
                  std::string::npos)
            << problem;
        const std::size_t at = problem.find("fuse rows");
        if (at != std::string::npos) {
            EXPECT_EQ(fusion_problem(layers, parse_fusion(problem.substr(at)), limits), "");
            changed++;
        }
        infeasible += problem.find("no strip fits") != std::string::npos;
    }
    EXPECT_GT(infeasible, 100);
    EXPECT_GT(changed, 100);
    const std::vector<Layer> layers = random_group(random);
    Fusion plan = random_fusion(random, layers);
    plan.members[1].array_rows = 7;
    EXPECT_NE(fusion_problem(layers, plan, {6, 18, 9, 3, true, Bytes(1 << 30)})
                  .find("member 2: array rows: the mapping takes 7"),
              std::string::npos);
}

TEST(FusedGroups, AreTheChainsOfANetworkWithoutBranches) {
    const auto names = [](const std::string &network) {
        const Network n = Zoo().network(network);
        std::vector<std::string> list;
        std::set<int> seen;
        for (const std::vector<int> &group : fused_groups(n)) {
            std::string text;
            std::vector<Layer> layers;
            for (const int i : group) {
                const Node &node = n.nodes[static_cast<std::size_t>(i)];
                text += (text.empty() ? "" : "+") + node.name;
                layers.push_back(node.layer);
                EXPECT_TRUE(seen.insert(i).second) << network << " " << node.name;
            }
            EXPECT_EQ(fusion_obstacle(layers), "") << text;
            list.push_back(text);
        }
        return list;
    };
    const std::vector<std::string> v2 = names("mobilenet_v2");
    ASSERT_EQ(v2.size(), 17u); // a depthwise-pointwise and 16 inverted bottlenecks
    EXPECT_EQ(v2[0].find("expand"), std::string::npos) << v2[0];
    EXPECT_NE(v2[1].find("expand"), std::string::npos) << v2[1];
    // What stands before a squeeze-excite has two consumers.
    for (const std::string &group : names("mobilenet_v3_large")) {
        EXPECT_EQ(group.find("squeeze"), std::string::npos) << group;
    }
}

} // namespace
} // namespace edgefront
