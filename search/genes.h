// What the heuristics share: the axes of a space that vary, networks drawn at random, networks one
// axis away, and one row of numbers that says how good a network is.
#pragma once

#include "base/json_reader.h"
#include "base/random.h"
#include "search/cost_tables.h"

#include <unordered_set>
#include <vector>

namespace edgefront {

/// An axis with more than one value.
struct Gene {
    std::size_t axis;
    int values;
};

class Genes {
public:
    /// `space` must outlive this.
    explicit Genes(const DesignSpace &space);

    const std::vector<Gene> &list() const { return genes_; }
    /// Every value of every gene is as likely; canonical.
    Choices draw(Random &random) const;
    /// The network with one axis changed, canonical. Blocks that a larger depth brings in are like
    /// the one before them, where their position offers that, else their first option.
    Choices with(const Choices &choices, std::size_t axis, int value) const;
    /// One gene that the network has, drawn at random, with another value.
    Choices mutate(const Choices &choices, Random &random) const;
    /// Every network with one axis changed, by axis and value.
    std::vector<Choices> neighbours(const Choices &choices) const;
    /// Canonical choices as a checkpoint has them; throws UserError.
    Choices read(const JsonReader &row) const;

private:
    Choices completed(Choices choices) const;

    const DesignSpace &space_;
    std::vector<Gene> genes_;
    std::vector<int> values_; ///< how many, by axis
    /// By axis and value of the axis before: the index of the same value, or 0.
    std::vector<std::vector<int>> same_as_before_;
};

/// Above every feasible objective, below infinity with any violation added.
constexpr double infeasible_fitness = 1e30;

/// The values with less as better in every one. What breaks a rule is worse than all that does not,
/// and the more so the further off it is. `least_size`: the last value is repeated up to it.
std::vector<double> fitness_of(const DesignSpace &space, const Evaluation &evaluation,
                               std::size_t least_size = 1);

/// Networks that were asked for already, by a 64-bit hash of their choices. Two that share one
/// (with 10^7 networks, in one run of some 10^5) count as the same, in every repetition alike.
class Seen {
public:
    /// Whether the network is new; from then on it is not.
    bool add(const Choices &choices);
    bool contains(const Choices &choices) const;
    std::size_t size() const { return order_.size(); }
    Json state() const { return order_; }
    void restore(const JsonReader &state);

private:
    std::vector<std::uint64_t> order_;
    std::unordered_set<std::uint64_t> hashes_;
};

} // namespace edgefront
