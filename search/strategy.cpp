#include "search/strategy.h"

#include "base/error.h"
#include "search/evolution.h"
#include "search/exact.h"
#include "search/local.h"
#include "search/netadapt.h"
#include "search/reward.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace edgefront {

namespace {

class Exhaustive : public Strategy {
public:
    explicit Exhaustive(const DesignSpace &space)
        : space_(space), size_(static_cast<std::int64_t>(space.size())) {}

    std::vector<Choices> ask(const ParetoFront &) override {
        std::vector<Choices> batch;
        const std::int64_t end = std::min(next_ + chunk, size_);
        for (; next_ < end; next_++) {
            batch.push_back(space_.at(static_cast<std::uint64_t>(next_)));
        }
        return batch;
    }
    bool finished() const override { return next_ >= size_; }
    std::int64_t done() const override { return next_; }
    std::int64_t planned() const override { return size_; }
    std::optional<double> proven_epsilon() const override {
        return finished() ? std::optional<double>(0) : std::nullopt;
    }
    Json state() const override { return {{"next", next_}}; }
    void restore(const JsonReader &state) override {
        next_ = state.at("next").integer(0, size_);
        state.finish();
    }

private:
    static constexpr std::int64_t chunk = 8192;
    const DesignSpace &space_;
    std::int64_t size_;
    std::int64_t next_ = 0;
};

} // namespace

const std::vector<std::string> &strategy_names() {
    static const std::vector<std::string> names = {"auto",      "exhaustive", "exact", "nsga2",
                                                   "evolution", "netadapt",   "local", "reward"};
    return names;
}

std::size_t find_objective(const DesignSpace &space, const std::string &name, Sense sense,
                           const std::string &option) {
    std::vector<std::string> names;
    for (std::size_t o = 0; o < space.objectives.size(); o++) {
        if (space.objectives[o].sense == sense) {
            if (space.objectives[o].measure.name() == name) {
                return o;
            }
            names.push_back(space.objectives[o].measure.name());
        }
    }
    const std::string verb = to_string(sense);
    if (names.empty()) {
        throw UserError(fmt::format("{}: space '{}' {}s nothing", option, space.name, verb));
    }
    throw UserError(fmt::format("{}: expected an objective that space '{}' {}s ({}), found '{}'{}",
                                option, space.name, verb, join(names), name,
                                did_you_mean(name, names)));
}

std::pair<std::string, double> split_value(const std::string &text, const std::string &option) {
    const auto equals = text.rfind('=');
    double value = 0;
    const char *end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + std::min(equals + 1, text.size()), end, value);
    if (equals == std::string::npos || equals == 0 || read.ec != std::errc() || read.ptr != end ||
        !std::isfinite(value)) {
        throw UserError(option + ": expected OBJECTIVE=NUMBER, found '" + text + "'");
    }
    return {text.substr(0, equals), value};
}

std::unique_ptr<Strategy> make_exhaustive(const DesignSpace &space) {
    return std::make_unique<Exhaustive>(space);
}

std::unique_ptr<Strategy> make_strategy(const DesignSpace &space, const CostTables &tables,
                                        const RunConfig &config) {
    if (config.strategy == "exhaustive") {
        return make_exhaustive(space);
    }
    if (config.strategy == "exact") {
        return make_exact(space, tables, config);
    }
    if (config.strategy == "nsga2") {
        return make_nsga2(space, tables, config);
    }
    if (config.strategy == "evolution") {
        return make_evolution(space, config);
    }
    if (config.strategy == "netadapt") {
        return make_netadapt(space, config);
    }
    if (config.strategy == "local") {
        return make_local(space, tables, config);
    }
    if (config.strategy == "reward") {
        return make_reward(space, tables, config);
    }
    throw UserError("no such strategy: " + config.strategy); // resolve and read_options know them
}

} // namespace edgefront
