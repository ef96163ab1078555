// What the first models share: a layer takes its fixed time plus the longest of its computing and
// of its traffic on each memory level. So no latency is below the compute bound or a memory bound.
// `roofline` is the one place where work becomes a cost, and where every cycle gets its name.
#pragma once

#include "dsl/layer.h"
#include "hwmodels/cost_model.h"
#include "schedules/loop_nest.h"

#include <array>
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
    Bytes least = {};          ///< of `bytes`, what no mapping avoids; for the lower bound
    Bytes exposed = {};        ///< of `bytes`, those that move while nothing else goes on
    double least_gb_per_s = 0; ///< rate of `least` where a mapping can change it; 0: `gb_per_s`
};

/// A level without bytes: its rate and price from two constants of the target.
LevelLoad level_load(const Target &target, const std::string &level, const std::string &rate_key,
                     const std::string &price_key);

struct Work {
    // Computing takes the sum of these three.
    Cycles compute; ///< of the multipliers
    Cycles fill_drain;
    Cycles elementwise;
    /// From the level next to the multipliers outwards.
    std::vector<LevelLoad> loads;
    Seconds overhead;
    Macs macs;
    Macs issued;   ///< with padded lanes and pixels; tells padding from kernels below the peak
    Macs repeated; ///< beyond `macs`: the same products again, part of `issued`; they cost energy
    /// Of `macs`, the share that is multiplied: below 1 where a fast convolution saves some.
    double executed = 1;
    double macs_per_cycle = 0; ///< of all multipliers in use, for the utilisation
    double pj_per_mac = 0;
    Bytes registers; ///< what the multipliers read and write there: they take energy, no time
    double register_pj_per_byte = 0;
    double clock_ghz = 1;
};

/// From level to level: the longer of all its bytes, and of what goes on meanwhile (computing and
/// the levels before it) with its exposed bytes behind each other. Computing is attributed first, a
/// level gets what it adds, so that the shares add up to the latency.
Cost roofline(const Work &work);

/// The constants that all kinds have, looked up once.
class CommonConstants {
public:
    explicit CommonConstants(const Target &target);

    /// Multiply-adds per cycle of all multipliers of one core, unit or array: what each kind makes
    /// up differently.
    void set_macs_per_cycle(DataType precision, double rate);
    /// A layer on one thread, but for what it moves: computing, fixed time, energy of
    /// multiply-adds and of their registers.
    Work layer_work(const Layer &layer, const LoopNest &nest, const Workload &workload) const;
    /// Share of the peak that kernels of this layer's kind reach.
    double efficiency(const Layer &layer, DataType precision) const;
    /// The fixed time of an inference; nothing computed, nothing moved.
    Work inference_work() const;

private:
    struct Rates {
        double macs_per_cycle = 0;
        double dense_efficiency = 1;
        double depthwise_efficiency = 1;
        double elements_per_cycle = 1;
        double pj_per_mac = 0;
    };
    /// By DataType; those the target lacks are never asked for, `workload_for` refuses them.
    std::array<Rates, 3> rates_{};
    double clock_ghz_;
    double register_pj_per_byte_;
    Seconds layer_overhead_;
    Seconds inference_overhead_;
};

/// `level` with what of `bytes` a memory of `size` cannot hold.
LevelLoad spill(LevelLoad level, Bytes bytes, Bytes size);

/// Whole bytes of so many MiB or KiB.
Bytes mebibytes(double mib);
Bytes kibibytes(double kib);

/// An optional constant of the target.
double constant_or(const Target &target, const std::string &key, double otherwise);

/// The verdict when the target file refuses the layer's operator or activation.
std::optional<Unsupported> refusal(const Target &target, const Layer &layer);

} // namespace edgefront
