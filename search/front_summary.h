// What a front is made of, in words and numbers: printed after a sweep, shown in reports.
#pragma once

#include "search/design_space.h"
#include "search/run_directory.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// The index into `uib_types` of a choice "a3_k5_e4" on an axis "s1_b2", or nothing for other axes
/// and absent blocks.
std::optional<std::size_t> uib_type_of(const std::string &axis, const std::string &choice);

/// How many blocks of each type stand in one stage of all points together.
struct StageMix {
    std::string stage; ///< "s1"
    std::array<std::int64_t, 4> blocks{};

    std::int64_t total() const;
    double share(std::size_t type) const; ///< 0 to 1
};

/// One row per stage of UIB blocks; the last one, "all", is their sum.
std::vector<StageMix> block_mix(const RunResult &result);

/// "10 of 56 points refined by search: 8 on the front, 2 dominated", or "" where none is.
std::string refined_count(const RunResult &result);

/// A few lines: counters, best points, composition, published networks.
std::string summary(const RunResult &result);

} // namespace edgefront
