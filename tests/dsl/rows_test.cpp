// Every row of one operator, and the references between rows.
#include "dsl/block_json.h"
#include "network_file.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

/// The keys of the layers that rows make of a 16x16x8 tensor.
std::string keys_after_stem(const std::string &rows) {
    const Network net =
        build(family_of(R"({"op": "conv", "channels": 8, "stride": 2, "name": "stem"}, )" + rows));
    std::string text;
    for (std::size_t i = 1; i < net.nodes.size(); i++) {
        text += (text.empty() ? "" : " ") + key(net.nodes[i].layer);
    }
    return text;
}

std::string error_after_stem(const std::string &rows) {
    return error_of([&] { keys_after_stem(rows); });
}

TEST(Rows, a_convolution_has_groups_dilation_bias_and_padding_of_its_own) {
    EXPECT_EQ(keys_after_stem(R"({"op": "conv", "channels": 16, "groups": 4, "dilation": 2})"),
              "conv2d-fp32-16x16x8-16x16x16-k3s1p2.2-d2-g4-bias-relu");
    EXPECT_EQ(
        keys_after_stem(R"({"op": "conv", "channels": 16, "batch_norm": false, "bias": false})"),
        "conv2d-fp32-16x16x8-16x16x16-k3s1p1.1-relu");
    EXPECT_EQ(keys_after_stem(R"({"op": "conv", "channels": 16, "padding": "valid", "stride": 2})"),
              "conv2d-fp32-16x16x8-7x7x16-k3s2p0.0-bias-relu");
    EXPECT_EQ(keys_after_stem(R"({"op": "conv", "channels": 8, "padding": "same", "stride": 2})"),
              "conv2d-fp32-16x16x8-8x8x8-k3s2p0.0-bias-relu");
}

TEST(Rows, a_convolution_may_begin_at_the_second_pixel) {
    EXPECT_EQ(
        keys_after_stem(R"({"op": "conv", "channels": 8, "kernel": 1, "stride": 2, "start": 1})"),
        "conv2d-fp32-16x16x8-8x8x8-k1s2p-1.-1-bias-relu");
}

TEST(Rows, a_convolution_adds_a_tensor_before_its_activation_and_may_scale_its_channels) {
    const Network net = build(family_of(
        R"({"op": "conv", "channels": 8, "name": "a"}, {"op": "conv", "channels": 8},
           {"op": "conv", "channels": 8, "residual": "a", "layer_scale": true})"));
    EXPECT_EQ(net.nodes[2].inputs, (std::vector<int>{1, 0}));
    EXPECT_TRUE(net.nodes[2].layer.residual);
    EXPECT_EQ(net.nodes[2].layer.activation, Activation::relu);
    EXPECT_TRUE(net.nodes[2].layer_scale);
    EXPECT_FALSE(net.nodes[1].layer_scale);
}

TEST(Rows, windows_without_weights) {
    EXPECT_EQ(keys_after_stem(R"({"op": "depthwise", "kernel": 5, "stride": 2})"),
              "depthwise_conv2d-fp32-16x16x8-8x8x8-k5s2p2.2-bias-relu");
    EXPECT_EQ(keys_after_stem(R"({"op": "average_pool", "stride": 2, "count_padding": true})"),
              "average_pool-fp32-16x16x8-8x8x8-k3s2p1.1-padded");
    EXPECT_EQ(keys_after_stem(R"({"op": "max_pool", "kernel": 2, "stride": 2})"),
              "max_pool-fp32-16x16x8-8x8x8-k2s2p0.0");
}

TEST(Rows, norms_and_activations_stand_alone) {
    EXPECT_EQ(keys_after_stem(R"({"op": "activation", "activation": "gelu"})"),
              "elementwise-fp32-16x16x8-16x16x8-gelu");
    EXPECT_EQ(keys_after_stem(R"({"op": "batch_norm", "activation": "relu"})"),
              "affine-fp32-16x16x8-16x16x8-bias-relu");
    EXPECT_EQ(keys_after_stem(R"({"op": "layer_norm"})"), "layer_norm-fp32-16x16x8-16x16x8-bias");
    EXPECT_EQ(keys_after_stem(R"({"op": "group_norm"})"), "group_norm-fp32-16x16x8-16x16x8-bias");
    EXPECT_EQ(keys_after_stem(R"({"op": "softmax", "groups": 2})"),
              "softmax-fp32-16x16x8-16x16x8-g2");
    const Network net = build(family_of(R"({"op": "batch_norm"}, {"op": "layer_norm"})"));
    EXPECT_EQ(net.nodes[0].offset, Offset::batch_norm);
    EXPECT_EQ(net.nodes[1].offset, Offset::bias);
}

TEST(Rows, sums_products_and_concatenations_read_several_tensors) {
    EXPECT_EQ(keys_after_stem(R"({"op": "add", "from": [-1, "stem"], "activation": "relu"})"),
              "elementwise-fp32-16x16x8-16x16x8-residual-relu");
    EXPECT_EQ(keys_after_stem(R"({"op": "concat", "from": ["stem", "stem", -1]})"),
              "concat-fp32-16x16x8-16x16x24-with16x16x8-with16x16x8");
    EXPECT_EQ(keys_after_stem(R"({"op": "concat", "from": ["stem", -1], "axis": "rows"})"),
              "concat-fp32-16x16x8-32x16x8-with16x16x8");
    EXPECT_EQ(
        keys_after_stem(R"({"op": "global_pool"}, {"op": "channel_scale", "from": ["stem", -1]})"),
        "global_average_pool-fp32-16x16x8-1x1x8 "
        "channel_scale-fp32-16x16x8-16x16x8-with1x1x8");
}

TEST(Rows, moves_of_elements) {
    EXPECT_EQ(keys_after_stem(R"({"op": "slice", "first": 2, "channels": 3})"),
              "slice-fp32-16x16x8-16x16x3-from2");
    EXPECT_EQ(keys_after_stem(R"({"op": "channel_shuffle", "groups": 4})"),
              "channel_shuffle-fp32-16x16x8-16x16x8-g4");
    EXPECT_EQ(keys_after_stem(R"({"op": "reshape", "height": 1, "width": 256, "channels": 8})"),
              "reshape-fp32-16x16x8-1x256x8");
    EXPECT_EQ(
        keys_after_stem(
            R"({"op": "unfold", "patch": 2}, {"op": "fold", "patch": 2, "height": 16, "width": 16})"),
        "unfold-fp32-16x16x8-4x64x8-k2 fold-fp32-4x64x8-16x16x8-k2");
    EXPECT_EQ(keys_after_stem(R"({"op": "resize", "height": 20, "width": 18})"),
              "resize_bilinear-fp32-16x16x8-20x18x8");
}

TEST(Rows, attention_has_heads_and_keys_of_each_head_or_of_all) {
    EXPECT_EQ(keys_after_stem(R"({"op": "attention_scores", "from": ["stem", "stem"], "heads": 2},
                                 {"op": "attention_context", "from": [-1, "stem"], "heads": 2})"),
              "attention_scores-fp32-16x16x8-16x16x32-with16x16x8-g2 "
              "attention_context-fp32-16x16x32-16x16x8-with16x16x8-g2");
    EXPECT_EQ(keys_after_stem(R"({"op": "slice", "channels": 4, "name": "kv"},
               {"op": "attention_scores", "from": ["stem", "kv"], "heads": 2},
               {"op": "attention_context", "from": [-1, "kv"], "heads": 2, "shared": true})"),
              "slice-fp32-16x16x8-16x16x4-from0 "
              "attention_scores-fp32-16x16x8-16x16x32-with16x16x4-g2 "
              "attention_context-fp32-16x16x32-16x16x8-with16x16x4-g2");
}

TEST(Rows, squeeze_excite_stands_alone_with_what_the_file_says_of_it) {
    const Family f =
        family_of(R"({"op": "conv", "channels": 32}, {"op": "squeeze_excite", "ratio": 0.5})", "",
                  R"("squeeze_excite": {"gate": "sigmoid"})");
    const Network net = build(f);
    ASSERT_EQ(net.nodes.size(), 5u);
    EXPECT_EQ(net.nodes[1].name, "block1.pool");
    EXPECT_EQ(net.nodes[2].layer.output.channels, 16);
    EXPECT_EQ(net.nodes[3].layer.activation, Activation::sigmoid);
    EXPECT_EQ(net.nodes[4].inputs, (std::vector<int>{0, 3}));
}

TEST(Rows, a_classifier_may_lack_its_bias_and_have_an_activation) {
    EXPECT_EQ(
        keys_after_stem(
            R"({"op": "global_pool"}, {"op": "classifier", "bias": false, "activation": "sigmoid"})"),
        "global_average_pool-fp32-16x16x8-1x1x8 fully_connected-fp32-1x1x8-1x1x10-sigmoid");
}

TEST(Rows, layer_scale_of_the_file_is_on_the_projections_of_its_uib_blocks) {
    const Network net = build(family_of(R"({"op": "conv", "channels": 8}, "uir_a3_k3_e2_c8")", "",
                                        R"("layer_scale": true)"));
    EXPECT_TRUE(node_of(net, "block1.project").layer_scale);
    EXPECT_FALSE(node_of(net, "block1.expand").layer_scale);
    EXPECT_FALSE(node_of(net, "block0.conv").layer_scale);
}

TEST(Rows, dilation_keeps_the_size_with_both_kinds_of_padding) {
    for (const char *padding : {"same", "symmetric"}) {
        const Network net = build(family_of(
            R"({"op": "conv", "channels": 8}, {"op": "inverted_bottleneck", "channels": 8, "kernel": 5, "dilation": 2, "expansion": 2})",
            "", std::string(R"("padding": ")") + padding + "\""));
        const Layer &dw = node_of(net, "block1.dw").layer;
        EXPECT_EQ(dw.output, (Shape{32, 32, 16}));
        EXPECT_EQ(dw.pad_top, 4);
    }
}

TEST(References, name_rows_layers_inside_them_and_tensors_counted_back) {
    const Network net = build(family_of(
        R"({"op": "conv", "channels": 8, "name": "a"},
           {"op": "inverted_bottleneck", "channels": 8, "expansion": 4, "name": "b", "repeat": 2},
           {"op": "conv", "channels": 4, "from": "b.expand"},
           {"op": "concat", "from": ["input", "a", "b", -1, -2, -3]})"));
    const auto index = [&](const std::string &name) {
        return static_cast<int>(&node_of(net, name) - net.nodes.data());
    };
    EXPECT_EQ(node_of(net, "block3.conv").inputs[0], index("block2.expand")) << "the last repeat's";
    EXPECT_EQ(net.nodes.back().inputs,
              (std::vector<int>{-1, 0, index("block2.project"), index("block3.conv"),
                                index("block2.project"), index("block1.project")}));
}

TEST(References, from_the_second_repeat_on_the_first_input_is_the_repeat_before) {
    const Network net = build(family_of(
        R"({"op": "conv", "channels": 8, "name": "a"}, {"op": "conv", "channels": 8},
           {"op": "add", "from": ["a", -1], "repeat": 3})"));
    EXPECT_EQ(net.nodes[2].inputs, (std::vector<int>{0, 1}));
    EXPECT_EQ(net.nodes[3].inputs, (std::vector<int>{2, 2}));
    const Network chain = build(family_of(
        R"({"op": "conv", "channels": 8}, {"op": "conv", "channels": 8},
           {"op": "add", "from": [-1, -2], "repeat": 2})"));
    EXPECT_EQ(chain.nodes[2].inputs, (std::vector<int>{1, 0}));
    EXPECT_EQ(chain.nodes[3].inputs, (std::vector<int>{2, 1})) << "-2 moves along";
}

TEST(References, mistakes_name_the_row_and_what_is_known) {
    const auto expect = [](const std::string &rows, const std::string &part) {
        const std::string error = error_after_stem(rows);
        EXPECT_NE(error.find("x.json:/blocks/1"), std::string::npos) << error;
        EXPECT_NE(error.find(part), std::string::npos) << error;
    };
    expect(R"({"op": "activation", "from": "stm"})",
           "unknown tensor \"stm\": no earlier row has this name; did you mean 'stem'? (known "
           "here: input, stem)");
    expect(R"({"op": "activation", "from": "stem.expand"})",
           "the row 'stem' has no such layer; did you mean 'stem.conv'? (known here: stem.conv)");
    expect(R"({"op": "activation", "from": -3})", "there is no tensor -3: only 2");
    expect(R"({"op": "activation", "from": "b"}, {"op": "activation", "name": "b"})",
           "no earlier row");
    expect(R"({"op": "activation", "name": "stem"})", "the name 'stem' stands twice");
    expect(R"({"op": "activation", "name": "input"})", "the name 'input' stands twice");
    expect(R"({"op": "add"})", "\"from\" names 1 tensors, it must name 2");
    expect(R"({"op": "activation", "from": [-1, -1]})", "it must name 1");
    expect(R"({"op": "concat", "from": -1})", "it must name 2 to 8");
    expect(R"({"op": "activation", "from": 0})", "from -1000 to -1");
    expect(R"({"op": "activation", "from": true})", "expected the name of a row");
    expect(R"({"op": "activation", "name": "B"})", "lower-case letters");
}

TEST(Rows, shapes_that_do_not_fit_name_the_row) {
    const auto expect = [](const std::string &rows, const std::string &part) {
        const std::string error = error_after_stem(rows);
        EXPECT_NE(error.find("x.json:/blocks/1: x, block1: "), std::string::npos) << error;
        EXPECT_NE(error.find(part), std::string::npos) << error;
    };
    expect(R"({"op": "conv", "channels": 16, "groups": 3})", "groups do not divide the channels");
    expect(R"({"op": "add", "from": ["stem", "input"]})", "it adds 32x32x3 to 16x16x8");
    expect(R"({"op": "concat", "from": ["stem", "input"]})",
           "concat from 16x16x8 and 32x32x3 to 16x16x11: its inputs differ in more than channels");
    expect(R"({"op": "slice", "first": 6, "channels": 3})", "reaches beyond the input's channels");
    expect(R"({"op": "reshape", "height": 1, "width": 1, "channels": 9})", "it keeps the elements");
    expect(R"({"op": "unfold", "patch": 3})", "patches do not divide the input");
    expect(R"({"op": "softmax", "groups": 3})", "groups do not divide");
    expect(R"({"op": "channel_scale", "from": ["stem", "stem"]})", "its gate is 1x1xC");
    expect(R"({"op": "conv", "channels": 8, "kernel": 17, "padding": "valid"})",
           "a window of 17 pixels without padding does not fit into 16x16x8");
    expect(R"({"op": "attention_scores", "from": ["stem", "input"]})", "keys have as many rows");
}

TEST(Rows, mistakes_in_a_row_are_found_when_it_is_read) {
    const auto expect = [](const std::string &row, const std::string &part) {
        const std::string error = error_of([&] { family_of(row); });
        EXPECT_NE(error.find(part), std::string::npos) << error;
    };
    expect(R"({"op": "conv", "channels": 8, "bias": true})",
           "a batch norm takes the place of a bias");
    expect(R"({"op": "conv", "channels": 8, "padding": "full"})",
           "/blocks/0/padding: unknown value");
    expect(R"({"op": "unfold"})", "/blocks/0: the key \"patch\" is missing");
    expect(R"({"op": "softmax", "heads": 2})", "/blocks/0: unknown key \"heads\"");
    expect(R"({"op": "conv", "channels": 8, "start": 2})", "/blocks/0/start: expected an integer");
    expect(R"({"op": "concat", "from": [-1, -1], "axis": "width"})", "/blocks/0/axis");
    expect(R"({"op": "chanel_shuffle"})", "did you mean 'channel_shuffle'");
}

TEST(Rows, printing_and_parsing_are_inverse) {
    for (
        const char *row : {
            R"({"op":"conv","channels":8,"kernel":5,"batch_norm":false,"bias":false,"groups":2,"dilation":2,"padding":"valid","start":1,"residual":"a.dw","layer_scale":true,"name":"b","from":-2,"when":"width > 1","repeat":3})",
            R"({"op":"depthwise","kernel":1,"padding":"same","residual":-3})",
            R"({"op":"average_pool","kernel":2,"stride":2,"count_padding":true})",
            R"({"op":"squeeze_excite","ratio":0.5,"of":"input","rounding":"truncate","activation":"swish","gate":"sigmoid"})",
            R"({"op":"add","activation":"relu","from":["a",-1]})",
            R"({"op":"attention_context","heads":4,"shared":true,"from":[-1,"v"]})",
            R"({"op":"concat","axis":"rows","from":["a","b","c"]})",
            R"({"op":"slice","first":3,"channels":5})",
            R"({"op":"reshape","height":1,"width":4,"channels":2})",
            R"({"op":"unfold","patch":3})",
            R"({"op":"fold","patch":2,"height":4,"width":6})",
            R"({"op":"resize","height":4,"width":6})",
            R"({"op":"classifier","activation":"sigmoid","bias":false})",
        }) {
        const Block block = read_block(JsonReader::parse(row, "row"));
        EXPECT_EQ(write_block(block).dump(), row);
        EXPECT_EQ(read_block(JsonReader::of(write_block(block), {})), block);
    }
}

TEST(Rows, every_kind_can_be_read_by_its_name) {
    for (const auto &name : block_kind_names()) {
        const Json row = {{"op", name},  {"from", {-1, -1}}, {"channels", 8}, {"inner", 8},
                          {"height", 1}, {"width", 1},       {"patch", 2}};
        // Every kind refuses keys of other kinds, but never its own name.
        const std::string error = error_of([&] { read_block(JsonReader::of(row, {})); });
        EXPECT_EQ(error.find("unknown value"), std::string::npos) << error;
    }
}

} // namespace
} // namespace edgefront
