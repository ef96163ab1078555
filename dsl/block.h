// The rows of the papers' tables. A block says what one or several layers of a family look like at
// width 1; `build` (family.h) turns it into layers. Setters read like the table's columns:
//
//   inverted_bottleneck(24).k(3).s(2).e(6).n(2)      // MobileNetV2: c=24, t=6, n=2, s=2
//   uib(96).start_dw(5).mid_dw(5).s(2).e(3)          // MobileNetV4 ExtraDW
#pragma once

#include "base/json_reader.h"
#include "dsl/layer.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

enum class BlockKind {
    conv,                ///< k x k convolution + BN + activation
    depthwise_separable, ///< depthwise k x k + BN + act, 1x1 + BN + act (MobileNetV1)
    inverted_bottleneck, ///< 1x1 expand, depthwise, [squeeze-excite], 1x1 linear (V2, V3)
    fused_bottleneck,    ///< k x k strided expand, 1x1 linear (EdgeTPU, V4 stem)
    residual_bottleneck, ///< 1x1, k x k, 1x1; shortcut (a 1x1 where shapes differ), act (ResNet)
    uib,             ///< universal inverted bottleneck (V4): optional depthwise before and inside
    max_pool,        ///< k x k maximum
    global_pool,     ///< global average pooling
    fully_connected, ///< over all pixels and channels, with bias and activation
    classifier,      ///< fully connected to the number of classes
    // One operator each (dsl/layer.h), the parts of definitions.
    depthwise, ///< k x k + BN + act
    average_pool,
    squeeze_excite, ///< pool, two 1x1 convolutions, and the product with the input
    add,            ///< sum of two tensors
    activation,
    batch_norm, ///< alone, not after a convolution
    layer_norm,
    group_norm,
    softmax,
    attention_scores,
    attention_context,
    channel_scale,
    concat,
    slice,
    channel_shuffle,
    reshape,
    unfold,
    fold,
    resize,
    defined, ///< a row of the file's own making: `Block::definition` says which
};

/// All but `defined`, in order.
const std::vector<std::string> &block_kind_names();
std::string to_string(BlockKind kind);

enum class Padding {
    same,      ///< TensorFlow: total padding split with the odd row at the bottom and right
    symmetric, ///< PyTorch: kernel / 2 on every side
    valid,     ///< none: windows stay inside the input
};

/// A tensor that a row reads: the output of a named row or of one of its layers ("c4",
/// "c4.expand"), or the one made `back` tensors before.
struct Reference {
    std::string name;
    int back = 1; ///< without a name
    bool operator==(const Reference &o) const { return name == o.name && back == o.back; }
};

/// Squeeze-excite. Its inner width is a share of the expanded tensor's in MobileNetV3
/// (arXiv:1905.02244), of the block input's in EfficientNet and MnasNet.
struct SqueezeExcite {
    enum class Of { expanded, input };
    enum class Rounding { divisible, truncate }; ///< multiples of 8; down, but at least 1
    double ratio = 0.25;
    Of of = Of::expanded;
    Rounding rounding = Rounding::divisible;
    Activation activation = Activation::relu;
    Activation gate = Activation::hard_sigmoid;
    bool operator==(const SqueezeExcite &o) const {
        return ratio == o.ratio && of == o.of && rounding == o.rounding &&
               activation == o.activation && gate == o.gate;
    }
};

struct Block {
    BlockKind kind = BlockKind::conv;
    int channels = 0; ///< output channels at width 1; 0 for pooling and the classifier
    int kernel =
        3; ///< of the convolution or of the depthwise inside, or the patch; unused by `uib`
    int stride = 1; ///< of the first repeat; further ones have stride 1
    double expansion = 1;
    int repeat = 1;
    int start_kernel = 0; ///< uib: depthwise on the input width, no activation; 0 = absent
    int mid_kernel = 0;   ///< uib: depthwise on the expanded width; 0 = absent
    int group_size = 0;   ///< fused: channels per group of the expansion; 0 = not grouped
    int expansion_of = 0; ///< fused: width-1 channels the expansion multiplies; 0 = the input's
    int inner = 0;        ///< residual_bottleneck: channels of its first two convolutions
    int groups = 1;       ///< of channels, or heads
    int dilation = 1;
    int start = 0;             ///< conv: the first pixel it reads, down and across (NASNet: 1)
    int first = 0;             ///< slice: the first channel
    int height = 0, width = 0; ///< reshape, fold, resize
    std::optional<Activation> activation; ///< the family's own when empty
    std::optional<Padding> padding;       ///< the family's own when empty
    std::optional<SqueezeExcite> se;
    std::optional<Reference> added; ///< a tensor added before the activation
    std::optional<bool> with_bias;  ///< true when empty, unless there is a batch norm
    bool batch_norm = true;
    bool layer_scale = false;   ///< conv: a learned factor per channel (Node::layer_scale)
    bool last = false;          ///< the family's width rule for the last convolution applies
    bool fixed_width = false;   ///< its channels ignore the width multiplier
    bool fixed_depth = false;   ///< its repeats ignore the depth multiplier
    bool residual = true;       ///< false removes the shortcut even where shapes match
    bool count_padding = false; ///< average_pool: divide by the whole window everywhere
    bool rows = false;          ///< concat: along the height
    bool shared = false;        ///< attention_context: all heads use the same values

    std::string definition;          ///< of `defined`
    Json arguments = Json::object(); ///< its parameters
    std::string name;                ///< for references; may be empty
    std::vector<Reference> from;     ///< its inputs; the row before when empty
    std::string when;                ///< an expression; the row is left out when it is 0
    Where where;                     ///< for messages; no part of the value

    Block &k(int v) { return kernel = v, *this; }
    Block &s(int v) { return stride = v, *this; }
    Block &e(double v) { return expansion = v, *this; }
    Block &n(int v) { return repeat = v, *this; }
    Block &start_dw(int v) { return start_kernel = v, *this; }
    Block &mid_dw(int v) { return mid_kernel = v, *this; }
    Block &act(Activation v) { return activation = v, *this; }
    Block &squeeze_excite(SqueezeExcite v = {}) { return se = v, *this; }
    Block &is_last() { return last = true, *this; }
    Block &bias() { return batch_norm = false, *this; }
    Block &no_residual() { return residual = false, *this; }

    bool operator==(const Block &o) const;
    bool operator!=(const Block &o) const { return !(*this == o); }
};

Block conv(int channels);
Block depthwise_separable(int channels);
Block inverted_bottleneck(int channels);
Block fused_bottleneck(int channels);
Block uib(int channels);
Block residual_bottleneck(int inner, int channels);
Block max_pool(int kernel);
Block global_pool();
Block fully_connected(int channels);
Block classifier();

/// "ExtraDW", "IB", "ConvNext" or "FFN": which of the two depthwise convolutions a UIB has.
std::string uib_type(const Block &block);

/// timm's notation of a UIB block, e.g. "uir_r1_a3_k5_s2_e4_c80": repeats, start kernel (a), mid
/// kernel (k), stride, expansion, channels; an absent depthwise is written as 0.
std::string to_block_string(const Block &uib);
/// Parses the above, parts in any order after "uir"; missing parts: r1 a0 k0 s1 e1. Throws
/// UserError.
Block parse_block_string(const std::string &text);

} // namespace edgefront
