// Which points of a front stay when the axis of quality changes (search/axis_swap.h), to be read.
#pragma once

#include "reports/table.h"
#include "search/axis_swap.h"

namespace edgefront {

/// One row per axis: how many of the points it was asked about stay, and how many of those stay by
/// each other axis.
Table to_table(const AxisSwap &swap, const std::vector<RunPoint> &points);
/// {"costs", "points", "axes": [{"axis", "kind", "note", "without_value", "stay": [ids],
/// "common": {axis: n}}], "everywhere": [ids]}
Json to_json(const AxisSwap &swap, const std::vector<RunPoint> &points);
/// The points by rank hint, best first, beside their parameters and what they cost; the notes say
/// how far the two rankings agree.
Table hint_table(const RunResult &result, const std::vector<RunPoint> &points,
                 const std::vector<QualityAxis> &capacity, const QualityAxis &hint,
                 const RankHintRequest &request);
/// {"score": "naswot", "images", "seed", "resolution", "spearman_macs", "spearman_params",
/// "points": [...]}
Json hint_json(const std::vector<RunPoint> &points, const std::vector<QualityAxis> &capacity,
               const QualityAxis &hint, const RankHintRequest &request);

/// `sentence` about all points of a run's front and its own axes; "" where there are not two.
std::string axis_remark(const RunResult &result, const Zoo &zoo);
/// "Of 40 points 22 stay when macs alone is the quality, 18 when params is; 12 stay by each."
std::string sentence(const AxisSwap &swap, std::size_t points);

} // namespace edgefront
