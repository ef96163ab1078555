#include "dsl/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace edgefront {

namespace {

/// One activation: when it is live (node indices, inclusive) and how much room it takes.
struct Interval {
    int tensor; ///< node index, -1 for the network's input
    int first;
    int last;
    std::int64_t bytes;
    std::int64_t offset = 0;
};

std::int64_t aligned(std::int64_t bytes) {
    return (bytes + MemoryPlan::alignment - 1) / MemoryPlan::alignment * MemoryPlan::alignment;
}

std::vector<Interval> live_intervals(const Network &network) {
    const int n = static_cast<int>(network.nodes.size());
    std::vector<Interval> result;
    const DataType input_type = network.nodes.front().layer.type;
    result.push_back({-1, 0, 0, network.input.elements() * size_of(input_type)});
    for (int i = 0; i < n; i++) {
        const Node &node = network.nodes[static_cast<std::size_t>(i)];
        result.push_back({i, i, i, output_bytes(node.layer).count()});
        for (const int producer : node.inputs) {
            result[static_cast<std::size_t>(producer + 1)].last = i;
        }
    }
    return result;
}

} // namespace

MemoryPlan plan_memory(const Network &network, bool external_io) {
    std::vector<Interval> tensors = live_intervals(network);
    const int n = static_cast<int>(network.nodes.size());

    MemoryPlan plan;
    for (int i = 0; i < n; i++) {
        Bytes live;
        for (const auto &t : tensors) {
            live += Bytes(t.first <= i && i <= t.last ? t.bytes : 0);
        }
        if (live > plan.peak) {
            plan.peak = live;
            plan.peak_node = i;
        }
    }

    // Largest first; each goes into the smallest gap between tensors that live at the same time.
    std::vector<std::size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return tensors[a].bytes > tensors[b].bytes;
    });
    std::vector<const Interval *> placed; // sorted by offset
    for (const std::size_t index : order) {
        Interval &t = tensors[index];
        if (external_io && (t.tensor == -1 || t.tensor == n - 1)) {
            continue;
        }
        const std::int64_t need = aligned(t.bytes);
        std::int64_t best = -1, best_gap = 0, cursor = 0;
        for (const Interval *p : placed) {
            if (p->last < t.first || t.last < p->first) {
                continue;
            }
            const std::int64_t gap = p->offset - cursor;
            if (gap >= need && (best < 0 || gap < best_gap)) {
                best = cursor;
                best_gap = gap;
            }
            cursor = std::max(cursor, p->offset + aligned(p->bytes));
        }
        t.offset = best >= 0 ? best : cursor;
        plan.arena = std::max(plan.arena, Bytes(t.offset + need));
        placed.insert(std::upper_bound(placed.begin(), placed.end(), &t,
                                       [](const Interval *a, const Interval *b) {
                                           return a->offset < b->offset;
                                       }),
                      &t);
    }

    for (const auto &t : tensors) {
        if (t.tensor == -1) {
            plan.input_offset = t.offset;
        } else {
            plan.offsets.push_back(t.offset);
        }
    }
    return plan;
}

} // namespace edgefront
