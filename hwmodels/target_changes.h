// What if: a target with constants changed on the command line,
// "weight_memory_mib=16,clock_ghz=1.2".
#pragma once

#include "hwmodels/target.h"

#include <string>
#include <vector>

namespace edgefront {

/// Each text is KEY=VALUE, or several of them with commas between. Beside the keys of the target's
/// constants these are understood, where the target has what they stand for: the same quantity in
/// another unit (weight_memory_kib), array=ROWSxCOLUMNS, and sram for its scratchpad or on-chip
/// memory. Throws UserError for what is no KEY=VALUE, for a key given twice, and as `set_constants`
/// does.
Target with_changes(const Target &target, const std::vector<std::string> &texts);

} // namespace edgefront
