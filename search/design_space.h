// The networks a sweep may choose from: a fixed stem and head, stages of UIB blocks between them,
// and the axes that vary (resolution, width, activation; per stage channels and depth; per block
// the UIB). Data: data/spaces/*.json (design_space_json.h, schema data/schema/space.schema.json).
//
// A candidate is one index per axis. The blocks beyond a stage's chosen depth do not exist: their
// index is `absent` in the canonical form, so two candidates are the same network exactly when
// their canonical choices are equal.
#pragma once

#include "dsl/family.h"
#include "hwmodels/cost.h"
#include "search/accuracy_spec.h"
#include "search/pareto.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

using Choices = std::vector<int>;
constexpr int absent = -1;

/// What a candidate is judged by. Latency, energy and frame rate belong to a target.
/// top1 is in percent.
enum class Metric { latency_ms, energy_mj, peak_bytes, macs, params, frames_per_second, top1 };

const std::vector<std::string> &metric_names();
std::string to_string(Metric metric);
CostKind kind_of(Metric metric);

/// "latency_ms:pixel6-cpu", "macs": a metric, on a target where it needs one.
struct Measure {
    Metric metric = Metric::macs;
    std::string target; ///< empty for macs, params and top1; peak_bytes without target counts fp32

    std::string name() const;
    bool operator==(const Measure &o) const { return metric == o.metric && target == o.target; }
};

struct Objective {
    Measure measure;
    Sense sense = Sense::minimise;
};

struct Constraint {
    Measure measure;
    std::optional<double> at_most; ///< exactly one of the two is given
    std::optional<double> at_least;

    /// "latency_ms:pixel6-cpu <= 3"
    std::string name() const;
};

/// How a target runs the networks of this space; the target's own precision when empty.
struct SpaceTarget {
    std::string name;
    std::optional<DataType> precision;
    int threads = 1;
};

/// Blocks of one spatial size; the first one carries the stride.
struct Stage {
    int stride = 1;
    std::vector<int> channels; ///< output channels at width 1
    std::vector<int> depths;   ///< numbers of blocks, ascending
    /// Per position the UIB blocks to choose from; their channels are set by the stage's choice.
    std::vector<std::vector<Block>> positions;
};

struct Axis {
    std::string name; ///< "resolution", "width", "activation", "s1_channels", "s1_depth", "s1_b2"
    std::vector<std::string> values;
};

struct DesignSpace {
    std::string name;
    std::string description;
    Family rules; ///< width rule, padding, classes...; its blocks are not used
    std::vector<int> resolutions;
    std::vector<double> widths;
    std::vector<Activation> activations; ///< of every block that names none
    std::vector<Block> stem;
    std::vector<Stage> stages;
    std::vector<Block> head;
    bool spatial_mixing = true; ///< the guard of spatial_guard.h
    std::vector<SpaceTarget> targets;
    std::vector<Constraint> constraints;
    std::vector<Objective> objectives;
    std::vector<std::string> marks;       ///< published networks to look up
    std::optional<AccuracySpec> accuracy; ///< where top1 comes from

    /// resolution, width, activation, then per stage channels, depth and one axis per position.
    std::vector<Axis> axes() const;
    /// Where the axes of a stage begin: channels; depth and the positions follow.
    std::size_t stage_axis(std::size_t stage) const;

    /// Whether an objective or a constraint asks for top1.
    bool uses_top1() const;

    /// Different networks; exact below 2^53.
    double size() const;
    /// The canonical choices of network number `index` < size(); every network has one number.
    Choices at(std::uint64_t index) const;
    Choices canonical(Choices choices) const;

    /// The values of the axes as text; "" where a block is absent.
    std::vector<std::string> describe(const Choices &choices) const;
    static std::vector<std::string> describe(const Choices &choices, const std::vector<Axis> &axes);
    /// The inverse of `describe`; throws UserError naming the axis.
    Choices parse(const std::vector<std::string> &values) const { return parse(values, axes()); }
    Choices parse(const std::vector<std::string> &values, const std::vector<Axis> &axes) const;
    /// First 8 hexadecimal digits of the stable hash of the choices as text.
    std::string id(const Choices &choices) const;
    static std::string id(const std::vector<std::string> &values);

    /// Stem, chosen blocks and head, one row per block.
    std::vector<Block> blocks(const Choices &choices) const;
    Network network(const Choices &choices) const;
};

/// "a5_k5_e3": a UIB option without repeats, stride and channels.
std::string option_name(const Block &uib);
/// The four types of `uib_type`: ExtraDW, IB, ConvNext, FFN.
const std::vector<std::string> &uib_types();

} // namespace edgefront
