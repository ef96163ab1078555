// A network with its numbers as an ONNX model, for every tool that reads those: fp32, batch 1,
// input "image" [1, 3, H, W], output "logits" [1, classes] (or [1, C, H, W] when the network ends
// in a map). Nodes are called after the layers ("/block3/expand/Conv"), initializers like the
// tensors of a checkpoint ("block3.expand.weight").
//
// Tensors are NCHW as ONNX's operators want them; tokens RxNxC are [1, C, R, N], so that linear
// layers over them are 1x1 convolutions too.
#pragma once

#include "dsl/weights.h"

#include <string>

namespace edgefront {

struct OnnxNotes {
    std::string tool_version;
    std::string weights; ///< where the numbers come from: "seed 1"
};

/// The bytes of the file; ONNX's own checker has passed it. The numbers are written as they are:
/// batch norms and layer scales of `checkpoint` become operators, so `folded_checkpoint` makes a
/// model without. A batch norm alone, once folded, is a product and a sum. Throws UserError when
/// the model is larger than ONNX files can be (2 GiB), std::out_of_range when a tensor is missing.
std::string onnx_model(const Network &network, TensorMap checkpoint, const OnnxNotes &notes);

} // namespace edgefront
