// How a front was searched, as the lines of a report.
#pragma once

#include "reports/run_report.h"

namespace edgefront {

/// The strategy with its options as run.json has them; of a merged front, how each of its runs was
/// searched. Then what a strategy says beyond the front: the network that a reward prefers, the
/// steps of a path.
std::vector<Fact> strategy_facts(const RunResult &result);

/// The command that makes a merged front again.
std::string merge_command(const RunConfig &config);

} // namespace edgefront
