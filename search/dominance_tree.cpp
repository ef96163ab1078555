#include "search/dominance_tree.h"

#include <algorithm>

namespace edgefront {

namespace {

constexpr std::size_t leaf_size = 16;
constexpr std::size_t buffer_size = 64;
constexpr std::size_t most_recent = 8;

} // namespace

void DominanceTree::insert(const std::int64_t *point) {
    buffer_.insert(buffer_.end(), point, point + dimensions_);
    if (buffer_.size() < buffer_size * dimensions_) {
        return;
    }
    // Like adding 1 to a binary number: full trees are carried into the next free place.
    std::vector<const std::int64_t *> points;
    const auto take = [&](const std::vector<std::int64_t> &from) {
        for (std::size_t i = 0; i < from.size(); i += dimensions_) {
            points.push_back(from.data() + i);
        }
    };
    take(buffer_);
    std::size_t place = 0;
    for (; place < trees_.size() && trees_[place].leaves > 0; place++) {
        take(trees_[place].points);
    }
    Tree tree;
    build(tree, points);
    buffer_.clear();
    for (std::size_t i = 0; i < place; i++) {
        trees_[i] = Tree();
    }
    if (place == trees_.size()) {
        trees_.emplace_back();
    }
    trees_[place] = std::move(tree);
}

void DominanceTree::build(Tree &tree, const std::vector<const std::int64_t *> &given) const {
    std::vector<const std::int64_t *> points = given;
    tree.leaves = points.size() / leaf_size;
    // Split level by level, every node at its middle.
    std::size_t axis = 0;
    for (std::size_t nodes = 1; nodes < tree.leaves; nodes *= 2) {
        axis = axis + 1 < dimensions_ ? axis + 1 : (dimensions_ > 1 ? 1 : 0);
        const std::size_t each = points.size() / nodes;
        for (auto first = points.begin(); first != points.end();) {
            const auto last = first + static_cast<std::ptrdiff_t>(each);
            std::nth_element(first, first + static_cast<std::ptrdiff_t>(each / 2), last,
                             [axis](const auto *a, const auto *b) { return a[axis] < b[axis]; });
            first = last;
        }
    }
    tree.points.reserve(points.size() * dimensions_);
    for (const auto *point : points) {
        tree.points.insert(tree.points.end(), point, point + dimensions_);
    }
    tree.low.resize((2 * tree.leaves - 1) * dimensions_);
    for (std::size_t node = 2 * tree.leaves - 1; node-- > 0;) {
        for (std::size_t k = 0; k < dimensions_; k++) {
            std::int64_t &low = tree.low[node * dimensions_ + k];
            if (node + 1 < tree.leaves) {
                const std::size_t left = (2 * node + 1) * dimensions_ + k;
                low = std::min(tree.low[left], tree.low[left + dimensions_]);
                continue;
            }
            const std::int64_t *point =
                tree.points.data() + (node + 1 - tree.leaves) * leaf_size * dimensions_ + k;
            low = *point;
            for (std::size_t i = 1; i < leaf_size; i++) {
                low = std::min(low, point[i * dimensions_]);
            }
        }
    }
}

const std::int64_t *DominanceTree::find_in(const Tree &tree, std::size_t node,
                                           const std::int64_t *query) const {
    if (!nowhere_above(tree.low.data() + node * dimensions_, query)) {
        return nullptr;
    }
    if (node + 1 < tree.leaves) {
        const std::int64_t *found = find_in(tree, 2 * node + 1, query);
        return found != nullptr ? found : find_in(tree, 2 * node + 2, query);
    }
    const std::int64_t *point =
        tree.points.data() + (node + 1 - tree.leaves) * leaf_size * dimensions_;
    for (std::size_t i = 0; i < leaf_size; i++, point += dimensions_) {
        if (nowhere_above(point, query)) {
            return point;
        }
    }
    return nullptr;
}

const std::int64_t *DominanceTree::remember(const std::int64_t *point) {
    if (recent_.size() < most_recent * dimensions_) {
        recent_.insert(recent_.end(), point, point + dimensions_);
    } else {
        std::copy_n(point, dimensions_,
                    recent_.begin() + static_cast<std::ptrdiff_t>(next_recent_ * dimensions_));
        next_recent_ = (next_recent_ + 1) % most_recent;
    }
    return point;
}

const std::int64_t *DominanceTree::find(const std::int64_t *query) {
    for (std::size_t i = 0; i < recent_.size(); i += dimensions_) {
        if (nowhere_above(recent_.data() + i, query)) {
            return recent_.data() + i;
        }
    }
    for (std::size_t i = buffer_.size(); i > 0;) { // the newest are the most alike
        i -= dimensions_;
        if (nowhere_above(buffer_.data() + i, query)) {
            return remember(buffer_.data() + i);
        }
    }
    for (const Tree &tree : trees_) {
        if (tree.leaves > 0) {
            if (const auto *found = find_in(tree, 0, query)) {
                return remember(found);
            }
        }
    }
    return nullptr;
}

void Staircase::insert(const std::int64_t *point) {
    if (find(point)) {
        return;
    }
    auto step = steps_.insert_or_assign(point[1], point[2]).first;
    for (step++; step != steps_.end() && step->second >= point[2];) {
        step = steps_.erase(step);
    }
}

std::size_t DominanceTree::bytes() const {
    std::size_t numbers = buffer_.capacity();
    for (const Tree &tree : trees_) {
        numbers += tree.points.capacity() + tree.low.capacity();
    }
    return numbers * sizeof(std::int64_t);
}

} // namespace edgefront
