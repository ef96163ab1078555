// One value out of those that a network has on several targets: the worst of them, or their mean.
// Devices differ by orders of magnitude, so each may be taken relative to what a published network
// has there: a worst ratio of 0.8 is faster than that network by a fifth on every device.
#pragma once

#include "base/json_reader.h"

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

class Zoo;
enum class Metric;
struct SpaceTarget;

struct Combination {
    enum class Kind { worst, mean } kind = Kind::worst;
    std::vector<std::string> targets; ///< at least two
    std::vector<double> weights;      ///< by target, of a mean; empty: equal
    std::string relative_to;          ///< a network; empty: values count as they are
    std::vector<double> scales;       ///< by target: that network's value; 1 without one

    /// "worst:latency_ms:pixel6-cpu+hexagon690", "mean:latency_ratio:...": what columns are called.
    std::string name(const std::string &metric) const;
    /// "latency_ms", or "latency_ratio" when relative.
    std::string quantity(const std::string &metric) const;
    /// "worst of pixel6-cpu, hexagon690"
    std::string where() const;
    /// Of one value per target. Never falls when one of them rises.
    double of(const std::vector<double> &values) const;
    /// What it is at least when target `i` has this value. The worst is the largest of these.
    double alone(std::size_t i, double value) const;
};

/// The keys "targets", "combine", "weights" and "relative_to"; nothing without them. Throws
/// UserError naming the place.
std::optional<Combination> read_combination(const JsonReader &json, Metric metric,
                                            const std::vector<SpaceTarget> &targets,
                                            const Zoo &zoo);
/// Adds the keys to those of a measure.
void write_combination(Json &json, const Combination &combination);

} // namespace edgefront
