// The accuracy axis, for those who ask for it: top-1 in percent from a source that the space or the
// command line names (accuracy_spec.h). Without one the quality of a network is its capacity. No
// source knows an architecture nobody has trained: what has no value is refused with the reason.
#pragma once

#include "dsl/zoo.h"
#include "search/cost_tables.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// What a source says about one network.
struct Top1 {
    double percent = 0;
    std::optional<std::size_t> refused; ///< index into `accuracy_rules`: there is no value
    std::string reason;                 ///< of the refusal, this network's own
};

/// A percentage that no network has shown, as it stands in files: no fit is better than a
/// thousandth of a point.
inline double rounded_percentage(double percent) {
    return std::round(percent * 1000) / 1000;
}

/// Where commands run and how many at once: nothing that changes a result.
struct AccuracyHooks {
    std::filesystem::path folder; ///< of the run: files of networks, and the cache by default
    std::filesystem::path cache;  ///< of the command's answers; empty: in `folder`
    int jobs = 1;                 ///< commands at the same time
    bool retry = false;           ///< run again what the cache holds as failed
    std::function<bool()> stop;
    /// Told while commands run: ended, to be run, of those that ended the failures.
    std::function<void(std::int64_t, std::int64_t, std::int64_t)> progress;
};

/// `AccuracyHooks::stop` said so while commands ran; those that had ended are in the cache.
struct AccuracyInterrupted {};

class AccuracySource {
public:
    virtual ~AccuracySource() = default;
    /// What must be known before the first candidate; may take long and throw AccuracyInterrupted.
    virtual void prepare() {}
    /// One answer per candidate (canonical choices), in order. May throw AccuracyInterrupted.
    virtual std::vector<Top1> top1(const std::vector<Choices> &candidates) = 0;
    /// How good the values are. `members`: the front, of which it says whose are predicted.
    virtual AccuracySummary summary(const std::vector<Member> &members) const = 0;
};

/// The source a space names; nothing when it names none. All arguments must outlive it. Throws
/// UserError for a source that cannot be: a table that is wrong or has changed, a grid too small, a
/// model that does not rank.
std::unique_ptr<AccuracySource> make_accuracy(const DesignSpace &space, const Zoo &zoo,
                                              const CostTables &tables, std::uint64_t seed,
                                              const AccuracyHooks &hooks);
/// One per kind of source.
std::unique_ptr<AccuracySource> make_anchored(const DesignSpace &space, const Zoo &zoo);

/// The spec with the hash of what it reads now; throws UserError where a hash it has is another.
AccuracySpec pinned(const AccuracySpec &spec);

/// Throws UserError when top1 is asked for and there is no source, or none asks for a source's
/// values, or the strategy cannot have top1.
void check_accuracy(const DesignSpace &space, const std::string &strategy);

/// Puts top1 into the objectives of an evaluation that is feasible so far, and judges it.
void add_top1(Evaluation &evaluation, const Top1 &top1, const DesignSpace &space,
              const CostTables &tables);

} // namespace edgefront
