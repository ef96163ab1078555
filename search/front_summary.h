// What a front is made of, in words and numbers: printed after a sweep, shown in reports.
#pragma once

#include "search/design_space.h"
#include "search/run_directory.h"

#include <string>
#include <vector>

namespace edgefront {

/// The type of a choice "a3_k5_e4" on an axis "s1_b2" (`option_type`); "" for other axes and where
/// no block stands.
std::string block_type_of(const std::string &axis, const std::string &choice);

/// The four UIBs, then the other types of blocks that occur in the points.
std::vector<std::string> block_types(const RunResult &result);

/// How many blocks of each type stand in one stage of all points together.
struct StageMix {
    std::string stage;                ///< "s1", or of several skeletons' "small.s1"
    std::vector<std::int64_t> blocks; ///< by `block_types`

    std::int64_t total() const;
    double share(std::size_t type) const; ///< 0 to 1
};

/// One row per stage with blocks; the last one, "all", is their sum.
std::vector<StageMix> block_mix(const RunResult &result);

/// Where a published network stands: "on the front, as point 0ac242a1", "dominated by 36 points of
/// the front", or why it is neither.
std::string verdict(const PublishedMark &mark);

/// The point of a result that has one `preferred`: of points that share its id, that with most of
/// the reward.
const RunPoint &preferred_point(const RunResult &result);

/// "10 of 56 points refined by search: 8 on the front, 2 dominated", or "" where none is.
std::string refined_count(const RunResult &result);

/// "hypervolume 0.4123 of the box of extreme values (estimated); over the last 2000 evaluations it
/// grew by 0.04 %"; of a result with a trace.
std::string growth(const RunResult &result);

/// A few lines: counters, best points, composition, published networks.
std::string summary(const RunResult &result);

} // namespace edgefront
