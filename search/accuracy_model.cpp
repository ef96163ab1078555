#include "search/accuracy_model.h"

#include "base/error.h"
#include "base/random.h"
#include "search/statistics.h"

#include <Eigen/Dense>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace edgefront {

namespace {

constexpr std::size_t folds = 10;
/// Of the penalty on standardised features: what one example weighs.
constexpr double ridge = 1;

double say(const std::vector<double> &factors, const std::vector<double> &features) {
    double sum = factors[0];
    for (std::size_t f = 0; f < features.size(); f++) {
        sum += factors[f + 1] * features[f];
    }
    return std::clamp(sum, 0.0, 100.0);
}

/// Ridge regression (Hoerl and Kennard 1970): the constant is not penalised, features count in
/// units of their standard deviations.
std::vector<double> fit(const std::vector<AccuracyExample> &examples) {
    const auto rows = static_cast<Eigen::Index>(examples.size());
    const auto columns = static_cast<Eigen::Index>(examples.front().features.size());
    Eigen::MatrixXd x(rows, columns);
    Eigen::VectorXd y(rows);
    for (Eigen::Index r = 0; r < rows; r++) {
        const AccuracyExample &example = examples[static_cast<std::size_t>(r)];
        x.row(r) = Eigen::Map<const Eigen::RowVectorXd>(example.features.data(), columns);
        y[r] = example.percent;
    }
    const Eigen::RowVectorXd mean = x.colwise().mean();
    x.rowwise() -= mean;
    Eigen::VectorXd spread = (x.colwise().squaredNorm() / static_cast<double>(rows)).cwiseSqrt();
    spread = (spread.array() < 1e-12).select(1.0, spread); // a feature all share says nothing
    x = x * spread.cwiseInverse().asDiagonal();
    const Eigen::MatrixXd normal =
        x.transpose() * x + ridge * Eigen::MatrixXd::Identity(columns, columns);
    const Eigen::VectorXd slopes =
        normal.ldlt().solve(x.transpose() * (y.array() - y.mean()).matrix()).cwiseQuotient(spread);
    std::vector<double> factors = {y.mean() - mean.dot(slopes)};
    factors.insert(factors.end(), slopes.data(), slopes.data() + columns);
    return factors;
}

} // namespace

std::vector<double> accuracy_features(const DesignSpace &space, const CostTables &tables,
                                      const Choices &choices) {
    const auto counts = tables.counts(choices);
    const Context &context = space.contexts()[space.context_of(choices)];
    std::vector<double> features = {std::log(static_cast<double>(counts.macs)),
                                    std::log(static_cast<double>(counts.params)),
                                    std::log(context.resolution), std::log(context.width)};
    const auto &types = uib_types();
    std::vector<double> blocks(types.size(), 0);
    for (const Block &block : space.blocks(choices)) {
        if (block.kind == BlockKind::uib) {
            const auto type = std::find(types.begin(), types.end(), uib_type(block));
            blocks[static_cast<std::size_t>(type - types.begin())]++;
        }
    }
    features.insert(features.end(), blocks.begin(), blocks.end());
    return features;
}

AccuracyModel::AccuracyModel(const std::vector<AccuracyExample> &examples, std::uint64_t seed,
                             const std::string &source)
    : examples_(examples.size()) {
    if (examples.size() < least_examples) {
        throw UserError(fmt::format("{}: {} values are too few for a model, which needs {}", source,
                                    examples.size(), least_examples));
    }
    std::vector<std::size_t> order(examples.size());
    std::iota(order.begin(), order.end(), 0);
    Random random(derive_seed(seed, "folds of the accuracy model"));
    for (std::size_t i = order.size(); i > 1; i--) {
        std::swap(order[i - 1], order[random.below(i)]);
    }
    std::vector<double> truth, said(examples.size());
    for (std::size_t fold = 0; fold < folds; fold++) {
        std::vector<AccuracyExample> others;
        for (std::size_t i = 0; i < order.size(); i++) {
            if (i % folds != fold) {
                others.push_back(examples[order[i]]);
            }
        }
        const std::vector<double> factors = fit(others);
        for (std::size_t i = fold; i < order.size(); i += folds) {
            said[order[i]] = say(factors, examples[order[i]].features);
        }
    }
    double squares = 0;
    for (std::size_t i = 0; i < examples.size(); i++) {
        truth.push_back(examples[i].percent);
        squares += (said[i] - truth[i]) * (said[i] - truth[i]);
    }
    error_ = std::sqrt(squares / static_cast<double>(examples.size()));
    const double middle = *percentile(truth, 0.5);
    std::vector<double> upper_truth, upper_said;
    for (std::size_t i = 0; i < truth.size(); i++) {
        if (truth[i] >= middle) {
            upper_truth.push_back(truth[i]);
            upper_said.push_back(said[i]);
        }
    }
    spearman_upper_ = edgefront::spearman(upper_said, upper_truth);
    spearman_ = edgefront::spearman(said, truth).value_or(0);
    if (spearman_ < least_spearman) {
        throw UserError(fmt::format(
            "{}: the model does not rank: the rank correlation of its predictions with {} values "
            "left out is {:.3f}, below {} ({:.2f} points of error)",
            source, examples.size(), spearman_, least_spearman, error_));
    }
    factors_ = fit(examples);
}

std::string AccuracyModel::hash() const {
    std::string text;
    for (const double factor : factors_) {
        text += fmt::format("{} ", factor); // as many digits as tell it apart
    }
    return stable_hash_hex(text);
}

double AccuracyModel::predict(const std::vector<double> &features) const {
    return say(factors_, features);
}

} // namespace edgefront
