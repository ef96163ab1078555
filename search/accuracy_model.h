// A small regression for networks without a value of their own: ridge on a few features, only used
// when it ranks rows it has not seen.
#pragma once

#include "search/cost_tables.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// Logarithms of MACs, parameters, resolution and width, then the blocks of each of `uib_types`.
std::vector<double> accuracy_features(const DesignSpace &space, const CostTables &tables,
                                      const Choices &choices);

struct AccuracyExample {
    std::vector<double> features;
    double percent = 0;
};

class AccuracyModel {
public:
    static constexpr std::size_t least_examples = 20;
    static constexpr double least_spearman = 0.7;

    /// Fits all examples, and for the correlations ten times all but a tenth (which, `seed` says).
    /// Throws UserError for too few examples, and, with the number, when the rank correlation of
    /// what it says about the rows left out is below `least_spearman`. `source` stands in messages.
    AccuracyModel(const std::vector<AccuracyExample> &examples, std::uint64_t seed,
                  const std::string &source);

    /// Percent, within 0 and 100.
    double predict(const std::vector<double> &features) const;
    std::size_t examples() const { return examples_; }
    double spearman() const { return spearman_; }
    /// Of the better half of the examples, where decisions are made.
    std::optional<double> spearman_upper() const { return spearman_upper_; }
    /// Root mean square error of the rows left out, in points.
    double error() const { return error_; }
    /// Two models with one hash predict alike.
    std::string hash() const;

private:
    std::vector<double> factors_; ///< first the constant
    std::size_t examples_ = 0;
    double spearman_ = 0;
    std::optional<double> spearman_upper_;
    double error_ = 0;
};

} // namespace edgefront
