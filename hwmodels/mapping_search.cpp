#include "hwmodels/mapping_search.h"

#include "base/random.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace edgefront {

namespace {

double seconds(const ArrayPrices &prices, std::int64_t cycles, std::int64_t border,
               std::int64_t tiles, std::int64_t exposed) {
    const double computing = static_cast<double>(cycles) * prices.cycle_s + prices.elementwise_s;
    const double working = std::max(computing, static_cast<double>(border) * prices.border_byte_s);
    return std::max(working + static_cast<double>(exposed) * prices.tile_byte_s,
                    static_cast<double>(tiles) * prices.tile_byte_s);
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
        : space_(layer, limits), p_(space_.problem()), prices_(prices), most_priced_(most_priced) {}

    MappingChoice run() {
        start();
        best_.proven = true;
        if (best_.fits) {
            search();
        }
        best_.time = Seconds(best_time_);
        return best_;
    }

private:
    /// A use of the arrays, and a time that no tile can beat with it.
    struct Arrays {
        Mapping mapping;
        double bound;
    };

    struct Parts {
        std::vector<GroupPart> groups;
        std::vector<ChannelPart> channels;
        std::vector<ReductionPart> reductions;
        std::vector<PixelPart> pixels;
    };

    /// The smallest tile, an output at a time: what is taken until there is something better, and
    /// the answer when even that does not fit.
    void start() {
        Mapping &m = best_.mapping;
        m.dataflow = Dataflow::output_stationary;
        m.preload = space_.limits().preload;
        // Either one input and weight at a time, and a partial sum; or all of them, and no such
        // sum.
        const Mapping one = m;
        const GroupPart g = group_part(p_, one, 1);
        const ChannelPart n = channel_part(p_, one, 1);
        const PixelPart pixel = pixel_part(p_, one, 1, 1);
        const ReductionPart parts = reduction_part(p_, one, 1);
        const ReductionPart all = reduction_part(p_, one, p_.reduction);
        const auto bytes = [&](const ReductionPart &k) {
            return count(p_, one, g, n, k, pixel).buffers();
        };
        const ReductionPart &k = bytes(all) < bytes(parts) ? all : parts;
        keep(one, g, n, k, pixel);
        price(one, g, n, k, pixel);
        least_bytes_ = {least_bytes(false), least_bytes(true)};
    }

    /// The fewest bytes that tiles can move within the scratchpad, with one buffer or two. However
    /// the arrays are used: a loop cut into t tiles needs at least ceil(n / t) of it at a time, and
    /// no mapping keeps less of an output than the one whose sums stay in the array.
    std::int64_t least_bytes(bool twice) const {
        Mapping m;
        m.dataflow = Dataflow::output_stationary;
        m.double_buffered = twice;
        const Parts all = parts(m);
        std::int64_t least = std::numeric_limits<std::int64_t>::max();
        for (const GroupPart &g : all.groups) {
            for (const ChannelPart &n : all.channels) {
                for (const ReductionPart &k : all.reductions) {
                    for (const PixelPart &pixels : all.pixels) {
                        if (tile_traffic(p_, n, k, pixels, {}).total() >= least ||
                            count(p_, m, g, n, k, pixels).buffers() >
                                space_.limits().scratchpad.count()) {
                            continue;
                        }
                        for (const Order &order : orders(tiled_loops(n, k, pixels))) {
                            least = std::min(least,
                                             tile_traffic(p_, n, k, pixels, order.again).total());
                        }
                    }
                }
            }
        }
        return least;
    }

    Mapping whole(Mapping m) const {
        m.tile = {p_.groups, p_.rows, p_.columns, p_.channels, p_.reduction};
        return m;
    }

    void search() {
        const Arrays first = most_promising_full();
        bool finished = search_tiles(first.mapping);
        std::vector<Arrays> rest = promising(first);
        std::stable_sort(rest.begin(), rest.end(),
                         [](const Arrays &a, const Arrays &b) { return a.bound < b.bound; });
        for (std::size_t i = 0; i < rest.size() && may_improve(rest[i].bound); i++) {
            finished = finished && search_tiles(rest[i].mapping);
            if (!finished) {
                best_.proven = false;
                sample(rest, i);
                return;
            }
        }
        best_.proven = finished;
    }

    /// With one tile for everything an array has the fewest folds, and the least crosses its
    /// border. `stream`: of the cycles in which operands pass alone, which only grow as the array
    /// in use shrinks; `all`: of everything.
    struct Bounds {
        double stream;
        double all;
    };
    Bounds bounds(const Mapping &arrays) const {
        const Mapping m = whole(arrays);
        const ArrayCounts c =
            count(p_, m, group_part(p_, m, m.tile.groups), channel_part(p_, m, m.tile.channels),
                  reduction_part(p_, m, m.tile.reduction),
                  pixel_part(p_, m, m.tile.rows, m.tile.columns));
        const auto with_tiles = [&](std::int64_t least, bool exposed) {
            return seconds(prices_, c.stream + c.fill, border_bytes(p_, c), least,
                           exposed ? least : 0);
        };
        return {seconds(prices_, c.stream, 0, 0, 0),
                std::min(with_tiles(least_bytes_[0], true), with_tiles(least_bytes_[1], false))};
    }

    bool may_improve(double bound) const {
        return better(bound, std::min(least_bytes_[0], least_bytes_[1]));
    }

    /// Of the uses with as many rows and columns as there are.
    Arrays most_promising_full() const {
        Arrays best{{}, std::numeric_limits<double>::infinity()};
        space_.for_each_sharing([&](Mapping m) {
            m.array_columns = space_.array_columns(m).front();
            m.array_rows = space_.array_rows(m).front();
            const double time = bounds(m).all;
            if (time < best.bound) {
                best = {m, time};
            }
        });
        return best;
    }

    /// Every other use of the arrays that may be as good as what was found.
    std::vector<Arrays> promising(const Arrays &found) const {
        std::vector<Arrays> kept;
        space_.for_each_sharing([&](Mapping m) {
            for (const int columns : space_.array_columns(m)) {
                m.array_columns = columns;
                bool hopeless = true;
                for (const int rows : space_.array_rows(m)) {
                    m.array_rows = rows;
                    const Bounds time = bounds(m);
                    if (time.stream > best_time_) {
                        break;
                    }
                    hopeless = false;
                    if (may_improve(time.all) && m != found.mapping) {
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
    double with_all_pixels(const Mapping &m, const GroupPart &g, const ChannelPart &n,
                           const ReductionPart &k) const {
        const ArrayCounts c = count(p_, m, g, n, k, all_pixels_);
        return seconds(prices_, c.stream + c.fill, border_bytes(p_, c), 0, 0);
    }

    /// False when the budget ran out.
    bool search_tiles(Mapping m) {
        const Parts all = parts(m);
        all_pixels_ = pixel_part(p_, m, p_.rows, p_.columns);
        for (const GroupPart &g : all.groups) {
            for (const ChannelPart &n : all.channels) {
                for (const ReductionPart &k : all.reductions) {
                    if (!may_improve(with_all_pixels(m, g, n, k))) {
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
            const auto time = [&](std::int64_t bytes) {
                return seconds(prices_, c.stream + c.fill, border, bytes,
                               twice ? c.exposed : bytes);
            };
            if (!better(time(once.total()), once.total())) {
                continue;
            }
            for (const Order &order : orders(tiled_loops(n, k, pixels))) {
                const std::int64_t bytes = tile_traffic(p_, n, k, pixels, order.again).total();
                const double t = time(bytes);
                if (better(t, bytes)) {
                    best_time_ = t;
                    best_bytes_ = bytes;
                    best_.fits = true;
                    m.order = order.loops;
                    keep(m, g, n, k, pixels);
                }
            }
        }
    }

    bool better(double time, std::int64_t bytes) const {
        return time < best_time_ || (time == best_time_ && bytes < best_bytes_);
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
            const Parts all = parts(m);
            const auto any = [&](const auto &list) -> const auto & {
                return list[random.below(list.size())];
            };
            for (std::int64_t k = 0; k < draws / static_cast<std::int64_t>(left); k++) {
                price(m, any(all.groups), any(all.channels), any(all.reductions), any(all.pixels));
            }
        }
    }

    MappingSpace space_;
    const ArrayProblem &p_;
    ArrayPrices prices_;
    std::int64_t most_priced_;
    std::array<std::int64_t, 2> least_bytes_{}; ///< by number of buffers
    PixelPart all_pixels_{}; ///< for the use of the arrays that is being searched
    MappingChoice best_;
    double best_time_ = std::numeric_limits<double>::infinity();
    std::int64_t best_bytes_ = std::numeric_limits<std::int64_t>::max();
};

} // namespace

Seconds array_seconds(const LoopNest &nest, const ArrayPrices &prices) {
    const std::int64_t tiles = nest.tiles.traffic().count();
    return Seconds(seconds(prices, nest.array.stream + nest.array.fill, nest.traffic().count(),
                           tiles, nest.tiles.double_buffered ? nest.tiles.exposed.count() : tiles));
}

MappingChoice best_mapping(const Layer &layer, const ArrayLimits &limits, const ArrayPrices &prices,
                           std::int64_t most_priced) {
    return Search(layer, limits, prices, most_priced).run();
}

} // namespace edgefront
