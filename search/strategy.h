// How a sweep walks the space: step by step a strategy proposes candidates and hears what they
// cost. What it proposes depends on the seed and on earlier answers only, never on time or threads,
// and its state can be saved between steps: a run that was interrupted ends with the same bytes.
#pragma once

#include "search/cost_tables.h"
#include "search/run_directory.h"

#include <functional>
#include <memory>
#include <optional>

namespace edgefront {

/// Prices candidates, in order; the sweep keeps the front behind it.
using Evaluate = std::function<std::vector<Evaluation>(const std::vector<Choices> &)>;

class Strategy {
public:
    virtual ~Strategy() = default;
    /// One chunk or generation. `front` is that of all that was evaluated, and grows with it.
    virtual void step(const Evaluate &evaluate, const ParetoFront &front) = 0;
    virtual bool finished() const = 0;
    /// Evaluations done and planned; of the exact search, steps.
    virtual std::int64_t done() const = 0;
    virtual std::int64_t planned() const = 0;
    /// Once finished, what is certain: every feasible network of the space is matched by a point
    /// of the front within the factor 1 + epsilon in each objective. 0: the front is exact.
    virtual std::optional<double> proven_epsilon() const { return {}; }
    virtual Json state() const = 0;
    virtual void restore(const JsonReader &state) = 0;
};

/// Spaces up to this size are enumerated by default.
constexpr double exhaustive_limit = 200000;

/// "auto", then the strategies of `make_strategy`.
const std::vector<std::string> &strategy_names();
/// An explicit list; `config.strategy` is one of its names.
std::unique_ptr<Strategy> make_strategy(const DesignSpace &space, const CostTables &tables,
                                        const RunConfig &config);

/// Every network of the space, in the order of DesignSpace::at.
std::unique_ptr<Strategy> make_exhaustive(const DesignSpace &space);
/// NSGA-II (Deb et al. 2002) of pagmo over the axes with more than one value.
std::unique_ptr<Strategy> make_nsga2(const DesignSpace &space, const RunConfig &config);

} // namespace edgefront
