#include "schedules/mapping_space.h"

#include "schedules/loop_nest.h"

#include <algorithm>

namespace edgefront {

namespace {

/// ceil(n / t) for t = 1, 2, ..., up to `most`, descending.
std::vector<std::int64_t> even_parts(std::int64_t n, std::int64_t most) {
    std::vector<std::int64_t> sizes;
    for (std::int64_t t = ceil_div(n, most); t <= n;) {
        const std::int64_t size = ceil_div(n, t);
        sizes.push_back(size);
        if (size == 1) {
            break;
        }
        t = ceil_div(n, size - 1); // the next t with a smaller part
    }
    return sizes;
}

std::vector<int> even_parts_int(std::int64_t n, int most) {
    std::vector<int> sizes;
    for (const std::int64_t size : even_parts(n, most)) {
        sizes.push_back(static_cast<int>(size));
    }
    return sizes;
}

/// Sizes up to n: even parts, and whole multiples of `unit`, given in units of 1 / scale.
std::vector<std::int64_t> tiles_of_units(std::int64_t n, std::int64_t unit, std::int64_t scale) {
    std::vector<std::int64_t> sizes = even_parts(n, n);
    for (std::int64_t i = 1; ceil_div(i * unit, scale) < n; i++) {
        sizes.push_back(ceil_div(i * unit, scale));
    }
    std::sort(sizes.begin(), sizes.end(), std::greater<>());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    return sizes;
}

std::string above(const std::string &what, std::int64_t wanted, std::int64_t limit) {
    return what + ": the mapping takes " + std::to_string(wanted) + ", the hardware has " +
           std::to_string(limit);
}

} // namespace

std::string scratchpad_text(std::initializer_list<std::pair<const char *, Bytes>> parts,
                            Bytes limit) {
    Bytes wanted;
    std::string text;
    for (const auto &[name, bytes] : parts) {
        wanted += bytes;
        text +=
            (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(bytes.count());
    }
    return above("scratchpad bytes", wanted.count(), limit.count()) + " (" + text + ")";
}

std::string too_large(const Mapping &m, const ArrayLimits &limits) {
    const std::int64_t columns = std::int64_t{1} * m.array_columns * m.groups_at_once;
    const std::int64_t arrays = std::int64_t{1} * m.pixel_arrays * m.channel_arrays;
    if (m.array_rows > limits.rows) {
        return above("array rows", m.array_rows, limits.rows);
    }
    if (columns > limits.columns) {
        return above("array columns", columns, limits.columns);
    }
    if (arrays > limits.arrays) {
        return above("arrays", arrays, limits.arrays);
    }
    if (m.groups_at_once > limits.groups_at_once) {
        return above("groups at once", m.groups_at_once, limits.groups_at_once);
    }
    if (m.preload && !limits.preload) {
        return "preload: the array has no second set of registers";
    }
    return "";
}

std::string mapping_problem(const Layer &layer, const Mapping &m, const ArrayLimits &limits) {
    const std::string arrays = too_large(m, limits);
    if (!arrays.empty() || !runs_on_array(layer)) {
        return arrays;
    }
    const LoopNest nest = analyse(layer, m);
    if (nest.tiles.footprint() <= limits.scratchpad) {
        return "";
    }
    const std::string what = scratchpad_text({{"input", nest.tiles.input.footprint},
                                              {"weights", nest.tiles.weights.footprint},
                                              {"output", nest.tiles.output.footprint},
                                              {"residual", nest.tiles.residual.footprint}},
                                             limits.scratchpad);
    Mapping other = m;
    other.double_buffered = false;
    const auto fits = [&] { return analyse(layer, other).tiles.footprint() <= limits.scratchpad; };
    if (m.double_buffered && fits()) {
        return what + "; it would fit with one buffer";
    }
    // Halve whichever tile is largest until it fits.
    while (!fits()) {
        std::int64_t *largest = &other.tile.rows;
        for (std::int64_t *size : {&other.tile.columns, &other.tile.channels, &other.tile.reduction,
                                   &other.tile.groups}) {
            largest = *size > *largest ? size : largest;
        }
        if (*largest <= 1) {
            return what + "; no tile fits, the smallest takes " +
                   std::to_string(analyse(layer, other).tiles.footprint().count());
        }
        *largest = ceil_div(*largest, 2);
    }
    return what + "; it would fit as " + to_string(other);
}

MappingSpace::MappingSpace(const Layer &layer, const ArrayLimits &limits)
    : problem_(array_problem(layer)), limits_(limits) {
    const std::int64_t parts = problem_.grouped() ? problem_.groups : problem_.channels;
    for (const int pixels : even_parts_int(problem_.rows * problem_.columns, limits.arrays)) {
        for (const int channels : even_parts_int(parts, limits.arrays / pixels)) {
            sharing_.emplace_back(pixels, channels);
        }
    }
}

std::vector<int> MappingSpace::groups_at_once(int channel_arrays) const {
    if (!problem_.grouped()) {
        return {1};
    }
    return even_parts_int(ceil_div(problem_.groups, channel_arrays),
                          std::min(limits_.groups_at_once, limits_.columns));
}

std::vector<int> MappingSpace::array_columns(const Mapping &m) const {
    const std::int64_t extent =
        m.dataflow == Dataflow::input_stationary
            ? ceil_div(problem_.rows * problem_.columns, m.pixel_arrays)
            : ceil_div(problem_.channels, problem_.grouped() ? 1 : m.channel_arrays);
    return even_parts_int(extent, limits_.columns / m.groups_at_once);
}

std::vector<int> MappingSpace::array_rows(const Mapping &m) const {
    const std::int64_t extent = m.dataflow == Dataflow::output_stationary
                                    ? ceil_div(problem_.rows * problem_.columns, m.pixel_arrays)
                                    : problem_.taps * problem_.reduction;
    return even_parts_int(extent, limits_.rows);
}

std::vector<std::int64_t> MappingSpace::group_tiles(const Mapping &m) const {
    const std::int64_t at_once = std::int64_t{1} * m.groups_at_once * m.channel_arrays;
    return problem_.grouped() && at_once > 1 ? tiles_of_units(problem_.groups, at_once, 1)
                                             : even_parts(problem_.groups, problem_.groups);
}

std::vector<std::int64_t> MappingSpace::row_tiles() const {
    return even_parts(problem_.rows, problem_.rows);
}

std::vector<std::int64_t> MappingSpace::column_tiles() const {
    return even_parts(problem_.columns, problem_.columns);
}

std::vector<std::int64_t> MappingSpace::channel_tiles(const Mapping &m) const {
    const std::int64_t arrays = problem_.grouped() ? 1 : m.channel_arrays;
    const std::int64_t at_once =
        m.dataflow == Dataflow::input_stationary ? arrays : arrays * m.array_columns;
    return at_once > 1 ? tiles_of_units(problem_.channels, at_once, 1)
                       : even_parts(problem_.channels, problem_.channels);
}

std::vector<std::int64_t> MappingSpace::reduction_tiles(const Mapping &m) const {
    return m.dataflow == Dataflow::output_stationary || m.array_rows <= problem_.taps
               ? even_parts(problem_.reduction, problem_.reduction)
               : tiles_of_units(problem_.reduction, m.array_rows, problem_.taps);
}

void MappingSpace::for_each_sharing(const std::function<void(const Mapping &)> &visit) const {
    Mapping m;
    m.preload = limits_.preload;
    for (const Dataflow dataflow :
         {Dataflow::weight_stationary, Dataflow::output_stationary, Dataflow::input_stationary}) {
        m.dataflow = dataflow;
        for (const auto &[pixels, channels] : sharing_) {
            m.pixel_arrays = pixels;
            m.channel_arrays = channels;
            for (const int groups : groups_at_once(channels)) {
                m.groups_at_once = groups;
                visit(m);
            }
        }
    }
}

void MappingSpace::for_each_array(const std::function<void(const Mapping &)> &visit) const {
    for_each_sharing([&](Mapping m) {
        for (const int columns : array_columns(m)) {
            m.array_columns = columns;
            for (const int rows : array_rows(m)) {
                m.array_rows = rows;
                visit(m);
            }
        }
    });
}

void MappingSpace::for_each(const std::function<void(const Mapping &)> &visit) const {
    for_each_array([&](Mapping m) {
        const auto tile = [&](std::int64_t Tile::*extent, const std::vector<std::int64_t> &sizes,
                              const auto &inside) {
            for (const std::int64_t size : sizes) {
                m.tile.*extent = size;
                inside();
            }
        };
        tile(&Tile::groups, group_tiles(m), [&] {
            tile(&Tile::channels, channel_tiles(m), [&] {
                tile(&Tile::reduction, reduction_tiles(m), [&] {
                    tile(&Tile::rows, row_tiles(), [&] {
                        tile(&Tile::columns, column_tiles(), [&] {
                            for (const LoopOrderOfTiles &order : loop_orders()) {
                                m.order = order;
                                for (const bool twice : {true, false}) {
                                    m.double_buffered = twice;
                                    visit(m);
                                }
                            }
                        });
                    });
                });
            });
        });
    });
}

} // namespace edgefront
