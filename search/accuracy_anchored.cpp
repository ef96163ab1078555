#include "search/accuracy_anchored.h"

#include "base/error.h"
#include "base/random.h"
#include "search/accuracy.h"
#include "search/marks.h"
#include "search/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

constexpr std::size_t term_count = 6;

/// Resolutions near 224, the usual one: terms of the same size are solved for more exactly.
std::vector<double> terms_of(double width, int resolution) {
    const double x = std::log(width), y = std::log(resolution / 224.0);
    return {1, x, y, x * x, x * y, y * y};
}

double logit(double percent) {
    return std::log(percent / (100 - percent));
}

double percent(const std::vector<double> &terms, const std::vector<double> &factors) {
    double sum = 0;
    for (std::size_t i = 0; i < terms.size(); i++) {
        sum += terms[i] * factors[i];
    }
    return 100 / (1 + std::exp(-sum));
}

/// Twice the area of the triangle a, b, c; positive when they turn left.
template <typename Point>
double turn(const Point &a, const Point &b, const Point &c) {
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/// Counter-clockwise (Andrew's monotone chain).
template <typename Point>
std::vector<Point> convex_hull(std::vector<Point> points) {
    std::sort(points.begin(), points.end(),
              [](const Point &a, const Point &b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
    std::vector<Point> hull;
    for (int side = 0; side < 2; side++) {
        const std::size_t begin = hull.size();
        for (const Point &p : points) {
            while (hull.size() >= begin + 2 && turn(hull[hull.size() - 2], hull.back(), p) <= 0) {
                hull.pop_back();
            }
            hull.push_back(p);
        }
        hull.pop_back(); // the next side begins with it
        std::reverse(points.begin(), points.end());
    }
    return hull;
}

std::vector<AccuracyRow> published_rows(const std::string &family, const std::string &recipe) {
    std::vector<AccuracyRow> rows;
    for (auto &row : read_accuracy_rows()) {
        if (row.network == family && row.recipe == recipe) {
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

} // namespace

AnchoredFit::AnchoredFit(const std::string &family, const std::string &recipe)
    : AnchoredFit(published_rows(family, recipe)) {}

AnchoredFit::AnchoredFit(const std::vector<AccuracyRow> &rows) : rows_(rows.size()) {
    std::vector<std::vector<double>> terms;
    std::vector<double> logits;
    std::vector<Point> points;
    std::string text;
    for (const auto &row : rows) {
        terms.push_back(terms_of(row.width, row.resolution));
        logits.push_back(logit(row.top1_percent));
        points.push_back({std::log(row.width), std::log(row.resolution)});
        text += fmt::format("{},{},{}\n", row.width, row.resolution, row.top1_percent);
    }
    hash_ = stable_hash_hex(text);
    double squares = 0;
    for (std::size_t i = 0; i < rows.size(); i++) {
        auto other_terms = terms;
        auto other_logits = logits;
        other_terms.erase(other_terms.begin() + static_cast<std::ptrdiff_t>(i));
        other_logits.erase(other_logits.begin() + static_cast<std::ptrdiff_t>(i));
        if (other_terms.size() < term_count || rank(other_terms) < term_count) {
            throw UserError(fmt::format(
                "the {} published rows of {} ({}) do not determine a quadratic in width and "
                "resolution once one is left out",
                rows.size(), rows.front().network, rows.front().recipe));
        }
        const double said = percent(terms[i], least_squares(other_terms, other_logits));
        squares += (said - rows[i].top1_percent) * (said - rows[i].top1_percent);
    }
    leave_one_out_ = std::sqrt(squares / static_cast<double>(rows.size()));
    terms_ = least_squares(terms, logits);
    hull_ = convex_hull(std::move(points));
}

double AnchoredFit::top1(double width, int resolution) const {
    return percent(terms_of(width, resolution), terms_);
}

bool AnchoredFit::inside(double width, int resolution) const {
    const Point p{std::log(width), std::log(resolution)};
    for (std::size_t i = 0; i < hull_.size(); i++) {
        if (turn(hull_[i], hull_[(i + 1) % hull_.size()], p) < -1e-9) {
            return false;
        }
    }
    return true;
}

namespace {

/// At most one network per context has a value, the family's own: they are looked up once.
class Anchored : public AccuracySource {
public:
    Anchored(const DesignSpace &space, const Zoo &zoo)
        : space_(space), spec_(*space.accuracy), fit_(spec_.family, spec_.recipe) {
        pinned(spec_);
        for (const Context &context : space.contexts()) {
            places_.push_back(place_of(space, zoo, context));
        }
    }

    std::vector<Top1> top1(const std::vector<Choices> &candidates) override {
        std::vector<Top1> answers;
        for (const Choices &choices : candidates) {
            const Place &place = places_[space_.context_of(choices)];
            const bool known = place.answer.refused || place.own == choices;
            answers.push_back(known ? place.answer : Top1{0, 0, "its blocks are others"});
        }
        return answers;
    }

    AccuracySummary summary(const std::vector<Member> &) const override {
        AccuracySummary summary;
        summary.source =
            fmt::format("anchored: logit top-1 as a quadratic in log width and log resolution, "
                        "fitted to {} published rows of {} ({}), refused outside their convex hull",
                        fit_.rows(), spec_.family, spec_.recipe);
        summary.kind = kind_of(spec_);
        summary.plus_minus = fit_.leave_one_out();
        summary.error = "leave-one-out RMSE";
        return summary;
    }

private:
    struct Place {
        Choices own; ///< of the family's network
        Top1 answer;
    };

    Place place_of(const DesignSpace &space, const Zoo &zoo, const Context &context) const {
        if (!fit_.inside(context.width, context.resolution)) {
            const std::string where =
                fmt::format("width {}, resolution {}", context.width, context.resolution);
            return {{}, {0, 1, where}};
        }
        const auto found = find_in_space(
            space, zoo, fmt::format("{}@{},{}", spec_.family, context.width, context.resolution));
        if (const auto *reason = std::get_if<std::string>(&found)) {
            return {{}, {0, 0, *reason}};
        }
        const double percent = fit_.top1(context.width, context.resolution);
        return {std::get<Choices>(found), {rounded_percentage(percent), {}, ""}};
    }

    const DesignSpace &space_;
    AccuracySpec spec_;
    AnchoredFit fit_;
    std::vector<Place> places_; ///< by context
};

} // namespace

std::unique_ptr<AccuracySource> make_anchored(const DesignSpace &space, const Zoo &zoo) {
    return std::make_unique<Anchored>(space, zoo);
}

} // namespace edgefront
