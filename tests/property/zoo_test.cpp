// What holds for every network of the zoo, whatever its file says. A new network is covered by
// being there; what it is exempt from follows from its data, never from its name.
#include "base/error.h"
#include "base/random.h"
#include "dsl/family_json.h"
#include "dsl/flops.h"
#include "dsl/memory_plan.h"
#include "dsl/zoo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <unistd.h>

namespace edgefront {
namespace {

const Zoo &zoo() {
    static const Zoo all;
    return all;
}

/// At a resolution of its own the input keeps its aspect.
Network built(const Family &family, double width = 1, int resolution = 0) {
    Variant variant;
    variant.width = width;
    variant.resolution = resolution;
    if (resolution > 0 && family.input_width > 0) {
        variant.input_width = static_cast<int>(
            std::lround(static_cast<double>(resolution) * family.input_width / family.resolution));
    }
    return build(family, variant);
}

/// Nothing when the tool refuses the variant with a message for its user.
std::optional<Network> built_or_refused(const Family &family, double width, int resolution) {
    try {
        return built(family, width, resolution);
    } catch (const UserError &) {
        return {};
    }
}

/// Published at several widths.
bool has_multiplier(const Family &family) {
    return family.width.values.size() > 1;
}

std::vector<double> published_widths(const Family &family) {
    return has_multiplier(family) ? family.width.values : std::vector<double>{1};
}

std::vector<int> published_resolutions(const Family &family) {
    return family.resolutions.empty() ? std::vector<int>{family.resolution} : family.resolutions;
}

template <typename Condition>
bool any_layer(const Network &network, Condition condition) {
    return std::any_of(network.nodes.begin(), network.nodes.end(),
                       [&](const Node &node) { return condition(node.layer); });
}

const Shape &output_of(const Network &network, int producer) {
    return producer < 0 ? network.input
                        : network.nodes[static_cast<std::size_t>(producer)].layer.output;
}

/// Every layer takes what its producers make, and somebody takes what it makes.
void expect_connected(const Network &network) {
    SCOPED_TRACE(network.name);
    EXPECT_NO_THROW(validate(network));
    std::vector<bool> read(network.nodes.size(), false);
    for (const Node &node : network.nodes) {
        SCOPED_TRACE(node.name);
        const Layer &l = node.layer;
        EXPECT_EQ(shape_problem(l), "");
        std::vector<Shape> wanted = {l.input};
        wanted.insert(wanted.end(), l.others.begin(), l.others.end());
        if (l.residual) {
            wanted.push_back(l.output);
        }
        ASSERT_EQ(node.inputs.size(), wanted.size());
        for (std::size_t i = 0; i < wanted.size(); i++) {
            EXPECT_EQ(output_of(network, node.inputs[i]), wanted[i]) << "input " << i;
            if (node.inputs[i] >= 0) {
                read[static_cast<std::size_t>(node.inputs[i])] = true;
            }
        }
    }
    for (std::size_t i = 0; i + 1 < network.nodes.size(); i++) {
        EXPECT_TRUE(read[i]) << "nobody reads " << network.nodes[i].name;
    }
}

TEST(ZooProperty, networks_are_connected_at_every_published_width_and_resolution) {
    for (const auto &[name, family] : zoo().families()) {
        for (const double width : published_widths(family)) {
            for (const int resolution : published_resolutions(family)) {
                expect_connected(built(family, width, resolution));
            }
        }
    }
}

TEST(ZooProperty, networks_are_connected_or_refused_at_any_width_and_resolution) {
    Random random(1);
    for (const auto &[name, family] : zoo().families()) {
        int accepted = 0;
        for (int i = 0; i < 8; i++) {
            const double width = std::exp2(4 * random.uniform() - 2); // a quarter to fourfold
            const int resolution = 64 + static_cast<int>(random.below(448));
            const auto network =
                built_or_refused(family, has_multiplier(family) ? width : 1, resolution);
            if (network) {
                expect_connected(*network);
                accepted++;
            }
        }
        EXPECT_GE(accepted, 4) << name << " is hardly ever accepted";
    }
}

TEST(ZooProperty, wider_networks_and_larger_images_never_cost_less) {
    Random random(2);
    for (const auto &[name, family] : zoo().families()) {
        std::vector<int> resolutions = {64, 512};
        std::vector<double> widths = published_widths(family);
        for (int i = 0; i < 6; i++) {
            resolutions.push_back(64 + static_cast<int>(random.below(448)));
            widths.push_back(has_multiplier(family) ? std::exp2(4 * random.uniform() - 2) : 1);
        }
        std::sort(widths.begin(), widths.end());
        std::sort(resolutions.begin(), resolutions.end());
        Macs before;
        for (const int resolution : resolutions) {
            if (const auto network = built_or_refused(family, 1, resolution)) {
                EXPECT_GE(macs(*network), before) << network->name;
                before = macs(*network);
            }
        }
        before = Macs(0);
        for (const double width : widths) {
            if (const auto network = built_or_refused(family, width, family.resolution)) {
                EXPECT_GE(macs(*network), before) << network->name;
                before = macs(*network);
            }
        }
    }
}

using Count = std::int64_t (*)(const Network &);
std::int64_t macs_of(const Network &network) {
    return macs(network).count();
}
std::int64_t params_of(const Network &network) {
    return params(network).count();
}

/// The n-th difference of n + 1 equidistant values: 0 when they are those of a polynomial of lower
/// degree.
std::int64_t last_difference(std::vector<std::int64_t> values) {
    for (; values.size() > 1; values.pop_back()) {
        for (std::size_t i = 0; i + 1 < values.size(); i++) {
            values[i] = values[i + 1] - values[i];
        }
    }
    return values.front();
}

// Where rounding has nothing to do, at multiples of 4 (channels of the tables are even, so these
// are multiples of 8, and a quarter of them still whole), counts are a*w^2 + b*w + c to the last
// unit. Quadratic are layers from scaled to scaled channels, linear are depthwise layers, biases,
// norms and all that begins or ends at fixed channels, constant what is fixed on both sides.
TEST(ZooProperty, counts_are_quadratic_in_the_width) {
    for (const auto &[name, family] : zoo().families()) {
        if (!has_multiplier(family)) {
            continue;
        }
        for (const Count count : {macs_of, params_of}) {
            std::vector<std::int64_t> at; // widths 4, 8, 12, 16
            for (const double width : {4, 8, 12, 16}) {
                at.push_back(count(built(family, width)));
            }
            EXPECT_EQ(last_difference(at), 0) << name;
            const std::int64_t quadratic = at[2] - 2 * at[1] + at[0]; // a * 2 * 4^2
            const double linear =
                static_cast<double>(at[1] - at[0]) - 1.5 * static_cast<double>(quadratic); // b * 4
            const double constant =
                static_cast<double>(at[0]) - 0.5 * static_cast<double>(quadratic) - linear;
            EXPECT_GT(quadratic, 0) << name;
            EXPECT_GE(linear, 0) << name;
            EXPECT_GE(constant, 0) << name;
            // Twice the width is nearly four times the work once the quadratic part dominates.
            const double doubled = static_cast<double>(at[3]) / static_cast<double>(at[1]);
            EXPECT_GT(doubled, 3.4) << name;
            EXPECT_LE(doubled, 4) << name;
        }
    }
}

// At the published widths rounding speaks up: it keeps at least 0.9 of every channel count, so 0.81
// of a product, and adds up to 8 channels. What does not follow the width at all (a classifier's
// input in MobileNetV2 and V3) holds parameters near their count at width 1, but few MACs.
TEST(ZooProperty, published_widths_cost_about_the_square_of_the_width) {
    for (const auto &[name, family] : zoo().families()) {
        const Network whole = built(family);
        for (const double w : published_widths(family)) {
            const Network network = built(family, w);
            const double work =
                static_cast<double>(macs_of(network)) / static_cast<double>(macs_of(whole));
            const double learned =
                static_cast<double>(params_of(network)) / static_cast<double>(params_of(whole));
            SCOPED_TRACE(network.name);
            EXPECT_GE(work, w < 1 ? 0.81 * w * w : 0.9 * w);
            EXPECT_LE(work, w < 1 ? 1.1 * w : 1.1 * w * w);
            EXPECT_GE(learned, w < 1 ? 0.81 * w * w : 1);
            EXPECT_LE(learned, w < 1 ? 1 : 1.1 * w * w);
        }
    }
}

/// Steps of the resolution that every strided layer of a network divides without rest.
constexpr int whole_step = 512;

bool has_attention(const Network &network) {
    return any_layer(network, [](const Layer &l) {
        return l.op == Op::attention_scores || l.op == Op::attention_context;
    });
}

/// A layer with a weight per pixel: fully connected on a map.
bool weighs_pixels(const Network &network) {
    return any_layer(network, [](const Layer &l) {
        return l.op == Op::conv2d && l.kernel > 1 && l.kernel == l.input.height &&
               l.output.height == 1;
    });
}

// MACs follow the pixels: a*r^2 + b*r + c, to the last unit where strides divide evenly (b is 0 but
// for unpadded convolutions, c are the layers behind the global pooling). Attention products
// follow the square of the pixels. Parameters know no pixels.
TEST(ZooProperty, macs_are_quadratic_in_the_resolution_and_parameters_constant) {
    for (const auto &[name, family] : zoo().families()) {
        const Network network = built(family, 1, whole_step);
        const int degree = has_attention(network) ? 4 : 2;
        std::vector<std::int64_t> work, learned;
        for (int i = 1; i <= degree + 2; i++) {
            const Network larger = built(family, 1, i * whole_step);
            work.push_back(macs_of(larger));
            learned.push_back(params_of(larger));
        }
        EXPECT_EQ(last_difference(work), 0) << name;
        EXPECT_GT(last_difference({work.begin(), work.begin() + 3}), 0) << name;
        const double doubled = static_cast<double>(work[3]) / static_cast<double>(work[1]);
        EXPECT_GT(doubled, 3.9) << name;
        EXPECT_LE(doubled, degree == 4 ? 16 : 4.1) << name; // 4.1: unpadded, b is negative
        if (weighs_pixels(network)) {
            EXPECT_EQ(last_difference(learned), 0) << name;
        } else {
            EXPECT_EQ(learned.front(), learned.back()) << name;
        }
    }
}

// At any other resolution a map is ceil(r / stride) pixels high: at most 1 + stride / r times what
// the formula above says, squared for the area, and never less.
TEST(ZooProperty, published_resolutions_cost_about_the_square_of_the_resolution) {
    for (const auto &[name, family] : zoo().families()) {
        const Network network = built(family, 1, 4 * whole_step);
        if (has_attention(network)) {
            continue; // of degree 4; the test above holds for it
        }
        int smallest = 4 * whole_step;
        for (const Node &node : network.nodes) {
            const int height = node.layer.output.height;
            smallest =
                node.layer.has_window() && height > 1 ? std::min(smallest, height) : smallest;
        }
        const double stride = 4.0 * whole_step / smallest;
        std::array<double, 3> at; // of whole_step * 1, 2, 3
        for (int i = 0; i < 3; i++) {
            at[static_cast<std::size_t>(i)] =
                static_cast<double>(macs_of(built(family, 1, (i + 1) * whole_step)));
        }
        for (const int r : published_resolutions(family)) {
            const double x = static_cast<double>(r) / whole_step; // Lagrange through 1, 2, 3
            const double formula = at[0] * (x - 2) * (x - 3) / 2 - at[1] * (x - 1) * (x - 3) +
                                   at[2] * (x - 1) * (x - 2) / 2;
            const double share = static_cast<double>(macs_of(built(family, 1, r))) / formula;
            EXPECT_GE(share, 1 - 1e-9) << name << " at " << r;
            EXPECT_LE(share, std::pow(1 + stride / r, 2) + 1e-9) << name << " at " << r;
        }
    }
}

std::string text_of(const Network &network) {
    std::string text = network.name + "\n";
    for (const Node &node : network.nodes) {
        text += node.name + " " + key(node.layer);
        for (const int producer : node.inputs) {
            text += " " + std::to_string(producer);
        }
        text += node.offset == Offset::batch_norm ? " bn" : "";
        text += node.layer_scale ? " scaled\n" : "\n";
    }
    return text;
}

TEST(ZooProperty, parsing_what_was_printed_gives_the_same_family) {
    for (const auto &[name, family] : zoo().families()) {
        const std::string printed = write_family(family).dump();
        const Family again = read_family(JsonReader::parse(printed, name));
        EXPECT_EQ(write_family(again).dump(), printed) << name;
        for (const double width : published_widths(family)) {
            EXPECT_EQ(text_of(built(again, width)), text_of(built(family, width)));
        }
    }
}

TEST(ZooProperty, what_is_printed_follows_the_schema) {
    const std::string folder =
        ::testing::TempDir() + "/printed_networks_" + std::to_string(static_cast<long>(::getpid()));
    std::filesystem::create_directory(folder);
    for (const auto &[name, family] : zoo().families()) {
        std::ofstream(folder + "/" + name + ".json") << write_family(family).dump(1);
    }
    const std::string root = EDGEFRONT_ROOT;
    const std::string command = "python3 '" + root + "/tests/data/check_schema.py' '" + root +
                                "/data/schema/network.schema.json' '" + folder + "'/*.json >'" +
                                folder + "/log' 2>&1 || { cat '" + folder + "/log'; false; }";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::filesystem::remove_all(folder);
}

TEST(ZooProperty, counts_do_not_depend_on_the_element_type) {
    for (const auto &[name, family] : zoo().families()) {
        const Network network = built(family);
        const auto all_flops = [](const Network &n) {
            Flops sum;
            for (const Node &node : n.nodes) {
                sum += flops(node.layer);
            }
            return sum;
        };
        for (const DataType type : {DataType::fp16, DataType::int8}) {
            const Network other = with_type(network, type);
            EXPECT_EQ(macs(other), macs(network)) << name;
            EXPECT_EQ(params(other), params(network)) << name;
            EXPECT_EQ(all_flops(other), all_flops(network)) << name;
            EXPECT_EQ(text_of(with_type(other, DataType::fp32)), text_of(network));
        }
    }
}

/// One activation in the arena; node -1 is the network's input.
struct Placed {
    int node;
    int last; ///< the last layer that reads it
    std::int64_t begin, end;
};

std::vector<Placed> placed(const Network &network, const MemoryPlan &plan) {
    const int n = static_cast<int>(network.nodes.size());
    std::vector<Placed> tensors;
    for (int i = -1; i < n; i++) {
        const std::int64_t at =
            i < 0 ? plan.input_offset : plan.offsets[static_cast<std::size_t>(i)];
        const int element = size_of(network.nodes.front().layer.type);
        tensors.push_back({i, i, at, at + output_of(network, i).elements() * element});
    }
    for (int i = 0; i < n; i++) {
        for (const int producer : network.nodes[static_cast<std::size_t>(i)].inputs) {
            tensors[static_cast<std::size_t>(producer + 1)].last = i;
        }
    }
    return tensors;
}

TEST(ZooProperty, tensors_alive_together_never_share_a_byte) {
    for (const auto &[name, family] : zoo().families()) {
        for (const DataType type : {DataType::fp32, DataType::int8}) {
            const Network network = with_type(built(family), type);
            for (const bool external_io : {false, true}) {
                const MemoryPlan plan = plan_memory(network, external_io);
                std::vector<Placed> tensors = placed(network, plan);
                if (external_io) {
                    tensors.erase(tensors.begin());
                    tensors.pop_back();
                } else {
                    EXPECT_GE(plan.arena, plan.peak) << name;
                }
                for (std::size_t a = 0; a < tensors.size(); a++) {
                    EXPECT_EQ(tensors[a].begin % MemoryPlan::alignment, 0) << name;
                    EXPECT_LE(tensors[a].end, plan.arena.count()) << name;
                    for (std::size_t b = a + 1; b < tensors.size(); b++) {
                        const bool together = tensors[b].node <= tensors[a].last;
                        const bool apart = tensors[a].end <= tensors[b].begin ||
                                           tensors[b].end <= tensors[a].begin;
                        EXPECT_TRUE(!together || apart)
                            << name << " tensors " << tensors[a].node << " and " << tensors[b].node;
                    }
                }
            }
        }
    }
}

} // namespace
} // namespace edgefront
