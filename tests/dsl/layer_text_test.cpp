#include "base/error.h"
#include "dsl/layer_text.h"
#include "dsl/zoo.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

TEST(LayerText, EveryKeyOfTheZooReadsBack) {
    const Zoo zoo;
    std::size_t layers = 0;
    for (const char *name :
         {"mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v4_hybrid_medium",
          "efficientnet_b0", "efficientnet_edgetpu_s", "mobilevit_s", "shufflenet_v2_x1_0"}) {
        if (zoo.families().count(name) == 0) {
            continue;
        }
        for (const Node &node : zoo.network(name).nodes) {
            EXPECT_EQ(parse_layer_key(key(node.layer)), node.layer) << key(node.layer);
            EXPECT_EQ(parse_layer(key(node.layer)), node.layer);
            layers++;
        }
    }
    EXPECT_GT(layers, 300u);
}

TEST(LayerText, KeysWithEveryPartReadBack) {
    Layer l;
    l.op = Op::conv2d;
    l.type = DataType::int8;
    l.input = {9, 8, 32};
    l.output = {5, 4, 64};
    l.kernel = 3;
    l.stride = 2;
    l.dilation = 2;
    l.groups = 2;
    l.pad_top = -1;
    l.pad_left = 2;
    l.bias = l.residual = true;
    l.activation = Activation::gelu;
    EXPECT_EQ(parse_layer_key(key(l)), l) << key(l);
    l.groups = 1; // "-gelu" is no group
    EXPECT_EQ(parse_layer_key(key(l)), l) << key(l);
}

TEST(LayerText, WordsLeaveOutWhatIsUsual) {
    EXPECT_EQ(key(parse_layer("conv2d 14x14x96 -> 576")),
              "conv2d-fp32-14x14x96-14x14x576-k1s1p0.0-bias");
    EXPECT_EQ(key(parse_layer("  depthwise_conv2d 56x56x144  kernel=3 stride=2 activation=relu6")),
              "depthwise_conv2d-fp32-56x56x144-28x28x144-k3s2p1.1-bias-relu6");
    EXPECT_EQ(key(parse_layer("fully_connected 1x1x1280 -> 1001 bias=no")),
              "fully_connected-fp32-1x1x1280-1x1x1001");
    EXPECT_EQ(key(parse_layer("global_average_pool 7x7x960")),
              "global_average_pool-fp32-7x7x960-1x1x960");
    EXPECT_EQ(key(parse_layer("channel_scale 7x7x960 with=1x1x960")),
              "channel_scale-fp32-7x7x960-7x7x960-with1x1x960");
    EXPECT_EQ(key(parse_layer("conv2d 7x7x8 -> 7x7x8 residual=yes padding=0.0")),
              "conv2d-fp32-7x7x8-7x7x8-k1s1p0.0-bias-residual");
}

void refuses(const std::string &text, const std::string &part) {
    try {
        parse_layer(text);
        ADD_FAILURE() << text;
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
}

TEST(LayerText, SaysWhatIsWrong) {
    refuses("", "unknown operator ''");
    refuses("conv2e 14x14x96 -> 576", "did you mean 'conv2d'");
    refuses("conv2d 14x14", "expected HEIGHTxWIDTHxCHANNELS");
    refuses("conv2d 14x14x96 ->", "behind '->'");
    refuses("conv2d 14x14x96 -> 576 kernal=3", "did you mean 'kernel'");
    refuses("conv2d 14x14x96 -> 576 kernel=0", "kernel is '0', expected an integer from 1");
    refuses("conv2d 14x14x96 -> 576 relu6", "'relu6' is no knob=value");
    refuses("conv2d 14x14x96 -> 576 activation=relu66", "did you mean 'relu6'");
    refuses("conv2d 14x14x96 -> 576 groups=5", "its groups do not divide the channels");
    refuses("depthwise_conv2d 14x14x96 -> 576", "it keeps the channels");
    refuses("conv2d-fp32-14x14x96-14x14x576-k1s1p0.0-bias-relu6-more", "expected the end");
    refuses("conv2d-fp32-14x14x96-14x14x576", "'-k'");
    refuses("conv2d-fp31-14x14x96-14x14x576-k1s1p0.0", "unknown type");
    refuses("conv2d-fp32-14x99999999999x96-14x14x576-k1s1p0.0", "a number from 1");
}

TEST(LayerText, RefusesKnobsThatTheOperatorDoesNotHave) {
    refuses("fully_connected 1x1x64 -> 10 kernel=3", "fully_connected has no kernel");
    refuses("fully_connected 1x1x64 -> 10 stride=2", "expected one of activation, bias");
    refuses("global_average_pool 7x7x960 bias=yes", "global_average_pool has no bias");
    refuses("max_pool 8x8x16 kernel=2 dilation=2", "max_pool has no dilation");
    refuses("depthwise_conv2d 8x8x16 kernel=3 groups=2", "depthwise_conv2d has no groups");
    refuses("conv2d 8x8x16 -> 8 count_padding=yes", "conv2d has no count_padding");
    refuses("conv2d 8x8x16 -> 8 first_channel=4", "conv2d has no first_channel");
    refuses("elementwise 8x8x16 padding=1.1", "elementwise has no padding");
    refuses("conv2d 14x14x96 -> 576 kernel=1 kernel=3", "kernel stands there twice");
}

TEST(LayerText, TakesTheKnobsThatTheOperatorHas) {
    EXPECT_EQ(key(parse_layer("average_pool 8x8x16 -> 4x4x16 kernel=2 stride=2 count_padding=yes")),
              "average_pool-fp32-8x8x16-4x4x16-k2s2p0.0-padded");
    EXPECT_EQ(key(parse_layer("slice 8x8x16 -> 4 first_channel=8")),
              "slice-fp32-8x8x16-8x8x4-from8");
    EXPECT_EQ(key(parse_layer("unfold 4x4x8 -> 4x4x8 kernel=2")), "unfold-fp32-4x4x8-4x4x8-k2");
    EXPECT_EQ(key(parse_layer("channel_shuffle 4x4x8 groups=2")),
              "channel_shuffle-fp32-4x4x8-4x4x8-g2");
    EXPECT_EQ(key(parse_layer("concat 4x4x8 -> 24 with=4x4x8 with=4x4x8")),
              "concat-fp32-4x4x8-4x4x24-with4x4x8-with4x4x8");
}

} // namespace
} // namespace edgefront
