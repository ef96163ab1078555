#include "search/kernels/time_networks.h"

#include <algorithm>
#include <chrono>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;
using Runs = std::vector<std::vector<Seconds>>; ///< each the whole run, then its layers

Seconds since(Clock::time_point start) {
    return Seconds(std::chrono::duration<double>(Clock::now() - start).count());
}

/// Runs for about `slice`; the first run after another network's is not counted.
void time_slice(Runner &runner, Seconds slice, bool layers, Runs &runs) {
    runner.rerun();
    const Clock::time_point start = Clock::now();
    do {
        std::vector<Seconds> run(1);
        const Clock::time_point before = Clock::now();
        if (layers) {
            run.reserve(runner.network().nodes.size() + 1);
            runner.rerun(
                [&](const edgefront_layer_run &layer) { run.emplace_back(layer.seconds); });
        } else {
            runner.rerun();
        }
        run.front() = since(before);
        runs.push_back(std::move(run));
    } while (since(start) < slice);
}

} // namespace

std::vector<Seconds> mean_of_fastest(std::vector<std::vector<Seconds>> runs) {
    constexpr std::size_t fastest_share = 30; // one in so many: busy machines disturb most runs
    const std::size_t count = std::max<std::size_t>(1, runs.size() / fastest_share);
    std::partial_sort(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(count), runs.end(),
                      [](const auto &a, const auto &b) { return a.front() < b.front(); });
    std::vector<Seconds> mean(runs.front().size());
    for (std::size_t i = 0; i < mean.size(); i++) {
        for (std::size_t run = 0; run < count; run++) {
            mean[i] += runs[run][i] * (1.0 / static_cast<double>(count));
        }
    }
    return mean;
}

std::vector<NetworkTimes> time_networks(std::vector<Runner> &runners,
                                        const std::vector<std::vector<float>> &inputs,
                                        const TimingRounds &rounds,
                                        const std::function<void(double)> &progress) {
    for (std::size_t i = 0; i < runners.size(); i++) {
        runners[i].run(inputs[i]); // wakes threads, touches all memory
    }
    std::vector<Runs> whole(runners.size()), layers(runners.size());
    std::size_t done = 0;
    for (int round = 0; round < rounds.rounds; round++) {
        for (std::size_t i = 0; i < runners.size(); i++) {
            time_slice(runners[i], rounds.slice, false, whole[i]);
            if (rounds.layers) {
                time_slice(runners[i], rounds.slice, true, layers[i]);
            }
            done++;
            if (progress) {
                progress(static_cast<double>(done) / (static_cast<double>(rounds.rounds) *
                                                      static_cast<double>(runners.size())));
            }
        }
    }
    std::vector<NetworkTimes> times;
    for (std::size_t i = 0; i < runners.size(); i++) {
        NetworkTimes t;
        t.runs = static_cast<int>(whole[i].size());
        std::vector<Seconds> all;
        for (const auto &run : whole[i]) {
            all.push_back(run.front());
        }
        t.median = summarise(std::move(all)).median;
        t.whole = mean_of_fastest(std::move(whole[i])).front();
        if (rounds.layers) {
            t.layers = mean_of_fastest(std::move(layers[i]));
            t.layers.erase(t.layers.begin());
        }
        times.push_back(std::move(t));
    }
    return times;
}

} // namespace edgefront
