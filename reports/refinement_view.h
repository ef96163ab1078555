// First and second figures of the refined points of a front, side by side.
#pragma once

#include "reports/run_report.h"
#include "reports/table.h"
#include "search/run_directory.h"

namespace edgefront {

/// One row per refined point and objective that has second figures, by rank among them: both
/// figures, their ratio, the ranks by each (equal values share the better one), what kind of number
/// the second one is, the jitter of a measured one, what became of the point. The notes count the
/// standings and tell, per objective, the rank correlation of the two figures. No rows where
/// nothing is refined.
Table refinement_table(const RunResult &result);

/// The table, and what second figures change in the rest of a report; nothing where none is
/// refined.
void describe_refinement(RunReport &report, const RunResult &result);

} // namespace edgefront
