// Which values of each knob are legal for a layer on an instruction set, as data, and the schedule
// taken when nobody has tuned it.
#pragma once

#include "base/random.h"
#include "dsl/layer.h"
#include "schedules/schedule.h"

#include <limits>
#include <string>
#include <vector>

namespace edgefront {

/// What a schedule needs to know of a CPU.
struct IsaInfo {
    int lanes = 1;     ///< fp32 lanes of the widest vector register
    int registers = 1; ///< vector registers
    bool operator==(const IsaInfo &o) const { return lanes == o.lanes && registers == o.registers; }
};

/// What the default schedule needs to know of a core beside that. As it stands: the large x86 cores
/// of the last ten years, on which the defaults were measured.
struct CoreInfo {
    double multiplies = 2;       ///< vector multiply-adds it can start per cycle
    double loads = 2;            ///< vector loads it can start per cycle
    double latency = 4;          ///< cycles until a sum can be added to again
    double l1_bytes = 48 * 1024; ///< first data cache
    /// Instructions it can start per cycle. Without end: never what kernels wait for (on x86 loads
    /// and tests ride on other instructions).
    double issue = std::numeric_limits<double>::infinity();
    bool in_order = false; ///< what waits for an operand holds up all that follows

    bool operator==(const CoreInfo &o) const {
        return multiplies == o.multiplies && loads == o.loads && latency == o.latency &&
               l1_bytes == o.l1_bytes && issue == o.issue && in_order == o.in_order;
    }
};

/// From the features in a Halide target string; throws UserError for an architecture without entry.
IsaInfo isa_info(const std::string &halide_target);

/// Legal values of every knob, ascending (`depth`: from all at once to the smallest block).
/// `contains` couples them: the register tile has to fit beside one step's weights and one input
/// value; a reduction is blocked with channels_outer, block 1 and whole tiles of single pixels, the
/// sums of which wait on the stack, 128 KiB at most.
struct ScheduleSpace {
    std::vector<int> lanes;
    std::vector<int> vectors;
    std::vector<int> pixels;
    std::vector<int> rows;
    std::vector<int> unroll;
    std::vector<LoopOrder> order;
    std::vector<ParallelOver> parallel;
    std::vector<int> block;
    std::vector<int> prefetch;
    std::vector<int> depth;
    Layer layer; ///< what it is the space of
    IsaInfo isa;

    bool contains(const Schedule &schedule) const;
    /// Every schedule of the space with the first value of `block`, `prefetch` and `depth`,
    /// which only refine one, in knob order.
    std::vector<Schedule> all() const;
    /// One of `all()`, each equally likely, refined at random.
    Schedule draw(Random &random) const;
};

/// Whether vectors hold two neighbouring pixels, each with half as many channels as the machine has
/// lanes: no lane is lost when channels are an odd multiple of half a vector.
bool pairs_pixels(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

/// Vectors of sums that a register tile keeps.
int sums_held(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

ScheduleSpace schedule_space(const Layer &layer, const IsaInfo &isa);

/// Whether the register tile is of a size that default schedules look at: larger ones rarely gain
/// anything and take longer to compile.
bool has_modest_tile(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

/// A good member of the space for a core, from the shape alone. `threads` > 1 asks for parallel
/// loops where the layer has work enough to pay for them.
Schedule default_schedule(const Layer &layer, const IsaInfo &isa, int threads = 1,
                          const CoreInfo &core = {});
/// The same of a space with fewer values, at least one of each knob.
Schedule default_schedule(const ScheduleSpace &space, int threads = 1, const CoreInfo &core = {});

/// Modelled cycles of a member of the layer's space on one core, everything in the first cache:
/// what the default schedule is chosen by, good for ranking only. The order of loops, unrolling and
/// threads play no part.
double estimated_cycles(const Layer &layer, const Schedule &schedule, const IsaInfo &isa,
                        const CoreInfo &core = {});

} // namespace edgefront
