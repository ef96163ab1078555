// What the first models share: a layer takes its fixed time plus the longest of its computing and
// of its traffic on each memory level. So no latency is below the compute bound or a memory bound.
#pragma once

#include "dsl/layer.h"
#include "hwmodels/cost.h"
#include "hwmodels/target.h"
#include "schedules/loop_nest.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// Bytes of one layer on one memory level, the level's rate and its price.
struct LevelLoad {
    std::string level;
    Bytes bytes;
    double gb_per_s = 0;
    double pj_per_byte = 0;
    BoundBy bound = BoundBy::memory;
};

struct Work {
    Cycles compute;
    std::vector<LevelLoad> loads;
    Seconds overhead;
    Macs macs;
    double macs_per_cycle = 0; ///< of all multipliers in use, for the utilisation
    double pj_per_mac = 0;
    double clock_ghz = 1;
    bool overlapped = true; ///< false: computing and loads one after another
};

Cost roofline(const Work &work);

/// The verdict when the target file refuses the layer's operator or activation.
std::optional<Unsupported> refusal(const Target &target, const Layer &layer);

/// Element operations that take instructions of their own: all of the nest's but plain clamping
/// (relu, relu6), which is part of writing an output.
double priced_elements(const Layer &layer, const LoopNest &nest);

} // namespace edgefront
