// Everything a report about a sweep says, collected once; the writers (report_writers.h) only lay
// it out. Numbers that are read are texts already, so every format shows the same ones.
#pragma once

#include "dsl/zoo.h"
#include "reports/table.h"
#include "search/front_summary.h"
#include "search/run_directory.h"

#include <string>
#include <utility>
#include <vector>

namespace edgefront {

struct ReportRequest {
    std::vector<std::string> points; ///< ids to show layer by layer; empty: knee, fastest, largest
    std::size_t most_points = 400;   ///< in the charts and the table; larger fronts are thinned
    std::size_t most_dominators = 5; ///< shown per published network
    std::string directory = "RUN";   ///< in the command that repeats the run
};

/// A line of facts.
struct Fact {
    std::string label;
    std::string value;
};

/// An objective as people read it.
struct ReportObjective {
    std::string title;   ///< "latency, pixel6-cpu"
    std::string unit;    ///< "ms", "KiB", "M"
    double per_unit = 1; ///< a value of the run times this is in `unit`
    Sense sense = Sense::minimise;
    std::string kind; ///< "modelled", "counted"

    std::string heading() const; ///< "latency, pixel6-cpu (ms)"
    /// Four significant digits, in `unit`.
    std::string shown(double value) const;
};

/// The letter of a type of block: its first, as a capital.
char letter_of(const std::string &type);

/// One block of a point.
struct ReportBlock {
    std::string type;   ///< of `block_types`
    std::string option; ///< "a3_k5_e4"
    char letter() const { return letter_of(type); }
};

/// The blocks of one stage that exist.
struct ReportStage {
    std::string channels; ///< at width 1
    std::vector<ReportBlock> blocks;
};

struct ReportPoint {
    std::string id;
    std::vector<std::string> roles; ///< "knee", "fastest"...
    std::string standing;           ///< "dominated"...; of a front that is not refined ""
    std::vector<std::string> shape; ///< one per RunReport::shape_names
    std::vector<ReportStage> stages;
    std::vector<double> values; ///< in the units of the objectives
    std::vector<std::string> shown;
    std::size_t colour = 0; ///< index into RunReport::legend

    /// "80:EIF 112:CI": a letter per block, a word per stage, its channels first.
    std::string letters() const;
};

/// A point of the front that beats a published network.
struct ReportDominator {
    std::string id;
    std::vector<std::string> better_by; ///< one per objective: "0.31 ms (12 %)", or "equal"
};

struct ReportMark {
    std::string network;
    std::string verdict;        ///< a sentence
    std::vector<double> values; ///< in the units of the objectives; empty when not priced
    std::vector<std::string> shown;
    std::vector<ReportDominator> dominated_by; ///< the clearest ones
    std::size_t dominators = 0;                ///< all of them
};

/// A layer on one target.
struct LayerPrice {
    std::string latency_us; ///< empty when there is none
    double share = 0;       ///< of the slowest layer on this target, at most 1
    std::string bound_by;   ///< or why there is no price
};

struct LayerRow {
    std::string name;
    std::string block;
    std::string op;
    std::string output;
    std::string macs;
    std::vector<LayerPrice> prices; ///< one per target of the breakdown
};

/// A chosen point on one target.
struct TargetTotal {
    std::string target;
    std::string setting; ///< "int8, 1 thread"
    std::string kind;
    std::vector<Fact> facts;
};

struct Breakdown {
    std::size_t point = 0; ///< index into RunReport::points
    std::vector<Fact> facts;
    std::vector<TargetTotal> targets;
    std::vector<LayerRow> layers;
};

struct LegendEntry {
    std::string label;
    std::string colour;
};

struct RunReport {
    std::string title;
    std::string description;
    std::vector<Fact> headline; ///< few and large
    std::vector<Fact> run;      ///< what was searched, how, and what was refused
    std::string replay;         ///< the command that repeats the run
    std::vector<std::string> remarks;

    std::vector<ReportObjective> objectives;
    std::vector<std::string> shape_names; ///< resolution, width... those that vary on the front
    std::string legend_title;
    std::vector<LegendEntry> legend;
    std::vector<ReportPoint> points; ///< of the front, thinned, by the first objective
    std::size_t front_size = 0;
    std::vector<std::string> block_types;
    std::vector<StageMix> mix;   ///< of the whole front
    std::vector<Fact> mix_facts; ///< in words
    std::vector<ReportMark> marks;
    std::vector<Breakdown> breakdowns;
    Table refinement; ///< both figures of refined points (refinement_view.h); no rows: none is

    bool any_blocks() const { return mix.back().total() > 0; }
    bool any_priced_mark() const;
    bool refined() const { return !refinement.rows.empty(); }
    bool thinned() const { return points.size() < front_size; }
    /// "400 of 14695 points..." or "" when all are shown.
    std::string thinning_note() const;
    /// The objectives a chart shows against each other: every cost against every gain, or, when all
    /// go one way, the first against the others.
    std::vector<std::pair<std::size_t, std::size_t>> panels() const;
};

/// Throws UserError for an unknown point or an empty front.
RunReport collect(const RunResult &result, const Zoo &zoo, const ReportRequest &request);

} // namespace edgefront
