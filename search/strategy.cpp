#include "search/strategy.h"

#include "base/error.h"
#include "search/exact.h"

#include <fmt/format.h>

#include <algorithm>

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
    static const std::vector<std::string> names = {"auto", "exhaustive", "exact", "nsga2"};
    return names;
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
    throw UserError(fmt::format("unknown strategy '{}', expected one of {}{}", config.strategy,
                                join(strategy_names()),
                                did_you_mean(config.strategy, strategy_names())));
}

} // namespace edgefront
