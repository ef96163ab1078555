// A set of points that answers: is one of them nowhere above this one? Vectors of integers, less is
// better. Grows by insertion; k-d trees of doubling sizes, each node with the least corner of its
// box.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

namespace edgefront {

class DominanceTree {
public:
    explicit DominanceTree(std::size_t dimensions) : dimensions_(dimensions) {}

    /// Quickest when points come with their first coordinate ascending, and are asked for in the
    /// same order: trees split by the others.
    void insert(const std::int64_t *point);
    /// A point p with p[k] <= query[k] for every k, or nullptr. Valid until the next call.
    const std::int64_t *find(const std::int64_t *query);
    std::size_t bytes() const;

private:
    struct Tree {
        std::size_t leaves = 0;           ///< a power of two
        std::vector<std::int64_t> points; ///< leaf by leaf
        std::vector<std::int64_t> low;    ///< least corners of the nodes' boxes, as a heap
    };

    bool nowhere_above(const std::int64_t *a, const std::int64_t *b) const {
        for (std::size_t k = 0; k < dimensions_; k++) {
            if (a[k] > b[k]) {
                return false;
            }
        }
        return true;
    }
    void build(Tree &tree, const std::vector<const std::int64_t *> &points) const;
    const std::int64_t *find_in(const Tree &tree, std::size_t node,
                                const std::int64_t *query) const;
    const std::int64_t *remember(const std::int64_t *point);

    std::size_t dimensions_;
    std::vector<std::int64_t> buffer_;
    std::vector<Tree> trees_;          ///< tree i is empty or holds buffer * 2^i points
    std::vector<std::int64_t> recent_; ///< the last answers: neighbours share their dominators
    std::size_t next_recent_ = 0;
};

/// The same question where points come in the order of their first coordinate, have three, and are
/// asked for when no later one has come: the other two draw a staircase.
class Staircase {
public:
    void insert(const std::int64_t *point);
    bool find(const std::int64_t *query) const {
        const auto next = steps_.upper_bound(query[1]);
        return next != steps_.begin() && std::prev(next)->second <= query[2];
    }

private:
    std::map<std::int64_t, std::int64_t> steps_; ///< the third falls as the second rises
};

} // namespace edgefront
