// Second figures for points of a front (refine.h): which of their values a method replaces, by
// what, and whether the point still keeps the constraints.
#pragma once

#include "search/refine.h"
#include "search/repricing.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

class Refinery {
public:
    /// All four must outlive it. Throws UserError: see `refine`.
    Refinery(const RunResult &result, const Zoo &zoo, const RefineRequest &request,
             const RefineHooks &hooks);

    RefineBy by() const { return by_; }

    /// The point with second figures by search, or with a failure. Safe to call from many threads.
    RunPoint searched(RunPoint point) const;
    /// By the clock; nothing when stopped.
    std::optional<RunPoint>
    measured(RunPoint point,
             const std::function<void(double share, const std::string &doing)> &progress) const;

private:
    /// By name of the target; of a measured network just the latency.
    using Figures = std::map<std::string, Repriced>;

    const PricedTarget *target(const std::string &name) const;
    void require_same_constants() const;
    void choose_method();
    void require_kernels() const;
    bool replaces(RefineBy by, Metric metric, const std::string &target) const;
    bool replaces(RefineBy by, const Measure &measure) const;
    void add_plain(Figures &figures, const Network &network) const;
    bool any_objective(RefineBy by) const;
    RunPoint
    with_figures(RunPoint point,
                 const std::function<Figures(RefinedPoint &, const Network &)> &find) const;
    void replace(std::vector<double> &values, RefinedPoint &refined, const Figures &figures) const;
    std::vector<std::string> broken(const Figures &figures) const;

    const RunResult &result_;
    const RefineRequest &request_;
    const RefineHooks &hooks_;
    DesignSpace space_;
    std::vector<PricedTarget> targets_;
    RefineBy by_ = RefineBy::search;
    std::map<std::string, std::unique_ptr<ThoroughModel>> models_;
};

} // namespace edgefront
