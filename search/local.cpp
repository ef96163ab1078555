#include "search/local.h"

#include "base/error.h"
#include "search/exact.h"
#include "search/genes.h"

#include <algorithm>

namespace edgefront {

namespace {

/// Neighbours per step; a member is always expanded in full.
constexpr std::size_t batch_size = 4096;
/// Networks that break a rule, of which the nearest to the rules are kept.
constexpr std::size_t most_broken = 64;

/// Whether label setting is quick with it.
bool adds_up(Metric metric) {
    switch (metric) {
    case Metric::latency_ms:
    case Metric::energy_mj:
    case Metric::macs:
    case Metric::params:
    case Metric::frames_per_second: return true;
    case Metric::peak_bytes:
    case Metric::top1: return false;
    }
    return false;
}

/// A network that breaks rules, and how far off it is.
struct Offender {
    double violation;
    Choices choices;
    bool operator<(const Offender &o) const {
        return violation != o.violation ? violation < o.violation : choices < o.choices;
    }
};

class Local : public Strategy {
public:
    Local(const DesignSpace &space, const CostTables &tables, const RunConfig &config)
        : relaxed_(relaxed(space)), genes_(space), seed_(config.seed),
          evaluations_(config.evaluations), exact_(make_exact(relaxed_, tables, config)) {}

    std::vector<Choices> ask(const ParetoFront &front) override {
        std::vector<Choices> batch;
        if (!exact_->finished()) {
            // Each context for itself: what the front of all objectives beats is no guide here.
            for (auto &choices : exact_->ask(nothing_)) {
                if (seen_.add(choices)) {
                    batch.push_back(std::move(choices));
                }
            }
            return batch;
        }
        Random random(derive_seed(seed_, "local/" + std::to_string(done_)));
        std::vector<Choices> members = unexpanded(front);
        while (batch.size() < batch_size && !members.empty()) {
            const std::size_t i = random.below(members.size());
            std::swap(members[i], members.back());
            const Choices member = std::move(members.back());
            members.pop_back();
            expanded_.add(member);
            for (auto &choices : genes_.neighbours(member)) {
                if (seen_.add(choices)) {
                    batch.push_back(std::move(choices));
                }
            }
        }
        exhausted_ = batch.empty();
        const auto left = static_cast<std::size_t>(std::max<std::int64_t>(0, evaluations_ - done_));
        batch.resize(std::min(batch.size(), left));
        return batch;
    }

    void tell(const std::vector<Choices> &batch, const std::vector<Evaluation> &prices) override {
        done_ += static_cast<std::int64_t>(batch.size());
        for (std::size_t i = 0; i < batch.size(); i++) {
            feasible_ = feasible_ || prices[i].feasible();
            if (!prices[i].feasible()) {
                broken_.push_back({prices[i].violation, batch[i]});
            }
        }
        std::sort(broken_.begin(), broken_.end());
        broken_.resize(feasible_ ? 0 : std::min(broken_.size(), most_broken));
    }

    bool finished() const override {
        return exact_->finished() && (exhausted_ || done_ >= evaluations_);
    }
    /// The labels' fronts come one context after the other, whatever they beat.
    bool may_stall() const override { return exact_->finished(); }
    std::int64_t done() const override { return done_; }
    std::int64_t planned() const override { return std::max(done_, evaluations_); }
    Json state() const override;
    void restore(const JsonReader &state) override;

private:
    std::vector<Choices> unexpanded(const ParetoFront &front) const {
        std::vector<Choices> members;
        const auto offer = [&](const Choices &choices) {
            if (!expanded_.contains(choices)) {
                members.push_back(choices);
            }
        };
        for (const auto &member : front.members()) {
            offer(member.choices);
        }
        for (std::size_t i = 0; front.size() == 0 && i < broken_.size(); i++) {
            offer(broken_[i].choices);
        }
        return members;
    }

    DesignSpace relaxed_;
    Genes genes_;
    std::uint64_t seed_;
    std::int64_t evaluations_;
    std::unique_ptr<Strategy> exact_;
    const ParetoFront nothing_{{}};
    std::int64_t done_ = 0;
    bool exhausted_ = false, feasible_ = false;
    std::vector<Offender> broken_;
    Seen seen_, expanded_;
};

Json Local::state() const {
    Json broken = Json::array();
    for (const auto &one : broken_) {
        broken.push_back({{"violation", one.violation}, {"choices", one.choices}});
    }
    return {{"exact", exact_->state()},     {"done", done_},    {"exhausted", exhausted_},
            {"feasible", feasible_},        {"broken", broken}, {"seen", seen_.state()},
            {"expanded", expanded_.state()}};
}

void Local::restore(const JsonReader &state) {
    exact_->restore(state.at("exact"));
    done_ = state.at("done").integer(0, std::int64_t{1} << 53);
    exhausted_ = state.at("exhausted").boolean();
    feasible_ = state.at("feasible").boolean();
    for (const auto &row : state.at("broken").items()) {
        broken_.push_back({row.at("violation").number(0, 1e300), genes_.read(row.at("choices"))});
        row.finish();
    }
    seen_.restore(state.at("seen"));
    expanded_.restore(state.at("expanded"));
    state.finish();
}

} // namespace

DesignSpace relaxed(const DesignSpace &space) {
    DesignSpace easy = space;
    easy.objectives.clear();
    bool quality_left_out = false;
    for (const auto &objective : space.objectives) {
        if (adds_up(objective.measure.metric)) {
            easy.objectives.push_back(objective);
        } else {
            quality_left_out = quality_left_out || objective.sense == Sense::maximise;
        }
    }
    for (const Metric metric : {Metric::macs, Metric::params}) {
        const Objective stand_in{{metric, ""}, Sense::maximise};
        const bool there =
            std::any_of(easy.objectives.begin(), easy.objectives.end(),
                        [&](const Objective &o) { return o.measure == stand_in.measure; });
        if (!there && (quality_left_out || easy.objectives.empty())) {
            easy.objectives.push_back(stand_in);
        }
    }
    auto &rules = easy.constraints;
    rules.erase(std::remove_if(rules.begin(), rules.end(),
                               [](const Constraint &c) { return !adds_up(c.measure.metric); }),
                rules.end());
    return easy;
}

std::string relaxation(const DesignSpace &space) {
    std::vector<std::string> parts;
    const auto add = [&](const char *what, const auto &list) {
        for (const auto &one : list) {
            if (!adds_up(one.measure.metric)) {
                parts.push_back(std::string(what) + one.measure.name());
            }
        }
    };
    add("without the objective ", space.objectives);
    add("without the constraint on ", space.constraints);
    for (const auto &objective : relaxed(space).objectives) {
        const bool own =
            std::any_of(space.objectives.begin(), space.objectives.end(),
                        [&](const Objective &o) { return o.measure == objective.measure; });
        if (!own) {
            parts.push_back("with " + objective.measure.name() + " in its place");
        }
    }
    return join(parts);
}

std::unique_ptr<Strategy> make_local(const DesignSpace &space, const CostTables &tables,
                                     const RunConfig &config) {
    return std::make_unique<Local>(space, tables, config);
}

} // namespace edgefront
