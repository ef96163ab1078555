// What one kernel computes and how: a layer under a Schedule, or a chain of two or three layers
// whose tensors in between never leave the cache. A chain goes through its output in strips of
// rows; each layer computes the rows that the next one needs and has not had yet (a sliding
// window). Prints as one line and parses back:
//
//   "tile lanes=16 vectors=2 ..."                                        one layer
//   "strips rows=4 parts=2 | tile ... | tile ... | tile ..."             a chain
#pragma once

#include "dsl/network.h"
#include "schedules/schedule_space.h"

#include <string>
#include <vector>

namespace edgefront {

struct KernelPlan {
    int rows = 0;  ///< output rows of the last layer in a strip; 0 for a single layer
    int parts = 1; ///< that go through the strips by themselves, in parallel when there are several
    std::vector<Schedule> members;

    KernelPlan() = default;
    KernelPlan(const Schedule &schedule) : members{schedule} {}

    bool fused() const { return members.size() > 1; }
    bool parallel() const;
    bool operator==(const KernelPlan &o) const;
    bool operator!=(const KernelPlan &o) const { return !(*this == o); }
};

std::string to_string(const KernelPlan &plan);
/// Throws UserError as `parse_schedule` does, and for another number of members than one to three.
KernelPlan parse_kernel_plan(const std::string &text);

/// Nodes of a network, consecutive, that one kernel computes, and how.
struct KernelChoice {
    std::vector<int> nodes;
    KernelPlan plan;
};

/// Why layers, each the only consumer of the one before, cannot be a chain, as a sentence's end; ""
/// if they can: convolutions, the first one perhaps a scaling of channels.
std::string chain_obstacle(const std::vector<Layer> &layers);

/// Chains of a network, none in two of them: convolution-depthwise-pointwise wherever there is one,
/// of what is left depthwise-pointwise, convolution-depthwise, scaling-pointwise and two pointwise
/// ones. In the order of the network.
std::vector<std::vector<int>> kernel_groups(const Network &network);

/// Legal values of a chain's own knobs, ascending, and the space of every member's schedule.
struct ChainSpace {
    std::vector<int> rows;
    std::vector<int> parts;
    std::vector<ScheduleSpace> members;
    std::vector<Layer> layers;

    /// Of member `i` in strips of so many rows: its register tile may not reach beyond one.
    ScheduleSpace member(std::size_t i, int strip) const;
    bool contains(const KernelPlan &plan) const;
};

/// Throws std::logic_error unless the layers can be a chain.
ChainSpace chain_space(const std::vector<Layer> &layers, const IsaInfo &isa);

/// The plan is in the layer's schedule space, or in the chain's.
bool is_legal(const std::vector<Layer> &layers, const KernelPlan &plan, const IsaInfo &isa);

/// A good member of the chain's space: the layers' default schedules in strips whose tensors stay
/// in a second cache. `threads` > 1 asks for parts.
KernelPlan default_chain(const std::vector<Layer> &layers, const IsaInfo &isa, int threads = 1);

/// How often a part of the chain's output advances.
int strips_per_part(const std::vector<Layer> &layers, const KernelPlan &plan);

/// Rows of member `i`'s output that are kept at once; all of them for the last one.
int rows_kept(const std::vector<Layer> &layers, const KernelPlan &plan, std::size_t i);

/// Channels that are kept of every pixel of member `i`, which is not the last one: whole tiles of a
/// product, so that no vector has to stop early.
int channels_kept(const std::vector<Layer> &layers, const KernelPlan &plan, std::size_t i);

/// Memory that the kernel asks for while it runs, for one part.
Bytes scratch_bytes(const std::vector<Layer> &layers, const KernelPlan &plan);

} // namespace edgefront
