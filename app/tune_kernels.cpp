#include "app/tune_kernels.h"

#include "app/child_process.h"
#include "app/host_network.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "base/files.h"
#include "hwmodels/target.h"
#include "search/kernels/host_plans.h"
#include "search/kernels/in_situ.h"
#include "search/kernels/kernel_tuner.h"
#include "search/kernels/plan_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sched.h>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

/// Of the time that a command has: the rest compiles and compares whole networks.
constexpr double least_search_share = 0.5;
constexpr double ranking_share = 0.06;
constexpr double confirmation_share = 0.04;
constexpr double compilers = 2;                       ///< processes
constexpr double ranking_s = 20, confirmation_s = 12; ///< at most
/// A network that tells nothing for so long hangs; no kernel compiles for as long.
constexpr std::chrono::minutes silence(3);

/// That this process may use.
int cores() {
    cpu_set_t allowed;
    return ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

class HostTuning {
public:
    HostTuning(const KernelTuneRequest &request, bool quiet)
        : request_(request), db_(request.db), works_(kernel_works(request.network)),
          progress_(request.minutes > 0 ? "s" : "layers", quiet) {}

    int run() {
        const InterruptGuard guard;
        search();
        if (request_.whole && !interrupted() && !known_in_network()) {
            choose();
        }
        if (!request_.export_to.empty()) {
            write_file(request_.export_to, db_.to_json_lines());
        }
        if (interrupted()) {
            std::fprintf(
                stderr, "edgefront: interrupted, %lld trials are in %s; the same command goes on\n",
                static_cast<long long>(result_.progress.trials), request_.db.c_str());
            return exit_interrupted;
        }
        request_.output.write(table(), json());
        if (in_situ_ && !in_situ_->failure.empty()) {
            std::fprintf(stderr, "edgefront: the choice inside the network failed: %s\n",
                         in_situ_->failure.c_str());
            return exit_check_failed;
        }
        const bool none =
            std::none_of(result_.tuned.layers.begin(), result_.tuned.layers.end(),
                         [](const TunedLayer &l) { return l.record.refused.empty(); });
        return none && !result_.tuned.layers.empty() ? exit_infeasible : exit_ok;
    }

private:
    static bool interrupted() { return InterruptGuard::requested(); }
    double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
    double budget() const { return request_.minutes * 60; }
    double limited(double share, double most) const {
        return request_.minutes > 0 ? std::min(share * budget(), most) : most;
    }

    /// What the choice inside the network leaves: it compiles the best plans of every layer, each
    /// in about the time of a trial.
    double search_budget(int workers) const {
        if (!request_.whole) {
            return budget();
        }
        const InSituOptions usual;
        const auto kernels = static_cast<double>(works_.size() * (usual.variants + 1));
        const auto trials = static_cast<double>(std::max<std::int64_t>(result_.progress.trials, 1));
        const double per_trial = std::min(seconds() * workers / trials, 1.0);
        const double rest = kernels * per_trial / compilers + limited(ranking_share, ranking_s) +
                            limited(confirmation_share, confirmation_s);
        return std::max(budget() - rest, least_search_share * budget());
    }

    void tell(std::size_t done, std::size_t total, const std::function<std::string()> &detail) {
        if (request_.minutes > 0) {
            progress_.update(static_cast<std::int64_t>(std::min(seconds(), budget())),
                             static_cast<std::int64_t>(budget()), detail);
        } else {
            progress_.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total),
                             detail);
        }
    }

    void search() {
        std::vector<std::vector<Layer>> layers;
        for (const TunedLayer &w : works_) {
            layers.push_back(w.layers);
        }
        HostKernels kernels;
        PoolOptions pool_options;
        pool_options.threads = request_.threads;
        pool_options.pinned = request_.threads == 1;
        pool_options.workers = request_.threads == 1 ? std::min(2, cores()) : 1; // of all cores
        ProcessPool pool(layers, kernels, pool_options);
        KernelTuneOptions options;
        options.version = EDGEFRONT_VERSION;
        options.alone = !request_.whole;
        options.search.isa = isa_info(host_kernel_target().text);
        options.search.threads = request_.threads;
        options.search.trials = request_.trials;
        options.search.clock_hz = request_.clock_hz;
        options.stop = [&] {
            out_of_time_ = request_.minutes > 0 && seconds() > search_budget(pool.workers());
            return interrupted() || out_of_time_;
        };
        options.progress = [&](const KernelProgress &p) {
            result_.progress = p;
            tell(p.at_rest, p.total, [&] {
                return fmt::format("{} trials, {} refused, {} of {} layers at rest; layers alone "
                                   "{:.3f} ms, with defaults {:.3f} ms",
                                   p.trials, p.refused, p.at_rest, p.total, milliseconds(p.layers),
                                   milliseconds(p.defaults));
            });
        };
        result_ = tune_kernels(works_, pool, db_, options);
        search_seconds_ = seconds();
    }

    const Judgement *judgement(const TunedLayer &l) const {
        return judgement_for(l.record, request_.whole ? request_.network.name : "");
    }

    /// Every layer has the plan that this very network chose, and nothing was tried since.
    bool known_in_network() const {
        const std::vector<TunedLayer> &layers = result_.tuned.layers;
        return layers.size() == result_.tuned.wanted &&
               std::all_of(layers.begin(), layers.end(), [&](const TunedLayer &l) {
                   const Judgement *judged = judgement(l);
                   return !l.record.refused.empty() ||
                          (judged && judged->network == request_.network.name &&
                           judged->trials == l.record.trials);
               });
    }

    void choose() {
        std::vector<TunedLayer> works = works_; // those without a record have their default
        for (const TunedLayer &l : result_.tuned.layers) {
            const auto same = std::find_if(works.begin(), works.end(), [&](const TunedLayer &w) {
                return w.layers == l.layers;
            });
            *same = l;
        }
        InSituOptions options;
        options.threads = request_.threads;
        options.ranking = Seconds(limited(ranking_share, ranking_s));
        options.confirmation = Seconds(limited(confirmation_share, confirmation_s));
        options.build.cache = cache_directory();
        options.build.tool_version = EDGEFRONT_VERSION;
        options.stop = interrupted;
        const auto body = [&](const std::function<void(const Json &)> &say) {
            InSituOptions own = options;
            own.progress = [&](double share, const std::string &doing) {
                say({{"share", share}, {"doing", doing}});
            };
            return write_result(choose_in_situ(request_.network, works, own));
        };
        const auto heard = [&](const Json &said) {
            tell(static_cast<std::size_t>(100 * said["share"].get<double>()), 100,
                 [&] { return said["doing"].get<std::string>(); });
        };
        Clock::time_point last = Clock::now();
        const auto stop = [&] { return interrupted() || Clock::now() - last > silence; };
        const ChildEnd end = run_in_child(
            body,
            [&](const Json &said) {
                last = Clock::now();
                heard(said);
            },
            stop);
        InSituResult chosen;
        if (end.answer) {
            chosen = read_result(*end.answer);
        } else {
            chosen.failure = end.failure;
            chosen.interrupted = end.interrupted;
        }
        if (interrupted()) {
            return;
        }
        if (chosen.interrupted) {
            chosen.failure = "a kernel hung in the network";
        }
        in_situ_ = chosen;
        if (chosen.failure.empty()) {
            keep(works);
        }
    }

    void keep(const std::vector<TunedLayer> &works) {
        result_.tuned.layers.clear();
        for (std::size_t i = 0; i < works.size(); i++) {
            TunedLayer l = works[i];
            const InSituChoice &choice = in_situ_->choices[i];
            if (!l.record.layer.empty() && l.record.refused.empty()) {
                const std::optional<Seconds> none;
                const bool chosen = !choice.plan.empty(); // else a chain that did not run here
                judge(l.record,
                      {request_.network.name, chosen ? choice.plan : l.record.plan,
                       chosen ? std::optional(choice.time) : none, chosen && choice.use, 0});
                db_.put(l.record);
            }
            result_.tuned.layers.push_back(l);
        }
    }

    Json layers_json() const {
        Json rows = Json::array();
        for (const TunedLayer &l : result_.tuned.layers) {
            if (l.record.layer.empty()) { // never tried
                continue;
            }
            Json row = write_record(l.record);
            row["names"] = l.names;
            row["from_database"] = l.from_database;
            const Judgement *judged = judgement(l);
            row["chosen"] = judged ? Json(judged->plan) : Json();
            row["in_network_s"] =
                judged && judged->in_network ? Json(judged->in_network->count()) : Json();
            row["use"] = judged && judged->use;
            rows.push_back(std::move(row));
        }
        return rows;
    }

    Json json() const {
        const KernelProgress &p = result_.progress;
        Json json = {{"network", request_.network.name},
                     {"target", "host"},
                     {"machine", host_kind()},
                     {"precision", "fp32"},
                     {"threads", request_.threads},
                     {"complete", !result_.tuned.interrupted},
                     {"kind", "measured"},
                     {"trials", p.trials},
                     {"refused", p.refused},
                     {"trials_per_minute", per_minute()},
                     {"jitter", result_.jitter}};
        if (in_situ_ && !in_situ_->failure.empty()) {
            json["in_network"] = {{"failure", in_situ_->failure}};
        } else if (in_situ_) {
            json["in_network"] = {{"ratio", in_situ_->ratio},
                                  {"jitter", in_situ_->jitter},
                                  {"kept_defaults", in_situ_->kept_defaults},
                                  {"wrong_variants", in_situ_->wrong},
                                  {"tuned_ms", milliseconds(in_situ_->tuned.median)},
                                  {"tuned_min_ms", milliseconds(in_situ_->tuned.least)},
                                  {"default_ms", milliseconds(in_situ_->defaults.median)},
                                  {"default_min_ms", milliseconds(in_situ_->defaults.least)}};
        }
        json["layers"] = layers_json();
        return json;
    }

    double per_minute() const {
        return search_seconds_ > 0
                   ? static_cast<double>(result_.progress.trials) / search_seconds_ * 60
                   : 0;
    }

    Table table() const {
        Table table;
        table.columns = {{"name", "layer"},
                         {"times", "times"},
                         {"default_us", "default us", 1},
                         {"measured_us", "us", 1},
                         {"in_network_us", "in network us", 1},
                         {"use", "used"},
                         {"trials", "trials"},
                         {"from_database", "known"},
                         {"plan", "schedule"}};
        for (const TunedLayer &l : result_.tuned.layers) {
            const TuningRecord &r = l.record;
            if (r.layer.empty()) {
                continue;
            }
            const std::optional<Seconds> none;
            const auto us = [](const std::optional<Seconds> &t) {
                return t ? Json(t->count() * 1e6) : Json();
            };
            const Judgement *judged = judgement(l);
            const std::string &plan = judged ? judged->plan : r.plan;
            table.rows.push_back(
                {l.names.front(), static_cast<int>(l.names.size()),
                 us(time_alone(r, to_string(default_plan(l)))), us(time_alone(r, plan)),
                 us(judged ? judged->in_network : none), judged && judged->use ? "yes" : "no",
                 r.trials, l.from_database ? "yes" : "no", r.refused.empty() ? plan : r.refused});
        }
        table.notes = notes();
        return table;
    }

    std::vector<std::string> notes() const {
        const KernelProgress &p = result_.progress;
        std::vector<std::string> notes = {
            fmt::format("{} on host (fp32, {} thread{}): {} different layers and {} chains; {} "
                        "trials in {:.1f} s, {:.0f} a minute, {} refused; kept in {}",
                        request_.network.name, request_.threads, request_.threads == 1 ? "" : "s",
                        works_.size() - chains(), chains(), p.trials, search_seconds_, per_minute(),
                        p.refused, request_.db),
            fmt::format("layers alone and warm {:.3f} ms, with default schedules {:.3f} ms "
                        "(measured); equal kernels differ by {:.1f} % (90th percentile)",
                        milliseconds(p.layers), milliseconds(p.defaults), 100 * result_.jitter)};
        if (out_of_time_) {
            notes.push_back(fmt::format("out of time with {} of {} layers at rest; the same "
                                        "command goes on",
                                        p.at_rest, p.total));
        }
        if (in_situ_ && in_situ_->failure.empty()) {
            notes.push_back(fmt::format(
                "the whole network, in turns: tuned {:.3f} ms, default {:.3f} ms (medians), ratio "
                "{:.3f}; two networks of defaults differ by {:.1f} %{}",
                milliseconds(in_situ_->tuned.median), milliseconds(in_situ_->defaults.median),
                in_situ_->ratio, 100 * in_situ_->jitter,
                in_situ_->kept_defaults ? "; no gain, so the defaults are kept" : ""));
        }
        return notes;
    }

    std::size_t chains() const {
        return static_cast<std::size_t>(std::count_if(
            works_.begin(), works_.end(), [](const TunedLayer &w) { return w.fused(); }));
    }

    KernelPlan default_plan(const TunedLayer &l) const {
        return usual_plan(l.layers, isa_info(host_kernel_target().text), request_.threads);
    }

    static std::optional<Seconds> time_alone(const TuningRecord &r, const std::string &plan) {
        const TriedPlan *trial = trial_of(r, plan);
        return trial ? trial->measured : std::nullopt;
    }

    const KernelTuneRequest &request_;
    TuningDb db_;
    std::vector<TunedLayer> works_;
    Progress progress_;
    const Clock::time_point begin_ = Clock::now();
    KernelTuneResult result_;
    double search_seconds_ = 0;
    bool out_of_time_ = false;
    std::optional<InSituResult> in_situ_;
};

} // namespace

int tune_host(const KernelTuneRequest &request, bool quiet) {
    return HostTuning(request, quiet).run();
}

} // namespace edgefront
