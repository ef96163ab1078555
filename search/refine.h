// A second look at the points of a front that matter most, at more expense than a search can afford
// for every candidate: their figures replace the first prediction, and they are ranked anew.
//
// - `search` prices the whole network on every target whose mappings are searched, with fused
//   groups and a larger budget (repricing.h): latency, frame rate, energy and peak memory there.
// - `measure` builds the network's kernels and times them on this machine: latency and frame rate
//   on the target "host".
//
// What is combined over targets (combination.h) is combined anew, of the second figures where a
// target has them and of the model's plain estimate elsewhere.
//
// Both figures stand in front.json. Only refined points are compared with each other; a point that
// another refined one beats, or whose second figures break a constraint, stays in the file and says
// so. What the search left out because of the first figures does not come back.
#pragma once

#include "dsl/zoo.h"
#include "search/kernels/measure.h"
#include "search/run_directory.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace edgefront {

struct RefineRequest {
    std::size_t points = 0;     ///< how many to have refined in the end, with those that are
    std::optional<RefineBy> by; ///< as the run was refined before; else search where that is one
    BenchOptions bench;         ///< measure
    bool timed = false;         ///< `bench` or `db` was asked for: an error for search
    std::filesystem::path db{}; ///< measure: of tuned plans
};

struct RefineProgress {
    std::size_t done = 0;
    std::size_t planned = 0; ///< in this call
    double share = 0;        ///< of the next one, 0 to 1
    std::string doing;
};

struct RefineHooks {
    std::function<bool()> stop;
    std::function<void(const RefineProgress &)> progress;
    BuildContext build; ///< measure; without a cache, the user's own
    /// measure; `edgefront::measure`, or the same more carefully.
    std::function<Measurement(const Network &, const MeasureOptions &)> measure =
        edgefront::measure;
    int threads = 1; ///< search; never changes the result
};

struct RefineOutcome {
    bool interrupted = false; ///< what is refined so far is saved
    std::size_t refined = 0;  ///< by this call
    RunResult result;
};

/// Refines the most promising points of a finished run: in the order of `promising`, those that are
/// refined already left as they are, those that failed tried again. Each point is saved
/// (refined.json) as it is done; at the end, and when stopped, front.json and front.csv are
/// written. Throws UserError when the run is not finished, has no objective to refine that way, was
/// refined the other way, or when the constants of its targets have changed.
RefineOutcome refine(const std::filesystem::path &directory, const Zoo &zoo,
                     const RefineRequest &request, const RefineHooks &hooks);

/// Indices of points by first figures, most promising first: the one a reward prefers, the knee,
/// published networks on the front, the best of every objective, the worst, and then again and
/// again the point farthest from all of these (front_view.h). At most `most`; fewer are the first
/// ones of more.
std::vector<std::size_t> promising(const RunResult &result, std::size_t most);

/// Compares the refined points with each other (`RefinedPoint::dominated_by`), and sorts all points
/// by the values that stand now.
void rank(RunResult &result);

/// How the points are refined, if any are.
std::optional<RefineBy> refined_by(const RunResult &result);

} // namespace edgefront
