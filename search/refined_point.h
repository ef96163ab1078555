// The second figures of a point of a front, which replaced the first prediction (refine.h), and
// what they make of its place. In front.json they are the member "refined" of a point.
#pragma once

#include "base/json_reader.h"
#include "hwmodels/cost.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// Where second figures come from.
enum class RefineBy {
    search,  ///< the models' price of the best mappings and of fused groups
    measure, ///< the clock, on this machine
};
/// "search", "measure", in enum order.
const std::vector<std::string> &refine_by_names();
std::string to_string(RefineBy by);

/// Of a measured network; the latency is the median.
struct MeasuredTime {
    double median_ms = 0;
    double least_ms = 0;
    double p90_ms = 0;
    int runs = 0;

    /// The spread of the runs as a part of the median. Ranks go by medians alone: of points nearer
    /// to each other than this the order may be another the next time.
    double jitter() const { return (p90_ms - least_ms) / median_ms; }
};

struct RefinedPoint {
    RefineBy by = RefineBy::search;
    std::vector<double> predicted; ///< the first figures, one per objective
    /// Of the second figures, one per objective; nothing where the first one stays, because it has
    /// none.
    std::vector<std::optional<CostKind>> kinds;
    /// Why there are no second figures: the values are the first ones. Else empty.
    std::string failure;
    int fused = 0;                         ///< search: groups that are faster in one piece
    int unproven = 0;                      ///< search: mappings and fusions not proven best
    std::optional<MeasuredTime> time;      ///< measure
    std::vector<std::string> breaks;       ///< constraints that the second figures do not keep
    std::vector<std::string> dominated_by; ///< refined points that are better, by id
};

/// What second figures make of a point. Only refined points are compared with each other: a figure
/// of the search would win or lose against a refined one for no reason of the network's.
enum class Standing {
    not_refined, ///< on the front of the first figures
    on_front,    ///< refined, and no refined point is better
    dominated,   ///< by a refined point
    infeasible,  ///< the second figures break a constraint
    failed,      ///< there are no second figures
};
inline constexpr std::size_t standing_count = 5;
/// "not refined", "on the front"...
std::string to_string(Standing standing);

Json to_json(const RefinedPoint &point);
/// Throws UserError unless there is one figure and one kind per objective.
RefinedPoint read_refined_point(const JsonReader &json, std::size_t objectives);

} // namespace edgefront
