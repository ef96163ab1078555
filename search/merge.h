// Joins sweeps of one space: other seeds, other strategies, pieces from other machines.
#pragma once

#include "dsl/zoo.h"
#include "search/run_directory.h"

#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

/// A sweep's result and where it was found.
struct FoundRun {
    std::string folder;
    RunResult result;
};

/// The union of the fronts, without what is beaten in it, with the published networks held against
/// it. The result does not depend on the order of `runs`, and a merged front may be merged again:
/// its own runs are then taken one by one. Counters are the sums over the different runs; a run
/// that comes twice (same configuration) counts once. Fronts are joined by first figures; points
/// that are refined (refine.h) bring their second ones along and are ranked anew. Throws UserError,
/// with the differences, for runs whose space, targets, objectives, prices or models of accuracy
/// differ, that have different first figures of a network, or that are refined in different ways,
/// and for none at all. Growth, paths of netadapt and what a reward prefers belong to the
/// single runs and stay with them.
RunResult merge_runs(const std::vector<FoundRun> &runs, const Zoo &zoo);

/// Writes run.json, front.csv and front.json into `directory`, which is made. Throws UserError when
/// it holds another run.
void write_merged(const std::filesystem::path &directory, const RunResult &result);

} // namespace edgefront
