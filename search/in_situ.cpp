#include "search/in_situ.h"

#include "dsl/weights.h"
#include "search/race.h"
#include "search/statistics.h"
#include "search/worker_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <poll.h>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

struct Stopped {};

constexpr std::uint64_t seed = 1; // of weights and input: any numbers take equally long
constexpr double build_share = 0.5;
constexpr double rank_share = 0.35;
constexpr double within = 1.3; // of the best time alone: slower ones do not win in a network
constexpr int least_rounds = 6;

Seconds since(Clock::time_point start) {
    return Seconds(std::chrono::duration<double>(Clock::now() - start).count());
}

class InSitu {
public:
    InSitu(const Network &network, const std::vector<TunedLayer> &works,
           const InSituOptions &options)
        : network_(network), works_(works), options_(options),
          weights_(random_weights(network, seed)), input_(random_input(network, seed)) {
        for (std::size_t w = 0; w < works.size(); w++) {
            for (std::size_t i = 0; i < network.nodes.size(); i++) {
                if (works[w].layers.size() == 1 && works[w].layers[0] == network.nodes[i].layer) {
                    nodes_[w].push_back(i);
                    work_of_[i] = w;
                }
            }
        }
        const std::vector<Schedule> usual = default_schedules(network, target_);
        for (std::size_t w = 0; w < works.size(); w++) {
            plans_.push_back({to_string(usual[nodes_[w].front()])});
            add_best(works[w].record, plans_.back());
        }
    }

    InSituResult run() {
        build();
        rank();
        confirm();
        return result_;
    }

private:
    /// Behind the default: the best plans alone, as many as there are variants.
    void add_best(const TuningRecord &record, std::vector<std::string> &plans) const {
        for (const TriedPlan &t : record.tried) { // best first
            const bool close =
                t.measured && record.measured && *t.measured < *record.tried[0].measured * within;
            const bool known = std::find(plans.begin(), plans.end(), t.plan) != plans.end();
            if (close && !known && static_cast<int>(plans.size()) <= options_.variants) {
                plans.push_back(t.plan);
            }
        }
    }

    /// The plan of a work in a variant; 0 has the defaults. Those with few plans repeat them.
    std::size_t plan_in(std::size_t work, int variant) const {
        const std::size_t others = plans_[work].size() - 1;
        return variant == 0 || others == 0 ? 0
                                           : 1 + static_cast<std::size_t>(variant - 1) % others;
    }

    PackagePlan package_of(const std::vector<std::string> &plans) const {
        std::vector<Schedule> schedules;
        for (std::size_t i = 0; i < network_.nodes.size(); i++) {
            schedules.push_back(parse_schedule(plans[work_of_.at(i)]));
        }
        return plan_package(network_, schedules, target_);
    }

    PackagePlan variant(int v) const {
        std::vector<std::string> plans;
        for (std::size_t w = 0; w < plans_.size(); w++) {
            plans.push_back(plans_[w][plan_in(w, v)]);
        }
        return package_of(plans);
    }

    void tell(double share, const std::string &doing) const {
        if (options_.stop && options_.stop()) {
            throw Stopped();
        }
        if (options_.progress) {
            options_.progress(share, doing);
        }
    }

    /// Compiles all variants, the second half of them in another process.
    void build() {
        std::vector<PackagePlan> packages;
        for (int v = 0; v <= options_.variants; v++) {
            packages.push_back(variant(v));
        }
        BuildContext context = options_.build;
        context.progress = {};
        WorkerProcess helper([&](const Json &) {
            for (std::size_t v = packages.size(); v-- > packages.size() / 2;) {
                shared_library(packages[v], context);
            }
            return Json(true);
        });
        helper.ask(Json(true));
        for (std::size_t v = 0; v < packages.size(); v++) {
            context.progress = [&](int done, int total, const std::string &layer) {
                const double part = static_cast<double>(done) / std::max(total, 1);
                tell(build_share * (static_cast<double>(v) + part) /
                         static_cast<double>(packages.size()),
                     "compiling " + layer);
            };
            if (v == (packages.size() + 1) / 2) {
                wait_for(helper);
            }
            runners_.push_back(
                std::make_unique<Runner>(packages[v], weights_, context, options_.threads));
            runners_.back()->run(input_);
        }
    }

    void wait_for(WorkerProcess &helper) const {
        while (!helper.take() && helper.end().empty()) {
            struct pollfd poll = {helper.descriptor(), POLLIN, 0};
            ::poll(&poll, 1, 200);
            tell(build_share / 2, "compiling");
        }
    }

    /// Calls `burst` for each of `count` runners in turn until the time is over.
    void in_turns(Seconds duration, std::size_t count, double from, double to,
                  const std::string &doing, const std::function<void(std::size_t)> &burst) const {
        const Clock::time_point start = Clock::now();
        for (int round = 0; round < least_rounds || since(start) < duration; round++) {
            for (std::size_t i = 0; i < count; i++) {
                tell(from + (to - from) * std::min(since(start) / duration, 1.0), doing);
                burst((i + static_cast<std::size_t>(round)) % count);
            }
        }
    }

    /// Runs per burst: one that brings the network's weights back, and as many as fill a moment.
    int runs_per_burst() const {
        constexpr double moment = 12e-3;
        const Clock::time_point start = Clock::now();
        runners_[0]->rerun();
        return std::clamp(static_cast<int>(moment / since(start).count()), 1, 40);
    }

    void rank() {
        std::vector<std::vector<std::vector<double>>> times(plans_.size());
        for (std::size_t w = 0; w < plans_.size(); w++) {
            times[w].resize(plans_[w].size());
        }
        const int runs = runs_per_burst();
        std::vector<double> sums(plans_.size());
        in_turns(options_.ranking, runners_.size(), build_share, build_share + rank_share,
                 "ranking plans inside the network", [&](std::size_t v) {
                     runners_[v]->rerun();
                     for (int run = 0; run < runs; run++) {
                         std::fill(sums.begin(), sums.end(), 0);
                         std::size_t node = 0;
                         runners_[v]->rerun([&](const edgefront_layer_run &r) {
                             sums[work_of_.at(node++)] += r.seconds;
                         });
                         for (std::size_t w = 0; w < sums.size(); w++) {
                             times[w][plan_in(w, static_cast<int>(v))].push_back(
                                 sums[w] / static_cast<double>(nodes_.at(w).size()));
                         }
                     }
                 });
        for (std::size_t w = 0; w < plans_.size(); w++) {
            const std::size_t best = best_of(times[w], 0, own_jitter(times[w][0]));
            result_.choices.push_back({plans_[w][best], Seconds(typical(times[w][best])),
                                       Seconds(typical(times[w][0]))});
        }
    }

    /// How much two halves of one plan's times differ, taken in turns.
    static double own_jitter(const std::vector<double> &times) {
        std::vector<double> halves[2];
        for (std::size_t i = 0; i < times.size(); i++) {
            halves[i * 8 / times.size() % 2].push_back(times[i]);
        }
        if (halves[0].empty() || halves[1].empty()) {
            return 0.05;
        }
        return std::clamp(std::fabs(typical(halves[0]) / typical(halves[1]) - 1), 0.005, 0.05);
    }

    void confirm() {
        std::vector<std::string> chosen;
        for (const InSituChoice &c : result_.choices) {
            chosen.push_back(c.plan);
        }
        runners_.resize(1); // the defaults
        BuildContext context = options_.build;
        context.progress = [&](int, int, const std::string &layer) {
            tell(build_share + rank_share, "compiling " + layer);
        };
        runners_.push_back(std::make_unique<Runner>(package_of(chosen), weights_, context,
                                                    options_.threads));
        runners_.push_back(
            std::make_unique<Runner>(variant(0), weights_, context, options_.threads));
        for (const auto &runner : runners_) {
            runner->run(input_);
        }
        const int runs = runs_per_burst();
        std::vector<std::vector<double>> bursts(runners_.size());
        std::vector<std::vector<Seconds>> all(runners_.size());
        in_turns(options_.confirmation, runners_.size(), build_share + rank_share, 1,
                 "comparing with the defaults", [&](std::size_t v) {
                     runners_[v]->rerun();
                     std::vector<double> times;
                     for (int run = 0; run < runs; run++) {
                         const Clock::time_point start = Clock::now();
                         runners_[v]->rerun();
                         times.push_back(since(start).count());
                         all[v].push_back(Seconds(times.back()));
                     }
                     bursts[v].push_back(typical(times));
                 });
        const auto ratio = [&](std::size_t a, std::size_t b) {
            std::vector<double> ratios;
            for (std::size_t i = 0; i < bursts[a].size(); i++) {
                ratios.push_back(bursts[a][i] / bursts[b][i]);
            }
            return *percentile(ratios, 0.5);
        };
        result_.defaults = summarise(all[0]);
        result_.tuned = summarise(all[1]);
        result_.ratio = ratio(1, 0);
        result_.jitter = std::fabs(ratio(2, 0) - 1);
        if (result_.ratio >= 1) {
            result_.kept_defaults = true;
            for (std::size_t w = 0; w < plans_.size(); w++) {
                InSituChoice &c = result_.choices[w];
                c = {plans_[w][0], c.default_time, c.default_time};
            }
        }
    }

    const Network &network_;
    const std::vector<TunedLayer> &works_;
    const InSituOptions &options_;
    const KernelTarget target_ = host_kernel_target();
    NetworkWeights weights_;
    std::vector<float> input_;
    std::map<std::size_t, std::vector<std::size_t>> nodes_; ///< by work
    std::map<std::size_t, std::size_t> work_of_;            ///< by node
    std::vector<std::vector<std::string>> plans_;           ///< by work, the default first
    std::vector<std::unique_ptr<Runner>> runners_;
    InSituResult result_;
};

Json timing_json(const Timing &t) {
    return {{"median", t.median.count()}, {"least", t.least.count()}, {"p90", t.p90.count()},
            {"runs", t.runs}};
}

Timing read_timing(const Json &json) {
    return {Seconds(json.at("median").get<double>()), Seconds(json.at("least").get<double>()),
            Seconds(json.at("p90").get<double>()), json.at("runs").get<int>()};
}

} // namespace

std::size_t best_of(const std::vector<std::vector<double>> &times, std::size_t incumbent,
                    double jitter) {
    std::size_t best = incumbent;
    double least = typical(times[incumbent]) * (1 - jitter);
    for (std::size_t i = 0; i < times.size(); i++) {
        if (i != incumbent && !times[i].empty() && typical(times[i]) < least) {
            least = typical(times[i]);
            best = i;
        }
    }
    return best;
}

void choose_plan(TuningRecord &record, const std::string &plan) {
    record.plan = plan;
    for (const TriedPlan &t : record.tried) {
        // A default with parallel loops is, on one thread, the one without.
        Schedule serial = parse_schedule(plan);
        serial.parallel = ParallelOver::none;
        if (t.measured && (t.plan == plan || (record.threads == 1 && t.plan == to_string(serial)))) {
            record.measured = t.measured;
            record.predicted = t.predicted;
            return;
        }
    }
}

InSituResult choose_in_situ(const Network &network, const std::vector<TunedLayer> &works,
                            const InSituOptions &options) {
    InSituResult result;
    try {
        return InSitu(network, works, options).run();
    } catch (const Stopped &) {
        result.interrupted = true;
    } catch (const std::exception &e) {
        result.failure = e.what();
    }
    return result;
}

Json write_result(const InSituResult &r) {
    Json choices = Json::array();
    for (const InSituChoice &c : r.choices) {
        choices.push_back({{"plan", c.plan},
                           {"time", c.time.count()},
                           {"default_time", c.default_time.count()}});
    }
    return {{"choices", choices},
            {"tuned", timing_json(r.tuned)},
            {"defaults", timing_json(r.defaults)},
            {"ratio", r.ratio},
            {"jitter", r.jitter},
            {"kept_defaults", r.kept_defaults},
            {"failure", r.failure},
            {"interrupted", r.interrupted}};
}

InSituResult read_result(const Json &json) {
    InSituResult r;
    for (const Json &c : json.at("choices")) {
        r.choices.push_back({c.at("plan").get<std::string>(), Seconds(c.at("time").get<double>()),
                             Seconds(c.at("default_time").get<double>())});
    }
    r.tuned = read_timing(json.at("tuned"));
    r.defaults = read_timing(json.at("defaults"));
    r.ratio = json.at("ratio").get<double>();
    r.jitter = json.at("jitter").get<double>();
    r.kept_defaults = json.at("kept_defaults").get<bool>();
    r.failure = json.at("failure").get<std::string>();
    r.interrupted = json.at("interrupted").get<bool>();
    return r;
}

} // namespace edgefront
