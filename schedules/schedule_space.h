// Which values of each knob are legal for a layer on an instruction set, as data, and the schedule
// taken when nobody has tuned it.
#pragma once

#include "base/random.h"
#include "dsl/layer.h"
#include "schedules/schedule.h"

#include <string>
#include <vector>

namespace edgefront {

/// What a schedule needs to know of a CPU.
struct IsaInfo {
    int lanes = 1;     ///< fp32 lanes of the widest vector register
    int registers = 1; ///< vector registers
    bool operator==(const IsaInfo &o) const { return lanes == o.lanes && registers == o.registers; }
};

/// From the features in a Halide target string; throws UserError for an architecture without entry.
IsaInfo isa_info(const std::string &halide_target);

/// Legal values of every knob, ascending. `contains` couples them: the register tile has to fit
/// beside one step's weights and one input value.
struct ScheduleSpace {
    std::vector<int> lanes;
    std::vector<int> vectors;
    std::vector<int> pixels;
    std::vector<int> rows;
    std::vector<int> unroll;
    std::vector<LoopOrder> order;
    std::vector<ParallelOver> parallel;
    Layer layer; ///< what it is the space of
    IsaInfo isa;

    bool contains(const Schedule &schedule) const;
    /// Every schedule of the space, in knob order.
    std::vector<Schedule> all() const;
    /// One of `all()`, each equally likely.
    Schedule draw(Random &random) const;
};

/// Whether vectors hold two neighbouring pixels, each with half as many channels as the machine has
/// lanes: no lane is lost when channels are an odd multiple of half a vector.
bool pairs_pixels(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

/// Vectors of sums that a register tile keeps.
int sums_held(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

ScheduleSpace schedule_space(const Layer &layer, const IsaInfo &isa);

/// Modelled cycles of a member of the layer's space on one core, everything in the first cache. The
/// order of loops, unrolling and threads play no part.
double estimated_cycles(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

/// Whether the register tile is of a size that default schedules look at: larger ones rarely gain
/// anything and take longer to compile.
bool has_modest_tile(const Layer &layer, const Schedule &schedule, const IsaInfo &isa);

/// A good member of the space, from the shape alone. `threads` > 1 asks for parallel loops where
/// the layer has work enough to pay for them.
Schedule default_schedule(const Layer &layer, const IsaInfo &isa, int threads = 1);
/// The same of a space with fewer values, at least one of each knob.
Schedule default_schedule(const ScheduleSpace &space, int threads = 1);

} // namespace edgefront
