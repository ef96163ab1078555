#include "dsl/block.h"

#include "base/error.h"

#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <sstream>
#include <tuple>

namespace edgefront {

const std::vector<std::string> &block_kind_names() {
    static const std::vector<std::string> names = {
        "conv",
        "depthwise_separable",
        "inverted_bottleneck",
        "fused_bottleneck",
        "residual_bottleneck",
        "uib",
        "max_pool",
        "global_pool",
        "fully_connected",
        "classifier",
        "depthwise",
        "average_pool",
        "squeeze_excite",
        "add",
        "activation",
        "batch_norm",
        "layer_norm",
        "group_norm",
        "softmax",
        "attention_scores",
        "attention_context",
        "channel_scale",
        "concat",
        "slice",
        "channel_shuffle",
        "reshape",
        "unfold",
        "fold",
        "resize",
    };
    return names;
}

std::string to_string(BlockKind kind) {
    return kind == BlockKind::defined ? "defined"
                                      : block_kind_names()[static_cast<std::size_t>(kind)];
}

bool Block::operator==(const Block &o) const {
    const auto fields = [](const Block &b) {
        return std::tie(b.kind, b.channels, b.kernel, b.stride, b.expansion, b.repeat,
                        b.start_kernel, b.mid_kernel, b.group_size, b.expansion_of, b.inner,
                        b.groups, b.dilation, b.start, b.first, b.height, b.width, b.activation,
                        b.padding, b.se, b.added, b.with_bias, b.batch_norm, b.layer_scale, b.last,
                        b.fixed_width, b.fixed_depth, b.residual, b.count_padding, b.rows, b.shared,
                        b.definition, b.arguments, b.name, b.from, b.when);
    };
    return fields(*this) == fields(o);
}

namespace {

Block make(BlockKind kind, int channels) {
    Block block;
    block.kind = kind;
    block.channels = channels;
    return block;
}

} // namespace

Block conv(int channels) {
    return make(BlockKind::conv, channels);
}
Block depthwise_separable(int channels) {
    return make(BlockKind::depthwise_separable, channels);
}
Block inverted_bottleneck(int channels) {
    return make(BlockKind::inverted_bottleneck, channels);
}
Block fused_bottleneck(int channels) {
    return make(BlockKind::fused_bottleneck, channels);
}
Block uib(int channels) {
    return make(BlockKind::uib, channels);
}
Block residual_bottleneck(int inner, int channels) {
    Block block = make(BlockKind::residual_bottleneck, channels);
    block.inner = inner;
    return block;
}
Block max_pool(int kernel) {
    return make(BlockKind::max_pool, 0).k(kernel).s(2);
}
Block fully_connected(int channels) {
    return make(BlockKind::fully_connected, channels);
}
Block global_pool() {
    return make(BlockKind::global_pool, 0);
}
Block classifier() {
    return make(BlockKind::classifier, 0);
}

std::string uib_type(const Block &block) {
    if (block.start_kernel > 0) {
        return block.mid_kernel > 0 ? "ExtraDW" : "ConvNext";
    }
    return block.mid_kernel > 0 ? "IB" : "FFN";
}

std::string to_block_string(const Block &uib) {
    return fmt::format("uir_r{}_a{}_k{}_s{}_e{}_c{}", uib.repeat, uib.start_kernel, uib.mid_kernel,
                       uib.stride, uib.expansion, uib.channels);
}

Block parse_block_string(const std::string &text) {
    const auto fail = [&](const std::string &why) -> UserError {
        return UserError("'" + text + "' is no UIB block string: " + why +
                         " (for example uir_r1_a3_k5_s2_e4_c80)");
    };
    std::istringstream in(text);
    std::string part;
    std::getline(in, part, '_');
    if (part != "uir") {
        throw fail("it does not begin with \"uir\"");
    }
    std::map<char, double> values;
    while (std::getline(in, part, '_')) {
        char *end = nullptr;
        const double value = part.size() > 1 ? std::strtod(part.c_str() + 1, &end) : 0;
        if (end == nullptr || *end != '\0' || part[1] < '0' || part[1] > '9') {
            throw fail("cannot read \"" + part + "\"");
        }
        const char letter = part[0];
        if (std::string("raksec").find(letter) == std::string::npos) {
            throw fail(std::string("unknown part '") + letter + "', expected r, a, k, s, e or c");
        }
        if (letter != 'e' && value != static_cast<int>(value)) {
            throw fail("\"" + part + "\" must be an integer");
        }
        if (!values.emplace(letter, value).second) {
            throw fail("\"" + part + "\" stands twice");
        }
    }
    const auto value = [&](char letter, double absent, double least, double most) {
        const double v = values.count(letter) ? values[letter] : absent;
        if (v < least || v > most) {
            throw fail(fmt::format("{} must be from {} to {}", letter, least, most));
        }
        return v;
    };
    if (!values.count('c')) {
        throw fail("c, the output channels, is missing");
    }
    Block block = uib(static_cast<int>(value('c', 0, 1, 65536)));
    block.n(static_cast<int>(value('r', 1, 1, 1000)))
        .start_dw(static_cast<int>(value('a', 0, 0, 31)))
        .mid_dw(static_cast<int>(value('k', 0, 0, 31)))
        .s(static_cast<int>(value('s', 1, 1, 8)))
        .e(value('e', 1, 0.01, 64));
    for (const int kernel : {block.start_kernel, block.mid_kernel}) {
        if (kernel != 0 && kernel % 2 == 0) {
            throw fail("kernels are odd, or 0 for none");
        }
    }
    if (block.stride > 1 && block.start_kernel == 0 && block.mid_kernel == 0) {
        throw fail("a stride needs a depthwise convolution to sit on");
    }
    return block;
}

} // namespace edgefront
