#include "search/netadapt.h"

#include "base/error.h"
#include "search/genes.h"
#include "search/marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// Of the resource where the path begins.
constexpr double default_step = 0.05;

/// The choices of `from`, in one of its three forms.
Choices start_of(const DesignSpace &space, const std::string &from) {
    if (from.find(';') != std::string::npos) {
        std::vector<std::string> values(1);
        for (const char c : from) {
            if (c == ';') {
                values.emplace_back();
            } else {
                values.back() += c;
            }
        }
        return space.parse(values);
    }
    if (const auto colon = from.rfind(':'); colon != std::string::npos) {
        return space.parse(read_run(from.substr(0, colon)).point(from.substr(colon + 1)).choices);
    }
    const auto found = find_in_space(space, Zoo(), from);
    if (const auto *reason = std::get_if<std::string>(&found)) {
        throw UserError(fmt::format("{} is outside the space '{}': {}", from, space.name, *reason));
    }
    return std::get<Choices>(found);
}

void require_supported(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                       const Choices &choices, const std::string &from) {
    const Network network = space.network(choices);
    for (const auto &target : targets) {
        const Estimate e = estimate(*target.model, network, target.workload);
        if (!e.supported()) {
            throw UserError(
                fmt::format("{} does not run on {}: {}", from, target.name, e.unsupported.front()));
        }
    }
}

std::vector<std::size_t> maximised(const DesignSpace &space) {
    std::vector<std::size_t> found;
    for (std::size_t o = 0; o < space.objectives.size(); o++) {
        if (space.objectives[o].sense == Sense::maximise) {
            found.push_back(o);
        }
    }
    return found;
}

std::vector<std::pair<std::string, double>> weights_of(const DesignSpace &space,
                                                       const std::vector<std::string> &given) {
    std::vector<std::pair<std::string, double>> weights;
    for (const std::size_t o : maximised(space)) {
        weights.emplace_back(space.objectives[o].measure.name(), 1.0);
    }
    if (weights.empty()) {
        throw UserError(fmt::format("netadapt needs a quality to keep, but space '{}' maximises "
                                    "nothing; give it macs or params as an objective to maximise",
                                    space.name));
    }
    for (const auto &text : given) {
        const auto [name, weight] = split_value(text, "--weight");
        find_objective(space, name, Sense::maximise, "--weight");
        if (weight < 0) {
            throw UserError("--weight: expected no negative weight, found " + text);
        }
        for (auto &known : weights) {
            if (known.first == name) {
                known.second = weight;
            }
        }
    }
    return weights;
}

class NetAdapt : public Strategy {
public:
    NetAdapt(const DesignSpace &space, const RunConfig &config)
        : space_(space), genes_(space), options_(config.netadapt),
          resource_(find_objective(space, options_.toward, Sense::minimise, "toward")),
          qualities_(maximised(space)) {
        if (qualities_.size() != options_.weights.size()) {
            throw UserError("netadapt: expected one weight per objective that is maximised");
        }
    }

    /// The network it starts from; then all that are one axis away from where it stands.
    std::vector<Choices> ask(const ParetoFront &) override {
        return path_.empty() ? std::vector<Choices>{space_.parse(options_.start)}
                             : genes_.neighbours(current_);
    }

    void tell(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) override {
        done_ += static_cast<std::int64_t>(batch.size());
        if (path_.empty()) {
            go(batch[0], prices[0], {});
            step_ = options_.step.value_or(default_step * values_[resource_]);
        } else if (const auto step = best(batch, prices); step.proposals > 0) {
            step_ *= options_.decay;
            go(batch[step.index], prices[step.index], step);
        } else {
            finished_ = true;
        }
        finished_ = finished_ || (options_.until && values_[resource_] <= *options_.until);
    }

    bool finished() const override { return finished_; }
    std::int64_t done() const override { return done_; }
    /// As many steps as it takes when none takes more than its amount.
    std::int64_t planned() const override {
        if (finished_ || path_.empty()) {
            return done_;
        }
        const double steps = std::ceil((values_[resource_] - options_.until.value_or(0)) / step_);
        return done_ + static_cast<std::int64_t>(std::min(steps, 1e6)) *
                           static_cast<std::int64_t>(genes_.neighbours(current_).size());
    }
    void annotate(RunResult &result) const override { result.path = path_; }

    Json state() const override {
        Json path = Json::array();
        for (const auto &step : path_) {
            path.push_back({{"change", step.change},
                            {"proposals", step.proposals},
                            {"loss", step.loss},
                            {"choices", step.point.choices},
                            {"values", step.point.values}});
        }
        return {{"path", path},
                {"step", step_},
                {"violation", violation_},
                {"done", done_},
                {"finished", finished_}};
    }
    void restore(const JsonReader &state) override {
        for (const auto &row : state.at("path").items()) {
            PathStep step;
            step.change = row.at("change").string();
            step.proposals = row.at("proposals").integer(0, std::int64_t{1} << 53);
            step.loss = row.at("loss").number(-1e300, 1e300);
            step.point.choices = row.at("choices").strings();
            step.point.values = row.at("values").numbers(-1e300, 1e300);
            current_ = space_.parse(step.point.choices);
            values_ = step.point.values;
            if (values_.size() != space_.objectives.size()) {
                throw row.error("expected one value per objective");
            }
            step.point.id = DesignSpace::id(step.point.choices);
            row.finish();
            path_.push_back(std::move(step));
        }
        step_ = state.at("step").number(0, 1e300);
        violation_ = state.at("violation").number(0, 1e300);
        done_ = state.at("done").integer(0, std::int64_t{1} << 53);
        finished_ = state.at("finished").boolean();
        state.finish();
    }

private:
    struct Step {
        std::size_t index = 0; ///< into the batch
        std::int64_t proposals = 0;
        double loss = 0;
    };

    double loss(const std::vector<double> &values) const {
        double sum = 0;
        for (std::size_t i = 0; i < qualities_.size(); i++) {
            const std::size_t o = qualities_[i];
            sum += options_.weights[i].second * (1 - values[o] / std::max(values_[o], 1e-300));
        }
        return sum;
    }

    Step best(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) const {
        const double here = values_[resource_];
        // What is nearer than a step need not be overshot.
        const double needed = std::min(step_, here - options_.until.value_or(-step_));
        Step best;
        for (std::size_t i = 0; i < batch.size(); i++) {
            const Evaluation &e = prices[i];
            const bool allowed = e.feasible() || e.violation < violation_;
            if (!e.priced || !allowed || !(here - e.values[resource_] >= needed)) {
                continue;
            }
            const double lost = loss(e.values);
            const double amount = e.values[resource_];
            if (best.proposals == 0 || lost < best.loss ||
                (lost == best.loss && amount < prices[best.index].values[resource_])) {
                best = {i, best.proposals, lost};
            }
            best.proposals++;
        }
        return best;
    }

    void go(const Choices &choices, const Evaluation &price, const Step &taken) {
        PathStep step;
        step.proposals = taken.proposals;
        step.loss = taken.loss;
        step.point.choices = space_.describe(choices);
        step.point.id = DesignSpace::id(step.point.choices);
        step.point.values = price.values;
        for (std::size_t a = 0; a < space_.axes().size() && !path_.empty(); a++) {
            // Blocks that a change of the depth takes along are no change of their own.
            if (choices[a] != current_[a] && choices[a] != absent && current_[a] != absent) {
                step.change = fmt::format("{}: {} -> {}", space_.axes()[a].name,
                                          path_.back().point.choices[a], step.point.choices[a]);
            }
        }
        current_ = choices;
        values_ = price.values;
        violation_ = price.violation;
        path_.push_back(std::move(step));
    }

    const DesignSpace &space_;
    Genes genes_;
    NetAdaptOptions options_;
    std::size_t resource_;
    std::vector<std::size_t> qualities_;
    double step_ = 0;
    std::vector<PathStep> path_;
    Choices current_;
    std::vector<double> values_; ///< of the current network
    double violation_ = 0;
    std::int64_t done_ = 0;
    bool finished_ = false;
};

} // namespace

NetAdaptOptions resolve_netadapt(const DesignSpace &space, const std::vector<PricedTarget> &targets,
                                 const NetAdaptRequest &request) {
    if (request.from.empty() || request.toward.empty()) {
        throw UserError("netadapt needs the network it starts from and what it shrinks: "
                        "--from mobilenet_v4_conv_small --toward latency_ms:pixel6-cpu");
    }
    NetAdaptOptions options;
    options.from = request.from;
    options.toward = request.toward;
    find_objective(space, request.toward, Sense::minimise, "--toward");
    options.step = request.step;
    options.decay = request.decay.value_or(1);
    options.until = request.until;
    options.weights = weights_of(space, request.weights);
    const Choices start = start_of(space, request.from);
    options.start = space.describe(start);
    require_supported(space, targets, start, request.from);
    return options;
}

std::unique_ptr<Strategy> make_netadapt(const DesignSpace &space, const RunConfig &config) {
    return std::make_unique<NetAdapt>(space, config);
}

} // namespace edgefront
