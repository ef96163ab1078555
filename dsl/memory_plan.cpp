#include "dsl/memory_plan.h"

#include "base/random.h"

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

std::vector<Interval> live_intervals(const Network &network,
                                     const std::vector<std::vector<int>> &chains) {
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
    for (const std::vector<int> &chain : chains) {
        const int first = chain.front(), last = chain.back();
        for (Interval &t : result) {
            if (t.tensor >= first && t.tensor < last) {
                t.bytes = 0;
            } else if (t.tensor == last) {
                t.first = first;
            } else if (t.last >= first && t.last < last) {
                t.last = last;
            }
        }
    }
    return result;
}

/// Gives each tensor, in this order, the smallest gap between those placed before it that live at
/// the same time. Returns the arena's size.
std::int64_t place(std::vector<Interval> &tensors, const std::vector<std::size_t> &order) {
    std::int64_t arena = 0;
    std::vector<const Interval *> placed; // sorted by offset
    for (const std::size_t index : order) {
        Interval &t = tensors[index];
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
        arena = std::max(arena, t.offset + need);
        const auto before = [](const Interval *a, const Interval *b) {
            return a->offset < b->offset;
        };
        placed.insert(std::upper_bound(placed.begin(), placed.end(), &t, before), &t);
    }
    return arena;
}

/// The sum of `tensors` that live during each layer.
std::vector<Bytes> live_bytes(const std::vector<Interval> &tensors, int layers) {
    std::vector<Bytes> live(static_cast<std::size_t>(layers));
    for (const auto &t : tensors) {
        for (int i = t.first; i <= t.last; i++) {
            live[static_cast<std::size_t>(i)] += Bytes(t.bytes);
        }
    }
    return live;
}

} // namespace

MemoryPlan plan_memory(const Network &network, bool external_io,
                       const std::vector<std::vector<int>> &chains) {
    const int n = static_cast<int>(network.nodes.size());
    std::vector<Interval> tensors = live_intervals(network, chains);

    MemoryPlan plan;
    plan.live = live_bytes(tensors, n);
    const auto peak = std::max_element(plan.live.begin(), plan.live.end());
    plan.peak = *peak;
    plan.peak_node = static_cast<int>(peak - plan.live.begin());
    if (external_io) {
        tensors.back().bytes = tensors.front().bytes = 0;
    }

    // Largest first is nearly always best; where it leaves a gap, exchanging two tensors of the
    // order mostly closes it. Seeded: equal networks get equal plans.
    std::vector<std::size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return tensors[a].bytes > tensors[b].bytes;
    });
    const std::vector<Bytes> inside = live_bytes(tensors, n);
    const std::int64_t bound = std::max_element(inside.begin(), inside.end())->count();
    std::int64_t arena = place(tensors, order);
    std::vector<Interval> best = tensors;
    Random random(1);
    for (int round = 0; round < 300 && arena > aligned(bound); round++) {
        std::vector<std::size_t> changed = order;
        std::swap(changed[random.below(changed.size())], changed[random.below(changed.size())]);
        const std::int64_t size = place(tensors, changed);
        if (size <= arena) {
            order = std::move(changed);
            if (size < arena) {
                arena = size;
                best = tensors;
            }
        }
    }

    plan.arena = Bytes(arena);
    plan.input_offset = best.front().offset;
    for (int i = 0; i < n; i++) {
        plan.offsets.push_back(best[static_cast<std::size_t>(i) + 1].offset);
    }
    return plan;
}

} // namespace edgefront
