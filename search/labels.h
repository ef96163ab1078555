// The exact search's labels: networks of which the first blocks are chosen, kept by their sums and
// choices, and the pruning of those that cannot become members of the front.
#pragma once

#include "search/dominance_tree.h"
#include "search/exact_problem.h"

#include <optional>

namespace edgefront {

/// Choices as bits, first axis first, so that comparing words compares choices.
class ChoiceBits {
public:
    explicit ChoiceBits(const DesignSpace &space);
    std::size_t words() const { return words_; }
    void set(std::int64_t *words, std::size_t axis, int choice) const {
        const auto bits = static_cast<std::uint64_t>(choice - absent) << places_[axis].shift;
        words[places_[axis].word] =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(words[places_[axis].word]) | bits);
    }
    int get(const std::int64_t *words, std::size_t axis) const {
        const Place &place = places_[axis];
        const auto word = static_cast<std::uint64_t>(words[place.word]);
        return static_cast<int>((word >> place.shift) & ((std::uint64_t{1} << place.bits) - 1)) +
               absent;
    }
    Choices choices(const std::int64_t *words) const;
    /// Whether `a` stands before `b` in the order of Choices.
    bool before(const std::int64_t *a, const std::int64_t *b) const;

private:
    struct Place {
        std::size_t word = 0;
        unsigned shift = 0, bits = 0;
    };
    std::vector<Place> places_; ///< by axis
    std::size_t words_ = 1;
};

/// Rows of sums, then choices, then a note: which label was extended, later which options are worth
/// a try at the next position.
struct Labels {
    std::size_t sums = 0, words = 0;
    std::vector<std::int64_t> data;
    /// Every network that could be made from labels left out is matched, within this factor in each
    /// objective, by one made from those kept.
    double factor = 1;

    std::size_t row() const { return sums + words + 1; }
    std::size_t size() const { return data.size() / row(); }
    std::size_t bytes() const { return data.capacity() * sizeof(std::int64_t); }
    const std::int64_t *at(std::size_t i) const { return data.data() + i * row(); }
    const std::int64_t *choices(std::size_t i) const { return at(i) + sums; }
    std::int64_t &note(std::size_t i) { return data[(i + 1) * row() - 1]; }
    std::int64_t note(std::size_t i) const { return data[(i + 1) * row() - 1]; }
    /// Adds a copy and returns it.
    std::int64_t *push(const std::int64_t *label) {
        data.insert(data.end(), label, label + row());
        return data.data() + data.size() - row();
    }
    void append(const Labels &other);
};

/// What one label may be worse than another it stands for: a share of every objective.
struct Tolerance {
    double delta = 0;
    /// The share of what the labels themselves add to an objective, not of the whole network's. So
    /// tolerated, one choice per run of blocks makes all of them worse by this share together.
    bool of_own = false;

    Tolerance(double d = 0, bool own = false) : delta(d), of_own(own) {}
};

/// How sums of the first blocks are compared, given what is to come.
class Criteria {
public:
    /// `tolerant`: objectives may be compared with slack, so bounds need criteria of their own.
    /// `own`: the labels' least and largest sums.
    Criteria(const ExactProblem &problem, const Rest &rest, const Rest &own, bool tolerant);

    std::size_t size() const { return criteria_.size(); }
    /// One key per criterion, less is better; false when every completion breaks a bound.
    bool keys(const std::int64_t *sums, std::int64_t *keys) const;
    /// What a label's keys must not exceed to beat the one with these keys for certain, or to stand
    /// for it.
    void query(const std::int64_t *sums, const std::int64_t *keys, Tolerance tolerance,
               std::int64_t *query) const;
    /// Whether `a` is as good as `b` with every completion and better in an objective or, as
    /// `a_first` says, before it.
    bool beats(const std::int64_t *a, const std::int64_t *a_keys, const std::int64_t *b,
               const std::int64_t *b_keys, bool a_first) const;
    /// Whether two keys share the objectives in which better stays better whatever is to come.
    bool same_objectives(const std::int64_t *a, const std::int64_t *b) const;
    /// The sum whose order, times the sign, is that of the first key; if there is one.
    struct Order {
        std::size_t sum = 0;
        int sign = 1;
    };
    std::optional<Order> first_sum() const;
    bool has_strict() const { return strict_ > 0; }
    /// Whether the last criterion knows two keys only: safe_key and another.
    bool flagged() const { return flagged_; }
    /// An objective that is only compared with a margin: what is beaten in it is beaten strictly.
    bool has_margin_objective() const { return margin_objective_; }
    /// Keys of the best that completions could reach, one per objective of the space.
    void ideal(const std::int64_t *sums, std::int64_t *costs) const;

private:
    enum class Type {
        sum,         ///< objective that adds up
        earliest,    ///< timed objective with the lightest completion
        latest,      ///< and with the heaviest
        peak,        ///< objective
        most,        ///< bound from above
        most_latest, ///< the second of the two criteria of a timed one
        least,       ///< bound from below
        least_latest,
        least_peak,
        reach,
        mixing
    };
    struct Criterion {
        Type type;
        std::size_t goal = 0;
        std::int64_t margin = 0;
    };
    /// A timed goal among these labels.
    struct Timing {
        bool flat = true; ///< the part per network is `fixed` for all of them
        std::int64_t fixed = 0;
        bool straight = false;             ///< it is in proportion to the weights
        std::int64_t light = 0, heavy = 0; ///< weights to come
    };
    void time(const Rest &own);
    void list(const Rest &own, bool tolerant);
    std::int64_t timed(std::size_t goal, const std::int64_t *sums, bool latest) const;
    std::int64_t key(const Criterion &criterion, const std::int64_t *sums) const;
    bool hopeless(const std::int64_t *sums) const;
    std::int64_t slack(const Criterion &criterion, const std::int64_t *sums, std::int64_t key,
                       Tolerance tolerance) const;

    const ExactProblem &problem_;
    const Rest &rest_;
    std::vector<Timing> timings_; ///< by goal
    std::vector<Criterion> criteria_;
    std::size_t strict_ = 0; ///< the first so many criteria are objectives that add up
    bool margin_objective_ = false, flagged_ = false;
};

/// The labels that may still lead to the front: of those that become equal, the one with the
/// smallest choices. `delta` > 0 also leaves out what another label matches within a factor 1 +
/// delta in every objective; the result's factor says so.
Labels prune(const ExactProblem &problem, const Rest &rest, const ChoiceBits &bits,
             const Labels &labels, Tolerance delta);

/// Throws UserError when even this factor was not enough: bounds are kept exactly, so labels that
/// differ in what is bounded stay apart.
void refuse_hopeless(double delta);

/// Gives up exactness until there are at most so many labels; throws UserError when it is no use.
Labels fit(const ExactProblem &problem, const Rest &rest, const ChoiceBits &bits, Labels labels,
           std::size_t most);

/// Labels with the same blocks behind them. What results notes the index of the label.
struct Extension {
    const Labels *labels = nullptr;
    const std::vector<std::size_t> *members = nullptr; ///< those that are extended
    std::vector<std::int64_t> added;                   ///< sums of the blocks
    std::vector<std::int64_t> choices; ///< words to be joined to those of the labels
    Rest own;                          ///< bounds of the sums that result
};

/// `prune` of all labels that result, which are never stored all at once; nothing when more than
/// `most` stay.
std::optional<Labels> extend(const ExactProblem &problem, const Rest &rest, const ChoiceBits &bits,
                             const std::vector<Extension> &extensions, double delta,
                             std::size_t most);

/// Leaves out labels whose completions are all beaten by points of `front`, given as costs (less
/// is better) in the order of the objectives.
Labels prune_by(DominanceTree &front, const ExactProblem &problem, const Rest &rest,
                const Labels &labels);

} // namespace edgefront
