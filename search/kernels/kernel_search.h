// The search for the best plan of one piece of work on this machine, in batches: the default and
// what was best for similar work, then what the model ranks first, neighbours of the best so far
// and others at random. Says what to try and is told what came of it: it neither waits nor looks at
// a clock.
#pragma once

#include "search/kernels/plan_space.h"
#include "search/kernels/race.h"
#include "search/kernels/trial_pool.h"
#include "search/kernels/tuning_db.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace edgefront {

struct SearchOptions {
    IsaInfo isa;
    int threads = 1;
    double clock_hz = 3e9;   ///< turns the model's cycles into a prediction
    std::int64_t trials = 0; ///< at most; 0: until nothing more is gained
    int batch = 8;           ///< trials that race each other
};

class KernelSearch {
public:
    /// Goes on where the record ends, if there is one.
    KernelSearch(std::size_t work, const std::vector<Layer> &layers, const SearchOptions &options,
                 const std::optional<TuningRecord> &known);

    /// Nothing more is worth trying.
    bool at_rest() const;
    /// Whether nothing of it has a time yet.
    bool fresh() const { return incumbent_.empty(); }
    /// Chooses the next batch; `similar` are the best plans of work like this.
    void begin(const std::vector<std::string> &similar);
    /// What a worker should do now; nothing when the batch is done. Equal until it is answered.
    std::optional<TrialRequest> request() const;
    /// `jitter`: what part of a time no gain is believed below. Whether a plan was refused: one
    /// that the system may have ended has a second chance.
    bool answer(const TrialAnswer &answer, double jitter);

    /// The best plan so far; empty when there is none.
    const std::string &best() const { return incumbent_; }
    Seconds best_time() const { return seconds_; }
    /// Of the default plan, on the same scale; nothing when it is no kernel.
    std::optional<Seconds> default_time() const;
    /// A guess at the part of its time that the next batch may gain.
    double potential() const { return potential_; }
    /// Those that have a result.
    std::int64_t trials() const;
    /// Of the races since the last call.
    std::vector<double> take_jitter();
    const PlanSpace &space() const { return space_; }
    /// Fills in what the search knows: plan, times, trials, tried.
    void write(TuningRecord &record) const;

private:
    void resume(const TuningRecord &known);
    void propose(const std::vector<std::string> &similar);
    void add(const std::string &plan);
    void refuse(const std::string &plan, const std::string &reason);
    void start_race();
    void finish_race(double jitter);
    void settle(double gain);
    std::string best_measured() const;

    std::size_t work_;
    SearchOptions options_;
    PlanSpace space_;
    Random random_;

    std::map<std::string, TriedPlan> tried_;
    std::string incumbent_;
    Seconds seconds_;
    double potential_ = 0.5;
    int stale_ = 0;        ///< batches in a row that gained nothing
    std::size_t next_ = 0; ///< by rank; those before are tried
    bool exhausted_ = false;
    std::int64_t granted_ = 0; ///< trials it had when it came to rest before

    std::vector<std::string> batch_; ///< challengers
    std::set<std::string> prepared_; ///< by the worker
    std::set<std::string> chances_;  ///< that were given
    std::optional<Race> race_;
    std::vector<double> jitter_;
};

/// The plans of the records that are nearest to a piece of work: the same operators, windows and
/// strides, shapes of a similar size. At most `most`, the nearest first.
std::vector<std::string> similar_plans(const std::vector<Layer> &layers,
                                       const std::vector<TuningRecord> &records, std::size_t most);

} // namespace edgefront
