#include "hwmodels/fused_search.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <tuple>

namespace edgefront {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

double seconds(const ArrayPrices &prices, double computing, std::int64_t border, std::int64_t tiles,
               std::int64_t exposed) {
    const double working = std::max(computing, static_cast<double>(border) * prices.border_byte_s);
    return std::max(working + static_cast<double>(exposed) * prices.tile_byte_s,
                    static_cast<double>(tiles) * prices.tile_byte_s);
}

/// A use of the arrays by one member, and what all its steps take with it.
struct Use {
    Mapping mapping;
    double computing; ///< seconds
    std::int64_t border;
    unsigned partial; ///< bit of the member, when its sums leave the array early
};

/// Keeps the uses that no other one, with sums that stay at least as long, beats in both respects.
void keep(std::vector<Use> &front, const Use &use) {
    const auto beats = [](const Use &a, const Use &b) {
        return a.computing <= b.computing && a.border <= b.border && a.partial <= b.partial;
    };
    for (const Use &other : front) {
        if (beats(other, use)) {
            return;
        }
    }
    front.erase(std::remove_if(front.begin(), front.end(),
                               [&](const Use &other) { return beats(use, other); }),
                front.end());
    front.push_back(use);
}

/// What is known of one choice of strips and slices, by member.
struct Uses {
    std::vector<double> least_stream;      ///< seconds in which operands pass; empty: not looked at
    std::vector<std::vector<Use>> members; ///< worth taking; empty: not looked at
    std::vector<double> least_computing;   ///< from member i to the last one
    std::int64_t least_border = 0;
    bool hopeless = false;
};

class Search {
public:
    Search(const std::vector<Layer> &layers, const ArrayLimits &limits,
           const std::vector<ArrayPrices> &prices, std::int64_t most_priced)
        : layers_(layers), limits_(limits), prices_(prices), most_priced_(most_priced),
          problem_(layers) {}

    FusionChoice run() {
        collect();
        best_.proven = true;
        for (const Candidate &c : candidates_) {
            if (c.bound > best_time_) {
                break;
            }
            if (best_.priced > most_priced_ && best_.fits) {
                best_.proven = false;
                break;
            }
            if (better(c.bound, c.bytes)) {
                try_members(c);
            }
        }
        best_.time = Seconds(best_time_);
        return best_;
    }

private:
    struct Candidate {
        Fusion plan;
        const Strips *strips;
        std::int64_t bytes;
        std::int64_t exposed;
        double bound; ///< seconds that it cannot be below
    };

    bool better(double time, std::int64_t bytes) const {
        return time < best_time_ || (time == best_time_ && bytes < best_bytes_);
    }

    const Strips &strips_of(const Fusion &plan) {
        auto &entry = strips_[{plan.rows, plan.keep_lines}];
        if (entry.count == 0) {
            entry = problem_.strips(plan.rows, plan.keep_lines);
        }
        return entry;
    }

    double elementwise(const Strips &strips) const {
        double sum = 0;
        for (std::size_t i = 0; i < problem_.size(); i++) {
            sum += prices_[i].elementwise_s * static_cast<double>(strips.tensors[i + 1].all) /
                   static_cast<double>(problem_.members()[i].rows);
        }
        return sum;
    }

    /// The fusions that fit, most promising first; the smallest one of all as a start.
    void collect() {
        std::int64_t smallest = std::numeric_limits<std::int64_t>::max();
        double stream = 0;
        std::int64_t border = 0;
        for (std::size_t i = 0; i < problem_.size(); i++) {
            const ArrayProblem &p = problem_.members()[i];
            stream += least_stream(i, {{p.rows, 1}}, problem_.slice(Fusion()));
            border += least_border_bytes(p);
        }
        for_each_fusion(layers_, limits_, [&](const Fusion &plan) {
            const Strips &strips = strips_of(plan);
            const FusedTiles level = fused_tiles(problem_, plan, strips, 0);
            const std::int64_t footprint = level.footprint().count();
            if (footprint < smallest) {
                smallest = footprint;
                best_.plan = plan;
            }
            if (footprint <= limits_.scratchpad.count()) {
                const std::int64_t bytes = level.tiles.traffic().count();
                const std::int64_t exposed =
                    plan.double_buffered ? level.tiles.exposed.count() : bytes;
                candidates_.push_back(
                    {plan, &strips, bytes, exposed,
                     seconds(prices_[0], stream + elementwise(strips), border, bytes, exposed)});
            }
        });
        std::stable_sort(candidates_.begin(), candidates_.end(),
                         [](const Candidate &a, const Candidate &b) { return a.bound < b.bound; });
        Mapping one;
        one.dataflow = Dataflow::output_stationary;
        one.preload = limits_.preload;
        best_.plan.members.assign(layers_.size(), one);
        best_.fits = false;
        best_.priced = static_cast<std::int64_t>(candidates_.size());
    }

    MappingSpace space(std::size_t i, const std::vector<RowRun> &rows, std::int64_t slice) const {
        std::int64_t highest = 0;
        for (const RowRun &run : rows) {
            highest = std::max(highest, run.rows);
        }
        return {largest_step(layers_, i, highest, slice), limits_};
    }

    /// Seconds in which operands pass the arrays, at least: with all rows and columns in use.
    double least_stream(std::size_t i, const std::vector<RowRun> &rows, std::int64_t slice) {
        const MappingSpace uses = space(i, rows, slice);
        double least = never;
        uses.for_each_sharing([&](Mapping m) {
            m.array_columns = uses.array_columns(m).front();
            m.array_rows = uses.array_rows(m).front();
            const ArrayCounts c = problem_.count_steps(i, m, rows, slice);
            least = std::min(least, static_cast<double>(c.stream) * prices_[i].cycle_s);
            best_.priced++;
        });
        return least;
    }

    /// Uses of the arrays by member i that take less than `most` seconds for operands to pass.
    std::vector<Use> front(std::size_t i, const Strips &strips, std::int64_t slice, double most) {
        const std::vector<RowRun> &rows = strips.tensors[i + 1].fresh;
        const ArrayProblem worked = problem_.worked(i, strips);
        const MappingSpace uses = space(i, rows, slice);
        std::vector<Use> front;
        uses.for_each_sharing([&](Mapping m) {
            for (const int columns : uses.array_columns(m)) {
                m.array_columns = columns;
                bool hopeless = true;
                for (const int array_rows : uses.array_rows(m)) {
                    m.array_rows = array_rows;
                    const ArrayCounts c = problem_.count_steps(i, m, rows, slice);
                    best_.priced++;
                    // Fewer rows and columns only take longer.
                    if (static_cast<double>(c.stream) * prices_[i].cycle_s > most) {
                        break;
                    }
                    hopeless = false;
                    keep(front, {m, static_cast<double>(c.stream + c.fill) * prices_[i].cycle_s,
                                 border_bytes(worked, c),
                                 problem_.partial_sums(i, m, slice) ? 1u << i : 0u});
                }
                if (hopeless) {
                    break;
                }
            }
        });
        return front;
    }

    /// Fills in the uses of every member that may lead to something better.
    void find_uses(const Candidate &c, Uses &uses) {
        const std::size_t n = problem_.size();
        double sum = elementwise(*c.strips);
        for (const double least : uses.least_stream) {
            sum += least;
        }
        uses.least_computing.assign(n + 1, 0);
        uses.members.resize(n);
        for (std::size_t i = n; i-- > 0;) {
            const double others = sum - uses.least_stream[i];
            uses.members[i] = front(i, *c.strips, problem_.slice(c.plan), best_time_ - others);
            if (uses.members[i].empty()) {
                uses.hopeless = true;
                return;
            }
            double computing = never;
            std::int64_t border = std::numeric_limits<std::int64_t>::max();
            for (const Use &use : uses.members[i]) {
                computing = std::min(computing, use.computing);
                border = std::min(border, use.border);
            }
            uses.least_computing[i] = uses.least_computing[i + 1] + computing;
            uses.least_border += border;
            sum = others + computing;
        }
    }

    void try_members(const Candidate &c) {
        const std::int64_t slice = problem_.slice(c.plan);
        Uses &uses = uses_[{c.plan.rows, c.plan.keep_lines, slice}];
        const double elements = elementwise(*c.strips);
        const auto hopeless = [&](double computing, std::int64_t border) {
            return !better(seconds(prices_[0], elements + computing, border, c.bytes, c.exposed),
                           c.bytes);
        };
        double stream = 0;
        for (std::size_t i = 0; i < problem_.size(); i++) {
            if (uses.least_stream.size() == i) {
                uses.least_stream.push_back(least_stream(i, c.strips->tensors[i + 1].fresh, slice));
            }
            stream += uses.least_stream[i];
        }
        if (uses.hopeless || hopeless(stream, 0)) {
            return;
        }
        if (uses.members.empty()) {
            find_uses(c, uses);
        }
        if (uses.hopeless || hopeless(uses.least_computing[0], uses.least_border)) {
            return;
        }
        std::array<bool, 8> fits{}; // by the members whose sums leave early
        for (unsigned partial = 0; partial < 1u << problem_.size(); partial++) {
            fits[partial] =
                fused_tiles(problem_, c.plan, *c.strips, partial).footprint() <= limits_.scratchpad;
        }
        std::vector<const Use *> chosen(problem_.size());
        choose(c, uses, fits, chosen, 0, elements, 0, 0);
    }

    void choose(const Candidate &c, const Uses &uses, const std::array<bool, 8> &fits,
                std::vector<const Use *> &chosen, std::size_t i, double computing,
                std::int64_t border, unsigned partial) {
        if (!better(seconds(prices_[0], computing + uses.least_computing[i], border, c.bytes,
                            c.exposed),
                    c.bytes)) {
            return;
        }
        if (i == problem_.size()) {
            best_.priced++;
            if (fits[partial]) {
                best_time_ = seconds(prices_[0], computing, border, c.bytes, c.exposed);
                best_bytes_ = c.bytes;
                best_.fits = true;
                best_.plan = c.plan;
                for (std::size_t k = 0; k < i; k++) {
                    best_.plan.members.push_back(chosen[k]->mapping);
                }
            }
            return;
        }
        for (const Use &use : uses.members[i]) {
            chosen[i] = &use;
            choose(c, uses, fits, chosen, i + 1, computing + use.computing, border + use.border,
                   partial | use.partial);
        }
    }

    const std::vector<Layer> &layers_;
    const ArrayLimits &limits_;
    const std::vector<ArrayPrices> &prices_;
    std::int64_t most_priced_;
    FusedProblem problem_;
    std::map<std::pair<std::int64_t, bool>, Strips> strips_;
    std::map<std::tuple<std::int64_t, bool, std::int64_t>, Uses> uses_;
    std::vector<Candidate> candidates_;
    FusionChoice best_;
    double best_time_ = never;
    std::int64_t best_bytes_ = std::numeric_limits<std::int64_t>::max();
};

} // namespace

Seconds fused_seconds(const FusedNest &nest, const std::vector<ArrayPrices> &prices) {
    double computing = 0;
    for (std::size_t i = 0; i < nest.members.size(); i++) {
        const LoopNest &member = nest.members[i];
        computing +=
            static_cast<double>(member.array.stream + member.array.fill) * prices[i].cycle_s +
            prices[i].elementwise_s * (macs(nest.worked[i]) / member.macs);
    }
    const TileLevel &tiles = nest.level.tiles;
    const std::int64_t bytes = tiles.traffic().count();
    return Seconds(seconds(prices[0], computing, nest.traffic().count(), bytes,
                           tiles.double_buffered ? tiles.exposed.count() : bytes));
}

FusionChoice best_fusion(const std::vector<Layer> &layers, const ArrayLimits &limits,
                         const std::vector<ArrayPrices> &prices, std::int64_t most_priced) {
    return Search(layers, limits, prices, most_priced).run();
}

} // namespace edgefront
