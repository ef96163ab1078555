// The networks a sweep may choose from: one or several skeletons (skeleton.h) and the axes that
// vary (resolution, width, activation, skeleton; per stage channels and depth; per position the
// block). Data: data/spaces/*.json (design_space_json.h, schema data/schema/space.schema.json).
//
// A candidate is one index per axis. An axis has the values of all skeletons, of which each offers
// some. What a skeleton lacks, and the blocks beyond a stage's chosen depth, do not exist: their
// index is `absent` in the canonical form, so two candidates are the same network exactly when
// their canonical choices are equal (but for channels that a width rounds to the same number).
#pragma once

#include "dsl/family.h"
#include "hwmodels/cost.h"
#include "search/accuracy_spec.h"
#include "search/combination.h"
#include "search/pareto.h"
#include "search/skeleton.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

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
    std::optional<Combination> over = {}; ///< instead of a target: several

    std::string name() const;
    bool is_on(const std::string &device) const;
    bool operator==(const Measure &o) const { return name() == o.name(); }
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

struct Axis {
    /// "resolution", "width", "activation", "skeleton", "s1_channels", "s1_depth", "s1_b2"
    std::string name;
    std::vector<std::string> values;
};

/// One combination of what concerns the whole network.
struct Context {
    std::size_t skeleton = 0; ///< index into DesignSpace::skeletons
    int resolution = 0;
    double width = 1;
    Activation activation = Activation::relu;
    Choices choices; ///< of the axes before the first stage's
};

struct DesignSpace {
    std::string name;
    std::string description;
    Family rules;                    ///< width rule, padding, classes...; its blocks are not used
    std::vector<Skeleton> skeletons; ///< at least one
    bool spatial_mixing = true;      ///< the guard of spatial_guard.h
    std::vector<SpaceTarget> targets;
    std::vector<Constraint> constraints;
    std::vector<Objective> objectives;
    std::vector<std::string> marks;       ///< published networks to look up
    std::optional<AccuracySpec> accuracy; ///< where top1 comes from

    /// Derives axes and contexts from the skeletons; to be called when they are complete.
    void lay_out();
    /// resolution, width, activation, the skeleton where there are several, then per stage
    /// channels, depth and one axis per position, as many as any skeleton has.
    const std::vector<Axis> &axes() const { return axes_; }
    /// Where the axes of a stage begin: channels; depth and the positions follow.
    std::size_t stage_axis(std::size_t stage) const { return stage_axes_[stage]; }

    /// By skeleton, resolution, width, activation, the last one changing fastest.
    const std::vector<Context> &contexts() const { return contexts_; }
    const Skeleton &skeleton(const Context &context) const { return skeletons[context.skeleton]; }
    /// Index of the context of these choices.
    std::size_t context_of(const Choices &choices) const;
    /// The canonical choices of a network given by its skeleton's own numbers (skeleton.h): per
    /// stage channels, depth, and an option per position; what does not exist may have any number.
    Choices choices_of(const Context &context, const Choices &own) const;

    /// Whether an objective or a constraint asks for top1.
    bool uses_top1() const;

    /// Different networks; exact below 2^53.
    double size() const;
    /// The canonical choices of network number `index` < size(); every network has one number.
    Choices at(std::uint64_t index) const;
    /// A value that the chosen skeleton does not offer becomes the nearest one it does.
    Choices canonical(const Choices &choices) const;

    /// The values of the axes as text; "" where a block is absent.
    std::vector<std::string> describe(const Choices &choices) const;
    /// The inverse of `describe`; throws UserError naming the axis.
    Choices parse(const std::vector<std::string> &values) const;
    /// First 8 hexadecimal digits of the stable hash of the choices as text: short enough to type,
    /// and not unique in fronts of 10^5 points. Choices identify a network.
    std::string id(const Choices &choices) const;
    static std::string id(const std::vector<std::string> &values);

    /// Stem, chosen blocks and head, one row per block.
    std::vector<Block> blocks(const Choices &choices) const;
    Network network(const Choices &choices) const;

private:
    std::size_t skeleton_of(const Choices &choices) const;

    std::vector<Axis> axes_;
    std::vector<std::size_t> stage_axes_; ///< where they begin; one more: how many axes there are
    std::vector<Context> contexts_;
};

} // namespace edgefront
