// Rows of a file's own making.
#include "dsl/zoo.h"
#include "network_file.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

Network network_of(const std::string &rows, const std::string &definitions,
                   const Variant &variant = {}, const std::string &more = "") {
    return build(family_of(rows, definitions, more), variant);
}

std::vector<std::string> names_of(const Network &network) {
    std::vector<std::string> names;
    for (const auto &node : network.nodes) {
        names.push_back(node.name);
    }
    return names;
}

const char *const pair =
    R"("pair": {"parameters": {"channels": null, "stride": 1, "act": "relu6"}, "blocks": [
    {"op": "depthwise", "stride": "=stride", "activation": "=act", "name": "dw"},
    {"op": "conv", "kernel": 1, "channels": "=channels", "activation": "=act"}]})";

TEST(Definition, its_rows_take_the_place_of_the_call_with_the_arguments) {
    const Network net = network_of(
        R"({"op": "conv", "channels": 8}, {"op": "pair", "channels": 12, "stride": 2, "act": "swish"})",
        pair);
    EXPECT_EQ(names_of(net), (std::vector<std::string>{"block0.conv", "block1.dw", "block1.conv"}));
    EXPECT_EQ(key(net.nodes[1].layer), "depthwise_conv2d-fp32-32x32x8-16x16x8-k3s2p1.1-bias-swish");
    EXPECT_EQ(key(net.nodes[2].layer), "conv2d-fp32-16x16x8-16x16x12-k1s1p0.0-bias-swish");
    EXPECT_EQ(net.nodes[2].block, 1);
    EXPECT_EQ(net.nodes[2].block_name, "pair");
}

TEST(Definition, a_stride_is_that_of_the_first_repeat_and_defaults_apply) {
    const Network net =
        network_of(R"({"op": "pair", "channels": 8, "stride": 2, "repeat": 3})", pair);
    ASSERT_EQ(net.nodes.size(), 6u);
    EXPECT_EQ(net.nodes[0].layer.stride, 2);
    EXPECT_EQ(net.nodes[2].layer.stride, 1);
    EXPECT_EQ(net.nodes[4].layer.stride, 1);
    EXPECT_EQ(net.nodes[5].layer.activation, Activation::relu6);
    EXPECT_EQ(net.nodes[5].name, "block2.conv");
}

TEST(Definition, widths_apply_through_scale_only_and_to_rows_of_the_table_as_ever) {
    const char *const two = R"-("two": {"parameters": {"channels": null}, "blocks": [
        {"op": "conv", "channels": "=channels"}, {"op": "conv", "channels": "=scale(channels)"},
        {"op": "inverted_bottleneck", "channels": 24, "expansion": 2}]
})-";
    const Network net = network_of(
        R"({"op": "conv", "channels": 32}, {"op": "two", "channels": 32})", two, Variant(0.5));
    EXPECT_EQ(net.nodes[0].layer.output.channels, 16);
    EXPECT_EQ(net.nodes[1].layer.output.channels, 32);
    EXPECT_EQ(net.nodes[2].layer.output.channels, 16);
    EXPECT_EQ(net.output().channels, 24);
}

TEST(Definition, variables_are_inputs_earlier_rows_the_repeat_and_the_network) {
    const char *const odd = R"("odd": {"blocks": [
        {"op": "conv", "kernel": 1, "stride": 2, "channels": "=input_channels + input_height", "name": "a"},
        {"op": "conv", "kernel": 1, "channels": "=a_channels + a_width + 100 * index"},
        {"op": "conv", "kernel": 1, "channels": "=classes + resolution + 4 * width"}]})";
    const Network net = network_of(R"({"op": "odd", "repeat": 2})", odd, Variant(0.5));
    EXPECT_EQ(net.nodes[0].layer.output.channels, 3 + 32);
    EXPECT_EQ(net.nodes[1].layer.output.channels, 35 + 16);
    EXPECT_EQ(net.nodes[2].layer.output.channels, 10 + 32 + 2);
    EXPECT_EQ(net.nodes[4].layer.output.channels, 44 + 16 + 8 + 100);
}

TEST(Definition, when_leaves_rows_out_and_two_rows_may_share_a_name_in_turn) {
    const char *const unit = R"("unit": {"parameters": {"stride": 1, "shuffled": true}, "blocks": [
        {"op": "slice", "when": "stride == 1", "channels": "=input_channels / 2", "name": "keep"},
        {"op": "depthwise", "when": "stride == 2", "stride": 2, "name": "keep"},
        {"op": "conv", "from": "input", "channels": 4, "stride": "=stride", "name": "other"},
        {"op": "concat", "from": ["keep", "other"]},
        {"op": "channel_shuffle", "when": "shuffled", "groups": 2}]})";
    const Network net =
        network_of(R"({"op": "conv", "channels": 8}, {"op": "unit", "stride": 2, "repeat": 2},
                      {"op": "unit", "shuffled": false})",
                   unit);
    EXPECT_EQ(names_of(net),
              (std::vector<std::string>{"block0.conv", "block1.keep", "block1.other",
                                        "block1.concat", "block1.channel_shuffle", "block2.keep",
                                        "block2.other", "block2.concat", "block2.channel_shuffle",
                                        "block3.keep", "block3.other", "block3.concat"}));
    EXPECT_EQ(net.nodes[1].layer.op, Op::depthwise_conv2d);
    EXPECT_EQ(net.nodes[5].layer.op, Op::slice);
}

TEST(Definition, definitions_use_each_other_and_the_rows_of_the_zoo) {
    const std::string nested =
        std::string(pair) +
        R"(, "outer": {"parameters": {"channels": null, "squeeze": {"ratio": 0.5}}, "blocks": [
        {"op": "pair", "channels": "=channels / 2", "repeat": 2, "name": "twice"},
        {"op": "inverted_bottleneck", "channels": "=channels", "expansion": 2, "squeeze_excite": "=squeeze"},
        "uir_a3_k3_e2_c16",
        {"op": "conv", "channels": 8, "kernel": 1}, {"op": "conv", "channels": 8, "kernel": 1},
        {"op": "add", "from": ["twice", "twice.dw"]}]})";
    const Network net = network_of(R"({"op": "outer", "channels": 16, "name": "o"},
                                      {"op": "add", "from": [-1, "o.twice.conv"]})",
                                   nested);
    const Layer &reduce = node_of(net, "block0.inverted_bottleneck.se.reduce").layer;
    EXPECT_EQ(reduce.output.channels, reduce.input.channels / 2);
    EXPECT_EQ(node_of(net, "block0.twice2.conv").layer.output.channels, 8);
    EXPECT_EQ(node_of(net, "block0.uib.mid_dw").layer.kernel, 3);
    EXPECT_EQ(node_of(net, "block0.conv2").layer.input.channels, 8);
    const Node &sum = node_of(net, "block0.add");
    EXPECT_EQ(net.nodes[static_cast<std::size_t>(sum.inputs[1])].name, "block0.twice2.dw");
}

TEST(Definition, several_inputs_have_names_and_come_in_the_order_of_from) {
    const char *const cell = R"("cell": {"inputs": ["now", "before"], "blocks": [
        {"op": "conv", "kernel": 1, "channels": "=now_channels", "name": "a"},
        {"op": "conv", "from": "before", "kernel": 1, "channels": "=now_channels"},
        {"op": "add", "from": ["a", -1]}]})";
    const Network net = network_of(R"({"op": "conv", "channels": 8}, {"op": "conv", "channels": 12},
                                      {"op": "cell", "from": [-1, -2], "repeat": 2})",
                                   cell);
    EXPECT_EQ(node_of(net, "block2.a").inputs[0], 1);
    EXPECT_EQ(node_of(net, "block2.conv").inputs[0], 0);
    EXPECT_EQ(net.nodes[static_cast<std::size_t>(node_of(net, "block3.a").inputs[0])].name,
              "block2.add");
    EXPECT_EQ(node_of(net, "block3.conv").inputs[0], 1);
}

TEST(Definition, a_default_may_be_computed_and_a_row_kind_may_be_an_argument) {
    const char *const flexible =
        R"("flexible": {"parameters": {"channels": "=input_channels * 2", "half": "=channels / 2", "mix": "depthwise"}, "blocks": [
        {"op": "=mix", "kernel": 3},
        {"op": "conv", "channels": "=half + channels"}]})";
    const Network net = network_of(R"({"op": "conv", "channels": 8}, {"op": "flexible"},
                                      {"op": "flexible", "channels": 6, "mix": "average_pool"})",
                                   flexible);
    EXPECT_EQ(net.nodes[2].layer.output.channels, 24);
    EXPECT_EQ(net.nodes[3].layer.op, Op::average_pool);
    EXPECT_EQ(net.nodes[4].layer.output.channels, 9);
}

TEST(Definition, squeeze_excite_of_the_input_means_that_of_the_definition) {
    const char *const mb = R"("mb": {"blocks": [{"op": "conv", "channels": 96, "kernel": 1},
        {"op": "squeeze_excite", "of": "input", "rounding": "truncate", "ratio": 0.25, "name": "se"}]})";
    const Network net = network_of(R"({"op": "conv", "channels": 16}, {"op": "mb"})", mb);
    EXPECT_EQ(node_of(net, "block1.se.reduce").layer.output.channels, 4);
}

TEST(Definition, depth_repeats_defined_rows_of_the_table_like_bottlenecks) {
    const Network net = network_of(R"({"op": "pair", "channels": 8, "repeat": 2},
                                      {"op": "pair", "channels": 8, "repeat": 2, "fixed_depth": true})",
                                   pair, {}, R"("depth": 1.4)");
    EXPECT_EQ(net.nodes.size(), 2u * (3 + 2));
}

TEST(Definition, printing_and_parsing_are_inverse) {
    const Family family = family_of(
        R"({"op": "pair", "channels": 8, "stride": 2, "act": "swish", "repeat": 2, "name": "a"},
                     {"op": "add", "from": ["a", -2], "when": "resolution > 9999"})",
        std::string(pair) +
            R"(, "two": {"inputs": ["a", "b"], "blocks": [{"op": "add", "from": ["a", "b"]}]})",
        R"("input_width": 64, "layer_scale": true, "padding": "valid")");
    const Json written = write_family(family);
    const Family again = read_family(JsonReader::of(written, {}));
    EXPECT_EQ(write_family(again).dump(), written.dump());
    EXPECT_EQ(again.blocks, family.blocks);
    EXPECT_EQ(written["define"]["pair"]["parameters"]["channels"], nullptr);
    EXPECT_EQ(written["blocks"][0]["act"], "swish");
    ASSERT_EQ(again.definitions.size(), 2u);
    EXPECT_EQ(again.definitions[1].inputs, (std::vector<std::string>{"a", "b"}));
}

/// The error of a network whose one row uses definition "d" with these members.
std::string error_in(const std::string &body, const std::string &row = R"({"op": "d"})") {
    return error_of([&] { network_of(row, "\"d\": {" + body + "}"); });
}

void expect_error(const std::string &error, const std::string &place, const std::string &part) {
    EXPECT_EQ(error.find("x.json:" + place + ":"), 0u) << error;
    EXPECT_NE(error.find(part), std::string::npos) << error;
}

TEST(Definition, mistakes_inside_name_the_row_of_the_definition_and_the_row_that_uses_it) {
    const auto with = [](const std::string &rows) {
        return error_in(R"("parameters": {"channels": 8}, "blocks": [)" + rows + "]");
    };
    expect_error(with(R"({"op": "conv", "channels": "=chanels"})"), "/define/d/blocks/0/channels",
                 "unknown variable 'chanels'; did you mean 'channels'? (known here: channels, "
                 "classes, index, input_channels, input_height, input_width, resolution, width); "
                 "in 'd' of x, row /blocks/0");
    expect_error(with(R"({"op": "conv", "channels": "=channels / 3"})"),
                 "/define/d/blocks/0/channels", "expected an integer");
    expect_error(with(R"({"op": "conv", "channels": "=channels", "when": "channels = 8"})"),
                 "/define/d/blocks/0/when", "'==' compares");
    expect_error(with(R"({"op": "slice", "channels": "=channels"})"), "/define/d/blocks/0",
                 "x, block0.slice: slice from 32x32x3 to 32x32x8: it reaches beyond");
    expect_error(with(R"({"op": "conv", "chanels": 8})"), "/define/d/blocks/0",
                 "the nearest here is \"chanels\"");
    expect_error(
        with(
            R"({"op": "activation", "name": "a", "when": "0"}, {"op": "activation", "from": "a"})"),
        "/define/d/blocks/1", "its row is left out by \"when\"");
    expect_error(with(R"({"op": "activation", "from": -2})"), "/define/d/blocks/0",
                 "there is no tensor -2");
    expect_error(with(R"({"op": "activation", "from": "input.conv"})"), "/define/d/blocks/0",
                 "the row 'input' has no such layer");
    expect_error(with(R"({"op": "activation", "name": "a"}, {"op": "softmax", "name": "a"})"),
                 "/define/d/blocks/1", "the name 'a' stands twice");
    expect_error(with(R"({"op": "activation", "when": "channels < 8"})"), "/blocks/0",
                 "every row of 'd' is left out");
    expect_error(with(R"({"op": "d"})"), "/define/d/blocks/0", "the definition 'd' uses itself");
}

TEST(Definition, mistakes_in_a_use_are_found_when_the_row_is_read) {
    const std::string body =
        R"("parameters": {"channels": null, "act": "relu"}, "blocks": [{"op": "conv", "channels": "=channels"}])";
    expect_error(error_in(body), "/blocks/0", "the key \"channels\" is missing");
    expect_error(error_in(body, R"({"op": "d", "channels": 8, "atc": "relu"})"), "/blocks/0",
                 "unknown key \"atc\"");
    expect_error(error_in(body, R"({"op": "d", "channels": 8, "from": [-1, -1]})"),
                 "/blocks/0/from", "it must name 1");
    expect_error(error_in(body, R"({"op": "dd", "channels": 8})"), "/blocks/0/op",
                 "resize, d; did you mean");
}

TEST(Definition, mistakes_in_its_head_are_found_when_the_file_is_read) {
    const auto error = [](const std::string &definitions) {
        return error_of([&] { family_of(R"({"op": "conv", "channels": 8})", definitions); });
    };
    const std::string rows = R"("blocks": [{"op": "activation"}])";
    expect_error(error("\"conv\": {" + rows + "}"), "/define/conv", "is a kind of row already");
    expect_error(error("\"D\": {" + rows + "}"), "/define/D", "lower-case");
    expect_error(error(R"("d": {"parameters": {"index": 1}, )" + rows + "}"),
                 "/define/d/parameters/index", "cannot be called 'index'");
    expect_error(error(R"("d": {"parameters": {"a.b": 1}, )" + rows + "}"),
                 "/define/d/parameters/a.b", "lower-case");
    expect_error(error(R"("d": {"inputs": ["a", "a"], )" + rows + "}"), "/define/d/inputs/1",
                 "stands twice");
    expect_error(error(R"("d": {"inputs": [], )" + rows + "}"), "/define/d/inputs",
                 "at least one input");
    expect_error(error(R"("d": {"blocks": []})"), "/define/d/blocks", "at least one row");
    expect_error(error(R"("d": {"blocks": [3]})"), "/define/d/blocks/0", "expected a row");
    expect_error(error(R"("d": {"block": []})"), "/define/d", "\"blocks\" is missing");
}

} // namespace
} // namespace edgefront
