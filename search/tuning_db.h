// What tuning found, kept over runs: one record for each (layer, target, threads, tool version). A
// SQLite file; records come and go as JSON lines, so that files of several machines can be joined.
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

struct TuningRecord {
    std::string layer;       ///< `key` of the layer or, joined, of a group's; precision included
    std::string target;      ///< name
    std::string target_hash; ///< of the constants that prices depend on
    int threads = 1;
    std::string version;                ///< of the tool that found it
    std::string plan;                   ///< Schedule, Mapping or Fusion as one line
    CostKind kind = CostKind::modelled; ///< of the score that chose the plan
    std::optional<Seconds> predicted;   ///< absent: there is no price, `refused` says why
    std::optional<Seconds> measured;    ///< never mixed with the prediction
    std::string refused;                ///< why the target cannot run the layer
    bool proven = false;                ///< nothing in the space of plans is better
    std::int64_t budget = 0;            ///< plans that the search might price before sampling
    std::int64_t trials = 0;            ///< plans that were priced or measured
};

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

    /// Replaces the record of the same layer, target hash, threads and version. On disk when this
    /// returns.
    void put(const TuningRecord &record);
    std::optional<TuningRecord> find(const std::string &layer, const std::string &target_hash,
                                     int threads, const std::string &version) const;
    /// All, in the order of their keys.
    std::vector<TuningRecord> all() const;

    std::string to_json_lines() const;
    /// Puts every record of a file of JSON lines, all or none; throws UserError with its line. Of
    /// two records with one key the proven one stays, else the one of the larger budget. Returns
    /// how many the file had.
    int import(const std::filesystem::path &path);

private:
    std::filesystem::path path_;
    std::unique_ptr<SQLite::Database> db_;
};

} // namespace edgefront
