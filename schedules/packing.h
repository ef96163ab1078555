// Weights in the order a kernel reads them. Plain layouts are those of dsl/layer.h: conv2d
// [ky][kx][ci][co], depthwise [ky][kx][c], fully connected [k][n]; bias one per output channel.
//
// Packed for conv2d and fully connected: [n / NR][k][NR] with NR = lanes * vectors of the schedule
// and k running over (ky, kx, ci); the last tile is filled up with zeros, and so is the bias.
// Depthwise kernels read the plain layout.
#pragma once

#include "dsl/layer.h"
#include "schedules/schedule.h"

#include <cstdint>
#include <vector>

namespace edgefront {

/// Floats in the packed form; 0 for layers without weights.
std::int64_t packed_weight_count(const Layer &layer, const Schedule &schedule);
/// Floats in the packed bias; kernels with weights always take one (zeros for a layer without
/// bias).
std::int64_t packed_bias_count(const Layer &layer, const Schedule &schedule);

/// Throws std::logic_error when `plain` has another size than the layer's weights.
std::vector<float> pack_weights(const Layer &layer, const Schedule &schedule,
                                const std::vector<float> &plain);
/// `plain` holds one value per output channel, or is empty for a layer without bias.
std::vector<float> pack_bias(const Layer &layer, const Schedule &schedule,
                             const std::vector<float> &plain);

} // namespace edgefront
