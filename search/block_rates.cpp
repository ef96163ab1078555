#include "search/cost_tables.h"

#include <fmt/format.h>

#include <cmath>

namespace edgefront {

namespace {

/// Short numbers in files.
double rounded(double value) {
    return std::round(value * 1e9) / 1e9;
}

} // namespace

std::vector<BlockRate> CostTables::block_rates() const {
    std::vector<BlockRate> rates;
    const std::size_t n = targets_.size();
    for (std::size_t s = 0; s < stages_.size(); s++) {
        for (const auto &type : uib_types()) {
            double options = 0, of_type = 0, rows = 0, pixels = 0, mega_macs = 0;
            std::vector<double> ms(n, 0);
            for (std::size_t p = 1; p < stages_[s].size(); p++) {
                const auto &position = space_.stages[s].positions[p];
                const Table &table = stages_[s][p];
                const std::size_t surroundings = space_.resolutions.size() * space_.widths.size() *
                                                 space_.activations.size() * table.outs;
                options += static_cast<double>(position.size());
                for (std::size_t o = 0; o < position.size(); o++) {
                    if (uib_type(position[o]) != type) {
                        continue;
                    }
                    of_type++;
                    for (std::size_t i = 0; i < surroundings; i++) {
                        const std::int64_t *r = row(table, i / table.outs, 0, i % table.outs, o);
                        const std::int64_t *counts = r + n * target_columns;
                        rows++;
                        pixels += static_cast<double>(counts[reach]);
                        mega_macs += static_cast<double>(counts[mac_count]) * 1e-6;
                        for (std::size_t t = 0; t < n; t++) {
                            ms[t] += static_cast<double>(r[t * target_columns + latency_ps]) / 1e9;
                        }
                    }
                }
            }
            if (of_type > 0) {
                BlockRate rate{
                    fmt::format("s{}", s + 1), type, of_type / options, pixels / rows, {}};
                for (const double total : ms) {
                    rate.ms_per_100_mmacs.push_back(rounded(100 * total / mega_macs));
                }
                rates.push_back(std::move(rate));
            }
        }
    }
    return rates;
}

} // namespace edgefront
