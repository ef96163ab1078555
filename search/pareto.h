// The set of points no other point beats: what a search returns.
// Values stand in the order of the run's objectives, each with its sense.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace edgefront {

enum class Sense { minimise, maximise };

std::string to_string(Sense sense);
/// "minimise", "maximise", in enum order.
const std::vector<std::string> &sense_names();

/// Whether `a` is at least as good as `b` in every objective and better in one.
bool dominates(const std::vector<double> &a, const std::vector<double> &b,
               const std::vector<Sense> &senses);

/// A point of the search: one index per axis of the space (see design_space.h), and its values.
struct Member {
    std::vector<int> choices;
    std::vector<double> values; ///< one per objective
};

/// An antichain that grows point by point. The result does not depend on the order in which points
/// are offered: of points with equal values the one with the smallest choices stays.
class ParetoFront {
public:
    explicit ParetoFront(std::vector<Sense> senses) : senses_(std::move(senses)) {}

    /// Takes the point in and drops those it dominates, unless a member is as good or better.
    /// Returns whether it was taken in.
    bool admit(const Member &point);
    /// The same for many points at once: quicker when they or the members are thousands.
    void admit_all(std::vector<Member> points);

    /// Sorted by values, the best of the first objective first.
    const std::vector<Member> &members() const { return members_; }
    std::size_t size() const { return members_.size(); }
    const std::vector<Sense> &senses() const { return senses_; }

    /// Indices of the members that dominate `values`.
    std::vector<std::size_t> dominators(const std::vector<double> &values) const;
    /// Whether some member has exactly these values.
    bool contains(const std::vector<double> &values) const;

private:
    std::vector<double> costs_of(const std::vector<double> &values) const;

    std::vector<Sense> senses_;
    std::vector<Member> members_;
    std::vector<double> costs_; ///< of the members, one after the other: values, less is better
};

} // namespace edgefront
