// Which fusions of a group are legal on an array and its scratchpad. As in a MappingSpace, the
// choices do not depend on the hardware's sizes but as an upper limit.
#pragma once

#include "schedules/fused_nest.h"
#include "schedules/mapping_space.h"

#include <functional>
#include <string>
#include <vector>

namespace edgefront {

/// The first limit of arrays and scratchpad that a fusion breaks, with its figures and the nearest
/// change that would keep it, as a sentence; "" when it is legal.
std::string fusion_problem(const std::vector<Layer> &layers, const Fusion &plan,
                           const ArrayLimits &limits);

/// Every fusion of the group but for its members: strips and slices that cut rows and channels
/// into about equal parts (ceil(n / t) for t = 1, 2, ...), both orders, lines kept or not, weights
/// that stay or not, two buffers and one. Choices that make no difference stand once: an order
/// needs several strips and slices, lines and buffers several strips.
void for_each_fusion(const std::vector<Layer> &layers, const ArrayLimits &limits,
                     const std::function<void(const Fusion &)> &visit);

/// One step of a member as a layer: the largest one, whose MappingSpace has the uses of the arrays
/// to choose from.
Layer largest_step(const std::vector<Layer> &layers, std::size_t i, std::int64_t rows,
                   std::int64_t slice);

} // namespace edgefront
