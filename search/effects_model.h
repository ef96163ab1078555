// What the choices of a candidate do to its values, learned from those that were priced: a constant
// plus one effect per choice, for each output. It knows nothing of blocks or tables, so it guesses
// values that come from elsewhere as well. Differences between similar candidates are what it is
// good for.
#pragma once

#include "base/json_reader.h"

#include <cstddef>
#include <vector>

namespace edgefront {

class EffectsModel {
public:
    /// `values`: how many there are to choose from, per axis.
    EffectsModel(const std::vector<std::size_t> &values, std::size_t outputs);

    /// One index per axis; of an axis that is not there (negative), the effect of its absence.
    std::vector<double> predict(const std::vector<int> &choices) const;
    /// Moves the effects of these choices half the way to the outputs (Kaczmarz 1937: a projection
    /// onto the equation that the candidate states).
    void learn(const std::vector<int> &choices, const std::vector<double> &outputs);

    Json state() const { return effects_; }
    /// Throws UserError when the numbers are not as many as the model has.
    void restore(const JsonReader &state);

private:
    template <typename Visit>
    void visit(const std::vector<int> &choices, const Visit &effects_of) const;

    std::vector<std::size_t> first_; ///< effect of each axis; that of absence is its last
    std::vector<std::size_t> values_;
    std::size_t outputs_;
    bool blank_ = true;           ///< the first candidate's outputs become the constant
    std::vector<double> effects_; ///< per output; the constant comes first
};

} // namespace edgefront
