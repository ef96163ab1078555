// Which points of a front stay when quality is measured by something else: how much a decision
// depends on the choice of the axis. Costs stay what they are; networks that were not on the front
// are not considered.
#pragma once

#include "search/accuracy.h"
#include "search/naswot.h"
#include "search/run_directory.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// A quality of points, more is better.
struct QualityAxis {
    std::string name;                          ///< "macs", "params", "top1", "rank hint"
    std::string kind;                          ///< "counted", "fitted", "given", "rank hint"
    std::vector<std::optional<double>> values; ///< one per point; nothing: has none
    std::string note = {};                     ///< where they come from and how good they are
};

/// MACs and parameters of the points (unless the run minimises them), then its own top1.
std::vector<QualityAxis> own_axes(const RunResult &result, const std::vector<RunPoint> &points,
                                  const Zoo &zoo);
/// top1 from a source that need not be the run's. Throws UserError and AccuracyInterrupted as the
/// source does.
QualityAxis accuracy_axis(const RunResult &result, const std::vector<RunPoint> &points,
                          const Zoo &zoo, const AccuracySpec &spec, const AccuracyHooks &hooks);

/// Which scores `rank_hint_axis` computes.
struct RankHintRequest {
    NaswotOptions naswot;
    int resolution = 0;                        ///< of all networks; 0: each has its own
    std::function<void(std::size_t)> progress; ///< told how many points have a score
};
/// NASWOT scores (naswot.h): called "rank hint" everywhere. Throws NaswotInterrupted.
QualityAxis rank_hint_axis(const RunResult &result, const std::vector<RunPoint> &points,
                           const Zoo &zoo, const RankHintRequest &request);

struct AxisSwap {
    std::vector<std::string> costs; ///< the objectives that are minimised
    std::vector<QualityAxis> axes;
    /// Per axis, the points that none beats when it is the only quality; ascending indices.
    std::vector<std::vector<std::size_t>> stay;
    std::vector<std::size_t> everywhere; ///< on the fronts of all axes

    /// How many points of the front by axis `a` are on that by axis `b`.
    std::size_t common(std::size_t a, std::size_t b) const;
};

/// By first figures (refine.h), which all points have. Throws UserError when the run minimises
/// nothing or fewer than two axes are given.
AxisSwap swap_axes(const RunResult &result, const std::vector<RunPoint> &points,
                   std::vector<QualityAxis> axes);

} // namespace edgefront
