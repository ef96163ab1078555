#include "search/cost_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

/// Short numbers in files.
double rounded(double value) {
    return std::round(value * 1e9) / 1e9;
}

/// What a stage's positions behind the first offer of one type of block.
struct Offer {
    std::string type;
    double options = 0, rows = 0, pixels = 0, mega_macs = 0;
    std::vector<double> ms; ///< by target
};

/// The four UIBs first, others as they occur.
std::vector<Offer> offers_of(const Stage &stage, std::size_t targets) {
    std::vector<Offer> offers;
    for (const auto &type : uib_types()) {
        offers.push_back({type, 0, 0, 0, 0, std::vector<double>(targets, 0)});
    }
    for (std::size_t p = 1; p < stage.positions.size(); p++) {
        for (const auto &option : stage.positions[p]) {
            const std::string type = option_type(option);
            const auto same = [&](const Offer &o) { return o.type == type; };
            if (!type.empty() && std::none_of(offers.begin(), offers.end(), same)) {
                offers.push_back({type, 0, 0, 0, 0, std::vector<double>(targets, 0)});
            }
        }
    }
    return offers;
}

} // namespace

std::vector<BlockRate> CostTables::block_rates() const {
    std::vector<BlockRate> rates;
    const std::size_t n = targets_.size();
    for (const Skeleton &skeleton : space_.skeletons) {
        const std::size_t end = skeleton.first_context + skeleton.resolutions.size() *
                                                             skeleton.widths.size() *
                                                             skeleton.activations.size();
        for (std::size_t s = 0; s < skeleton.stages.size(); s++) {
            const Stage &stage = skeleton.stages[s];
            std::vector<Offer> offers = offers_of(stage, n);
            double options = 0;
            for (std::size_t p = 1; p < stage.positions.size(); p++) {
                for (std::size_t o = 0; o < stage.positions[p].size(); o++) {
                    const std::string type = option_type(stage.positions[p][o]);
                    const auto offer = std::find_if(offers.begin(), offers.end(),
                                                    [&](const Offer &f) { return f.type == type; });
                    if (offer == offers.end()) {
                        continue; // no block
                    }
                    options++;
                    offer->options++;
                    for (std::size_t c = skeleton.first_context; c < end; c++) {
                        for (std::size_t out = 0; out < stage.channels.size(); out++) {
                            const std::int64_t *r = block_row(s, p, c, 0, out, o);
                            const std::int64_t *counts = r + n * target_columns;
                            offer->rows++;
                            offer->pixels += static_cast<double>(counts[reach]);
                            offer->mega_macs += static_cast<double>(counts[mac_count]) * 1e-6;
                            for (std::size_t t = 0; t < n; t++) {
                                offer->ms[t] +=
                                    static_cast<double>(r[t * target_columns + latency_ps]) / 1e9;
                            }
                        }
                    }
                }
            }
            for (const Offer &offer : offers) {
                if (offer.options > 0) {
                    rates.push_back({skeleton.stage_name(s),
                                     offer.type,
                                     offer.options / options,
                                     offer.pixels / offer.rows,
                                     {}});
                    for (std::size_t t = 0; t < n && offer.mega_macs > 0; t++) {
                        rates.back().ms_per_100_mmacs.push_back(
                            rounded(100 * offer.ms[t] / offer.mega_macs));
                    }
                }
            }
        }
    }
    return rates;
}

} // namespace edgefront
