#include "schedules/mapping_space.h"

#include <algorithm>
#include <array>

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

/// Of n in whole units, as many as there are room for; none when that is none.
std::vector<int> even_parts_int(std::int64_t n, std::int64_t most, int unit = 1) {
    std::vector<int> sizes;
    if (most >= unit) {
        for (const std::int64_t size : even_parts(ceil_div(n, unit), most / unit)) {
            sizes.push_back(static_cast<int>(size * unit));
        }
    }
    return sizes;
}

/// All even parts of n in whole units; the first one is n.
std::vector<std::int64_t> even_tiles(std::int64_t n, int unit) {
    std::vector<std::int64_t> sizes = even_parts(ceil_div(n, unit), ceil_div(n, unit));
    for (std::int64_t &size : sizes) {
        size = std::min(n, size * unit);
    }
    return sizes;
}

/// Sizes up to n: even parts, and whole multiples of `unit`, given in units of 1 / scale.
std::vector<std::int64_t> tiles_of_units(std::int64_t n, std::int64_t unit, std::int64_t scale,
                                         int whole = 1) {
    std::vector<std::int64_t> sizes = even_tiles(n, whole);
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

/// Registers left to what stays when the operands that pass have theirs.
int staying_registers(const ArrayLimits &limits) {
    return limits.registers - 2;
}

/// Bytes of one row of what stays in a vector unit.
std::int64_t row_bytes(const Mapping &m, std::int64_t element) {
    return lanes_in_use(m) * (m.dataflow == Dataflow::output_stationary ? sum_bytes : element);
}

/// Rows of `m` that the registers hold.
std::int64_t most_rows(const Mapping &m, const ArrayLimits &limits, std::int64_t element) {
    return std::min<std::int64_t>(widest_array, std::int64_t{1} * staying_registers(limits) *
                                                    limits.register_bytes / row_bytes(m, element));
}

/// What a mapping breaks of a vector unit.
std::string too_many_registers(const Layer &layer, const Mapping &m, const ArrayLimits &limits) {
    if (m.vector_channels != limits.vector_channels || m.vector_pixels != limits.vector_pixels) {
        const auto text = [](int channels, int pixels) {
            return std::to_string(channels) + "x" + std::to_string(pixels);
        };
        return "vectors: the mapping lays out " + text(m.vector_channels, m.vector_pixels) +
               " channels and pixels, the hardware " +
               text(limits.vector_channels, limits.vector_pixels);
    }
    const std::int64_t element = size_of(layer.type);
    const std::int64_t wanted = registers_in_use(m, limits, element);
    if (wanted <= limits.registers) {
        return "";
    }
    const std::string what = above("vector registers", wanted, limits.registers);
    Mapping other = m;
    const auto shrink = [&] { // rows first, then groups, then columns
        other.array_rows = static_cast<int>(
            std::min<std::int64_t>(m.array_rows, most_rows(other, limits, element)));
        return other.array_rows >= 1;
    };
    for (int *size : {&other.groups_at_once, &other.array_columns}) {
        while (!shrink() && *size > 1) {
            *size = (*size + 1) / 2;
        }
    }
    if (shrink()) {
        return what + "; it would fit as " + to_string(other);
    }
    other.array_rows = 1;
    return what + "; no register tile of this dataflow fits, the smallest takes " +
           std::to_string(registers_in_use(other, limits, element));
}

} // namespace

std::string scratchpad_text(const std::string &what,
                            std::initializer_list<std::pair<const char *, Bytes>> parts,
                            Bytes limit) {
    Bytes wanted;
    std::string text;
    for (const auto &[name, bytes] : parts) {
        wanted += bytes;
        text +=
            (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(bytes.count());
    }
    return above(what, wanted.count(), limit.count()) + " (" + text + ")";
}

std::int64_t registers_in_use(const Mapping &m, const ArrayLimits &limits, std::int64_t element) {
    return ceil_div(m.array_rows * row_bytes(m, element), limits.register_bytes) + 2;
}

std::string too_large(const Layer &layer, const Mapping &m, const ArrayLimits &limits) {
    const std::int64_t columns = std::int64_t{1} * m.array_columns * m.groups_at_once;
    const std::int64_t arrays = std::int64_t{1} * m.pixel_arrays * m.channel_arrays;
    if (arrays > limits.arrays) {
        return above(limits.vectors() ? "vector units" : "arrays", arrays, limits.arrays);
    }
    if (limits.vectors()) {
        return runs_on_array(layer) ? too_many_registers(layer, m, limits) : "";
    }
    if (m.array_rows > limits.rows) {
        return above("array rows", m.array_rows, limits.rows);
    }
    if (columns > limits.columns) {
        return above("array columns", columns, limits.columns);
    }
    if (m.groups_at_once > limits.groups_at_once) {
        return above("groups at once", m.groups_at_once, limits.groups_at_once);
    }
    if (m.preload && !limits.preload) {
        return "preload: the array has no second set of registers";
    }
    if (m.vector_channels > 1 || m.vector_pixels > 1) {
        return "vectors: the array has none";
    }
    return "";
}

bool fits_arrays(const Layer &layer, const Plan &plan, const ArrayLimits &limits) {
    const auto *mapping = std::get_if<Mapping>(&plan);
    return mapping != nullptr && too_large(layer, *mapping, limits).empty();
}

std::string mapping_problem(const Layer &layer, const Mapping &m, const ArrayLimits &limits) {
    const std::string arrays = too_large(layer, m, limits);
    if (!arrays.empty() || !runs_on_array(layer)) {
        return arrays;
    }
    const LoopNest nest = analyse(layer, m);
    if (nest.tiles.footprint() <= limits.scratchpad) {
        return "";
    }
    const std::string what =
        scratchpad_text(limits.vectors() ? "on-chip bytes" : "scratchpad bytes",
                        {{"input", nest.tiles.input.footprint},
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
    const ArrayProblem p = array_problem(layer, m.vector_channels, m.vector_pixels);
    const std::array<std::pair<std::int64_t *, int>, 5> sizes = {{
        {&other.tile.rows, 1},
        {&other.tile.columns, p.column_unit},
        {&other.tile.channels, p.channel_unit},
        {&other.tile.reduction, p.reduction_unit},
        {&other.tile.groups, p.group_unit},
    }};
    const auto units = [](const auto &size) { return ceil_div(*size.first, size.second); };
    while (!fits()) {
        const auto &largest =
            *std::max_element(sizes.begin(), sizes.end(),
                              [&](const auto &a, const auto &b) { return units(a) < units(b); });
        if (units(largest) <= 1) {
            return what + "; no tile fits, the smallest takes " +
                   std::to_string(analyse(layer, other).tiles.footprint().count());
        }
        *largest.first = ceil_div(units(largest), 2) * largest.second;
    }
    return what + "; it would fit as " + to_string(other);
}

MappingSpace::MappingSpace(const Layer &layer, const ArrayLimits &limits)
    : problem_(array_problem(layer, limits.vector_channels, limits.vector_pixels)),
      limits_(limits) {
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
    const std::int64_t groups = ceil_div(problem_.groups, channel_arrays);
    if (!limits_.vectors()) {
        return even_parts_int(groups, std::min(limits_.groups_at_once, limits_.columns));
    }
    // Vectors of several groups have one channel of each.
    return problem_.channels > 1
               ? std::vector<int>{1}
               : even_parts_int(groups, most_columns(first()), problem_.group_unit);
}

std::int64_t MappingSpace::most_columns(const Mapping &m) const {
    if (!limits_.vectors()) {
        return limits_.columns / m.groups_at_once;
    }
    // A lane of what stays, at the fewest bytes.
    const std::int64_t bytes =
        m.dataflow == Dataflow::output_stationary ? sum_bytes : problem_.element;
    return std::min<std::int64_t>(widest_array, std::int64_t{1} * staying_registers(limits_) *
                                                    limits_.register_bytes /
                                                    (m.groups_at_once * bytes));
}

std::vector<int> MappingSpace::array_columns(const Mapping &m) const {
    const std::int64_t extent =
        m.dataflow == Dataflow::input_stationary
            ? ceil_div(problem_.rows * problem_.columns, m.pixel_arrays)
            : ceil_div(problem_.channels, problem_.grouped() ? 1 : m.channel_arrays);
    return even_parts_int(extent, most_columns(m),
                          m.groups_at_once > 1 ? 1 : limits_.vector_channels);
}

std::vector<int> MappingSpace::array_rows(const Mapping &m) const {
    const std::int64_t extent = m.dataflow == Dataflow::output_stationary
                                    ? ceil_div(problem_.rows * problem_.columns, m.pixel_arrays)
                                    : problem_.taps * problem_.reduction;
    return even_parts_int(extent, limits_.vectors() ? most_rows(m, limits_, problem_.element)
                                                    : limits_.rows);
}

std::vector<std::int64_t> MappingSpace::group_tiles(const Mapping &m) const {
    const std::int64_t at_once = std::int64_t{1} * m.groups_at_once * m.channel_arrays;
    return problem_.grouped() && at_once > 1
               ? tiles_of_units(problem_.groups, at_once, 1, problem_.group_unit)
               : even_tiles(problem_.groups, problem_.group_unit);
}

std::vector<std::int64_t> MappingSpace::row_tiles() const {
    return even_tiles(problem_.rows, 1);
}

std::vector<std::int64_t> MappingSpace::column_tiles() const {
    return even_tiles(problem_.columns, problem_.column_unit);
}

std::vector<std::int64_t> MappingSpace::channel_tiles(const Mapping &m) const {
    const std::int64_t arrays = problem_.grouped() ? 1 : m.channel_arrays;
    const std::int64_t at_once =
        m.dataflow == Dataflow::input_stationary ? arrays : arrays * m.array_columns;
    const int unit = problem_.channel_unit;
    return at_once > 1 && at_once % unit == 0 ? tiles_of_units(problem_.channels, at_once, 1, unit)
                                              : even_tiles(problem_.channels, unit);
}

std::vector<std::int64_t> MappingSpace::reduction_tiles(const Mapping &m) const {
    return m.dataflow == Dataflow::output_stationary || m.array_rows <= problem_.taps ||
                   problem_.reduction_unit > 1
               ? even_tiles(problem_.reduction, problem_.reduction_unit)
               : tiles_of_units(problem_.reduction, m.array_rows, problem_.taps);
}

Mapping MappingSpace::first() const {
    Mapping m;
    m.preload = limits_.preload;
    m.vector_channels = limits_.vector_channels;
    m.vector_pixels = limits_.vector_pixels;
    return m;
}

Mapping MappingSpace::smallest() const {
    Mapping m = first();
    m.dataflow = Dataflow::output_stationary;
    m.groups_at_once = problem_.group_unit;
    m.array_columns = problem_.group_unit > 1 ? 1 : limits_.vector_channels;
    m.tile = {group_tiles(m).back(), row_tiles().back(), column_tiles().back(),
              channel_tiles(m).back(), reduction_tiles(m).back()};
    return m;
}

void MappingSpace::for_each_sharing(const std::function<void(const Mapping &)> &visit) const {
    Mapping m = first();
    for (const Dataflow dataflow :
         {Dataflow::weight_stationary, Dataflow::output_stationary, Dataflow::input_stationary}) {
        m.dataflow = dataflow;
        for (const auto &[pixels, channels] : sharing_) {
            m.pixel_arrays = pixels;
            m.channel_arrays = channels;
            m.groups_at_once = 1;
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
