#include "search/marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace edgefront {

namespace {

std::vector<Block> one_by_one(const std::vector<Block> &blocks) {
    std::vector<Block> result;
    for (const auto &block : blocks) {
        for (int i = 0; i < block.repeat; i++) {
            result.push_back(block);
            result.back().repeat = 1;
            result.back().stride = i == 0 ? block.stride : 1;
        }
    }
    return result;
}

std::string shown(const Block &block) {
    return block.kind == BlockKind::uib ? to_block_string(block)
                                        : to_string(block.kind) + " block with " +
                                              std::to_string(block.channels) + " channels";
}

template <typename T>
int index_of(const std::vector<T> &values, const T &value) {
    const auto it = std::find(values.begin(), values.end(), value);
    return it == values.end() ? absent : static_cast<int>(it - values.begin());
}

/// Walks the published rows along the space. `mismatch` explains the first difference.
struct Matcher {
    const DesignSpace &space;
    std::vector<Block> rows;
    std::size_t next = 0;
    Choices choices;
    std::string mismatch;

    bool fixed(const std::vector<Block> &blocks, const char *part) {
        for (const auto &block : one_by_one(blocks)) {
            if (next >= rows.size() || rows[next] != block) {
                mismatch =
                    fmt::format("its block {} is not the {}'s {}", next + 1, part, shown(block));
                return false;
            }
            next++;
        }
        return true;
    }

    bool stage(std::size_t s) {
        const Stage &stage = space.stages[s];
        std::vector<Block> own;
        const auto starts_next = [&](const Block &row) {
            return row.kind != BlockKind::uib || row.stride > 1 ||
                   row.channels != own.front().channels;
        };
        for (; next < rows.size() && own.size() < stage.positions.size() &&
               (own.empty() || !starts_next(rows[next]));
             next++) {
            own.push_back(rows[next]);
        }
        const int channels = own.empty() ? absent : index_of(stage.channels, own.front().channels);
        const int depth = index_of(stage.depths, static_cast<int>(own.size()));
        if (channels == absent || depth == absent) {
            mismatch = own.empty() ? fmt::format("it has no stage {}", s + 1)
                                   : fmt::format("stage {} has no {} blocks with {} channels",
                                                 s + 1, own.size(), own.front().channels);
            return false;
        }
        choices.push_back(channels);
        choices.push_back(depth);
        for (std::size_t p = 0; p < stage.positions.size(); p++) {
            if (p >= own.size()) {
                choices.push_back(absent);
                continue;
            }
            Block wanted = own[p];
            const bool fits = wanted.kind == BlockKind::uib &&
                              wanted.channels == own.front().channels &&
                              wanted.stride == (p == 0 ? stage.stride : 1);
            wanted.channels = 0;
            wanted.stride = 1;
            const int option = fits ? index_of(stage.positions[p], wanted) : absent;
            if (option == absent) {
                mismatch =
                    fmt::format("stage {} block {} cannot be {}", s + 1, p + 1, shown(own[p]));
                return false;
            }
            choices.push_back(option);
        }
        return true;
    }
};

bool same_layers(const Network &a, const Network &b) {
    return std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
                      [](const Node &x, const Node &y) {
                          return x.layer == y.layer && x.inputs == y.inputs && x.offset == y.offset;
                      });
}

} // namespace

std::variant<Choices, std::string> find_in_space(const DesignSpace &space, const Zoo &zoo,
                                                 const std::string &name) {
    const Network published = zoo.network(name);
    const Family *family = zoo.find(published.family);
    if (family == nullptr) {
        return "it is a file, not a network of the zoo";
    }
    Matcher match{space, one_by_one(family->blocks), 0, {}, ""};
    match.choices = {index_of(space.resolutions, published.resolution),
                     index_of(space.widths, published.width),
                     index_of(space.activations, family->activation)};
    const auto lacks = [](const std::string &what) { return "the space has no " + what; };
    if (match.choices[0] == absent) {
        return lacks(fmt::format("resolution {}", published.resolution));
    }
    if (match.choices[1] == absent) {
        return lacks(fmt::format("width {}", published.width));
    }
    if (match.choices[2] == absent) {
        return lacks("activation " + to_string(family->activation));
    }
    bool fits = match.fixed(space.stem, "stem");
    for (std::size_t s = 0; fits && s < space.stages.size(); s++) {
        fits = match.stage(s);
    }
    fits = fits && match.fixed(space.head, "head");
    if (!fits) {
        return match.mismatch;
    }
    if (match.next != match.rows.size()) {
        return "it has more blocks than the space";
    }
    if (!same_layers(space.network(match.choices), published)) {
        return "the space's rules give its blocks other layers";
    }
    return match.choices;
}

void compare_with_front(PublishedMark &mark, const DesignSpace &space, const ParetoFront &front) {
    mark.on_front = false;
    mark.dominated_by.clear();
    if (mark.values.empty()) {
        return;
    }
    mark.on_front = mark.feasible && front.contains(mark.values);
    for (const std::size_t i : front.dominators(mark.values)) {
        const Member &member = front.members()[i];
        Dominator by{space.id(member.choices), {}};
        for (std::size_t o = 0; o < mark.values.size(); o++) {
            by.better_by.push_back(std::abs(mark.values[o] - member.values[o]));
        }
        mark.dominated_by.push_back(std::move(by));
    }
}

std::vector<PublishedMark> mark_published(const DesignSpace &space, const Zoo &zoo,
                                          const CostTables &tables, const Evaluate &evaluate,
                                          const ParetoFront &front) {
    std::vector<PublishedMark> marks;
    for (const auto &name : space.marks) {
        PublishedMark mark;
        mark.network = name;
        const auto found = find_in_space(space, zoo, name);
        if (const auto *reason = std::get_if<std::string>(&found)) {
            mark.reason = *reason;
            marks.push_back(std::move(mark));
            continue;
        }
        const auto &choices = std::get<Choices>(found);
        const Evaluation evaluation = evaluate({choices}).front();
        mark.inside = true;
        mark.id = space.id(choices);
        mark.choices = space.describe(choices);
        mark.feasible = evaluation.feasible();
        if (!mark.feasible) {
            mark.reason = "breaks: " + tables.rules()[evaluation.broken.front().rule];
        }
        if (!evaluation.priced) {
            marks.push_back(std::move(mark));
            continue;
        }
        mark.values = evaluation.values;
        compare_with_front(mark, space, front);
        marks.push_back(std::move(mark));
    }
    return marks;
}

} // namespace edgefront
