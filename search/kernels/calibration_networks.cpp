#include "search/kernels/calibration_networks.h"

#include "base/random.h"

#include <algorithm>
#include <iterator>

namespace edgefront {

namespace {

/// Draws the numbers of a network.
class Draw {
public:
    explicit Draw(std::uint64_t seed) : random_(seed) {}

    template <typename T>
    T one_of(std::initializer_list<T> values) {
        return values.begin()[random_.below(values.size())];
    }
    bool chance(double p) { return random_.uniform() < p; }
    /// A multiple of 8.
    int channels(int least, int most) {
        const int steps = (most - least) / 8 + 1;
        return least + 8 * static_cast<int>(random_.below(static_cast<std::uint64_t>(steps)));
    }

private:
    Random random_;
};

SqueezeExcite squeeze_excite(Draw &draw) {
    SqueezeExcite se;
    se.activation = draw.one_of({Activation::relu, Activation::swish});
    se.gate = draw.one_of({Activation::hard_sigmoid, Activation::sigmoid});
    return se;
}

Block bottleneck(Draw &draw, int channels, int stride) {
    const double expansion = draw.one_of({2.0, 3.0, 4.0, 6.0});
    if (draw.chance(0.5)) {
        Block block = uib(channels).s(stride).e(expansion);
        block.start_dw(draw.one_of({0, 3, 3, 5, 5, 7})).mid_dw(draw.one_of({0, 3, 3, 5, 5, 7}));
        if (stride > 1 && block.start_kernel == 0 && block.mid_kernel == 0) {
            block.mid_dw(3);
        }
        return block;
    }
    Block block =
        inverted_bottleneck(channels).k(draw.one_of({3, 3, 3, 5, 5, 7})).s(stride).e(expansion);
    if (draw.chance(0.4)) {
        block.squeeze_excite(squeeze_excite(draw));
    }
    return block;
}

/// What follows the stem convolution, at a quarter of the resolution.
Block second_row(Draw &draw, int channels) {
    switch (draw.one_of({0, 1, 2, 3})) {
    case 0: return fused_bottleneck(channels).k(3).s(2).e(draw.one_of({2.0, 4.0}));
    case 1: return depthwise_separable(channels).k(3).s(2);
    case 2: return conv(channels).k(3).s(2);
    default: return max_pool(3).s(2);
    }
}

} // namespace

Family calibration_network(std::uint64_t seed, int index) {
    Family family;
    family.name = "calibration_" + std::to_string(index);
    family.paper = "none";
    family.source = "drawn by edgefront calibrate";
    Draw draw(derive_seed(seed, family.name));
    family.resolution = draw.one_of({128, 128, 160, 160, 192, 224, 224, 256});
    // In turn, so that a few networks have all of them.
    constexpr Activation activations[] = {
        Activation::relu, Activation::swish, Activation::relu6, Activation::hard_swish,
        Activation::relu, Activation::swish, Activation::relu,  Activation::hard_swish};
    family.activation = activations[static_cast<std::size_t>(index) % std::size(activations)];
    family.width.rounding = WidthRule::Rounding::none;
    family.width.values = {1};
    family.classes = draw.one_of({100, 1000, 1000});

    family.blocks.push_back(conv(draw.channels(16, 40)).k(3).s(2));
    if (draw.chance(0.5)) {
        family.blocks.push_back(depthwise_separable(draw.channels(16, 32)).k(3).s(1));
    }
    int channels = draw.channels(16, 48);
    family.blocks.push_back(second_row(draw, channels));
    for (const int stride : {1, 2, 2, 2}) {
        for (int row = 0; row < 2; row++) {
            family.blocks.push_back(bottleneck(draw, channels, row == 0 ? stride : 1));
        }
        if (draw.chance(0.15)) {
            family.blocks.push_back(conv(channels).k(3));
        }
        channels = std::min(channels + draw.channels(8, channels), 288);
    }
    family.blocks.push_back(conv(draw.channels(480, 1280)).k(1));
    family.blocks.push_back(global_pool());
    if (draw.chance(0.5)) {
        family.blocks.push_back(conv(draw.channels(960, 1440)).k(1));
    }
    family.blocks.push_back(classifier());
    return family;
}

} // namespace edgefront
