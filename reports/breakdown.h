// Layer by layer: where the time of one network goes on the devices of a run.
#pragma once

#include "dsl/network.h"
#include "reports/run_report.h"

namespace edgefront {

/// Prices `network` on every target. A target that cannot be priced any more, or whose constants
/// have changed since the run, is named in `remarks`.
Breakdown break_down(const Network &network, const std::vector<RunTarget> &targets,
                     std::vector<std::string> &remarks);

} // namespace edgefront
