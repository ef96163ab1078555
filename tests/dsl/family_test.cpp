#include "base/files.h"
#include "dsl/zoo.h"
#include "network_file.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

TEST(MakeDivisible, rounds_to_eights_and_never_loses_more_than_a_tenth) {
    EXPECT_EQ(make_divisible(11.2), 16); // the stem at width 0.35
    EXPECT_EQ(make_divisible(33.6), 32);
    EXPECT_EQ(make_divisible(4), 8);
    EXPECT_EQ(make_divisible(12), 16); // half rounds up
    EXPECT_EQ(make_divisible(184), 184);
}

TEST(WidthRule, mobilenet_v1_truncates) {
    const Zoo zoo;
    const WidthRule rule = zoo.get("mobilenet_v1").width;
    EXPECT_EQ(rule.scale(32, 0.35), 11);
    EXPECT_EQ(rule.scale(32, 0.1), 8);
}

/// Table 2 of arXiv:1801.04381, written in the C++ DSL.
Family mobilenet_v2() {
    Family f;
    f.activation = Activation::relu6;
    f.classes = 1001;
    f.padding = Padding::same;
    f.width.last = WidthRule::Last::above_one;
    f.blocks = {
        conv(32).k(3).s(2),
        inverted_bottleneck(16).e(1),
        inverted_bottleneck(24).e(6).n(2).s(2),
        inverted_bottleneck(32).e(6).n(3).s(2),
        inverted_bottleneck(64).e(6).n(4).s(2),
        inverted_bottleneck(96).e(6).n(3),
        inverted_bottleneck(160).e(6).n(3).s(2),
        inverted_bottleneck(320).e(6),
        conv(1280).k(1).is_last(),
        global_pool(),
        classifier(),
    };
    return f;
}

TEST(Family, the_cpp_table_and_the_json_table_of_mobilenet_v2_are_the_same) {
    const Zoo zoo;
    EXPECT_EQ(mobilenet_v2().blocks, zoo.get("mobilenet_v2").blocks);
    for (const double width : {0.35, 1.0, 1.4}) {
        const Network a = build(mobilenet_v2(), {width, 192});
        const Network b = build(zoo.get("mobilenet_v2"), {width, 192});
        ASSERT_EQ(a.nodes.size(), b.nodes.size());
        for (std::size_t i = 0; i < a.nodes.size(); i++) {
            EXPECT_EQ(key(a.nodes[i].layer), key(b.nodes[i].layer));
        }
    }
}

TEST(Family, writing_and_reading_back_changes_nothing) {
    const Zoo zoo;
    for (const auto &[name, family] : zoo.families()) {
        const std::string text = write_family(family).dump();
        const Family again = read_family(JsonReader::parse(text, name));
        EXPECT_EQ(write_family(again).dump(), text) << name;
        EXPECT_EQ(again.blocks, family.blocks) << name;
    }
}

TEST(Family, a_uib_puts_its_stride_on_the_middle_depthwise_when_there_is_one) {
    Family f;
    f.resolution = 32;
    f.blocks = {conv(16).s(2), uib(24).start_dw(5).mid_dw(3).s(2).e(4), uib(24).start_dw(3).e(2),
                uib(32).start_dw(3).s(2).e(2), uib(32).e(2)};
    const Network net = build(f);
    const auto layer = [&](const std::string &name) -> const Layer & {
        for (const auto &node : net.nodes) {
            if (node.name == name) {
                return node.layer;
            }
        }
        throw std::logic_error("no layer " + name);
    };
    EXPECT_EQ(layer("block1.start_dw").stride, 1);
    EXPECT_EQ(layer("block1.start_dw").activation, Activation::none);
    EXPECT_EQ(layer("block1.mid_dw").stride, 2);
    EXPECT_EQ(layer("block1.mid_dw").input.channels, 64);
    EXPECT_FALSE(layer("block1.project").residual);
    EXPECT_TRUE(layer("block2.project").residual);
    EXPECT_EQ(layer("block3.start_dw").stride, 2);
    EXPECT_TRUE(layer("block4.project").residual) << "an FFN block has a shortcut too";
}

TEST(Family, same_padding_puts_the_odd_row_at_the_bottom_and_symmetric_does_not) {
    Family f;
    f.blocks = {conv(16).k(3).s(2)};
    f.padding = Padding::same;
    EXPECT_EQ(build(f, {1, 224}).nodes[0].layer.pad_top, 0);
    EXPECT_EQ(build(f, {1, 225}).nodes[0].layer.pad_top, 1);
    f.padding = Padding::symmetric;
    EXPECT_EQ(build(f, {1, 224}).nodes[0].layer.pad_top, 1);
}

TEST(Family, refuses_a_width_or_resolution_that_makes_no_sense) {
    const Zoo zoo;
    const Family &family = zoo.get("mobilenet_v2");
    EXPECT_THROW(build(family, {0.0, 224}), UserError);
    EXPECT_THROW(build(family, {-1.0, 224}), UserError);
    EXPECT_THROW(build(family, {1.0, 8}), UserError);
}

TEST(Family, a_grouped_expansion_must_divide) {
    Family f;
    f.resolution = 32;
    f.blocks = {conv(16).s(2), fused_bottleneck(16).e(4)};
    f.blocks[1].group_size = 32;
    const Layer expand = build(f).nodes[1].layer;
    EXPECT_EQ(expand.groups, 2);
    EXPECT_EQ(weight_count(expand).count(), 9 * 8 * 64);
    EXPECT_EQ(macs(expand).count(), 9 * 8 * 64 * 16 * 16);
    f.blocks[1].group_size = 12;
    EXPECT_THROW(build(f), UserError);
}

TEST(Family, a_residual_bottleneck_projects_its_shortcut_where_shapes_differ) {
    Family f;
    f.resolution = 32;
    f.blocks = {conv(16).s(2), residual_bottleneck(8, 32).n(2).s(2)};
    const Network net = build(f);
    ASSERT_EQ(net.nodes.size(), 8u);
    EXPECT_EQ(net.nodes[1].name, "block1.shortcut");
    EXPECT_EQ(net.nodes[4].inputs, (std::vector<int>{3, 1}));
    EXPECT_EQ(net.nodes[7].inputs, (std::vector<int>{6, 4}));
    EXPECT_EQ(net.nodes[7].layer.activation, Activation::relu) << "after the addition";
}

TEST(Family, a_fully_connected_layer_on_a_map_is_a_convolution_of_its_size) {
    Family f;
    f.resolution = 16;
    f.blocks = {conv(8).s(2), max_pool(2), fully_connected(12), classifier()};
    const Network net = build(f);
    EXPECT_EQ(net.nodes[1].layer.pad_top, 0);
    EXPECT_EQ(net.nodes[2].layer.op, Op::conv2d);
    EXPECT_EQ(weight_count(net.nodes[2].layer).count(), 4 * 4 * 8 * 12);
    EXPECT_EQ(net.nodes[3].layer.op, Op::fully_connected);
}

TEST(FamilyJson, sizes_are_families_of_their_own) {
    const Zoo zoo;
    const Family &b4 = zoo.get("efficientnet_b4");
    EXPECT_EQ(b4.resolution, 380);
    EXPECT_EQ(zoo.get("tf_efficientnet_b4").name, "efficientnet_b4");
    EXPECT_EQ(build(b4).name, "efficientnet_b4");
    EXPECT_THROW(zoo.get("efficientnet"), UserError);
}

/// The families of a file with this text.
std::vector<Family> families_of(const std::string &text) {
    const std::filesystem::path path =
        std::filesystem::path(::testing::TempDir()) / "edgefront_sizes.json";
    write_file(path, text);
    return read_family_file(path);
}

TEST(FamilyJson, a_size_may_have_its_own_value_for_any_key) {
    const auto families = families_of(R"({
        "schema": "edgefront/network/1", "name": "x", "resolution": 224, "resolutions": [224, 192],
        "activation": "relu", "width": {"divisor": 4, "values": [1, 0.5]}, "classes": 1000,
        "define": {"d": {"parameters": {"channels": null}, "blocks": [{"op": "conv", "channels": "=channels"}]}},
        "sizes": {
            "small": {"aliases": ["tiny"], "blocks": [{"op": "d", "channels": 8}]},
            "large": {"width": 1.5, "resolution": 320, "input_width": 640, "activation": "gelu", "classes": 10,
                      "blocks": [{"op": "d", "channels": 16}, {"op": "conv", "channels": 16}]},
            "odd": {"width": {"rounding": "none"}, "padding": "same", "layer_scale": true, "depth": 2,
                    "blocks": [{"op": "conv", "channels": 58}]}}})");
    ASSERT_EQ(families.size(), 3u);
    EXPECT_EQ(families[0].name, "x_small");
    EXPECT_EQ(families[0].aliases, std::vector<std::string>{"tiny"});
    EXPECT_EQ(families[0].resolutions, (std::vector<int>{224, 192})) << "the file's";
    EXPECT_EQ(build(families[0]).output().channels, 8);
    EXPECT_EQ(families[1].base_width, 1.5);
    EXPECT_EQ(families[1].resolutions, std::vector<int>{320});
    EXPECT_EQ(families[1].classes, 10);
    EXPECT_EQ(families[1].width.divisor, 4);
    EXPECT_EQ(build(families[1]).input, (Shape{320, 640, 3}));
    EXPECT_EQ(build(families[1]).nodes[0].layer.activation, Activation::gelu);
    EXPECT_EQ(build(families[2]).output().channels, 58);
    EXPECT_EQ(families[2].width.values, (std::vector<double>{1, 0.5})) << "the rest of the rule";
    EXPECT_EQ(families[2].padding, Padding::same);
    EXPECT_TRUE(families[2].layer_scale);
    EXPECT_EQ(families[2].depth, 2);
}

TEST(FamilyJson, mistakes_in_a_size_name_their_place_there) {
    const auto error = [](const std::string &size) {
        return error_of([&] {
            families_of(R"({"schema": "edgefront/network/1", "name": "x", "resolution": 224,
                            "classes": 10, "activation": "relu", "sizes": {"s": )" +
                        size + "}}");
        });
    };
    EXPECT_NE(error(R"({"blocks": [{"op": "convv"}]})").find(":/sizes/s/blocks/0/op: "),
              std::string::npos);
    EXPECT_NE(error(R"({"blok": []})").find("the key \"blocks\" is missing"), std::string::npos);
    EXPECT_NE(error(R"({"name": "y", "blocks": [{"op": "global_pool"}]})")
                  .find(":/sizes/s: unknown key \"name\""),
              std::string::npos);
}

TEST(Variant, an_input_need_not_be_square) {
    const Zoo zoo;
    const Network net = zoo.network("mobilenet_v2@0.5,96x160");
    EXPECT_EQ(net.name, "mobilenet_v2@0.5,96x160");
    EXPECT_EQ(net.input, (Shape{96, 160, 3}));
    EXPECT_EQ(net.resolution, 96);
    EXPECT_EQ(net.nodes[0].layer.output, (Shape{48, 80, 16}));
    EXPECT_EQ(zoo.network("mobilenet_v2@1,224x224").name, "mobilenet_v2");
    EXPECT_EQ(macs(zoo.network("mobilenet_v2@1,128x192")).count() - 1281280,
              (macs(zoo.network("mobilenet_v2@1,128")).count() - 1281280) * 3 / 2);
    for (const char *bad : {"mobilenet_v2@1,96x", "mobilenet_v2@1,x96", "mobilenet_v2@1,96x9.5",
                            "mobilenet_v2@1,96x8", "mobilenet_v2@1,96x10000"}) {
        EXPECT_NE(error_of([&] { zoo.network(bad); }), "") << bad;
    }
}

TEST(Variant, a_file_may_have_an_input_that_is_not_square) {
    const Family f = family_of(R"({"op": "conv", "channels": 8})", "", R"("input_width": 64)");
    EXPECT_EQ(build(f).input, (Shape{32, 64, 3}));
    EXPECT_EQ(build(f).name, "x");
    EXPECT_EQ(build(f, Variant(1, 48)).input, (Shape{48, 48, 3}));
    EXPECT_EQ(build(f, Variant(1, 48)).name, "x@1,48");
    Variant wide;
    wide.input_width = 128;
    EXPECT_EQ(build(f, wide).name, "x@1,32x128");
    const std::string error =
        error_of([&] { build(family_of(R"({"op": "classifier"})", "", R"("input_width": 64)")); });
    EXPECT_NE(error.find("x.json:/blocks/0: x, block0: a fully connected layer on 32x64x3 needs"),
              std::string::npos)
        << error;
}

TEST(Variant, the_first_convolution_may_have_another_kernel) {
    const Zoo zoo;
    Variant variant;
    variant.stem_kernel = 5;
    const Network net = build(zoo.get("mobilenet_v1"), variant);
    EXPECT_EQ(net.nodes[0].layer.kernel, 5);
    EXPECT_EQ(net.nodes[0].layer.output, (Shape{112, 112, 32}));
    EXPECT_EQ(net.nodes[1].layer.kernel, 3);
    EXPECT_EQ(net.nodes[2].layer.kernel, 1);
    const Family none = family_of(R"({"op": "global_pool"})");
    EXPECT_NE(error_of([&] { build(none, variant); }).find("no first convolution"),
              std::string::npos);
}

TEST(BlockString, print_and_parse_are_inverse) {
    for (const char *text :
         {"uir_r1_a3_k5_s2_e4_c80", "uir_r4_a0_k3_s1_e2_c96", "uir_r1_a0_k0_s1_e2.5_c160"}) {
        EXPECT_EQ(to_block_string(parse_block_string(text)), text);
    }
    EXPECT_EQ(uib_type(parse_block_string("uir_a3_k5_c8")), "ExtraDW");
    EXPECT_EQ(uib_type(parse_block_string("uir_k5_c8")), "IB");
    EXPECT_EQ(uib_type(parse_block_string("uir_a3_c8")), "ConvNext");
    EXPECT_EQ(uib_type(parse_block_string("uir_c8")), "FFN");
}

TEST(BlockString, mistakes_are_named) {
    const auto error = [](const std::string &text) {
        return error_of([&] { parse_block_string(text); });
    };
    EXPECT_NE(error("ir_r1_k3").find("begin with \"uir\""), std::string::npos);
    EXPECT_NE(error("uir_r1_x3_c8").find("unknown part 'x'"), std::string::npos);
    EXPECT_NE(error("uir_a4_c8").find("kernels are odd"), std::string::npos);
    EXPECT_NE(error("uir_s2_c8").find("a stride needs a depthwise"), std::string::npos);
    EXPECT_NE(error("uir_a3").find("c, the output channels, is missing"), std::string::npos);
    EXPECT_NE(error("uir_a3_a3_c8").find("stands twice"), std::string::npos);
    EXPECT_NE(error("uir_a3.5_c8").find("must be an integer"), std::string::npos);
    EXPECT_NE(error("uir__c8").find("cannot read"), std::string::npos);
    EXPECT_NE(error("uir_c0").find("c must be from 1"), std::string::npos);
}

TEST(FamilyJson, mistakes_name_the_row_and_the_nearest_key) {
    const auto error = [](const std::string &row) {
        return error_of([&] {
            read_family(JsonReader::parse(
                "{\"schema\": \"edgefront/network/1\", \"name\": \"x\", \"resolution\": 224, "
                "\"classes\": 10, \"activation\": \"relu\", \"blocks\": [" +
                    row + "]}",
                "x.json"));
        });
    };
    EXPECT_EQ(error(R"({"op": "conv", "channels": 8})"), "");
    EXPECT_NE(error(R"({"op": "conv", "chanels": 8})")
                  .find("/blocks/0: the key \"channels\" is "
                        "missing; the nearest here is \"chanels\""),
              std::string::npos);
    EXPECT_NE(error(R"({"op": "conv", "channels": 8, "expansion": 6})")
                  .find("/blocks/0: unknown key \"expansion\""),
              std::string::npos);
    EXPECT_NE(error(R"({"op": "conv", "channels": 8}, {"op": "inverted_bottlneck", "channels": 8})")
                  .find("/blocks/1/op: unknown value"),
              std::string::npos);
    EXPECT_NE(error(R"("uir_a4_c8")").find("x.json:/blocks/0: 'uir_a4_c8'"), std::string::npos);
    EXPECT_NE(error("").find("at least one block"), std::string::npos);
}

} // namespace
} // namespace edgefront
