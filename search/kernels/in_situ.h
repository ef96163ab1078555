// The final choice among the best plans of every layer, made inside the running network: caches are
// colder there than in a loop over one kernel. Variants of the whole network, each with another one
// of every layer's best plans or with chains of layers in one kernel, run in turns under a clock
// per kernel; then the network of the winners has to beat the default one.
#pragma once

#include "search/kernels/runner.h"
#include "search/tuner.h"

#include <functional>
#include <string>
#include <vector>

namespace edgefront {

struct InSituOptions {
    int threads = 1;
    int variants = 3;                   ///< beside the one of defaults; of chains as many
    Seconds ranking = Seconds(20);      ///< time for ranking layers
    Seconds confirmation = Seconds(10); ///< time for comparing the whole with the defaults
    BuildContext build;                 ///< its own `progress` is not used
    std::function<bool()> stop;         ///< may be empty
    /// Told the share that is done, 0 to 1, and what comes next; may be empty.
    std::function<void(double share, const std::string &doing)> progress;
};

struct InSituChoice {
    std::string plan;     ///< of a chain without a kernel: empty
    Seconds time;         ///< inside the network, of one layer or chain of this kind
    Seconds default_time; ///< the same with default plans
    bool use = false;     ///< a chain that is no faster than its layers is not
};

struct InSituResult {
    std::vector<InSituChoice> choices; ///< one per work
    Timing tuned, defaults;            ///< of whole networks, in turns
    double ratio = 1;                  ///< tuned to default: the median over rounds
    double jitter = 0;                 ///< the same between two networks of defaults, less one
    bool kept_defaults = false;        ///< the winners together gained no more than the jitter
    int wrong = 0;       ///< variants that did not compute what the defaults do: left out
    std::string failure; ///< why there is none of this
    bool interrupted = false;
};

/// `works` have records with trials. What fails is in the result.
InSituResult choose_in_situ(const Network &network, const std::vector<TunedLayer> &works,
                            const InSituOptions &options);

/// Whether tuned networks that take `ratio` of the default's time are faster, where equal ones
/// differ by `jitter`.
bool is_gain(double ratio, double jitter);

Json write_result(const InSituResult &result);
InSituResult read_result(const Json &json);

/// The best plan of several under alternating measurement: the incumbent, unless another one gains
/// more than `jitter` (a part of the time). `times` of one plan must not be empty.
std::size_t best_of(const std::vector<std::vector<double>> &times, std::size_t incumbent,
                    double jitter);

} // namespace edgefront
