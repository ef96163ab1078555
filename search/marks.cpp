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
    return block.kind == BlockKind::uib       ? to_block_string(block)
           : block.kind == BlockKind::defined ? block.definition
                                              : to_string(block.kind) + " block with " +
                                                    std::to_string(block.channels) + " channels";
}

template <typename T>
int index_of(const std::vector<T> &values, const T &value) {
    const auto it = std::find(values.begin(), values.end(), value);
    return it == values.end() ? absent : static_cast<int>(it - values.begin());
}

/// Walks the published rows along a skeleton. `mismatch` explains the first difference.
struct Matcher {
    const Skeleton &skeleton;
    const std::vector<Block> &rows;
    std::size_t next = 0;
    Choices own; ///< of the stages so far
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
        const Stage &stage = skeleton.stages[s];
        const bool begins = next < rows.size() && rows[next].kind == BlockKind::uib;
        const int channels = begins ? rows[next].channels : 0;
        const int channel = index_of(stage.channels, channels);
        if (channel == absent) {
            mismatch =
                !begins ? fmt::format("it has no stage {}", s + 1)
                        : fmt::format("stage {} has no blocks with {} channels", s + 1, channels);
            return false;
        }
        // Positions left empty have no block in common with the next ones (skeleton_json.cpp), so
        // the first option that fits is the only one.
        std::vector<int> options;
        for (std::size_t p = 0; p < stage.positions.size(); p++) {
            const auto &position = stage.positions[p];
            int option = absent, none = absent;
            for (std::size_t o = 0; o < position.size(); o++) {
                if (!position[o].block) {
                    none = static_cast<int>(o);
                } else if (next < rows.size() &&
                           stage.placed(position[o], p, static_cast<std::size_t>(channel)) ==
                               rows[next]) {
                    option = static_cast<int>(o);
                }
            }
            next += option != absent;
            option = option == absent ? none : option;
            if (option == absent) {
                break;
            }
            options.push_back(option);
        }
        const auto depth = static_cast<int>(options.size());
        const int depth_choice = index_of(stage.depths, depth);
        // A UIB with a stride or other channels begins the next stage, a row of another kind the
        // head.
        const bool goes_on =
            next < rows.size() && (rows[next].kind == BlockKind::uib
                                       ? rows[next].stride == 1 && rows[next].channels == channels
                                       : s + 1 < skeleton.stages.size());
        if (depth < stage.depths.back() && (goes_on || depth == 0)) {
            mismatch =
                fmt::format("stage {} block {} cannot be {}", s + 1, depth + 1, shown(rows[next]));
            return false;
        }
        if (depth_choice == absent) {
            mismatch =
                fmt::format("stage {} has no {} blocks with {} channels", s + 1, depth, channels);
            return false;
        }
        own.push_back(channel);
        own.push_back(depth_choice);
        options.resize(stage.positions.size(), 0);
        own.insert(own.end(), options.begin(), options.end());
        return true;
    }

    bool all() {
        bool fits = fixed(skeleton.stem, "stem");
        for (std::size_t s = 0; fits && s < skeleton.stages.size(); s++) {
            fits = stage(s);
        }
        if (!fits || !fixed(skeleton.head, "head")) {
            return false;
        }
        if (next != rows.size()) {
            mismatch = "it has more blocks than the space";
        }
        return mismatch.empty();
    }
};

bool same_layers(const Network &a, const Network &b) {
    return std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
                      [](const Node &x, const Node &y) {
                          return x.layer == y.layer && x.inputs == y.inputs &&
                                 x.offset == y.offset && x.layer_scale == y.layer_scale;
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
    const auto rows = one_by_one(family->blocks);
    const auto missing = [&](const Skeleton &skeleton) {
        if (index_of(skeleton.resolutions, published.resolution) == absent) {
            return fmt::format("resolution {}", published.resolution);
        }
        if (index_of(skeleton.widths, published.width) == absent) {
            return fmt::format("width {}", published.width);
        }
        return "activation " + to_string(family->activation);
    };
    std::string reason;
    std::size_t furthest = 0; // rows matched where the reason arose
    const auto lacks = [&](std::size_t matched, const Skeleton &skeleton, const std::string &what) {
        if (reason.empty() || matched > furthest) {
            furthest = matched;
            reason = (skeleton.name.empty() ? "" : skeleton.name + ": ") + what;
        }
    };
    for (std::size_t k = 0; k < space.skeletons.size(); k++) {
        const Skeleton &skeleton = space.skeletons[k];
        Matcher match{skeleton, rows, 0, {}, ""};
        const bool fits = match.all();
        const auto context =
            std::find_if(space.contexts().begin(), space.contexts().end(), [&](const Context &c) {
                return c.skeleton == k && c.resolution == published.resolution &&
                       c.width == published.width && c.activation == family->activation;
            });
        if (context == space.contexts().end() || !fits) {
            lacks(match.next, skeleton,
                  context == space.contexts().end() ? "the space has no " + missing(skeleton)
                                                    : match.mismatch);
            continue;
        }
        const Choices choices = space.choices_of(*context, match.own);
        if (same_layers(space.network(choices), published)) {
            return choices;
        }
        lacks(match.next, skeleton, "the space's rules give its blocks other layers");
    }
    return reason;
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
