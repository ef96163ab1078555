#include "search/kernels/kernel_tuner.h"

#include "schedules/fusion.h"
#include "search/kernels/host_plans.h"
#include "search/statistics.h"

#include <algorithm>
#include <memory>

namespace edgefront {

namespace {

/// The machine's jitter as races saw it so far.
class Jitter {
public:
    void add(const std::vector<double> &samples) {
        samples_.insert(samples_.end(), samples.begin(), samples.end());
    }
    /// Gains below it may be none: one in ten pairs of equal kernels differs by more.
    double limit() const {
        constexpr double unknown = 0.02;
        constexpr std::size_t few = 6;
        return samples_.size() < few ? unknown : *percentile(samples_, 0.9);
    }

private:
    std::vector<double> samples_;
};

class Tuner {
public:
    Tuner(const std::vector<TunedLayer> &works, TrialPool &pool, TuningDb &db,
          const KernelTuneOptions &options)
        : works_(works), pool_(pool), db_(db), options_(options),
          busy_(static_cast<std::size_t>(pool.workers())) {
        for (std::size_t i = 0; i < works.size(); i++) {
            const auto known = db.find(key_of_work(i));
            searches_.push_back(
                std::make_unique<KernelSearch>(i, works[i].layers, options.search, known));
            works_[i].from_database = known && searches_[i]->at_rest();
            if (known) {
                works_[i].record = *known;
            }
        }
        trials_before_ = trials();
    }

    KernelTuneResult run() {
        bool interrupted = false;
        while (!(interrupted = options_.stop())) {
            give_out_work();
            if (std::none_of(busy_.begin(), busy_.end(), [](const Busy &b) { return b.search; })) {
                break;
            }
            if (const std::optional<TrialAnswer> answer = pool_.wait()) {
                take(*answer);
            }
        }
        return result(interrupted);
    }

private:
    struct Busy {
        KernelSearch *search = nullptr;
        std::size_t work = 0;
        bool asked = false;
        bool timing = false;
    };

    TuningKey key_of_work(std::size_t i) const {
        return host_key(works_[i].layers, options_.search.threads, options_.version);
    }

    std::int64_t trials() const {
        std::int64_t count = 0;
        for (const auto &s : searches_) {
            count += s->trials();
        }
        return count;
    }

    bool taken(std::size_t work) const {
        return std::any_of(busy_.begin(), busy_.end(),
                           [&](const Busy &b) { return b.search && b.work == work; });
    }

    /// What the next batch on a layer may gain for the whole; layers nobody knows come first, the
    /// largest in front, and then chains, which begin with what their members have.
    double promise(std::size_t work) const {
        const KernelSearch &s = *searches_[work];
        const auto times = static_cast<double>(works_[work].names.size());
        if (s.fresh()) {
            Macs all;
            for (const Layer &l : works_[work].layers) {
                all += macs(l);
            }
            constexpr double before_all = 1e20, before_known = 1e19;
            return (works_[work].fused() ? before_known : before_all) +
                   static_cast<double>(all.count()) * times * 1e6;
        }
        return s.best_time().count() * times * s.potential() * prospect(work);
    }

    /// Of a chain to replace its layers: alone, where nothing is cold, it should not lose by much.
    double prospect(std::size_t work) const {
        constexpr double by_much = 1.2, little = 0.2;
        Seconds members;
        for (const Layer &layer : works_[work].layers) {
            for (std::size_t i = 0; i < works_.size(); i++) {
                if (works_[i].layers.size() == 1 && works_[i].layers[0] == layer) {
                    members += searches_[i]->best_time();
                }
            }
        }
        const bool hopeless = members.count() > 0 && works_[work].fused() &&
                              searches_[work]->best_time() > members * by_much;
        return hopeless ? little : 1;
    }

    std::optional<std::size_t> next_work() const {
        std::optional<std::size_t> best;
        for (std::size_t i = 0; i < searches_.size(); i++) {
            if (!searches_[i]->at_rest() && !taken(i) && (!best || promise(i) > promise(*best))) {
                best = i;
            }
        }
        return best;
    }

    void give_out_work() {
        for (std::size_t w = 0; w < busy_.size(); w++) {
            Busy &b = busy_[w];
            while (!b.search) {
                const auto work = next_work();
                if (!work) {
                    break;
                }
                begin(b, *work);
            }
            ask(static_cast<int>(w));
        }
    }

    void begin(Busy &b, std::size_t work) {
        KernelSearch &s = *searches_[work];
        s.begin(s.fresh() ? known_elsewhere(work) : std::vector<std::string>());
        if (s.request()) {
            b = {&s, work, false, false};
        } else {
            keep(work); // nothing is left to try
        }
    }

    /// Plans that may be good for work nobody has tried: those of similar work, and for a chain its
    /// members' own.
    std::vector<std::string> known_elsewhere(std::size_t work) const {
        constexpr std::size_t most_similar = 3;
        const std::vector<Layer> &layers = works_[work].layers;
        std::vector<std::string> plans = similar_plans(layers, records_of_host(), most_similar);
        std::vector<std::string> members;
        for (const Layer &layer : layers) {
            const auto record =
                db_.find(host_key({layer}, options_.search.threads, options_.version));
            members.push_back(record && record->measured ? record->plan : "");
        }
        for (const int rows : searches_[work]->space().strips()) {
            if (const auto plan = searches_[work]->space().of_members(rows, members)) {
                plans.push_back(*plan);
            }
        }
        return plans;
    }

    std::vector<TuningRecord> records_of_host() const {
        const TuningKey own = key_of_work(0);
        std::vector<TuningRecord> records = db_.all();
        records.erase(std::remove_if(records.begin(), records.end(),
                                     [&](const TuningRecord &r) {
                                         return r.target_hash != own.target_hash ||
                                                r.threads != own.threads;
                                     }),
                      records.end());
        return records;
    }

    void ask(int worker) {
        Busy &b = busy_[static_cast<std::size_t>(worker)];
        if (!b.search || b.asked) {
            return;
        }
        const TrialRequest request = *b.search->request();
        const bool someone_times =
            std::any_of(busy_.begin(), busy_.end(), [](const Busy &o) { return o.timing; });
        if (request.slices > 0 && someone_times) {
            return;
        }
        b.asked = true;
        b.timing = request.slices > 0;
        pool_.ask(worker, request);
    }

    void take(const TrialAnswer &answer) {
        Busy &b = busy_[static_cast<std::size_t>(answer.worker)];
        b.asked = b.timing = false;
        refused_ += b.search->answer(answer, jitter_.limit()) ? 1 : 0;
        jitter_.add(b.search->take_jitter());
        if (!b.search->request()) {
            keep(b.work);
            b.search = nullptr;
            options_.progress(progress());
        }
    }

    void keep(std::size_t work) {
        TuningRecord &r = works_[work].record;
        const TuningKey key = key_of_work(work);
        r.layer = key.layer;
        r.target = "host";
        r.target_hash = key.target_hash;
        r.threads = key.threads;
        r.version = key.version;
        r.compiler = key.compiler;
        searches_[work]->write(r);
        drop_refused_judgements(r);
        if (options_.alone && !works_[work].fused() && r.refused.empty()) {
            judge(r, {"", r.plan, {}, true, 0});
        }
        db_.put(r);
    }

    KernelProgress progress() const {
        KernelProgress p;
        p.trials = trials() - trials_before_;
        p.refused = refused_;
        p.total = works_.size();
        for (std::size_t i = 0; i < works_.size(); i++) {
            const auto times = static_cast<double>(works_[i].names.size());
            const KernelSearch &s = *searches_[i];
            p.at_rest += s.at_rest() ? 1 : 0;
            if (!s.fresh() && !works_[i].fused()) {
                p.layers += s.best_time() * times;
                p.defaults += s.default_time().value_or(s.best_time()) * times;
            }
        }
        return p;
    }

    KernelTuneResult result(bool interrupted) {
        KernelTuneResult r;
        r.progress = progress();
        r.jitter = jitter_.limit();
        r.tuned.wanted = works_.size();
        r.tuned.interrupted = interrupted;
        for (std::size_t i = 0; i < works_.size(); i++) {
            if (!works_[i].record.layer.empty()) {
                r.tuned.layers.push_back(works_[i]);
            }
        }
        return r;
    }

    std::vector<TunedLayer> works_;
    TrialPool &pool_;
    TuningDb &db_;
    const KernelTuneOptions &options_;
    std::vector<std::unique_ptr<KernelSearch>> searches_;
    std::vector<Busy> busy_;
    Jitter jitter_;
    std::int64_t trials_before_ = 0;
    std::int64_t refused_ = 0;
};

} // namespace

std::vector<TunedLayer> kernel_works(const Network &network) {
    return different_works(network, kernel_groups(network));
}

KernelTuneResult tune_kernels(const std::vector<TunedLayer> &works, TrialPool &pool, TuningDb &db,
                              const KernelTuneOptions &options) {
    return Tuner(works, pool, db, options).run();
}

} // namespace edgefront
