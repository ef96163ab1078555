// What something costs, what its time is spent on, and what kind of number that is.
//
//   for (const Share &share : shares(cost)) // multiply 0.8 ms, dram 0.1 ms, overhead 0.2 ms...
//       print(share.what, share.time / cost.latency);
#pragma once

#include "base/units.h"

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace edgefront {

/// `fitted`: between values of others, by a fit whose error stands beside it; `given`: the user's.
enum class CostKind { measured, counted, simulated, modelled, published, fitted, given };
std::string to_string(CostKind kind);
/// "measured" to "given", in enum order.
const std::vector<std::string> &cost_kind_names();

/// `nothing`: what takes no time.
enum class BoundBy { nothing, compute, memory, overhead, host_link };
std::string to_string(BoundBy bound);

/// What the time of computing, and of getting ready for it, is spent on.
enum class Activity {
    multiply,    ///< the useful multiply-adds, with every multiplier in use
    padding,     ///< multipliers and lanes that work on padding
    below_peak,  ///< kernels that reach less than the peak
    fill_drain,  ///< an array that is not yet, or no longer, full
    elementwise, ///< everything that is not multiplied
    overhead,    ///< fixed times
};
std::string to_string(Activity activity);
inline constexpr std::size_t activity_count = 6;

/// Bytes moved through one level of the memory hierarchy ("l2", "on_chip", "dram", "host_link").
struct LevelTraffic {
    std::string level;
    Bytes bytes;
    Bytes least = {};        ///< of `bytes`, what no mapping avoids: every tensor once
    Seconds least_time = {}; ///< of `least` at the level's rate
    Seconds waiting = {}; ///< what the level takes beyond the computing and levels it overlaps with
};

struct Cost {
    Cycles cycles;
    Seconds latency;
    Picojoules energy;
    Macs macs;
    Bytes registers; ///< read and written there by the multipliers
    /// From the level next to the multipliers, which everything passes, outwards.
    std::vector<LevelTraffic> traffic;
    /// By Activity. With the `waiting` of all levels they add up to `latency`; see `shares`.
    std::array<Seconds, activity_count> spent{};
    /// No mapping of this layer is faster on this device: the longest of its multiply-adds (those a
    /// fast convolution leaves) on all multipliers and of its unique bytes on each level. Of
    /// several layers: one after another.
    Seconds lower_bound;
    /// Useful MACs (those a fast convolution leaves) over what the multipliers could do in
    /// `latency`; 0 to 1.
    double utilisation = 0;
    BoundBy bound_by = BoundBy::nothing;
    CostKind kind = CostKind::modelled;
};

/// A part of a latency and what it is spent on: the name of an Activity or of a memory level.
struct Share {
    std::string what;
    Seconds time;
};
/// All activities, then all levels of the cost's traffic; they add up to its latency.
std::vector<Share> shares(const Cost &cost);

/// Where a cost stands under the roofline (Williams, Waterman and Patterson, CACM 2009) of the
/// level whose unique bytes take longest.
struct RooflinePosition {
    std::string level;
    double macs_per_byte = 0;
    /// With as many, bytes and multiply-adds take equally long; unknown without multiply-adds.
    std::optional<double> ridge_macs_per_byte;
    BoundBy side = BoundBy::memory; ///< compute or memory
};
/// Nothing when no bytes are moved.
std::optional<RooflinePosition> roofline_position(const Cost &cost);

/// No mapping satisfies the constraints; the search meets it often, so it is a value.
struct Infeasible {
    std::string reason;
};
/// The device cannot run this operator at all.
struct Unsupported {
    std::string reason;
};

/// The costs of parts done one after another: everything adds up, utilisation is weighted by time,
/// `bound_by` is what most of the time is spent on, `kind` is that of the first part.
Cost sum(const std::vector<Cost> &parts);

using Verdict = std::variant<Cost, Infeasible, Unsupported>;

} // namespace edgefront
