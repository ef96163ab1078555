#include "search/reward.h"

#include "base/error.h"
#include "search/evolution.h"
#include "search/exact.h"
#include "search/genes.h"

#include <fmt/format.h>

#include <cmath>

namespace edgefront {

namespace {

constexpr double default_exponent = -0.07;

/// The indices of the two objectives.
struct Scale {
    Scale(const DesignSpace &space, const RewardOptions &options)
        : options(options),
          quality(find_objective(space, options.quality, Sense::maximise, "quality")),
          resource(find_objective(space, options.resource, Sense::minimise, "resource")) {}

    double reward(const std::vector<double> &values) const {
        return reward_of(options, values[quality], values[resource]);
    }

    RewardOptions options;
    std::size_t quality, resource;
};

/// The point of the front that has most of it: of points with equal rewards the first.
void prefer(const Scale &scale, RunResult &result, std::optional<double> epsilon) {
    for (const auto &point : result.points) {
        const double reward = scale.reward(point.values);
        if (!result.preferred || reward > result.preferred->reward) {
            result.preferred = Preferred{point.id, reward, epsilon};
        }
    }
}

/// Exact in quality and resource; all of the front goes into the sweep's front.
class ExactReward : public Strategy {
public:
    ExactReward(const DesignSpace &space, const CostTables &tables, const RunConfig &config)
        : scale_(space, config.reward), two_(with_two(space, scale_)), tables_(tables),
          genes_(two_), exact_(make_exact(two_, tables, config)),
          front_({Sense::minimise, Sense::maximise}) {}

    std::vector<Choices> ask(const ParetoFront &) override { return exact_->ask(front_); }
    void tell(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) override {
        for (std::size_t i = 0; i < batch.size(); i++) {
            if (prices[i].feasible()) {
                admit(batch[i], prices[i]);
            }
        }
        exact_->tell(batch, prices);
    }
    bool finished() const override { return exact_->finished(); }
    std::int64_t done() const override { return exact_->done(); }
    std::int64_t planned() const override { return exact_->planned(); }
    /// Either factor of the reward is off by 1 + epsilon at most, the resource's with its exponent.
    void annotate(RunResult &result) const override {
        std::optional<double> epsilon = exact_->proven_epsilon();
        if (epsilon && *epsilon > 0) {
            const double steepest = std::min(scale_.options.exponent, scale_.options.beyond);
            epsilon = std::pow(1 + *epsilon, 1 - steepest) - 1;
        }
        prefer(scale_, result, epsilon);
    }
    Json state() const override {
        Json front = Json::array();
        for (const auto &member : front_.members()) {
            front.push_back(member.choices);
        }
        return {{"front", front}, {"exact", exact_->state()}};
    }
    void restore(const JsonReader &state) override {
        for (const auto &row : state.at("front").items()) {
            const Choices choices = genes_.read(row);
            admit(choices, tables_.evaluate(choices));
        }
        exact_->restore(state.at("exact"));
        state.finish();
    }

private:
    static DesignSpace with_two(DesignSpace space, const Scale &scale) {
        space.objectives = {space.objectives[scale.resource], space.objectives[scale.quality]};
        return space;
    }
    void admit(const Choices &choices, const Evaluation &price) {
        front_.admit({choices, {price.values[scale_.resource], price.values[scale_.quality]}});
    }

    Scale scale_;
    DesignSpace two_; ///< the space with the two objectives alone
    const CostTables &tables_;
    Genes genes_;
    std::unique_ptr<Strategy> exact_;
    ParetoFront front_;
};

class EvolvedReward : public Strategy {
public:
    EvolvedReward(const DesignSpace &space, const RunConfig &config)
        : scale_(space, config.reward),
          evolution_(make_evolution(space, config, [this, &space](const Evaluation &e) {
              return std::vector<double>{e.feasible() ? -scale_.reward(e.values)
                                                      : fitness_of(space, e).front()};
          })) {}

    std::vector<Choices> ask(const ParetoFront &front) override { return evolution_->ask(front); }
    void tell(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) override {
        evolution_->tell(batch, prices);
    }
    bool finished() const override { return evolution_->finished(); }
    std::int64_t done() const override { return evolution_->done(); }
    std::int64_t planned() const override { return evolution_->planned(); }
    void annotate(RunResult &result) const override { prefer(scale_, result, {}); }
    Json state() const override { return evolution_->state(); }
    void restore(const JsonReader &state) override { evolution_->restore(state); }

private:
    Scale scale_;
    std::unique_ptr<Strategy> evolution_;
};

} // namespace

double reward_of(const RewardOptions &options, double quality, double resource) {
    const double share = resource / options.target;
    return quality * std::pow(share, share <= 1 ? options.exponent : options.beyond);
}

void require_finite_reward(const DesignSpace &space, const RewardOptions &options,
                           const std::vector<double> &best) {
    const Scale scale(space, options);
    if (!best.empty() && !(scale.reward(best) < 1e300)) {
        throw UserError(fmt::format("{} * ({} / {})^w is too large for a number where {} is {}: "
                                    "choose a --reward-target nearer to it or a --reward-exponent "
                                    "nearer to 0",
                                    options.quality, options.resource, options.target,
                                    options.resource, best[scale.resource]));
    }
}

RewardOptions resolve_reward(const DesignSpace &space, const RewardRequest &request) {
    if (request.target.empty()) {
        throw UserError("reward needs a value to aim at: --reward-target "
                        "latency_ms:pixel6-cpu=3");
    }
    RewardOptions options;
    std::tie(options.resource, options.target) = split_value(request.target, "--reward-target");
    find_objective(space, options.resource, Sense::minimise, "--reward-target");
    if (options.target <= 0) {
        throw UserError("--reward-target: expected a value above 0, found " + request.target);
    }
    options.quality = request.quality;
    if (options.quality.empty()) {
        std::vector<std::string> names;
        for (const auto &objective : space.objectives) {
            if (objective.sense == Sense::maximise) {
                names.push_back(objective.measure.name());
            }
        }
        if (names.size() != 1) {
            throw UserError(fmt::format("which quality does the reward count? Give "
                                        "--reward-quality an objective that space '{}' "
                                        "maximises ({})",
                                        space.name, names.empty() ? "none" : join(names)));
        }
        options.quality = names.front();
    }
    find_objective(space, options.quality, Sense::maximise, "--reward-quality");
    options.exponent = options.beyond = default_exponent;
    if (!request.exponents.empty()) {
        options.exponent = request.exponents.front();
        options.beyond = request.exponents.back();
    }
    if (request.exponents.size() > 2 || options.exponent > 0 || options.beyond > 0 ||
        !std::isfinite(options.exponent) || !std::isfinite(options.beyond)) {
        throw UserError("--reward-exponent: expected one number or two with a comma between, "
                        "none above 0");
    }
    return options;
}

std::unique_ptr<Strategy> make_reward(const DesignSpace &space, const CostTables &tables,
                                      const RunConfig &config) {
    if (config.evaluations > 0) {
        return std::make_unique<EvolvedReward>(space, config);
    }
    return std::make_unique<ExactReward>(space, tables, config);
}

} // namespace edgefront
