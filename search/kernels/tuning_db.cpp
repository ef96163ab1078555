#include "search/kernels/tuning_db.h"

#include "base/files.h"
#include "schedules/fused_nest.h"
#include "schedules/kernel_plan.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <sstream>

namespace edgefront {

namespace {

const std::vector<std::string> kind_names = {"measured", "counted", "simulated", "modelled"};
constexpr double most_s = 1e6;
constexpr std::int64_t most_trials = std::int64_t{1} << 62;
constexpr int layout = 3; // PRAGMA user_version of the files this writes
constexpr int busy_ms = 10'000;

// The record itself is its JSON: columns are what it is found by.
constexpr const char *schema = R"(
CREATE TABLE IF NOT EXISTS records (
    layer TEXT NOT NULL, target_hash TEXT NOT NULL, threads INTEGER NOT NULL, version TEXT NOT NULL,
    compiler TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (layer, target_hash, threads, version, compiler)) WITHOUT ROWID)";

Json seconds_json(const std::optional<Seconds> &time) {
    return time ? Json(time->count()) : Json();
}

std::optional<Seconds> read_seconds(const JsonReader &json) {
    return json.value().is_null() ? std::nullopt : std::optional(Seconds(json.number(0, most_s)));
}

TuningRecord parse_record(const std::string &text, const Where &where) {
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        throw UserError(where, "is no JSON");
    }
    return read_record(JsonReader::of(std::move(json), where));
}

/// Throws UserError unless the plan is one line of the kind that the key of the layer asks for: a
/// Schedule or Mapping for a layer, a Fusion or KernelPlan with as many members for a group.
void check_plan(const std::string &layer, const std::string &plan) {
    const std::string between = " + "; // as in the key of a group
    std::size_t layers = 1;
    for (std::size_t at = 0; (at = layer.find(between, at)) != std::string::npos; at++) {
        layers++;
    }
    if (layers == 1) {
        parse_plan(plan);
        return;
    }
    const bool kernel = plan.compare(0, 6, "strips") == 0;
    const std::size_t members =
        kernel ? parse_kernel_plan(plan).members.size() : parse_fusion(plan).members.size();
    if (members != layers) {
        throw UserError("fusion \"" + plan + "\": its layers are " + std::to_string(layers));
    }
}

std::string read_plan(const JsonReader &json, const std::string &layer) {
    std::string plan = json.string();
    try {
        check_plan(layer, plan);
    } catch (const UserError &e) {
        throw json.error(e.what());
    }
    return plan;
}

/// Either a time or a reason, never both.
void check_answer(const JsonReader &json, bool time, const std::string &refused) {
    if (refused.empty() != time) {
        throw json.error("expected either a time or a reason for refusing it");
    }
}

/// Whether `a` is worth more than `b`, a record with the same key.
bool better(const TuningRecord &a, const TuningRecord &b) {
    if (a.proven != b.proven) {
        return a.proven;
    }
    return a.budget != b.budget ? a.budget > b.budget : a.trials > b.trials;
}

/// The better of two records with one key, and the judgements of networks that only the other has.
TuningRecord joined(const TuningRecord &a, const TuningRecord &b) {
    TuningRecord record = better(a, b) ? a : b;
    std::vector<Judgement> judged = better(a, b) ? b.judged : a.judged;
    for (const Judgement &j : record.judged) {
        judged.erase(std::remove_if(judged.begin(), judged.end(),
                                    [&](const Judgement &o) { return o.network == j.network; }),
                     judged.end());
    }
    record.judged.insert(record.judged.begin(), judged.begin(), judged.end());
    drop_refused_judgements(record);
    return record;
}

Json write_tried(const TriedPlan &t) {
    return {{"plan", t.plan},
            {"predicted_s", seconds_json(t.predicted)},
            {"measured_s", seconds_json(t.measured)},
            {"refused", t.refused}};
}

TriedPlan read_tried(const JsonReader &json, const std::string &layer) {
    TriedPlan t;
    t.plan = read_plan(json.at("plan"), layer);
    t.predicted = read_seconds(json.at("predicted_s"));
    t.measured = read_seconds(json.at("measured_s"));
    t.refused = json.at("refused").string();
    json.finish();
    check_answer(json, t.measured.has_value(), t.refused);
    return t;
}

Json write_judgement(const Judgement &j) {
    return {{"network", j.network},
            {"plan", j.plan},
            {"in_network_s", seconds_json(j.in_network)},
            {"use", j.use},
            {"trials", j.trials}};
}

Judgement read_judgement(const JsonReader &json, const std::string &layer) {
    Judgement j;
    j.network = json.at("network").string();
    j.plan = read_plan(json.at("plan"), layer);
    j.in_network = read_seconds(json.at("in_network_s"));
    j.use = json.at("use").boolean();
    j.trials = json.at("trials").integer(0, most_trials);
    json.finish();
    return j;
}

/// Runs `f`; what the database throws becomes an error that names the file.
template <typename F>
auto guarded(const std::filesystem::path &path, F f) {
    try {
        return f();
    } catch (const SQLite::Exception &e) {
        throw UserError({path.string(), ""}, std::string("as a tuning database: ") + e.what());
    }
}

} // namespace

TuningKey key_of(const TuningRecord &r) {
    return {r.layer, r.target_hash, r.threads, r.version, r.compiler};
}

const TriedPlan *trial_of(const TuningRecord &record, const std::string &plan) {
    std::string serial = plan;
    if (record.threads == 1 && !record.compiler.empty()) {
        KernelPlan kernel = parse_kernel_plan(plan);
        if (!kernel.fused()) {
            kernel.members[0].parallel = ParallelOver::none;
        }
        serial = to_string(kernel);
    }
    const auto found =
        std::find_if(record.tried.begin(), record.tried.end(),
                     [&](const TriedPlan &t) { return t.plan == plan || t.plan == serial; });
    return found == record.tried.end() ? nullptr : &*found;
}

const Judgement *judgement_for(const TuningRecord &record, const std::string &network) {
    const Judgement *best = nullptr;
    for (const Judgement &j : record.judged) {
        if (j.network == network) {
            return &j;
        }
        if (!best || !j.network.empty()) {
            best = &j;
        }
    }
    return best;
}

void judge(TuningRecord &record, Judgement judgement) {
    judgement.trials = record.trials;
    std::vector<Judgement> &all = record.judged;
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const Judgement &j) { return j.network == judgement.network; }),
              all.end());
    all.push_back(std::move(judgement));
}

void drop_refused_judgements(TuningRecord &record) {
    std::vector<Judgement> &all = record.judged;
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const Judgement &j) {
                                 const TriedPlan *trial = trial_of(record, j.plan);
                                 return trial && !trial->refused.empty();
                             }),
              all.end());
}

Json write_record(const TuningRecord &r) {
    Json json = {{"layer", r.layer},
                 {"target", r.target},
                 {"target_hash", r.target_hash},
                 {"threads", r.threads},
                 {"version", r.version},
                 {"compiler", r.compiler},
                 {"plan", r.plan},
                 {"kind", to_string(r.kind)},
                 {"predicted_s", seconds_json(r.predicted)},
                 {"measured_s", seconds_json(r.measured)},
                 {"refused", r.refused},
                 {"proven", r.proven},
                 {"budget", r.budget},
                 {"trials", r.trials},
                 {"judged", Json::array()},
                 {"tried", Json::array()}};
    for (const Judgement &j : r.judged) {
        json["judged"].push_back(write_judgement(j));
    }
    for (const TriedPlan &t : r.tried) {
        json["tried"].push_back(write_tried(t));
    }
    return json;
}

TuningRecord read_record(const JsonReader &json) {
    TuningRecord r;
    r.layer = json.at("layer").string();
    r.target = json.at("target").string();
    r.target_hash = json.at("target_hash").string();
    r.threads = static_cast<int>(json.at("threads").integer(1, 1024));
    r.version = json.at("version").string();
    r.compiler = json.at("compiler").string();
    r.plan = read_plan(json.at("plan"), r.layer);
    r.kind = static_cast<CostKind>(json.at("kind").one_of(kind_names));
    r.predicted = read_seconds(json.at("predicted_s"));
    r.measured = read_seconds(json.at("measured_s"));
    r.refused = json.at("refused").string();
    r.proven = json.at("proven").boolean();
    r.budget = json.at("budget").integer(0, most_trials);
    r.trials = json.at("trials").integer(0, most_trials);
    for (const JsonReader &j : json.at("judged").items()) {
        r.judged.push_back(read_judgement(j, r.layer));
    }
    for (const JsonReader &t : json.at("tried").items()) {
        r.tried.push_back(read_tried(t, r.layer));
    }
    json.finish();
    check_answer(json, r.predicted || r.measured, r.refused);
    return r;
}

TuningDb::TuningDb(const std::filesystem::path &path) : path_(path) {
    guarded(path_, [&] {
        db_ = std::make_unique<SQLite::Database>(
            path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_ms);
        const int version = db_->execAndGet("PRAGMA user_version").getInt();
        const bool empty = db_->execAndGet("SELECT COUNT(*) FROM sqlite_master").getInt() == 0;
        if (version > 0 && version < layout) {
            throw UserError({path.string(), ""},
                            "is a tuning database of layout " + std::to_string(version) +
                                ", of an earlier version of this tool; expected layout " +
                                std::to_string(layout) + ": tune into a new file");
        }
        if (version != layout && !(version == 0 && empty)) {
            throw UserError({path.string(), ""}, "is another SQLite database, expected a tuning "
                                                 "database of layout " +
                                                     std::to_string(layout));
        }
        db_->exec(schema);
        db_->exec("PRAGMA user_version = " + std::to_string(layout));
    });
}

TuningDb::~TuningDb() = default;

void TuningDb::put(const TuningRecord &r) {
    guarded(path_, [&] {
        SQLite::Statement insert(*db_, "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)");
        insert.bind(1, r.layer);
        insert.bind(2, r.target_hash);
        insert.bind(3, r.threads);
        insert.bind(4, r.version);
        insert.bind(5, r.compiler);
        insert.bind(6, write_record(r).dump());
        insert.exec();
    });
}

std::optional<TuningRecord> TuningDb::find(const TuningKey &key) const {
    return guarded(path_, [&]() -> std::optional<TuningRecord> {
        SQLite::Statement select(*db_,
                                 "SELECT record FROM records WHERE layer = ? AND target_hash = ? "
                                 "AND threads = ? AND version = ? AND compiler = ?");
        select.bind(1, key.layer);
        select.bind(2, key.target_hash);
        select.bind(3, key.threads);
        select.bind(4, key.version);
        select.bind(5, key.compiler);
        if (!select.executeStep()) {
            return {};
        }
        return parse_record(select.getColumn(0).getString(), {path_.string(), key.layer});
    });
}

std::vector<TuningRecord> TuningDb::all() const {
    return guarded(path_, [&] {
        std::vector<TuningRecord> records;
        SQLite::Statement select(*db_, "SELECT record, layer FROM records "
                                       "ORDER BY layer, target_hash, threads, version, compiler");
        while (select.executeStep()) {
            records.push_back(parse_record(select.getColumn(0).getString(),
                                           {path_.string(), select.getColumn(1).getString()}));
        }
        return records;
    });
}

std::string TuningDb::to_json_lines() const {
    std::string lines;
    for (const TuningRecord &record : all()) {
        lines += write_record(record).dump() + "\n";
    }
    return lines;
}

int TuningDb::import(const std::filesystem::path &path) {
    std::vector<TuningRecord> records;
    std::istringstream lines(read_file(path));
    std::string line;
    for (int number = 1; std::getline(lines, line); number++) {
        if (!line.empty()) {
            records.push_back(
                parse_record(line, {path.string(), "line " + std::to_string(number)}));
        }
    }
    guarded(path_, [&] {
        SQLite::Transaction transaction(*db_);
        for (const TuningRecord &record : records) {
            const auto there = find(key_of(record));
            put(there ? joined(record, *there) : record);
        }
        transaction.commit();
    });
    return static_cast<int>(records.size());
}

} // namespace edgefront
