// What tuning found, kept over runs: one record for each (layer, target, threads, tool version,
// compiler). A SQLite file; records come and go as JSON lines, so that files of several machines
// can be joined.
#pragma once

#include "base/json_reader.h"
#include "hwmodels/cost.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace SQLite {
class Database;
}

namespace edgefront {

/// One trial of a kernel.
struct TriedPlan {
    std::string plan;
    std::optional<Seconds> predicted; ///< modelled
    std::optional<Seconds> measured;  ///< alone and warm, on the scale of the layer's best
    std::string refused;              ///< why it has no time: it crashed, hung, was wrong
};

/// What one network chose among the plans tried, from times inside it.
struct Judgement {
    std::string network; ///< empty: the layer by itself was what mattered
    std::string plan;
    std::optional<Seconds> in_network; ///< measured
    bool use = true;                   ///< no: chains that are no faster than their layers
    std::int64_t trials = 0;           ///< of the record then
};

struct TuningRecord {
    std::string layer;  ///< `key` of the layer or, joined, of a group's; precision included
    std::string target; ///< name
    /// Of the constants that prices depend on; of measured targets, of the kind of machine.
    std::string target_hash;
    int threads = 1;
    std::string version;  ///< of the tool that found it
    std::string compiler; ///< of what was measured: "Halide 14.0.0, emitter 5"
    std::string plan;     ///< the best alone: Schedule, KernelPlan, Mapping or Fusion as one line
    CostKind kind = CostKind::modelled; ///< of the score that chose the plan
    std::optional<Seconds> predicted;   ///< absent: there is no price, `refused` says why
    std::optional<Seconds> measured;    ///< never mixed with the prediction
    std::string refused;                ///< why the target cannot run the layer
    bool proven = false;                ///< nothing in the space of plans is better
    std::int64_t budget = 0;            ///< plans that the search might price before sampling
    std::int64_t trials = 0;            ///< plans that were priced or measured
    std::vector<TriedPlan> tried;       ///< measured targets: every trial, the best first
    std::vector<Judgement> judged;      ///< measured targets: one per network, the latest last
};

/// What a record is found by.
struct TuningKey {
    std::string layer;
    std::string target_hash;
    int threads = 1;
    std::string version;
    std::string compiler; ///< empty where nothing is compiled
};

TuningKey key_of(const TuningRecord &record);

/// The trial of a plan, null when there was none. On one thread a schedule with parallel loops is
/// the one without.
const TriedPlan *trial_of(const TuningRecord &record, const std::string &plan);

/// What a network should use: its own judgement, else the latest of another network, else that of
/// the layer by itself; null when none stands.
const Judgement *judgement_for(const TuningRecord &record, const std::string &network);
/// Puts a judgement, on the record's trials so far, in place of an earlier one of the same network.
void judge(TuningRecord &record, Judgement judgement);
/// Takes back those whose plan a later trial refused.
void drop_refused_judgements(TuningRecord &record);

/// One line of an export.
Json write_record(const TuningRecord &record);
/// Throws UserError for a plan that does not parse, and when there is not either a price or a
/// refusal.
TuningRecord read_record(const JsonReader &json);

class TuningDb {
public:
    /// Opens or creates the file; throws UserError naming it when it is no such database, and
    /// leaves it as it was.
    explicit TuningDb(const std::filesystem::path &path);
    ~TuningDb();
    TuningDb(const TuningDb &) = delete;
    TuningDb &operator=(const TuningDb &) = delete;

    /// Replaces the record of the same key. On disk when this returns.
    void put(const TuningRecord &record);
    std::optional<TuningRecord> find(const TuningKey &key) const;
    /// All, in the order of their keys.
    std::vector<TuningRecord> all() const;

    std::string to_json_lines() const;
    /// Puts every record of a file of JSON lines, all or none; throws UserError with its line. Of
    /// two records with one key the proven one stays, else the one of the larger budget, else of
    /// more trials, with the judgements that only the other one has. Returns how many the file had.
    int import(const std::filesystem::path &path);

private:
    std::filesystem::path path_;
    std::unique_ptr<SQLite::Database> db_;
};

} // namespace edgefront
