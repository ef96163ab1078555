// What the first models share: a layer takes its fixed time plus the longest of its computing and
// of its traffic on each memory level. So no latency is below the compute bound or a memory bound.
#pragma once

#include "dsl/layer.h"
#include "hwmodels/cost.h"
#include "hwmodels/target.h"
#include "schedules/loop_nest.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// The constants all kinds have for each precision, looked up once.
struct Rates {
    double macs_per_cycle = 0; ///< of all multipliers of one core, unit or array
    double dense_efficiency = 1;
    double depthwise_efficiency = 1;
    double elements_per_cycle = 1;
    double pj_per_mac = 0;

    /// Time of the issued multiply-adds and of element-wise work.
    Cycles compute(const Layer &layer, const LoopNest &nest) const;
};

/// By DataType; those the target lacks stay zero, `workload_for` never lets them through.
using RatesByPrecision = std::array<Rates, 3>;
/// Everything but macs_per_cycle, which each kind makes up differently.
RatesByPrecision read_rates(const Target &target);

/// Bytes of one layer on one memory level, the level's rate and its price.
struct LevelLoad {
    std::string level;
    Bytes bytes;
    double gb_per_s = 0;
    double pj_per_byte = 0;
    BoundBy bound = BoundBy::memory;
};

/// A level without bytes: its rate and price from two constants of the target.
LevelLoad level_load(const Target &target, const std::string &level, const std::string &rate_key,
                     const std::string &price_key);

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

/// `level` with what of `bytes` a memory of `size` cannot hold.
LevelLoad spill(LevelLoad level, Bytes bytes, Bytes size);

/// Whole bytes of so many MiB.
Bytes mebibytes(double mib);

/// The verdict when the target file refuses the layer's operator or activation.
std::optional<Unsupported> refusal(const Target &target, const Layer &layer);

} // namespace edgefront
