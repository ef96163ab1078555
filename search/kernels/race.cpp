#include "search/kernels/race.h"

#include "search/statistics.h"

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

constexpr int first_slices = 4; // doubled from heat to heat
constexpr int most_slices = 16;

} // namespace

double typical(std::vector<double> seconds) {
    return *percentile(std::move(seconds), 0.25);
}

Race::Race(std::string incumbent, std::vector<std::string> challengers)
    : incumbent_(std::move(incumbent)) {
    start_heat(std::move(challengers));
}

void Race::start_heat(std::vector<std::string> challengers) {
    Heat heat;
    heat.runners = std::move(challengers);
    heat.runners.insert(heat.runners.begin(), incumbent_);
    heat.runners.push_back(incumbent_);
    heat.slices = std::min(first_slices << heats_, most_slices);
    heat_ = heat;
}

void Race::took(const std::vector<std::vector<double>> &seconds) {
    std::vector<double> own = seconds.front(), twin = seconds.back();
    jitter_ = std::fabs(typical(twin) / typical(own) - 1);
    own.insert(own.end(), twin.begin(), twin.end());
    incumbent_seconds_ = typical(own);
    std::vector<Place> places;
    for (std::size_t i = 1; i + 1 < seconds.size(); i++) {
        places.push_back({heat_->runners[i], typical(seconds[i]) / incumbent_seconds_});
    }
    std::stable_sort(places.begin(), places.end(),
                     [](const Place &a, const Place &b) { return a.ratio < b.ratio; });
    heats_++;
    // Whoever is left alone has been in as many slices as the race has to offer, or has lost.
    const bool last = places.size() <= 1 && heat_->slices >= most_slices;
    const std::size_t stay = last ? 0 : (places.size() + 1) / 2;
    for (std::size_t i = places.size(); i > stay; i--) {
        out_.push_back(places[i - 1]);
    }
    places.resize(stay);
    if (stay == 0) {
        heat_.reset();
        return;
    }
    std::vector<std::string> next;
    for (const Place &p : places) {
        next.push_back(p.plan);
    }
    start_heat(std::move(next));
}

void Race::drop(const std::string &challenger) {
    if (!heat_) {
        return;
    }
    std::vector<std::string> left(heat_->runners.begin() + 1, heat_->runners.end() - 1);
    left.erase(std::remove(left.begin(), left.end(), challenger), left.end());
    start_heat(std::move(left));
}

std::vector<Race::Place> Race::places() const {
    std::vector<Place> places(out_.rbegin(), out_.rend());
    return places;
}

} // namespace edgefront
