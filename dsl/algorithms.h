// A Layer as a Halide algorithm: what is computed, without any order. Schedules (schedules/apply.h)
// decide the rest. fp32, dimensions (c, x, y), channels innermost.
#pragma once

#include "dsl/layer.h"

#include <Halide.h>

#include <functional>
#include <vector>

namespace edgefront {

/// Position of a weight in the one-dimensional weight buffer: output channel, step of the
/// reduction. Steps run over (ky, kx, ci) with ci fastest, or over (ky, kx) for depthwise layers.
using WeightIndex = std::function<Halide::Expr(Halide::Expr channel, Halide::Expr step)>;

/// The layouts of dsl/layer.h: [step][channel].
WeightIndex plain_weight_index(const Layer &layer);

struct Algorithm {
    Halide::Var c{"c"}, x{"x"}, y{"y"};
    Halide::Var side{"side"}, group{"group"}; ///< of `sum` when pixels are paired
    Halide::RDom window; ///< (ci, kx, ky) of dense layers, (kx, ky) of depthwise ones and pooling
    Halide::ImageParam input, residual, weights, bias; ///< defined where the layer has them
    std::vector<Halide::ImageParam> others;
    Halide::Func padded; ///< the input with zeros around it; undefined when no padding is read
    Halide::Func sum;    ///< the reduction; undefined for layers without
    Halide::Func output;

    /// The defined parameters in the order of Node::inputs, then weights and bias.
    std::vector<Halide::ImageParam> parameters() const;
};

/// What an algorithm has to know of the tiles it will be computed in.
struct ChannelTile {
    /// Output channels of a tile. One of a grouped convolution lies within one group, so that all
    /// of its channels read the same inputs.
    int width = 1;
    /// When not 0, the sums of a dense layer are written as sum(c, side, group, x, y), of channel
    /// group * pair_lanes + c and pixel 2 * x + side: a vector over (c, side) then holds two
    /// pixels, for channels that would leave half of it empty.
    int pair_lanes = 0;
};

/// Throws std::logic_error for a layer that is not fp32.
Algorithm make_algorithm(const Layer &layer, const WeightIndex &weight_index,
                         const ChannelTile &tile = {});

} // namespace edgefront
