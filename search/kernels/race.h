// Successive halving on times that alternate: a few slices of all runners, more of the better half,
// and so on. The incumbent runs twice in every heat, as itself and as its twin: what sets these two
// apart is the machine's jitter, and no gain below it is believed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

class Race {
public:
    /// `incumbent` is not among the challengers. With none, one heat tells its time.
    Race(std::string incumbent, std::vector<std::string> challengers);

    struct Heat {
        std::vector<std::string> runners; ///< the incumbent first and last
        int slices = 0;                   ///< of each runner
    };
    /// The heat to run now; nothing when the race is decided.
    const std::optional<Heat> &heat() const { return heat_; }
    /// Seconds per run, by runner and slice.
    void took(const std::vector<std::vector<double>> &seconds);
    /// Takes a runner out of the race that turned out to be no kernel; the heat is run anew.
    void drop(const std::string &challenger);

    struct Place {
        std::string plan;
        double ratio = 1; ///< its time to the incumbent's, in its last heat
    };
    /// The challengers, best first, of a race that is decided; those that ran in it.
    std::vector<Place> places() const;
    /// Of the incumbent in its last heat.
    double incumbent_seconds() const { return incumbent_seconds_; }
    /// By how much twin and incumbent differed there, as a part of their time.
    double jitter() const { return jitter_; }

private:
    void start_heat(std::vector<std::string> challengers);

    std::string incumbent_;
    std::vector<Place> out_; ///< who left, worst first
    std::optional<Heat> heat_;
    int heats_ = 0;
    double incumbent_seconds_ = 0;
    double jitter_ = 0;
};

/// What a few slices of a kernel say about its time: the lower quartile, since neighbours only ever
/// add to it. `seconds` must not be empty.
double typical(std::vector<double> seconds);

} // namespace edgefront
