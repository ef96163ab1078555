#include "search/kernels/in_situ.h"

#include "dsl/weights.h"
#include "schedules/package/layer_check.h"
#include "search/kernels/network_variants.h"
#include "search/kernels/race.h"
#include "search/kernels/worker_process.h"
#include "search/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <poll.h>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

struct Stopped {};

constexpr std::uint64_t seed = 1; // of weights and input: any numbers take equally long
constexpr double build_share = 0.5;
constexpr double rank_share = 0.35;
constexpr std::size_t least_rounds = 6;
constexpr int most_chained = 3;
constexpr double tolerance = EDGEFRONT_TOLERANCE; // of the output's range

Seconds since(Clock::time_point start) {
    return Seconds(std::chrono::duration<double>(Clock::now() - start).count());
}

class InSitu {
public:
    InSitu(const Network &network, const std::vector<TunedLayer> &works,
           const InSituOptions &options)
        : network_(network), options_(options), weights_(random_weights(network, seed)),
          input_(random_input(network, seed)),
          variants_(network, works, options.variants, target_) {}

    InSituResult run() {
        build();
        rank();
        confirm();
        return result_;
    }

private:
    using Variant = NetworkVariants::Variant;
    struct Built {
        Variant variant;
        std::unique_ptr<Runner> runner;
    };

    void tell(double share, const std::string &doing) const {
        if (options_.stop && options_.stop()) {
            throw Stopped();
        }
        if (options_.progress) {
            options_.progress(share, doing);
        }
    }

    std::vector<Variant> variants_to_rank() const {
        std::vector<Variant> list;
        for (int i = 0; i <= options_.variants; i++) {
            list.push_back(variants_.separate(static_cast<std::size_t>(i)));
        }
        bool chains = false;
        for (std::size_t w = 0; w < variants_.works(); w++) {
            chains = chains || (variants_.is_chain(w) && !variants_.plans(w).empty());
        }
        for (int i = 0; chains && i < std::min(options_.variants, most_chained); i++) {
            list.push_back(variants_.chained(static_cast<std::size_t>(i)));
        }
        return list;
    }

    /// Nothing when it does not compute what the first one does.
    std::optional<Built> built(const Variant &variant, double from, double to) {
        BuildContext context = options_.build;
        context.progress = [&](int done, int total, const std::string &layer) {
            tell(from + (to - from) * done / std::max(total, 1), "compiling " + layer);
        };
        auto runner = std::make_unique<Runner>(plan_package(network_, variant.kernels, target_),
                                               weights_, context, options_.threads);
        const std::vector<float> output = runner->run(input_);
        if (expected_.empty()) {
            expected_ = output;
        }
        const naive_difference difference =
            naive_compare(expected_.data(), output.data(), output.size());
        if (!(difference.error <= tolerance * std::max(difference.range, 1e-6))) {
            result_.wrong++;
            return {};
        }
        return Built{variant, std::move(runner)};
    }

    /// Compiles all variants, the later half of them in another process.
    void build() {
        const std::vector<Variant> list = variants_to_rank();
        const std::size_t half = (list.size() + 1) / 2;
        BuildContext context = options_.build;
        context.progress = {};
        WorkerProcess helper([&](const Json &, const WorkerProcess::Say &) {
            for (std::size_t v = half; v < list.size(); v++) {
                shared_library(plan_package(network_, list[v].kernels, target_), context);
            }
            return Json(true);
        });
        helper.ask(Json(true));
        const double share = build_share / static_cast<double>(list.size());
        std::vector<PackagePlan> own;
        for (std::size_t v = 0; v < half; v++) { // as yet without threads, which Runners have
            BuildContext told = options_.build;
            told.progress = [&](int, int, const std::string &layer) {
                tell(share * static_cast<double>(v), "compiling " + layer);
            };
            shared_library(plan_package(network_, list[v].kernels, target_), told);
        }
        while (!helper.take() && helper.end().empty()) {
            struct pollfd poll = {helper.descriptor(), POLLIN, 0};
            ::poll(&poll, 1, 200);
            tell(build_share / 2, "compiling");
        }
        for (const Variant &variant : list) {
            if (std::optional<Built> one = built(variant, build_share, build_share)) {
                built_.push_back(std::move(*one));
            }
        }
    }

    /// Calls `burst` for each network in turn until the time is over.
    void in_turns(Seconds duration, double from, double to, const std::string &doing,
                  const std::function<void(std::size_t)> &burst) const {
        const Clock::time_point start = Clock::now();
        for (std::size_t round = 0; round < least_rounds || since(start) < duration; round++) {
            for (std::size_t i = 0; i < built_.size(); i++) {
                tell(from + (to - from) * std::min(since(start) / duration, 1.0), doing);
                const std::size_t v = (i + round) % built_.size();
                built_[v].runner->rerun(); // brings the network's weights back
                burst(v);
            }
        }
    }

    /// As many as fill a moment.
    int runs_per_burst() const {
        constexpr double moment = 12e-3;
        const Clock::time_point start = Clock::now();
        built_[0].runner->rerun();
        return std::clamp(static_cast<int>(moment / since(start).count()), 1, 40);
    }

    /// Of one run under a clock: the mean time of every work, by its plan.
    void trace(const Built &network, std::vector<std::vector<std::vector<double>>> &times) const {
        std::vector<double> sums(variants_.works());
        std::vector<int> counts(variants_.works());
        std::vector<std::size_t> plans(variants_.works());
        std::size_t step = 0;
        network.runner->rerun([&](const edgefront_layer_run &r) {
            const NetworkVariants::Step &s = network.variant.steps.at(step++);
            sums[s.work] += r.seconds;
            counts[s.work]++;
            plans[s.work] = s.plan;
        });
        for (std::size_t w = 0; w < sums.size(); w++) {
            if (counts[w] > 0) {
                times[w][plans[w]].push_back(sums[w] / counts[w]);
            }
        }
    }

    void rank() {
        std::vector<std::vector<std::vector<double>>> times(variants_.works());
        for (std::size_t w = 0; w < times.size(); w++) {
            times[w].resize(variants_.plans(w).size());
        }
        const int runs = runs_per_burst();
        in_turns(options_.ranking, build_share, build_share + rank_share,
                 "ranking plans inside the network", [&](std::size_t v) {
                     for (int run = 0; run < runs; run++) {
                         trace(built_[v], times);
                     }
                 });
        result_.choices.resize(times.size());
        for (std::size_t w = 0; w < times.size(); w++) {
            if (!variants_.is_chain(w)) {
                const std::size_t best = best_of(times[w], 0, own_jitter(times[w][0]));
                result_.choices[w] = {variants_.plans(w)[best], Seconds(typical(times[w][best])),
                                      Seconds(typical(times[w][0])), true};
                chosen_[w] = best;
            }
        }
        for (std::size_t w = 0; w < times.size(); w++) {
            if (variants_.is_chain(w) && !times[w].empty() && !times[w][0].empty()) {
                judge_chain(w, times[w]);
            }
        }
    }

    /// Takes a chain that is faster than its layers one by one.
    void judge_chain(std::size_t work, const std::vector<std::vector<double>> &times) {
        InSituChoice &choice = result_.choices[work];
        const std::size_t best = best_of(times, 0, 0);
        Seconds separate;
        for (const std::size_t member : variants_.members(work)) {
            separate += result_.choices[member].time;
            choice.default_time += result_.choices[member].default_time;
        }
        choice.plan = variants_.plans(work)[best];
        choice.time = Seconds(typical(times[best]));
        choice.use = choice.time < separate * (1 - own_jitter(times[best]));
        if (choice.use) {
            chosen_[work] = best;
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

    /// The winners together against the defaults, and the defaults against themselves.
    void confirm() {
        const double from = build_share + rank_share;
        built_.resize(1);
        std::optional<Built> winners = built(variants_.make([&](std::size_t work) {
            const auto found = chosen_.find(work);
            return found == chosen_.end() ? std::nullopt : std::optional(found->second);
        }),
                                             from, from);
        std::optional<Built> control = built(variants_.separate(0), from, from);
        if (!winners || !control) {
            keep_defaults();
            return;
        }
        built_.push_back(std::move(*winners));
        built_.push_back(std::move(*control));
        const int runs = runs_per_burst();
        std::vector<std::vector<double>> bursts(built_.size());
        std::vector<std::vector<Seconds>> all(built_.size());
        in_turns(options_.confirmation, from, 1, "comparing with the defaults", [&](std::size_t v) {
            std::vector<double> times;
            for (int run = 0; run < runs; run++) {
                const Clock::time_point start = Clock::now();
                built_[v].runner->rerun();
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
        if (!is_gain(result_.ratio, result_.jitter)) {
            keep_defaults();
        }
    }

    void keep_defaults() {
        result_.kept_defaults = true;
        for (std::size_t w = 0; w < variants_.works(); w++) {
            InSituChoice &c = result_.choices[w];
            if (variants_.is_chain(w)) {
                c.use = false;
            } else {
                c = {variants_.plans(w)[0], c.default_time, c.default_time, true};
            }
        }
    }

    const Network &network_;
    const InSituOptions &options_;
    const KernelTarget target_ = host_kernel_target();
    NetworkWeights weights_;
    std::vector<float> input_;
    std::vector<float> expected_; ///< output of the defaults
    NetworkVariants variants_;
    std::vector<Built> built_;
    std::map<std::size_t, std::size_t> chosen_; ///< plans, by work; chains that are used only
    InSituResult result_;
};

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

bool is_gain(double ratio, double jitter) {
    return ratio < 1 - jitter;
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
                           {"default_time", c.default_time.count()},
                           {"use", c.use}});
    }
    return {{"choices", choices},
            {"tuned", write_timing(r.tuned)},
            {"defaults", write_timing(r.defaults)},
            {"ratio", r.ratio},
            {"jitter", r.jitter},
            {"kept_defaults", r.kept_defaults},
            {"wrong", r.wrong},
            {"failure", r.failure},
            {"interrupted", r.interrupted}};
}

InSituResult read_result(const Json &json) {
    InSituResult r;
    for (const Json &c : json.at("choices")) {
        r.choices.push_back({c.at("plan").get<std::string>(), Seconds(c.at("time").get<double>()),
                             Seconds(c.at("default_time").get<double>()), c.at("use").get<bool>()});
    }
    r.tuned = read_timing(json.at("tuned"));
    r.defaults = read_timing(json.at("defaults"));
    r.ratio = json.at("ratio").get<double>();
    r.jitter = json.at("jitter").get<double>();
    r.kept_defaults = json.at("kept_defaults").get<bool>();
    r.wrong = json.at("wrong").get<int>();
    r.failure = json.at("failure").get<std::string>();
    r.interrupted = json.at("interrupted").get<bool>();
    return r;
}

} // namespace edgefront
