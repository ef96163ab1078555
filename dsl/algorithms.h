// A Layer as a Halide algorithm: what is computed, without any order. Schedules (schedules/apply.h)
// decide the rest. fp32. Tensors are seen in the dimensions that keep index arithmetic out of the
// loops, mostly (c, x, y): the bounds and strides of every parameter and of the output say how,
// always over the same NHWC memory.
#pragma once

#include "dsl/layer.h"

#include <Halide.h>

#include <functional>
#include <string>
#include <vector>

namespace edgefront {

/// Position of a weight in the one-dimensional weight buffer: output channel, step of the
/// reduction. Steps run over (ky, kx, ci) with ci fastest, or over (ky, kx) for depthwise layers.
using WeightIndex = std::function<Halide::Expr(Halide::Expr channel, Halide::Expr step)>;

/// The layouts of dsl/layer.h: [step][channel].
WeightIndex plain_weight_index(const Layer &layer);

/// A sum, or the largest, over the channels of a pixel (or of a row of pixels): first `width`
/// partial results, each of every width-th channel, so that it runs in vectors.
struct Statistic {
    Halide::Func partial, total;
    Halide::RDom tiles; ///< (tile of channels, pixel) of the partial results' first update
    Halide::RDom lanes; ///< of the total: the partial results
};

struct Algorithm {
    Halide::Var c{"c"}, x{"x"}, y{"y"};
    /// Heads of attention, groups of a shuffle or a softmax: the output is (c, part, x, y), `c`
    /// counting within a part.
    Halide::Var part{"part"};
    /// Of unfold and fold: the output is (c, x, y, column, row), pixel (row, column) of patch
    /// (y, x).
    Halide::Var column{"column"}, row{"row"};
    Halide::Var side{"side"}, group{"group"}; ///< of `sum` when pixels are paired
    /// (ci, kx, ky) of dense layers, (kx, ky) of those with a window per channel, steps of
    /// attention's products
    Halide::RDom window;
    std::vector<Halide::RDom> parts; ///< (lane, tile, row) of each input of concat
    Halide::ImageParam input, residual, weights, bias; ///< defined where the layer has them
    std::vector<Halide::ImageParam> others;
    Halide::Func source; ///< what is read as the input: the parameter, or the layer before
    Halide::Func padded; ///< the source with zeros around it; undefined when no padding is read
    Halide::Func sum;    ///< the reduction; undefined for layers without
    Halide::Func keys;   ///< attention_scores: (key, channel, part, y)
    Halide::Func exponentials;         ///< softmax: of the inputs, less the largest
    std::vector<Statistic> statistics; ///< of norms and softmax, in the order they are needed
    Halide::Func mean, scale;          ///< of norms and softmax: what follows from the statistics
    Halide::Func output;

    /// The defined activations in the order of Node::inputs.
    std::vector<Halide::ImageParam> activations() const;
};

/// What an algorithm has to know of the tiles it will be computed in.
struct ChannelTile {
    /// Output channels of a tile, at most as many as a part has. One of a grouped convolution lies
    /// within one group, so that all of its channels read the same inputs.
    int width = 1;
    /// When not 0, the sums of a dense layer are written as sum(c, side, group, x, y), of channel
    /// group * pair_lanes + c and pixel 2 * x + side: a vector over (c, side) then holds two
    /// pixels, for channels that would leave half of it empty.
    int pair_lanes = 0;
};

/// Where a layer stands in a kernel of several.
struct Place {
    Halide::Func before; ///< the layer whose output is the input; undefined: a parameter is
    std::string suffix;  ///< of the parameters' names, which have to differ within a kernel
};

/// Throws std::logic_error for a layer that is not fp32. A layer behind another one is a
/// convolution or has a window per channel.
Algorithm make_algorithm(const Layer &layer, const WeightIndex &weight_index,
                         const ChannelTile &tile = {}, const Place &place = {});

} // namespace edgefront
