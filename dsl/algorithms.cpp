#include "dsl/algorithms.h"

#include <cmath>
#include <stdexcept>

namespace edgefront {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::RDom;

namespace {

Expr activate(Activation activation, const Expr &v) {
    const auto relu6 = [](const Expr &e) { return Halide::clamp(e, 0.0f, 6.0f); };
    switch (activation) {
    case Activation::none: return v;
    case Activation::relu: return Halide::max(v, 0.0f);
    case Activation::relu6: return relu6(v);
    case Activation::hard_swish: return v * (relu6(v + 3.0f) * (1.0f / 6.0f));
    case Activation::hard_sigmoid: return relu6(v + 3.0f) * (1.0f / 6.0f);
    case Activation::swish: return v / (1.0f + Halide::exp(-v));
    case Activation::sigmoid: return 1.0f / (1.0f + Halide::exp(-v));
    case Activation::gelu: return 0.5f * v * (1.0f + Halide::erf(v * 0.70710678f));
    }
    return v;
}

/// One dimension of a tensor.
struct Dimension {
    int extent, stride;
};
using View = std::vector<Dimension>; ///< innermost first

View image(const Shape &s) {
    return {{s.channels, 1}, {s.width, s.channels}, {s.height, s.width * s.channels}};
}

/// (c, part, x, y), channels in equal parts.
View in_parts(const Shape &s, int parts) {
    const int each = s.channels / parts;
    return {{each, 1}, {parts, each}, {s.width, s.channels}, {s.height, s.width * s.channels}};
}

/// The same of a shuffled tensor, where the channels of a part are `parts` apart.
View interleaved(const Shape &s, int parts) {
    View view = in_parts(s, parts);
    view[0].stride = parts;
    view[1].stride = 1;
    return view;
}

/// (c, x, y, column, row) of a map in kxk patches.
View in_patches(const Shape &s, int k) {
    const int row = s.width * s.channels;
    return {{s.channels, 1},
            {s.width / k, k * s.channels},
            {s.height / k, k * row},
            {k, s.channels},
            {k, row}};
}

/// The same when all pixels of one position in a patch stand together, `across` patches in a row.
View by_position(const Shape &s, int k, int across) {
    const int position = s.width * s.channels;
    return {{s.channels, 1},
            {across, s.channels},
            {s.width / across, across * s.channels},
            {k, position},
            {k, k * position}};
}

struct Views {
    View input, output;
    std::vector<View> others;
};

Views views_of(const Layer &l) {
    Views v{image(l.input), image(l.output), {}};
    for (const Shape &other : l.others) {
        v.others.push_back(image(other));
    }
    switch (l.op) {
    case Op::reshape: v.input = v.output; break;
    case Op::softmax:
    case Op::layer_norm: v.input = v.output = in_parts(l.input, l.groups); break;
    case Op::channel_shuffle:
        v.input = in_parts(l.input, l.groups);
        v.output = interleaved(l.output, l.groups);
        break;
    case Op::attention_scores:
    case Op::attention_context: {
        const Shape &heads = l.op == Op::attention_scores ? l.input : l.output;
        v.input = in_parts(l.input, l.groups);
        v.output = in_parts(l.output, l.groups);
        v.others = {in_parts(l.others[0], l.others[0].channels * l.groups / heads.channels)};
        break;
    }
    case Op::unfold:
        v.input = in_patches(l.input, l.kernel);
        v.output = by_position(l.output, l.kernel, l.input.width / l.kernel);
        break;
    case Op::fold:
        v.input = by_position(l.input, l.kernel, l.output.width / l.kernel);
        v.output = in_patches(l.output, l.kernel);
        break;
    default: break;
    }
    return v;
}

template <typename Parameter>
void see(Parameter &&p, const View &view) {
    for (std::size_t i = 0; i < view.size(); i++) {
        p.dim(static_cast<int>(i)).set_bounds(0, view[i].extent).set_stride(view[i].stride);
    }
}

/// The input at (c, x, y), `outside` beyond it. Only sides that some window reaches beyond are
/// tested: the inner part of a kernel is free of tests where Halide can tell it apart.
Func pad(const Layer &layer, Algorithm &a, const Expr &outside) {
    const auto reaches = [&](int outputs) { return (outputs - 1) * layer.stride + layer.reach(); };
    const bool left = layer.pad_left > 0;
    const bool top = layer.pad_top > 0;
    const bool right = reaches(layer.output.width) - layer.pad_left > layer.input.width;
    const bool bottom = reaches(layer.output.height) - layer.pad_top > layer.input.height;
    if (!left && !right && !top && !bottom) {
        return a.source;
    }
    Expr inside = Halide::Internal::const_true();
    const auto inside_of = [&](const Expr &at, bool before, bool after, int extent) {
        Expr position = at;
        if (before) {
            inside = inside && at >= 0;
            position = Halide::max(Halide::likely(position), 0);
        }
        if (after) {
            inside = inside && at < extent;
            position = Halide::min(Halide::likely(position), extent - 1);
        }
        return position;
    };
    const Expr x = inside_of(a.x, left, right, layer.input.width);
    const Expr y = inside_of(a.y, top, bottom, layer.input.height);
    a.padded = Func("padded");
    a.padded(a.c, a.x, a.y) = Halide::select(inside, Halide::likely(a.source(a.c, x, y)), outside);
    return a.padded;
}

/// Input column (or row) of a tap of output `out`.
Expr tap(const Layer &layer, const Expr &out, const Expr &k, int pad) {
    return out * layer.stride + k * layer.dilation - pad;
}

Expr dense(const Layer &layer, const WeightIndex &weight_index, const ChannelTile &tile,
           Algorithm &a) {
    const Halide::Var c = a.c, x = a.x, y = a.y;
    const Func in = pad(layer, a, 0.0f);
    const int k = layer.kernel;
    const int inputs = layer.input.channels / layer.groups;
    const int outputs = layer.output.channels / layer.groups;
    a.window = RDom(0, inputs, 0, k, 0, k, "window");
    const Expr ci = a.window.x, kx = a.window.y, ky = a.window.z;
    const Expr step = ci + inputs * (kx + k * ky);
    // Told by the tile, so that Halide sees one group for all lanes of a vector.
    const Expr first = layer.groups == 1 ? Expr(0) : c / tile.width * tile.width / outputs * inputs;
    const auto read = [&](const Expr &column, const Expr &row) {
        return in(first + ci, tap(layer, column, kx, layer.pad_left),
                  tap(layer, row, ky, layer.pad_top));
    };
    a.sum = Func("sum");
    if (tile.pair_lanes > 0) {
        const int pair_lanes = tile.pair_lanes;
        const Halide::Var side = a.side, group = a.group;
        const Expr channel = group * pair_lanes + c;
        a.sum(c, side, group, x, y) = a.bias(channel);
        a.sum(c, side, group, x, y) +=
            a.weights(weight_index(channel, step)) *
            Halide::select(side == 0, read(2 * x, y), read(2 * x + 1, y));
        return a.sum(c % pair_lanes, x % 2, c / pair_lanes, x / 2, y);
    }
    a.sum(c, x, y) = a.bias(c);
    a.sum(c, x, y) += a.weights(weight_index(c, step)) * read(x, y);
    return a.sum(c, x, y);
}

/// Depthwise convolution and pooling.
Expr windowed(const Layer &layer, const WeightIndex &weight_index, Algorithm &a) {
    const Halide::Var c = a.c, x = a.x, y = a.y;
    const Expr least = Halide::Float(32).min();
    const Func in = pad(layer, a, layer.op == Op::max_pool ? least : Expr(0.0f));
    const int k = layer.kernel;
    a.window = RDom(0, k, 0, k, "window");
    const Expr kx = a.window.x, ky = a.window.y;
    const Expr read = in(c, tap(layer, x, kx, layer.pad_left), tap(layer, y, ky, layer.pad_top));
    a.sum = Func("sum");
    switch (layer.op) {
    case Op::depthwise_conv2d:
        a.sum(c, x, y) = a.bias(c);
        a.sum(c, x, y) += a.weights(weight_index(c, kx + k * ky)) * read;
        return a.sum(c, x, y);
    case Op::max_pool:
        a.sum(c, x, y) = least;
        a.sum(c, x, y) = Halide::max(a.sum(c, x, y), read);
        return a.sum(c, x, y);
    default: break;
    }
    a.sum(c, x, y) = 0.0f;
    a.sum(c, x, y) += read;
    if (layer.count_padding || !a.padded.defined()) {
        return a.sum(c, x, y) * (1.0f / static_cast<float>(k * k));
    }
    const auto inside = [&](const Expr &out, int pad, int size) {
        const Expr first = out * layer.stride - pad;
        return Halide::min(first + k, size) - Halide::max(first, 0);
    };
    const Expr count =
        inside(x, layer.pad_left, layer.input.width) * inside(y, layer.pad_top, layer.input.height);
    return a.sum(c, x, y) / Halide::cast<float>(count);
}

Expr global_pool(const Layer &layer, Algorithm &a) {
    const Halide::Var c = a.c, x = a.x, y = a.y;
    a.window = RDom(0, layer.input.width, 0, layer.input.height, "window");
    a.sum = Func("sum");
    a.sum(c, x, y) = 0.0f;
    a.sum(c, x, y) += a.input(c, x + a.window.x, y + a.window.y);
    const int pixels = layer.input.width * layer.input.height;
    return a.sum(c, x, y) * (1.0f / static_cast<float>(pixels));
}

/// Scores sum over the channels of a head, contexts over the values.
Expr attention(const Layer &layer, Algorithm &a, const Views &views) {
    const Halide::Var c = a.c, x = a.x, y = a.y, part = a.part;
    const Expr head = views.others[0][1].extent > 1 ? Expr(part) : Expr(0);
    const int steps = views.input[0].extent;
    a.window = RDom(0, steps, "window");
    const Expr step = a.window.x;
    Expr factor;
    if (layer.op == Op::attention_scores) {
        a.keys = Func("keys");
        const Halide::Var channel = a.row;
        a.keys(c, channel, part, y) = a.others[0](channel, head, c, y);
        factor = a.keys(c, step, part, y);
    } else {
        factor = a.others[0](c, head, step, y);
    }
    a.sum = Func("sum");
    a.sum(c, part, x, y) = 0.0f;
    a.sum(c, part, x, y) += factor * a.input(step, part, x, y);
    const float scale = layer.op == Op::attention_scores
                            ? static_cast<float>(1 / std::sqrt(static_cast<double>(steps)))
                            : 1.0f;
    return a.sum(c, part, x, y) * scale;
}

/// Over `channels` channels and `columns` pixels, by row, pixel or part: `of`.
Statistic statistic(const std::string &name, const Halide::Var &c,
                    const std::vector<Halide::Var> &of, int channels, int columns, int width,
                    bool largest, const std::function<Expr(Expr channel, Expr column)> &value) {
    Statistic s;
    s.partial = Func(name + "_partial");
    s.total = Func(name);
    std::vector<Expr> each(of.begin(), of.end()), lane = each, read = each;
    const Expr start = largest ? Halide::Float(32).min() : Expr(0.0f);
    const auto add = [&](const Expr &sum, const Expr &v) {
        return largest ? Halide::max(sum, v) : sum + v;
    };
    std::vector<Halide::Var> lane_vars = of;
    lane_vars.insert(lane_vars.begin(), c);
    lane.insert(lane.begin(), c);
    s.partial(lane_vars) = start;
    s.tiles = RDom(0, channels / width, 0, columns, name + "_tiles");
    s.partial(lane_vars) = add(s.partial(lane), value(s.tiles.x * width + c, s.tiles.y));
    if (const int left = channels % width) {
        // The last vector overlaps the one before; what that one held counts once.
        const RDom rest(0, columns, name + "_rest");
        const Expr v = value(channels - width + c, rest.x);
        s.partial(lane_vars) =
            add(s.partial(lane), largest ? v : Halide::select(c >= width - left, v, 0.0f));
    }
    s.lanes = RDom(0, width, name + "_lanes");
    read.insert(read.begin(), s.lanes.x);
    s.total(of) = start;
    s.total(of) = add(s.total(each), s.partial(read));
    return s;
}

Expr softmax(const Layer &layer, int width, Algorithm &a) {
    const std::vector<Halide::Var> of = {a.part, a.x, a.y};
    const int channels = layer.input.channels / layer.groups;
    const auto input = [&](const Expr &channel, const Expr &) {
        return a.input(channel, a.part, a.x, a.y);
    };
    const Statistic largest = statistic("largest", a.c, of, channels, 1, width, true, input);
    a.exponentials = Func("exponentials");
    a.exponentials(a.c, a.part, a.x, a.y) =
        Halide::exp(a.input(a.c, a.part, a.x, a.y) - largest.total(of));
    const auto exponential = [&](const Expr &channel, const Expr &) {
        return a.exponentials(channel, a.part, a.x, a.y);
    };
    const Statistic sum = statistic("total", a.c, of, channels, 1, width, false, exponential);
    a.statistics = {largest, sum};
    a.scale = Func("scale");
    a.scale(of) = 1.0f / sum.total(of);
    return a.exponentials(a.c, a.part, a.x, a.y) * a.scale(of);
}

/// Mean and variance of a pixel's channels, or of everything by way of its rows.
Expr norm(const Layer &layer, int width, Algorithm &a, const std::vector<Halide::Var> &vars) {
    const bool whole = layer.op == Op::group_norm;
    const std::vector<Halide::Var> of =
        whole ? std::vector<Halide::Var>{a.y} : std::vector<Halide::Var>{a.part, a.x, a.y};
    const std::vector<Halide::Var> one = whole ? std::vector<Halide::Var>{} : of;
    const int channels = layer.input.channels;
    const int columns = whole ? layer.input.width : 1;
    const double count = static_cast<double>(whole ? layer.input.elements() : channels);
    const Expr share = static_cast<float>(1 / count);
    const auto input = [&](const Expr &channel, const Expr &column) -> Expr {
        return whole ? a.input(channel, column, a.y) : a.input(channel, a.part, a.x, a.y);
    };
    const auto all = [&](const Statistic &s) -> Expr {
        return whole ? Halide::sum(s.total(RDom(0, layer.input.height))) : Expr(s.total(of));
    };
    a.mean = Func("mean");
    a.scale = Func("scale");
    const Statistic sum = statistic("sum", a.c, of, channels, columns, width, false, input);
    a.mean(one) = all(sum) * share;
    const Expr mean = whole ? Expr(a.mean()) : Expr(a.mean(one));
    const auto square = [&](const Expr &channel, const Expr &column) {
        const Expr off = input(channel, column) - mean;
        return off * off;
    };
    const Statistic squares =
        statistic("squares", a.c, of, channels, columns, width, false, square);
    a.scale(one) = 1.0f / Halide::sqrt(all(squares) * share + norm_epsilon);
    a.statistics = {sum, squares};
    const Expr scale = whole ? Expr(a.scale()) : Expr(a.scale(one));
    return (a.input(vars) - mean) * scale * a.weights(a.c) + a.bias(a.c);
}

Expr resized(const Layer &layer, const Algorithm &a) {
    struct Axis {
        Expr first, second, share;
    };
    // In whole numbers of 1 / (2 * outputs) of an input pixel.
    const auto axis = [](const Expr &out, int outputs, int inputs) -> Axis {
        const Expr centre = Halide::max((2 * out + 1) * inputs - outputs, 0);
        const Expr first = Halide::min(centre / (2 * outputs), inputs - 1);
        return {first, Halide::min(first + 1, inputs - 1),
                Halide::cast<float>(centre % (2 * outputs)) * (0.5f / static_cast<float>(outputs))};
    };
    const Axis x = axis(a.x, layer.output.width, layer.input.width);
    const Axis y = axis(a.y, layer.output.height, layer.input.height);
    const auto between = [](const Expr &first, const Expr &second, const Expr &share) {
        return first + (second - first) * share;
    };
    const auto row = [&](const Expr &at) {
        return between(a.input(a.c, x.first, at), a.input(a.c, x.second, at), x.share);
    };
    return between(row(y.first), row(y.second), y.share);
}

/// Every input writes its own share of the output, in vectors of which the last overlaps the one
/// before.
void concat(const Layer &layer, int width, Algorithm &a) {
    const bool rows = layer.output.channels == layer.input.channels;
    a.output(a.c, a.x, a.y) = Halide::undef<float>();
    int first_channel = 0, first_row = 0;
    for (std::size_t i = 0; i <= layer.others.size(); i++) {
        const Shape &shape = i == 0 ? layer.input : layer.others[i - 1];
        const ImageParam &in = i == 0 ? a.input : a.others[i - 1];
        int lanes = width;
        while (lanes > shape.channels) {
            lanes /= 2;
        }
        const RDom r(0, lanes, 0, (shape.channels + lanes - 1) / lanes, 0, shape.height,
                     "part" + std::to_string(i));
        const Expr channel = Halide::min(r.y * lanes, shape.channels - lanes) + r.x;
        const Expr to = channel + first_channel, row = r.z + first_row;
        Expr value = in(channel, a.x, r.z);
        if (layer.residual) {
            value += a.residual(to, a.x, row);
        }
        a.output(to, a.x, row) = activate(layer.activation, value);
        a.parts.push_back(r);
        (rows ? first_row : first_channel) += rows ? shape.height : shape.channels;
    }
}

/// The layer before its residual and activation.
Expr value_of(const Layer &layer, const WeightIndex &weight_index, const ChannelTile &tile,
              Algorithm &a, const Views &views, const std::vector<Halide::Var> &vars) {
    switch (layer.op) {
    case Op::conv2d:
    case Op::fully_connected: return dense(layer, weight_index, tile, a);
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool: return windowed(layer, weight_index, a);
    case Op::global_average_pool: return global_pool(layer, a);
    case Op::channel_scale:
        return a.input(vars) * a.others[0](a.c, 0, layer.others[0].height > 1 ? a.y : Expr(0));
    case Op::affine: return a.input(vars) * a.weights(a.c) + a.bias(a.c);
    case Op::layer_norm:
    case Op::group_norm: return norm(layer, tile.width, a, vars);
    case Op::softmax: return softmax(layer, tile.width, a);
    case Op::attention_scores:
    case Op::attention_context: return attention(layer, a, views);
    case Op::slice: return a.input(a.c + layer.first_channel, a.x, a.y);
    case Op::resize_bilinear: return resized(layer, a);
    case Op::elementwise:
    case Op::channel_shuffle:
    case Op::reshape:
    case Op::unfold:
    case Op::fold: return a.input(vars); // the views differ
    case Op::concat: break;
    }
    throw std::logic_error("value_of: " + key(layer));
}

} // namespace

WeightIndex plain_weight_index(const Layer &layer) {
    const int channels = layer.output.channels;
    return [channels](Expr channel, Expr step) { return step * channels + channel; };
}

std::vector<ImageParam> Algorithm::activations() const {
    std::vector<ImageParam> defined;
    std::vector<ImageParam> all = {input};
    all.insert(all.end(), others.begin(), others.end());
    all.push_back(residual);
    for (const ImageParam &p : all) {
        if (p.defined()) {
            defined.push_back(p);
        }
    }
    return defined;
}

Algorithm make_algorithm(const Layer &layer, const WeightIndex &weight_index,
                         const ChannelTile &tile, const Place &place) {
    if (layer.type != DataType::fp32) {
        throw std::logic_error("make_algorithm: only fp32 has kernels: " + key(layer));
    }
    const Halide::Type fp32 = Halide::Float(32);
    const Views views = views_of(layer);
    const auto seen = [&](const std::string &name, const View &view) {
        ImageParam p(fp32, static_cast<int>(view.size()), name + place.suffix);
        see(p, view);
        return p;
    };
    Algorithm a;
    a.source = place.before;
    if (!a.source.defined()) {
        a.input = seen("input", views.input);
        a.source = a.input;
    }
    for (std::size_t i = 0; i < views.others.size(); i++) {
        a.others.push_back(seen("other" + std::to_string(i), views.others[i]));
    }
    if (layer.residual) {
        a.residual = seen("residual", views.output);
    }
    if (layer.has_weights()) {
        a.weights = ImageParam(fp32, 1, "weights" + place.suffix);
        a.bias = ImageParam(fp32, 1, "bias" + place.suffix);
    }
    a.output = Func("output");
    if (layer.op == Op::concat) {
        concat(layer, tile.width, a);
    } else {
        const std::vector<std::vector<Halide::Var>> by_count = {
            {a.c, a.x, a.y}, {a.c, a.part, a.x, a.y}, {a.c, a.x, a.y, a.column, a.row}};
        const std::vector<Halide::Var> &vars = by_count.at(views.output.size() - 3);
        Expr value = value_of(layer, weight_index, tile, a, views, vars);
        if (layer.residual) {
            value += a.residual(vars);
        }
        a.output(vars) = activate(layer.activation, value);
    }
    see(a.output.output_buffer(), views.output);
    return a;
}

} // namespace edgefront
