#include "search/genes.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace edgefront {
namespace {

/// Axes where two networks differ that exist in both.
std::size_t differences_between(const Choices &a, const Choices &b) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < a.size(); i++) {
        n += a[i] != b[i] && a[i] != absent && b[i] != absent;
    }
    return n;
}

TEST(Genes, fixed_axes_are_no_genes) {
    const DesignSpace space = shipped_space("tiny");
    const Genes genes(space);
    const auto &axes = space.axes();
    std::size_t varied = 0;
    for (const auto &axis : axes) {
        varied += axis.values.size() > 1;
    }
    EXPECT_EQ(genes.list().size(), varied);
    EXPECT_LT(varied, axes.size());
}

TEST(Genes, neighbours_are_all_networks_one_axis_away) {
    const DesignSpace space = shipped_space("tiny");
    const Genes genes(space);
    std::set<Choices> all;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        all.insert(space.at(i));
    }
    for (const auto &choices : all) {
        const auto found = genes.neighbours(choices);
        std::size_t expected = 0;
        for (const auto &gene : genes.list()) {
            expected +=
                choices[gene.axis] == absent ? 0 : static_cast<std::size_t>(gene.values - 1);
        }
        EXPECT_EQ(found.size(), expected);
        EXPECT_EQ(std::set<Choices>(found.begin(), found.end()).size(), found.size());
        for (const auto &other : found) {
            EXPECT_EQ(all.count(other), 1u);
            EXPECT_EQ(differences_between(choices, other), 1u);
        }
    }
}

TEST(Genes, blocks_of_a_larger_depth_are_like_the_one_before) {
    const DesignSpace space = shipped_space("uib_small");
    const Genes genes(space);
    Random random(1);
    const std::size_t stage = space.stage_axis(1);
    for (int i = 0; i < 50; i++) {
        const Choices shallow = genes.with(genes.draw(random), stage + 1, 0); // four blocks
        const Choices deep = genes.with(shallow, stage + 1, 2);               // six
        for (std::size_t p = 0; p < 4; p++) {
            EXPECT_EQ(deep[stage + 2 + p], shallow[stage + 2 + p]);
        }
        EXPECT_EQ(space.describe(deep)[stage + 6], space.describe(shallow)[stage + 5]);
        EXPECT_EQ(space.describe(deep)[stage + 7], space.describe(shallow)[stage + 5]);
        EXPECT_EQ(genes.with(deep, stage + 1, 0), shallow);
    }
}

TEST(Genes, a_mutation_is_a_neighbour) {
    const DesignSpace space = shipped_space("tiny");
    const Genes genes(space);
    Random random(3);
    std::set<Choices> drawn;
    const Choices from = genes.draw(random);
    const auto neighbours = genes.neighbours(from);
    for (int i = 0; i < 400; i++) {
        const Choices mutated = genes.mutate(from, random);
        EXPECT_EQ(std::count(neighbours.begin(), neighbours.end(), mutated), 1);
        drawn.insert(mutated);
    }
    EXPECT_EQ(drawn.size(), neighbours.size()); // each of them comes up
}

TEST(Genes, choices_of_a_checkpoint_are_checked) {
    const DesignSpace space = shipped_space("tiny");
    const Genes genes(space);
    const auto read = [&](const Choices &choices) {
        return genes.read(JsonReader::parse(Json(choices).dump(), "state.json"));
    };
    const Choices first = space.at(0); // the first stage has one block of two
    EXPECT_EQ(read(first), first);
    Choices wrong = first;
    wrong[0] = absent;
    EXPECT_THROW(read(wrong), UserError);
    wrong = first;
    wrong[space.stage_axis(0) + 3] = 0; // a block beyond the depth
    EXPECT_THROW(read(wrong), UserError);
    wrong = first;
    wrong.back() = 9;
    EXPECT_THROW(read(wrong), UserError);
    wrong.pop_back();
    EXPECT_THROW(read(wrong), UserError);
}

TEST(Genes, what_breaks_a_rule_is_worse_than_all_that_does_not) {
    Json json = tiny_json();
    json["constraints"] = {{{"metric", "latency_ms"}, {"target", "pixel6-cpu"}, {"at_most", 0.5}}};
    const DesignSpace space = space_of(json);
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    std::vector<std::vector<double>> kept;
    std::vector<std::pair<double, double>> broken; // violation, fitness
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        const Evaluation e = tables.evaluate(space.at(i));
        const auto fitness = fitness_of(space, e, 5);
        ASSERT_EQ(fitness.size(), 5u);
        EXPECT_EQ(fitness[4], fitness[2]);
        if (e.feasible()) {
            EXPECT_EQ(fitness[0], e.values[0]);
            EXPECT_EQ(fitness[2], -e.values[2]);
            kept.push_back(fitness);
        } else {
            broken.emplace_back(e.violation, fitness[0]);
        }
    }
    ASSERT_FALSE(kept.empty());
    ASSERT_FALSE(broken.empty());
    std::sort(broken.begin(), broken.end());
    for (std::size_t i = 1; i < broken.size(); i++) {
        EXPECT_GE(broken[i].second, broken[i - 1].second);
    }
    for (const auto &fitness : kept) {
        EXPECT_LT(*std::max_element(fitness.begin(), fitness.end()), broken.front().second);
    }
}

TEST(Seen, a_network_is_new_once_even_after_a_restart) {
    const DesignSpace space = shipped_space("tiny");
    Seen seen;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); i++) {
        EXPECT_TRUE(seen.add(space.at(i)));
    }
    EXPECT_FALSE(seen.add(space.at(7)));
    Seen again;
    again.restore(JsonReader::parse(seen.state().dump(), "state.json"));
    EXPECT_EQ(again.size(), seen.size());
    EXPECT_TRUE(again.contains(space.at(9)));
    EXPECT_EQ(again.state(), seen.state());
}

} // namespace
} // namespace edgefront
