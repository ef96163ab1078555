// One network in several variants of its kernels, put together of the plans that trials found best
// for its pieces of work.
#pragma once

#include "schedules/package.h"
#include "search/tuner.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

class NetworkVariants {
public:
    /// Of every layer the default plan and `most` others, of every chain `most` plans: the best
    /// alone, as the records of `works` tell.
    NetworkVariants(const Network &network, const std::vector<TunedLayer> &works, int most,
                    const KernelTarget &target);

    /// The plans of a work; those of layers begin with the default, unless trials refused that.
    const std::vector<std::string> &plans(std::size_t work) const { return plans_[work]; }
    std::size_t works() const { return plans_.size(); }
    bool is_chain(std::size_t work) const { return chains_[work]; }
    /// The layers that a chain consists of, as works; of a layer itself.
    const std::vector<std::size_t> &members(std::size_t work) const { return members_[work]; }

    struct Step {
        std::size_t work;
        std::size_t plan; ///< index into its plans
    };
    struct Variant {
        std::vector<KernelChoice> kernels;
        std::vector<Step> steps; ///< by kernel
    };
    /// `plan_of` says which of its plans a work takes; nothing for a chain: its layers one by one.
    Variant make(const std::function<std::optional<std::size_t>(std::size_t)> &plan_of) const;
    /// Every layer under its default plan, or its i-th other one; those with fewer begin again.
    Variant separate(std::size_t i) const;
    /// Every chain under its i-th plan, from 0 up, other layers under their best one alone.
    Variant chained(std::size_t i) const;

private:
    std::vector<std::vector<std::string>> plans_;
    std::vector<bool> chains_;
    std::vector<std::vector<std::size_t>> members_;
    std::vector<std::size_t> layer_work_;    ///< by node
    std::map<int, std::size_t> chain_work_;  ///< by first node
    std::map<int, std::vector<int>> groups_; ///< by first node
};

} // namespace edgefront
