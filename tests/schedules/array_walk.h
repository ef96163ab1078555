// Loops over tiles and the folds of an array, really walked: what counts are compared with.
#pragma once

#include "base/random.h"
#include "schedules/array_nest.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace edgefront {

inline int up_to(Random &random, int n) {
    return 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(n)));
}

inline Mapping random_mapping(Random &random) {
    Mapping m;
    m.dataflow = static_cast<Dataflow>(random.below(3));
    m.array_rows = up_to(random, 6);
    m.array_columns = up_to(random, 6);
    m.groups_at_once = up_to(random, 3);
    m.pixel_arrays = up_to(random, 3);
    m.channel_arrays = up_to(random, 3);
    m.preload = random.below(2) == 0;
    m.double_buffered = random.below(2) == 0;
    m.tile = {up_to(random, 7), up_to(random, 5), up_to(random, 5), up_to(random, 7),
              up_to(random, 7)};
    m.order = loop_orders()[random.below(24)];
    if (random.below(2) == 0) {
        m.vector_channels = up_to(random, 4);
        m.vector_pixels = up_to(random, 3);
    }
    return m;
}

/// The tiles of a loop, as (first, size).
inline std::vector<std::pair<std::int64_t, std::int64_t>> tiles(std::int64_t size,
                                                                std::int64_t tile) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (std::int64_t at = 0; at < size; at += tile) {
        all.emplace_back(at, std::min(tile, size - at));
    }
    return all;
}

/// The folds of some tiles, one after another.
struct FoldWalk {
    std::int64_t stream = 0, folds = 0, wait = 0, first_wait = -1, skew = 0;

    /// The folds of one tile, each array its part.
    void work(const ArrayProblem &p, const Mapping &m, std::int64_t groups, std::int64_t pixels,
              std::int64_t channels, std::int64_t reduction) {
        const bool grouped = p.groups > 1;
        const std::int64_t own_pixels = ceil_div(pixels, m.pixel_arrays);
        const std::int64_t own_channels = grouped ? channels : ceil_div(channels, m.channel_arrays);
        const std::int64_t own_groups = grouped ? ceil_div(groups, m.channel_arrays) : groups;
        const bool os = m.dataflow == Dataflow::output_stationary;
        const bool is = m.dataflow == Dataflow::input_stationary;
        const std::int64_t down = os ? own_pixels : reduction;
        const std::int64_t across = is ? own_pixels : own_channels;
        const std::int64_t passing = os ? reduction : is ? own_channels : own_pixels;
        skew = (os ? 1 : 2) * m.array_rows + m.array_columns * m.groups_at_once - 2;
        for (std::int64_t g = 0; g < own_groups; g += m.groups_at_once) {
            for (std::int64_t a = 0; a < across; a += m.array_columns) {
                for (std::int64_t d = 0; d < down; d += m.array_rows) {
                    const std::int64_t late = std::max<std::int64_t>(0, m.array_rows - passing);
                    stream += passing;
                    folds++;
                    wait += first_wait < 0 ? 0 : late;
                    first_wait = late;
                }
            }
        }
    }

    std::int64_t fill(const Mapping &m) const {
        return std::max<std::int64_t>(0, (m.preload ? wait + skew : folds * skew) - 1);
    }
};

} // namespace edgefront
