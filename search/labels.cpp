#include "search/labels.h"

#include "base/error.h"

#include <algorithm>
#include <deque>
#include <numeric>

namespace edgefront {

ChoiceBits::ChoiceBits(const DesignSpace &space) {
    unsigned left = 64;
    for (const auto &axis : space.axes()) {
        unsigned bits = 1;
        while ((std::size_t{1} << bits) < axis.values.size() + 1) {
            bits++;
        }
        if (bits > left) {
            words_++;
            left = 64;
        }
        left -= bits;
        places_.push_back({words_ - 1, left, bits});
    }
}

Choices ChoiceBits::choices(const std::int64_t *words) const {
    Choices choices;
    for (std::size_t axis = 0; axis < places_.size(); axis++) {
        choices.push_back(get(words, axis));
    }
    return choices;
}

bool ChoiceBits::before(const std::int64_t *a, const std::int64_t *b) const {
    for (std::size_t w = 0; w < words_; w++) {
        if (a[w] != b[w]) {
            return static_cast<std::uint64_t>(a[w]) < static_cast<std::uint64_t>(b[w]);
        }
    }
    return false;
}

void Labels::append(const Labels &other) {
    data.insert(data.end(), other.data.begin(), other.data.end());
    factor = std::max(factor, other.factor);
}

namespace {

/// Labels next to each other in the order are compared one by one: so many.
constexpr std::size_t window = 32;

/// One pass over labels in the order of their keys, which puts whatever beats a label before it.
class Pruning {
public:
    /// `like`: for the shape of the result.
    Pruning(const Criteria &criteria, const ChoiceBits &bits, Tolerance tolerance,
            const Labels &like)
        : criteria_(criteria), bits_(bits), tolerance_(tolerance), n_(criteria.size()),
          ranked_(tolerance.delta == 0 && !criteria.has_strict() &&
                  !criteria.has_margin_objective()),
          // Better in an objective: certain for what lies in the tree when it is only compared with
          // a margin, or once the objectives have changed since.
          deferred_(tolerance.delta == 0 && !ranked_ && !criteria.has_margin_objective()),
          flagged_(criteria.flagged() && !ranked_), query_(n_ + ranked_),
          staircase_(criteria.has_strict() && n_ - flagged_ == 3),
          trees_(2, DominanceTree(n_ + ranked_ - flagged_)) {
        kept_.sums = like.sums;
        kept_.words = like.words;
    }

    /// All labels with these first keys, which are not less than those offered before.
    void offer(const Labels &labels) {
        labels_ = &labels;
        sort();
        if (ranked_) {
            rank();
        }
        for (const auto &entry : order_) {
            consider(labels.at(label_[entry.second]), keys(entry.second));
        }
    }

    Labels &kept() { return kept_; }

private:
    const std::int64_t *keys(std::size_t i) const { return keys_.data() + i * (n_ + ranked_); }
    const std::int64_t *kept_keys(std::size_t i) const {
        return kept_keys_.data() + i * (n_ + ranked_);
    }
    const std::int64_t *choices(std::size_t i) const { return labels_->choices(label_[i]); }

    /// Labels that can still keep the bounds, by keys, then by choices.
    void sort() {
        order_.clear();
        label_.clear();
        keys_.clear();
        for (std::size_t l = 0; l < labels_->size(); l++) {
            const std::size_t end = keys_.size();
            keys_.resize(end + n_ + ranked_);
            if (criteria_.keys(labels_->at(l), keys_.data() + end)) {
                order_.emplace_back(keys_[end], label_.size());
                label_.push_back(l);
            } else {
                keys_.resize(end);
            }
        }
        std::sort(order_.begin(), order_.end());
        const auto in_order = [&](const auto &a, const auto &b) {
            const std::int64_t *x = keys(a.second), *y = keys(b.second);
            for (std::size_t k = 1; k < n_; k++) {
                if (x[k] != y[k]) {
                    return x[k] < y[k];
                }
            }
            return bits_.before(choices(a.second), choices(b.second));
        };
        for (auto first = order_.begin(); first != order_.end();) {
            const auto last = std::find_if(first, order_.end(),
                                           [&](const auto &o) { return o.first != first->first; });
            std::sort(first, last, in_order);
            first = last;
        }
    }

    /// Without an objective that adds up, being before in the order of choices is a criterion.
    void rank() {
        std::vector<std::size_t> all(label_.size());
        std::iota(all.begin(), all.end(), 0);
        std::sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
            return bits_.before(choices(a), choices(b));
        });
        for (std::size_t r = 0; r < all.size(); r++) {
            keys_[all[r] * (n_ + 1) + n_] = static_cast<std::int64_t>(r);
        }
    }

    void consider(const std::int64_t *label, const std::int64_t *keys) {
        const std::size_t kept = kept_.size();
        if (in_tree_ < kept &&
            (!deferred_ || !criteria_.same_objectives(kept_keys(kept - 1), keys))) {
            for (; in_tree_ < kept; in_tree_++) {
                remember(kept_keys(in_tree_));
            }
        }
        criteria_.query(label, keys, tolerance_, query_.data());
        if (ranked_) {
            query_[n_] = keys[n_];
        }
        if (!known_to_be_beaten() && !beaten_by_neighbour(label, keys)) {
            kept_.push(label);
            kept_keys_.insert(kept_keys_.end(), keys, keys + n_ + ranked_);
        }
    }

    /// Labels that are safe in the last criterion beat all others, the others but their like.
    bool safe(const std::int64_t *keys) const { return !flagged_ || keys[n_ - 1] == safe_key; }

    void remember(const std::int64_t *keys) {
        const std::size_t part = safe(keys) ? 0 : 1;
        staircase_ ? staircases_[part].insert(keys) : trees_[part].insert(keys);
    }

    bool known_to_be_beaten() {
        const std::size_t parts = safe(query_.data()) ? 1 : 2;
        for (std::size_t part = 0; part < parts; part++) {
            if (staircase_ ? staircases_[part].find(query_.data())
                           : trees_[part].find(query_.data()) != nullptr) {
                return true;
            }
        }
        return false;
    }

    bool beaten_by_neighbour(const std::int64_t *label, const std::int64_t *keys) const {
        const std::size_t kept = kept_.size();
        for (std::size_t k = kept; k-- > 0 && kept - k <= window;) {
            const bool first = bits_.before(kept_.choices(k), label + kept_.sums);
            if (criteria_.beats(kept_.at(k), kept_keys(k), label, keys, first)) {
                return true;
            }
        }
        return false;
    }

    const Criteria &criteria_;
    const ChoiceBits &bits_;
    Tolerance tolerance_;
    std::size_t n_;
    bool ranked_, deferred_, flagged_;
    std::vector<std::int64_t> query_;
    // Of the labels offered: those with keys.
    const Labels *labels_ = nullptr;
    std::vector<std::size_t> label_;
    std::vector<std::int64_t> keys_;
    std::vector<std::pair<std::int64_t, std::size_t>> order_; ///< first key, index into label_
    Labels kept_;
    std::vector<std::int64_t> kept_keys_;
    std::size_t in_tree_ = 0; ///< of the labels kept
    bool staircase_;
    Staircase staircases_[2];
    std::vector<DominanceTree> trees_;
};

Labels empty_like(const Labels &labels) {
    return {labels.sums, labels.words, {}, labels.factor};
}

Rest range(const ExactProblem &problem, const Labels &labels) {
    Rest range;
    for (std::size_t i = 0; i < labels.size(); i++) {
        problem.widen(range, labels.at(i));
    }
    return range;
}

void extend_into(Labels &result, const ExactProblem &problem, const Extension &extension,
                 std::size_t member) {
    std::int64_t *label = result.push(extension.labels->at(member));
    problem.join(label, extension.added.data());
    for (std::size_t w = 0; w < result.words; w++) {
        label[result.sums + w] |= extension.choices[w];
    }
    result.note(result.size() - 1) = static_cast<std::int64_t>(member);
}

/// Extensions by one row keep the order of a sum, so theirs are merged without being stored.
std::optional<Labels> merge(const ExactProblem &problem, const Criteria &criteria,
                            const ChoiceBits &bits, const std::vector<Extension> &extensions,
                            const Criteria::Order &order, double delta, std::size_t most) {
    struct Run {
        const Extension *extension;
        const std::vector<std::size_t> *members;
        std::int64_t added = 0;
        std::size_t next = 0;
    };
    std::deque<std::vector<std::size_t>> sorted;
    std::vector<Run> runs;
    for (const Extension &extension : extensions) {
        const auto by_sum = [&](std::size_t a, std::size_t b) {
            return order.sign * extension.labels->at(a)[order.sum] <
                   order.sign * extension.labels->at(b)[order.sum];
        };
        const auto *members = extension.members;
        if (!std::is_sorted(members->begin(), members->end(), by_sum)) {
            sorted.push_back(*members);
            std::sort(sorted.back().begin(), sorted.back().end(), by_sum);
            members = &sorted.back();
        }
        runs.push_back({&extension, members, extension.added[order.sum]});
    }
    // A heap of runs, the one with the least first key on top.
    using Head = std::pair<std::int64_t, std::size_t>; // first key, index of the run
    std::vector<Head> heap;
    const auto head = [&](std::size_t r) {
        const Run &run = runs[r];
        const std::int64_t sum = run.extension->labels->at((*run.members)[run.next])[order.sum];
        return Head(order.sign * (sum + run.added), r);
    };
    for (std::size_t r = 0; r < runs.size(); r++) {
        heap.push_back(head(r));
    }
    std::sort(heap.begin(), heap.end());
    const auto sink = [&] {
        for (std::size_t i = 0, child = 1; child < heap.size(); i = child, child = 2 * i + 1) {
            child += child + 1 < heap.size() && heap[child + 1] < heap[child];
            if (heap[i] < heap[child]) {
                return;
            }
            std::swap(heap[i], heap[child]);
        }
    };
    Labels group = empty_like(*extensions.front().labels);
    Pruning pruning(criteria, bits, delta, group);
    while (!heap.empty()) {
        group.data.clear();
        const std::int64_t key = heap.front().first;
        while (!heap.empty() && heap.front().first == key) {
            Run &run = runs[heap.front().second];
            extend_into(group, problem, *run.extension, (*run.members)[run.next]);
            run.next++;
            if (run.next < run.members->size()) {
                heap.front() = head(heap.front().second);
            } else {
                heap.front() = heap.back();
                heap.pop_back();
            }
            sink();
        }
        pruning.offer(group);
        if (pruning.kept().size() > most) {
            return {};
        }
    }
    return std::move(pruning.kept());
}

} // namespace

Labels prune(const ExactProblem &problem, const Rest &rest, const ChoiceBits &bits,
             const Labels &labels, Tolerance tolerance) {
    Labels result = empty_like(labels);
    if (labels.size() > 0 && rest.possible) {
        const Criteria criteria(problem, rest, range(problem, labels), tolerance.delta > 0);
        Pruning pruning(criteria, bits, tolerance, labels);
        pruning.offer(labels);
        result.data = std::move(pruning.kept().data);
    }
    result.factor *= 1 + tolerance.delta;
    return result;
}

void refuse_hopeless(double delta) {
    if (delta > 1) {
        throw UserError("the bounds of this space keep more labels apart than fit into the memory "
                        "for labels; allow more of it, or drop a constraint");
    }
}

Labels fit(const ExactProblem &problem, const Rest &rest, const ChoiceBits &bits, Labels labels,
           std::size_t most) {
    for (double delta = 1e-4; labels.size() > most; delta *= 2) {
        refuse_hopeless(delta);
        labels = prune(problem, rest, bits, labels, delta);
    }
    return labels;
}

std::optional<Labels> extend(const ExactProblem &problem, const Rest &rest, const ChoiceBits &bits,
                             const std::vector<Extension> &extensions, double delta,
                             std::size_t most) {
    Labels result = empty_like(*extensions.front().labels);
    Rest own;
    for (const Extension &extension : extensions) {
        result.factor = std::max(result.factor, extension.labels->factor);
        problem.widen(own, extension.own.low.data());
        problem.widen(own, extension.own.high.data());
    }
    const Criteria criteria(problem, rest, own, delta > 0);
    if (const auto order = criteria.first_sum()) {
        auto kept = merge(problem, criteria, bits, extensions, *order, delta, most);
        if (kept) {
            kept->factor = result.factor * (1 + delta);
        }
        return kept;
    }
    for (const Extension &extension : extensions) {
        for (const std::size_t member : *extension.members) {
            extend_into(result, problem, extension, member);
        }
        if (result.size() > most) {
            result = fit(problem, rest, bits, prune(problem, rest, bits, result, 0), most / 2);
        }
    }
    return prune(problem, rest, bits, result, delta);
}

Labels prune_by(DominanceTree &front, const ExactProblem &problem, const Rest &rest,
                const Labels &labels) {
    Labels result = empty_like(labels);
    if (labels.size() == 0) {
        return result;
    }
    const Criteria criteria(problem, rest, range(problem, labels), false);
    std::vector<std::int64_t> ideal(problem.objectives().size());
    for (std::size_t i = 0; i < labels.size(); i++) {
        criteria.ideal(labels.at(i), ideal.data());
        const std::int64_t *point = front.find(ideal.data());
        if (point == nullptr || std::equal(ideal.begin(), ideal.end(), point)) {
            result.push(labels.at(i));
        }
    }
    return result;
}

} // namespace edgefront
