// Top-1 between the published ones of a family: within one training recipe the logit of top-1 is
// nearly a quadratic in the logarithms of width and resolution. Says nothing about any other
// network, and nothing outside the published widths and resolutions.
#pragma once

#include "search/published_accuracy.h"

#include <array>
#include <string>
#include <vector>

namespace edgefront {

class AnchoredFit {
public:
    /// Of the published rows of a family and recipe. Throws UserError when they are too few or too
    /// much alike to leave one out.
    AnchoredFit(const std::string &family, const std::string &recipe);
    explicit AnchoredFit(const std::vector<AccuracyRow> &rows);

    /// Percent.
    double top1(double width, int resolution) const;
    /// Whether the pair lies in the convex hull of the published ones, in the plane of logarithms.
    bool inside(double width, int resolution) const;
    /// Root mean square, in points of top-1, of what a fit to the other rows says about each row.
    double leave_one_out() const { return leave_one_out_; }
    std::size_t rows() const { return rows_; }
    /// Of the rows' widths, resolutions and accuracies.
    const std::string &hash() const { return hash_; }

private:
    struct Point {
        double x, y; ///< logarithms of width and resolution
    };

    std::size_t rows_;
    std::vector<double> terms_;
    std::vector<Point> hull_; ///< counter-clockwise
    double leave_one_out_ = 0;
    std::string hash_;
};

} // namespace edgefront
