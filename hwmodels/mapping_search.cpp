#include "hwmodels/mapping_search.h"

#include "base/random.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace edgefront {

namespace {

/// What the counts of one use of the arrays cost.
struct Rates {
    double cycle_s;
    bool fills; ///< filling and draining count
    double elementwise_s;
    double border_byte_s;
    double afterwards_s;
    double tile_byte_s;
};

Rates rates_of(const ArrayPrices &p, const Mapping &m) {
    if (p.mac_s == 0) {
        return {p.cycle_s, true, p.elementwise_s, p.border_byte_s, p.afterwards_s, p.tile_byte_s};
    }
    const double macs = static_cast<double>(m.array_rows) * static_cast<double>(lanes_in_use(m));
    return {macs * p.mac_s,  false,
            p.elementwise_s, p.unit_byte_s / (1.0 * m.pixel_arrays * m.channel_arrays),
            p.afterwards_s,  p.tile_byte_s};
}

/// Of everything but tiles.
double working_s(const Rates &rates, std::int64_t stream, std::int64_t fill, std::int64_t border) {
    const std::int64_t cycles = stream + (rates.fills ? fill : 0);
    const double computing = static_cast<double>(cycles) * rates.cycle_s + rates.elementwise_s;
    return std::max(computing, static_cast<double>(border) * rates.border_byte_s) +
           rates.afterwards_s;
}

/// With `moved` bytes of tiles, `exposed` of them while nothing else goes on.
double with_tiles(const Rates &rates, double working, std::int64_t moved, std::int64_t exposed) {
    return std::max(working + static_cast<double>(exposed) * rates.tile_byte_s,
                    static_cast<double>(moved) * rates.tile_byte_s);
}

/// An order of tiles and what it moves again; of orders that move more than another, none.
struct Order {
    LoopOrderOfTiles loops;
    Refetches again;
};

/// For every set of loops with more than one trip.
std::array<std::vector<Order>, 16> orders_by_tiled_loops() {
    const auto implies = [](bool a, bool b) { return !a || b; };
    std::array<std::vector<Order>, 16> result;
    for (unsigned tiled = 0; tiled < result.size(); tiled++) {
        std::vector<Order> all;
        for (const LoopOrderOfTiles &loops : loop_orders()) {
            all.push_back({loops, refetches(loops, tiled)});
        }
        const auto covers = [&](const Order &a, const Order &b) { // a moves nothing that b does not
            return implies(a.again.input_per_channel_tile, b.again.input_per_channel_tile) &&
                   implies(a.again.weights_per_row_tile, b.again.weights_per_row_tile) &&
                   implies(a.again.weights_per_column_tile, b.again.weights_per_column_tile) &&
                   implies(a.again.sums_per_reduction_tile, b.again.sums_per_reduction_tile);
        };
        for (std::size_t i = 0; i < all.size(); i++) {
            bool useful = true;
            for (std::size_t j = 0; j < all.size() && useful; j++) {
                useful = !covers(all[j], all[i]) || (covers(all[i], all[j]) && j >= i);
            }
            if (useful) {
                result[tiled].push_back(all[i]);
            }
        }
    }
    return result;
}

const std::vector<Order> &orders(unsigned tiled) {
    static const auto all = orders_by_tiled_loops();
    return all[tiled];
}

class Search {
public:
    Search(const Layer &layer, const ArrayLimits &limits, const ArrayPrices &prices,
           std::int64_t most_priced)
        : layer_(layer), space_(layer, limits), p_(space_.problem()), prices_(prices),
          most_priced_(most_priced) {}

    MappingChoice run() {
        start();
        best_.proven = true;
        least_bytes_ = {least_bytes(false), least_bytes(true)};
        if (std::min(least_bytes_[0], least_bytes_[1]) < none_fits) {
            search();
        }
        best_.time = Seconds(best_rank_.time);
        return best_;
    }

private:
    static constexpr std::int64_t none_fits = std::numeric_limits<std::int64_t>::max();

    /// What mappings are chosen by, the first difference counts.
    struct Rank {
        double time = std::numeric_limits<double>::infinity();
        std::int64_t moved = std::numeric_limits<std::int64_t>::max();
        std::int64_t border = std::numeric_limits<std::int64_t>::max(); ///< of a vector processor

        bool operator<(const Rank &o) const {
            return time != o.time     ? time < o.time
                   : moved != o.moved ? moved < o.moved
                                      : border < o.border;
        }
    };

    /// A use of the arrays, and a rank that no tile can beat with it.
    struct Arrays {
        Mapping mapping;
        Rank bound;
    };

    struct Parts {
        std::vector<GroupPart> groups;
        std::vector<ChannelPart> channels;
        std::vector<ReductionPart> reductions;
        std::vector<PixelPart> pixels;
    };

    /// The smallest tile, an output (or a vector of them) at a time: what is taken until there is
    /// something better, and the answer when nothing fits. Registers that cannot hold its sums may
    /// hold weights or inputs.
    void start() {
        const Mapping one = best_.mapping = space_.smallest();
        if (!too_large(layer_, one, space_.limits()).empty()) {
            return;
        }
        // Either as few inputs and weights as possible at a time, and a partial sum; or all of
        // them, and no such sum.
        const GroupPart g = group_part(p_, one, one.tile.groups);
        const ChannelPart n = channel_part(p_, one, one.tile.channels);
        const PixelPart pixel = pixel_part(p_, one, one.tile.rows, one.tile.columns);
        const ReductionPart parts = reduction_part(p_, one, one.tile.reduction);
        const ReductionPart all = reduction_part(p_, one, p_.reduction);
        const auto bytes = [&](const ReductionPart &k) {
            return count(p_, one, g, n, k, pixel).buffers();
        };
        const ReductionPart &k = bytes(all) < bytes(parts) ? all : parts;
        rates_ = rates_of(prices_, one);
        keep(one, g, n, k, pixel);
        price(one, g, n, k, pixel);
    }

    /// The fewest bytes that tiles can move within the scratchpad, with one buffer or two. However
    /// the arrays are used: a loop cut into t tiles needs at least ceil(n / t) of it at a time, and
    /// no mapping keeps less of an output than the one whose sums stay in the array.
    std::int64_t least_bytes(bool twice) const {
        Mapping m = space_.smallest();
        m.double_buffered = twice;
        const Parts all = parts(m);
        std::int64_t least = none_fits;
        for (const GroupPart &g : all.groups) {
            for (const ChannelPart &n : all.channels) {
                for (const ReductionPart &k : all.reductions) {
                    for (const PixelPart &pixels : all.pixels) {
                        const std::int64_t once = tile_traffic(p_, n, k, pixels, {}).total();
                        if (moved_bytes(p_, 0, once, prices_.keeps) >= least) {
                            continue;
                        }
                        const ArrayCounts c = count(p_, m, g, n, k, pixels);
                        if (c.buffers() > space_.limits().scratchpad.count()) {
                            continue;
                        }
                        for (const Order &order : orders(tiled_loops(n, k, pixels))) {
                            least = std::min(least,
                                             moved(c, tile_traffic(p_, n, k, pixels, order.again)));
                        }
                        if (least == 0) {
                            return 0;
                        }
                    }
                }
            }
        }
        return least;
    }

    std::int64_t moved(const ArrayCounts &c, const TileTraffic &tiles) const {
        return moved_bytes(p_, c.weight_buffer, tiles.total(), prices_.keeps);
    }

    Mapping whole(Mapping m) const {
        m.tile = {p_.groups, p_.rows, p_.columns, p_.channels, p_.reduction};
        return m;
    }

    void search() {
        const Arrays first = most_promising_full();
        if (!(first.bound < Rank())) {
            return; // no array
        }
        if (!search_tiles(first.mapping)) {
            best_.proven = false;
        }
        std::vector<Arrays> rest = promising(first);
        std::stable_sort(rest.begin(), rest.end(),
                         [](const Arrays &a, const Arrays &b) { return a.bound < b.bound; });
        if (!best_.proven) {
            rest.insert(rest.begin(), first);
            sample(rest, 0);
            return;
        }
        for (std::size_t i = 0; i < rest.size() && rest[i].bound < best_rank_; i++) {
            if (!search_tiles(rest[i].mapping)) {
                best_.proven = false;
                sample(rest, i);
                return;
            }
        }
    }

    /// With one tile for everything an array has the fewest folds, and the least crosses its
    /// border. `stream`: of the cycles in which operands pass alone; `all`: of everything.
    struct Bounds {
        double stream;
        Rank all;
    };
    Bounds bounds(const Mapping &arrays) const {
        const Mapping m = whole(arrays);
        const ArrayCounts c =
            count(p_, m, group_part(p_, m, m.tile.groups), channel_part(p_, m, m.tile.channels),
                  reduction_part(p_, m, m.tile.reduction),
                  pixel_part(p_, m, m.tile.rows, m.tile.columns));
        const Rates rates = rates_of(prices_, m);
        return {working_s(rates, c.stream, 0, 0), with_least_tiles(rates, c)};
    }

    /// With the fewest bytes that tiles can move.
    Rank with_least_tiles(const Rates &rates, const ArrayCounts &c) const {
        const std::int64_t border = border_bytes(p_, c);
        const double working = working_s(rates, c.stream, c.fill, border);
        return {std::min(with_tiles(rates, working, least_bytes_[0], least_bytes_[0]),
                         with_tiles(rates, working, least_bytes_[1], 0)),
                std::min(least_bytes_[0], least_bytes_[1]), ranked(border)};
    }

    std::int64_t ranked(std::int64_t border) const {
        return space_.limits().vectors() ? border : 0;
    }

    /// Of the uses with as many rows and columns as there are (of vector units: of all).
    Arrays most_promising_full() const {
        Arrays best;
        space_.for_each_sharing([&](Mapping m) {
            for (const int columns : space_.array_columns(m)) {
                m.array_columns = columns;
                for (const int rows : space_.array_rows(m)) {
                    m.array_rows = rows;
                    const Rank bound = bounds(m).all;
                    if (bound < best.bound) {
                        best = {m, bound};
                    }
                    if (!space_.limits().vectors()) {
                        return;
                    }
                }
            }
        });
        return best;
    }

    /// Every other use of the arrays that may be as good as what was found. An array's cycles in
    /// which operands pass only grow as less of it is in use; those of a vector unit are shorter
    /// then.
    std::vector<Arrays> promising(const Arrays &found) const {
        std::vector<Arrays> kept;
        const bool grows = !space_.limits().vectors();
        space_.for_each_sharing([&](Mapping m) {
            for (const int columns : space_.array_columns(m)) {
                m.array_columns = columns;
                bool hopeless = grows;
                for (const int rows : space_.array_rows(m)) {
                    m.array_rows = rows;
                    const Bounds time = bounds(m);
                    if (grows && time.stream > best_rank_.time) {
                        break;
                    }
                    hopeless = false;
                    if (time.all < best_rank_ && m != found.mapping) {
                        kept.push_back({m, time.all});
                    }
                }
                if (hopeless) {
                    break;
                }
            }
        });
        return kept;
    }

    Parts parts(const Mapping &m) const {
        Parts parts;
        for (const std::int64_t tile : space_.group_tiles(m)) {
            parts.groups.push_back(group_part(p_, m, tile));
        }
        for (const std::int64_t tile : space_.channel_tiles(m)) {
            parts.channels.push_back(channel_part(p_, m, tile));
        }
        for (const std::int64_t tile : space_.reduction_tiles(m)) {
            parts.reductions.push_back(reduction_part(p_, m, tile));
        }
        for (const std::int64_t rows : space_.row_tiles()) {
            for (const std::int64_t columns : space_.column_tiles()) {
                parts.pixels.push_back(pixel_part(p_, m, rows, columns));
            }
        }
        return parts;
    }

    /// No tile of pixels is faster with these other tiles than all pixels at once, if they fitted.
    Rank with_all_pixels(const Mapping &m, const GroupPart &g, const ChannelPart &n,
                         const ReductionPart &k) const {
        return with_least_tiles(rates_, count(p_, m, g, n, k, all_pixels_));
    }

    /// False when the budget ran out.
    bool search_tiles(Mapping m) {
        const Parts all = parts(m);
        all_pixels_ = pixel_part(p_, m, p_.rows, p_.columns);
        rates_ = rates_of(prices_, m);
        for (const GroupPart &g : all.groups) {
            for (const ChannelPart &n : all.channels) {
                for (const ReductionPart &k : all.reductions) {
                    if (!(with_all_pixels(m, g, n, k) < best_rank_)) {
                        continue;
                    }
                    for (const PixelPart &pixels : all.pixels) {
                        price(m, g, n, k, pixels);
                    }
                    if (best_.priced > most_priced_) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    void price(Mapping m, const GroupPart &g, const ChannelPart &n, const ReductionPart &k,
               const PixelPart &pixels) {
        const TileTraffic once = tile_traffic(p_, n, k, pixels, {});
        for (const bool twice : {true, false}) {
            m.double_buffered = twice;
            const ArrayCounts c = count(p_, m, g, n, k, pixels);
            best_.priced++;
            if (c.buffers() > space_.limits().scratchpad.count()) {
                continue;
            }
            const std::int64_t border = border_bytes(p_, c);
            const double working = working_s(rates_, c.stream, c.fill, border);
            const std::int64_t first_and_last = prices_.keeps ? 0 : c.exposed;
            const auto rank = [&](const TileTraffic &tiles) -> Rank {
                const std::int64_t bytes = moved(c, tiles);
                const std::int64_t exposed = twice ? first_and_last : bytes;
                return {with_tiles(rates_, working, bytes, exposed), bytes, ranked(border)};
            };
            if (!(rank(once) < best_rank_)) {
                continue;
            }
            for (const Order &order : orders(tiled_loops(n, k, pixels))) {
                const Rank now = rank(tile_traffic(p_, n, k, pixels, order.again));
                if (now < best_rank_) {
                    best_rank_ = now;
                    best_.fits = true;
                    m.order = order.loops;
                    keep(m, g, n, k, pixels);
                }
            }
        }
    }

    void keep(const Mapping &m, const GroupPart &g, const ChannelPart &n, const ReductionPart &k,
              const PixelPart &pixels) {
        best_.mapping = m;
        best_.mapping.tile = {g.tile, pixels.tile_rows, pixels.tile_columns, n.tile, k.tile};
    }

    /// Random tiles for the uses of the arrays from number `from` on, the promising ones more
    /// often.
    void sample(const std::vector<Arrays> &arrays, std::size_t from) {
        constexpr std::int64_t draws = 200'000;
        Random random(stable_hash("mapping search"));
        const std::size_t left = std::min<std::size_t>(arrays.size() - from, 64);
        for (std::size_t i = from; i < from + left; i++) {
            Mapping m = arrays[i].mapping;
            rates_ = rates_of(prices_, m);
            const Parts all = parts(m);
            const auto any = [&](const auto &list) -> const auto & {
                return list[random.below(list.size())];
            };
            for (std::int64_t k = 0; k < draws / static_cast<std::int64_t>(left); k++) {
                price(m, any(all.groups), any(all.channels), any(all.reductions), any(all.pixels));
            }
        }
    }

    const Layer &layer_;
    MappingSpace space_;
    const ArrayProblem &p_;
    ArrayPrices prices_;
    Rates rates_{}; ///< for the use of the arrays that is being searched
    std::int64_t most_priced_;
    std::array<std::int64_t, 2> least_bytes_{}; ///< by number of buffers
    PixelPart all_pixels_{};                    ///< likewise
    MappingChoice best_;
    Rank best_rank_;
};

} // namespace

std::int64_t moved_bytes(const ArrayProblem &p, std::int64_t weight_buffer, std::int64_t tiles,
                         const std::optional<Bytes> &keeps) {
    if (!keeps) {
        return tiles;
    }
    const std::int64_t weights = p.weights() * p.element + p.bias_bytes();
    const std::int64_t stays =
        keeps->count() + (p.weights_are_activations ? 0 : weights - weight_buffer);
    return std::max<std::int64_t>(0, tiles - std::max<std::int64_t>(0, stays));
}

Seconds array_seconds(const Layer &layer, const LoopNest &nest, const ArrayPrices &prices) {
    const auto &m = std::get<Mapping>(nest.plan);
    const TileLevel &tiles = nest.tiles;
    const std::int64_t moved =
        moved_bytes(array_problem(layer, m.vector_channels, m.vector_pixels),
                    tiles.weights.footprint.count(), tiles.traffic().count(), prices.keeps);
    const Rates rates = rates_of(prices, m);
    const double working =
        working_s(rates, nest.array.stream, nest.array.fill, nest.traffic().count());
    const std::int64_t first_and_last = prices.keeps ? 0 : tiles.exposed.count();
    return Seconds(
        with_tiles(rates, working, moved, tiles.double_buffered ? first_and_last : moved));
}

MappingChoice best_mapping(const Layer &layer, const ArrayLimits &limits, const ArrayPrices &prices,
                           std::int64_t most_priced) {
    return Search(layer, limits, prices, most_priced).run();
}

} // namespace edgefront
