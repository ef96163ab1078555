// One row of a table as layers.
#pragma once

#include "dsl/layer_builder.h"

namespace edgefront {

struct RowInputs {
    std::vector<Tensor> from;    ///< in the order of the row
    std::optional<Tensor> added; ///< Block::added
    int list_channels = 0;       ///< of the first input of the list the row stands in
    bool scaled = true;          ///< channels follow the family's width rule (not in definitions)
};

/// Appends the layers of one repeat of any row but `defined`, with the stride of `block`.
Tensor expand(const Block &block, const RowInputs &inputs, LayerBuilder &layers);

} // namespace edgefront
