#include "search/axis_swap.h"

#include "base/error.h"
#include "search/design_space_json.h"

#include <algorithm>
#include <iterator>

namespace edgefront {

namespace {

/// A run's space without what needs a target: counting needs no prices.
DesignSpace counting_space(const RunResult &result, const Zoo &zoo) {
    DesignSpace space =
        read_space(JsonReader::parse(result.config.space.dump(), "front.json#/config/space"), zoo);
    space.targets.clear();
    space.constraints.clear();
    space.objectives = {{{Metric::macs, ""}, Sense::maximise}};
    space.accuracy.reset();
    return space;
}

std::vector<Choices> choices_of(const DesignSpace &space, const std::vector<RunPoint> &points) {
    std::vector<Choices> all;
    for (const auto &point : points) {
        all.push_back(space.parse(point.choices));
    }
    return all;
}

} // namespace

std::vector<QualityAxis> own_axes(const RunResult &result, const std::vector<RunPoint> &points,
                                  const Zoo &zoo) {
    const DesignSpace space = counting_space(result, zoo);
    const std::vector<PricedTarget> no_targets;
    const CostTables tables(space, no_targets, 1);
    QualityAxis macs{"macs", to_string(CostKind::counted), {}},
        params{"params", to_string(CostKind::counted), {}};
    for (const Choices &choices : choices_of(space, points)) {
        const CostTables::Counts counts = tables.counts(choices);
        macs.values.emplace_back(static_cast<double>(counts.macs));
        params.values.emplace_back(static_cast<double>(counts.params));
    }
    std::vector<QualityAxis> axes;
    for (auto *axis : {&macs, &params}) {
        const bool cost = std::any_of(
            result.objectives.begin(), result.objectives.end(), [&](const ObjectiveColumn &o) {
                return o.metric == axis->name && o.sense == Sense::minimise;
            });
        if (!cost) {
            axes.push_back(std::move(*axis));
        }
    }
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        if (result.objectives[o].metric == to_string(Metric::top1)) {
            axes.push_back({result.objectives[o].name, to_string(result.objectives[o].kind), {}});
            for (const auto &point : points) {
                axes.back().values.emplace_back(point.first_values()[o]);
            }
        }
    }
    return axes;
}

QualityAxis accuracy_axis(const RunResult &result, const std::vector<RunPoint> &points,
                          const Zoo &zoo, const AccuracySpec &spec, const AccuracyHooks &hooks) {
    DesignSpace space = counting_space(result, zoo);
    space.accuracy = spec;
    const std::vector<PricedTarget> no_targets;
    const CostTables tables(space, no_targets, 1);
    const auto source = make_accuracy(space, zoo, tables, result.config.seed, hooks);
    source->prepare();
    QualityAxis axis{to_string(Metric::top1), to_string(kind_of(spec)), {}};
    const std::vector<Choices> choices = choices_of(space, points);
    std::vector<Member> members;
    for (const Top1 &top1 : source->top1(choices)) {
        axis.values.push_back(top1.refused ? std::nullopt : std::optional<double>(top1.percent));
        members.push_back({choices[members.size()], {}});
    }
    axis.note = source->summary(members).text();
    return axis;
}

QualityAxis rank_hint_axis(const RunResult &result, const std::vector<RunPoint> &points,
                           const Zoo &zoo, const RankHintRequest &request) {
    const DesignSpace space = counting_space(result, zoo);
    QualityAxis axis{"rank hint", "rank hint", {}};
    for (const Choices &choices : choices_of(space, points)) {
        const Context &context = space.contexts()[space.context_of(choices)];
        Family family = space.rules;
        family.activation = context.activation;
        family.blocks = space.blocks(choices);
        const Variant variant(context.width,
                              request.resolution > 0 ? request.resolution : context.resolution);
        axis.values.emplace_back(naswot(build(family, variant), request.naswot));
        if (request.progress) {
            request.progress(axis.values.size());
        }
    }
    return axis;
}

std::size_t AxisSwap::common(std::size_t a, std::size_t b) const {
    std::vector<std::size_t> both;
    std::set_intersection(stay[a].begin(), stay[a].end(), stay[b].begin(), stay[b].end(),
                          std::back_inserter(both));
    return both.size();
}

AxisSwap swap_axes(const RunResult &result, const std::vector<RunPoint> &points,
                   std::vector<QualityAxis> axes) {
    AxisSwap swap;
    std::vector<std::size_t> columns;
    std::vector<Sense> senses;
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        if (result.objectives[o].sense == Sense::minimise) {
            swap.costs.push_back(result.objectives[o].name);
            columns.push_back(o);
            senses.push_back(Sense::minimise);
        }
    }
    if (columns.empty() || axes.size() < 2) {
        throw UserError(columns.empty() ? "the run minimises nothing: there is no cost to hold "
                                          "qualities against"
                                        : "there is only one axis of quality; name another, as by "
                                          "--accuracy-csv");
    }
    senses.push_back(Sense::maximise);
    swap.axes = std::move(axes);
    for (std::size_t i = 0; i < points.size(); i++) {
        swap.everywhere.push_back(i);
    }
    for (const auto &axis : swap.axes) {
        ParetoFront front(senses);
        std::vector<Member> members;
        for (std::size_t i = 0; i < points.size(); i++) {
            if (axis.values[i]) {
                members.push_back({{static_cast<int>(i)}, {}});
                for (const std::size_t o : columns) {
                    members.back().values.push_back(points[i].first_values()[o]);
                }
                members.back().values.push_back(*axis.values[i]);
            }
        }
        front.admit_all(members);
        std::vector<std::size_t> stay;
        for (const auto &member : members) {
            if (front.dominators(member.values).empty()) { // of equal ones a front keeps one
                stay.push_back(static_cast<std::size_t>(member.choices.front()));
            }
        }
        std::vector<std::size_t> both;
        std::set_intersection(stay.begin(), stay.end(), swap.everywhere.begin(),
                              swap.everywhere.end(), std::back_inserter(both));
        swap.everywhere = std::move(both);
        swap.stay.push_back(std::move(stay));
    }
    return swap;
}

} // namespace edgefront
