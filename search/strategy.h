// How a sweep walks the space: a strategy is asked for candidates and told what they cost, again
// and again. What it proposes depends on the seed and on earlier answers only, never on time or
// threads, and its state can be saved between two questions: a run that was interrupted ends with
// the same bytes.
#pragma once

#include "search/cost_tables.h"
#include "search/run_directory.h"

#include <memory>
#include <optional>

namespace edgefront {

class Strategy {
public:
    virtual ~Strategy() = default;
    /// The next chunk or generation, canonical; none where a step needs no prices. `front` is that
    /// of all that was told.
    virtual std::vector<Choices> ask(const ParetoFront &front) = 0;
    /// What the candidates of the last `ask` cost, in their order. Called once after each `ask`.
    virtual void tell(const std::vector<Choices> &, const std::vector<Evaluation> &) {}
    virtual bool finished() const = 0;
    /// Whether the search may end here because its hypervolume came to a stand.
    virtual bool may_stall() const { return true; }
    /// Evaluations done and planned; of the exact search, steps.
    virtual std::int64_t done() const = 0;
    virtual std::int64_t planned() const = 0;
    /// Once finished, what is certain: every feasible network of the space is matched by a point
    /// of the front within the factor 1 + epsilon in each objective. 0: the front is exact.
    virtual std::optional<double> proven_epsilon() const { return {}; }
    /// What there is to say about the result beyond its front: a path, a preferred point.
    virtual void annotate(RunResult &) const {}
    virtual Json state() const = 0;
    virtual void restore(const JsonReader &state) = 0;
};

/// Spaces up to this size are enumerated by default.
constexpr double exhaustive_limit = 200000;

/// "auto", then the strategies of `make_strategy`.
const std::vector<std::string> &strategy_names();
/// The index of an objective that is minimised or maximised as wanted; throws UserError with those
/// there are and the nearest. `option`: what the name was given to, "--toward".
std::size_t find_objective(const DesignSpace &space, const std::string &name, Sense sense,
                           const std::string &option);
/// "latency_ms:pixel6-cpu=3": an objective's name and a number; throws UserError.
std::pair<std::string, double> split_value(const std::string &text, const std::string &option);
/// An explicit list; throws UserError when `config.strategy` is not on it.
std::unique_ptr<Strategy> make_strategy(const DesignSpace &space, const CostTables &tables,
                                        const RunConfig &config);

/// Every network of the space, in the order of DesignSpace::at.
std::unique_ptr<Strategy> make_exhaustive(const DesignSpace &space);
/// Where the first generation comes from: drawn at random, or with networks from the tables
/// (supported.h) among them.
enum class Nsga2Start { random, seeded };
/// NSGA-II (Deb et al. 2002) over the axes with more than one value; sorting by pagmo. No network
/// is asked for twice; ends early when the space has no more.
std::unique_ptr<Strategy> make_nsga2(const DesignSpace &space, const CostTables &tables,
                                     const RunConfig &config,
                                     Nsga2Start start = Nsga2Start::seeded);

} // namespace edgefront
