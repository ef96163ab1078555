#include "search/genes.h"

#include <algorithm>

namespace edgefront {

namespace {

std::uint64_t hash_of(const Choices &choices) {
    std::string bytes;
    for (const int choice : choices) {
        bytes.push_back(static_cast<char>(choice & 255));
        bytes.push_back(static_cast<char>(choice >> 8 & 255));
    }
    return stable_hash(bytes);
}

} // namespace

Genes::Genes(const DesignSpace &space) : space_(space) {
    const auto &axes = space.axes();
    for (std::size_t a = 0; a < axes.size(); a++) {
        const auto &values = axes[a].values;
        if (values.size() > 1) {
            genes_.push_back({a, static_cast<int>(values.size())});
        }
        values_.push_back(static_cast<int>(values.size()));
        std::vector<int> same;
        for (std::size_t v = 0; a > 0 && v < axes[a - 1].values.size(); v++) {
            const auto it = std::find(values.begin(), values.end(), axes[a - 1].values[v]);
            same.push_back(it == values.end() ? 0 : static_cast<int>(it - values.begin()));
        }
        same_as_before_.push_back(std::move(same));
    }
}

Choices Genes::completed(Choices choices) const {
    for (std::size_t a = 1; a < choices.size(); a++) {
        if (choices[a] == absent) {
            choices[a] = same_as_before_[a][static_cast<std::size_t>(choices[a - 1])];
        }
    }
    return choices;
}

Choices Genes::draw(Random &random) const {
    Choices choices(values_.size(), 0);
    for (const auto &gene : genes_) {
        choices[gene.axis] = static_cast<int>(random.below(static_cast<unsigned>(gene.values)));
    }
    return space_.canonical(choices);
}

Choices Genes::with(const Choices &choices, std::size_t axis, int value) const {
    Choices changed = completed(choices);
    changed[axis] = value;
    return space_.canonical(changed);
}

Choices Genes::mutate(const Choices &choices, Random &random) const {
    std::vector<Gene> own;
    for (const auto &gene : genes_) {
        if (choices[gene.axis] != absent) {
            own.push_back(gene);
        }
    }
    const Gene gene = own[random.below(own.size())];
    const int step = 1 + static_cast<int>(random.below(static_cast<unsigned>(gene.values - 1)));
    return with(choices, gene.axis, (choices[gene.axis] + step) % gene.values);
}

std::vector<Choices> Genes::neighbours(const Choices &choices) const {
    std::vector<Choices> all;
    for (const auto &gene : genes_) {
        for (int value = 0; value < gene.values && choices[gene.axis] != absent; value++) {
            Choices changed = with(choices, gene.axis, value);
            if (changed[gene.axis] == value && changed != choices) { // its skeleton offers it
                all.push_back(std::move(changed));
            }
        }
    }
    return all;
}

Choices Genes::read(const JsonReader &row) const {
    const auto items = row.items();
    if (items.size() != values_.size()) {
        throw row.error("expected one choice per axis of the space");
    }
    Choices choices;
    for (std::size_t a = 0; a < items.size(); a++) {
        choices.push_back(static_cast<int>(items[a].integer(a == 0 ? 0 : absent, values_[a] - 1)));
    }
    if (space_.canonical(completed(choices)) != choices) {
        throw row.error(
            "expected a choice on every axis that the others leave, and none elsewhere");
    }
    return choices;
}

std::vector<double> fitness_of(const DesignSpace &space, const Evaluation &evaluation,
                               std::size_t least_size) {
    std::vector<double> fitness;
    for (std::size_t o = 0; o < space.objectives.size(); o++) {
        const bool maximise = space.objectives[o].sense == Sense::maximise;
        fitness.push_back(!evaluation.feasible() ? infeasible_fitness * (1 + evaluation.violation)
                          : maximise             ? -evaluation.values[o]
                                                 : evaluation.values[o]);
    }
    while (fitness.size() < least_size) {
        fitness.push_back(fitness.back());
    }
    return fitness;
}

bool Seen::add(const Choices &choices) {
    const std::uint64_t hash = hash_of(choices);
    if (!hashes_.insert(hash).second) {
        return false;
    }
    order_.push_back(hash);
    return true;
}

bool Seen::contains(const Choices &choices) const {
    return hashes_.count(hash_of(choices)) > 0;
}

void Seen::restore(const JsonReader &state) {
    for (const auto &item : state.items()) {
        if (!item.value().is_number_unsigned() && !item.value().is_number_integer()) {
            throw item.error("expected a hash");
        }
        const auto hash = item.value().get<std::uint64_t>();
        if (hashes_.insert(hash).second) {
            order_.push_back(hash);
        }
    }
}

} // namespace edgefront
