// Small groups of layers and fusions of them.
#pragma once

#include "schedules/fusion.h"
#include "tests/schedules/array_walk.h"

#include <algorithm>
#include <vector>

namespace edgefront {

inline Layer random_member(Random &random, const Shape &input, DataType type, bool depthwise,
                           int most_channels) {
    Layer l;
    l.type = type;
    l.input = input;
    l.bias = random.below(2) == 0;
    l.activation = random.below(2) == 0 ? Activation::relu6 : Activation::none;
    l.op = depthwise ? Op::depthwise_conv2d : Op::conv2d;
    l.kernel = depthwise ? 1 + 2 * up_to(random, 2) : random.below(4) == 0 ? 3 : 1;
    l.stride = random.below(3) == 0 ? 2 : 1;
    l.dilation = random.below(5) == 0 ? 2 : 1;
    l.pad_top = static_cast<int>(random.below(static_cast<std::uint64_t>(l.reach())));
    l.pad_left = l.reach() / 2;
    // As high as windows that begin inside allow, or a row less.
    const int height = (input.height - 1 + l.pad_top) / l.stride + 1;
    l.output = {std::max(1, height - static_cast<int>(random.below(2))),
                (input.width + l.stride - 1) / l.stride,
                depthwise ? input.channels : up_to(random, most_channels)};
    return l;
}

/// Two or three layers: mostly the usual kinds, sometimes any convolutions. `largest` is that of
/// the group's input; no tensor has more channels.
inline std::vector<Layer> random_group(Random &random, const Shape &largest = {14, 6, 7}) {
    const DataType type = random.below(2) == 0 ? DataType::int8 : DataType::fp32;
    const std::vector<std::vector<bool>> kinds = {
        {false, true, false}, {false, true, false}, {true, false},      {false, true},
        {false, false},       {true, true},         {true, false, true}};
    std::vector<Layer> layers;
    Shape input = {up_to(random, largest.height), up_to(random, largest.width),
                   up_to(random, largest.channels)};
    for (const bool depthwise : kinds[random.below(kinds.size())]) {
        layers.push_back(random_member(random, input, type, depthwise, largest.channels));
        input = layers.back().output;
    }
    layers.back().residual = random.below(3) == 0;
    return layers;
}

inline Fusion random_fusion(Random &random, const std::vector<Layer> &layers) {
    Fusion f;
    f.rows = up_to(random, layers.back().output.height);
    f.channels = static_cast<std::int64_t>(random.below(8));
    f.order = static_cast<FusionOrder>(random.below(2));
    f.keep_lines = random.below(2) == 0;
    f.weights_stay = random.below(2) == 0;
    f.double_buffered = random.below(2) == 0;
    for (std::size_t i = 0; i < layers.size(); i++) {
        f.members.push_back(parse_mapping(array_text(random_mapping(random))));
    }
    return f;
}

} // namespace edgefront
