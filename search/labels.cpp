#include "search/labels.h"

#include <algorithm>
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
    for (const auto &place : places_) {
        const auto word = static_cast<std::uint64_t>(words[place.word]);
        const std::uint64_t mask = (std::uint64_t{1} << place.bits) - 1;
        choices.push_back(static_cast<int>((word >> place.shift) & mask) + absent);
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
    Pruning(const Criteria &criteria, const ChoiceBits &bits, const Labels &labels, double delta)
        : criteria_(criteria), bits_(bits), labels_(labels), delta_(delta), n_(criteria.size()),
          ranked_(delta == 0 && !criteria.has_strict() && !criteria.has_margin_objective()),
          // Better in an objective: certain for what lies in the tree when it is only compared with
          // a margin, or once the objectives have changed since.
          deferred_(delta == 0 && !ranked_ && !criteria.has_margin_objective()),
          tree_(n_ + (ranked_ ? 1 : 0)) {}

    std::vector<std::size_t> kept() {
        sort();
        if (ranked_) {
            rank();
        }
        std::vector<std::size_t> kept, waiting;
        std::vector<std::int64_t> query(n_ + 1);
        for (const auto &[first, i] : order_) {
            if (!waiting.empty() && !criteria_.same_objectives(keys(waiting.back()), keys(i))) {
                for (const std::size_t w : waiting) {
                    tree_.insert(keys(w));
                }
                waiting.clear();
            }
            criteria_.query(labels_.at(label_[i]), keys(i), delta_, query.data());
            if (ranked_) {
                query[n_] = keys(i)[n_];
            }
            if (tree_.find(query.data()) != nullptr || beaten_by_neighbour(kept, i)) {
                continue;
            }
            kept.push_back(i);
            if (deferred_) {
                waiting.push_back(i);
            } else {
                tree_.insert(keys(i));
            }
        }
        for (std::size_t &i : kept) {
            i = label_[i];
        }
        return kept;
    }

private:
    const std::int64_t *keys(std::size_t i) const { return keys_.data() + i * (n_ + ranked_); }

    /// Labels that can still keep the bounds, by keys, then by choices.
    void sort() {
        std::vector<std::int64_t> own(n_ + 1, 0);
        for (std::size_t l = 0; l < labels_.size(); l++) {
            if (criteria_.keys(labels_.at(l), own.data())) {
                order_.emplace_back(own[0], label_.size());
                label_.push_back(l);
                keys_.insert(keys_.end(), own.begin(),
                             own.begin() + static_cast<std::ptrdiff_t>(n_ + ranked_));
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

    bool beaten_by_neighbour(const std::vector<std::size_t> &kept, std::size_t i) const {
        for (std::size_t k = kept.size(); k-- > 0 && kept.size() - k <= window;) {
            const std::size_t other = kept[k];
            if (criteria_.beats(labels_.at(label_[other]), keys(other), labels_.at(label_[i]),
                                keys(i), bits_.before(choices(other), choices(i)))) {
                return true;
            }
        }
        return false;
    }

    const std::int64_t *choices(std::size_t i) const { return labels_.choices(label_[i]); }

    const Criteria &criteria_;
    const ChoiceBits &bits_;
    const Labels &labels_;
    double delta_;
    std::size_t n_;
    bool ranked_, deferred_;
    std::vector<std::size_t> label_; ///< of what has keys
    std::vector<std::int64_t> keys_;
    std::vector<std::pair<std::int64_t, std::size_t>> order_; ///< first key, index into label_
    DominanceTree tree_;
};

Labels empty_like(const Labels &labels) {
    return {labels.sums, labels.words, {}, labels.factor};
}

} // namespace

Labels prune(const ExactProblem &problem, const Rest &rest, const ChoiceBits &bits,
             const Labels &labels, double delta) {
    Labels result = empty_like(labels);
    if (labels.size() == 0 || !rest.possible) {
        return result;
    }
    const Criteria criteria(problem, rest, labels, delta > 0);
    for (const std::size_t i : Pruning(criteria, bits, labels, delta).kept()) {
        result.push(labels.at(i));
    }
    result.factor *= 1 + delta;
    return result;
}

Labels prune_by(DominanceTree &front, const ExactProblem &problem, const Rest &rest,
                const Labels &labels) {
    Labels result = empty_like(labels);
    if (labels.size() == 0) {
        return result;
    }
    const Criteria criteria(problem, rest, labels, false);
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
