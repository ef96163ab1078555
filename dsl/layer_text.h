// A layer as people write it, and its workload key, read back.
//
//   conv2d 14x14x96 -> 576 activation=relu6
//   depthwise_conv2d 56x56x144 kernel=3 stride=2 activation=relu6
//   attention_scores 1x49x384 -> 1x49x392 with=1x49x384 groups=8
//   conv2d-fp32-14x14x96-14x14x576-k1s1p0.0-bias-relu6
#pragma once

#include "dsl/layer.h"

#include <string>

namespace edgefront {

/// Either form. Of the first, what is left out is as usual: the output's channels are the input's
/// and its size follows from stride and symmetric padding, kernels are 1x1, layers with weights
/// have a bias ("bias=no" says otherwise). Knobs: kernel, stride, dilation, groups,
/// padding=ROWS.COLUMNS, first_channel, with=SHAPE (repeatable), activation, bias, residual,
/// count_padding. Throws UserError for what does not read as a layer, or as an impossible one.
Layer parse_layer(const std::string &text);

/// The key form alone: `parse_layer_key(key(layer)) == layer`.
Layer parse_layer_key(const std::string &text);

} // namespace edgefront
