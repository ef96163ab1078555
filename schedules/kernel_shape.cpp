#include "schedules/kernel_shape.h"

#include <algorithm>

namespace edgefront {

namespace {

bool is_row_concat(const Layer &layer) {
    return layer.op == Op::concat && layer.output.channels == layer.input.channels;
}

/// One row of pixels becomes several: any number of rows is as good for what looks at single
/// pixels.
int rows_for(const Shape &shape) {
    constexpr int enough = 16;
    for (int rows = std::min(enough, shape.width); shape.height == 1 && rows > 1; rows--) {
        if (shape.width % rows == 0) {
            return rows;
        }
    }
    return shape.height;
}

void for_all_shapes(Layer &layer, Shape (*change)(const Shape &)) {
    layer.input = change(layer.input);
    layer.output = change(layer.output);
    for (Shape &other : layer.others) {
        other = change(other);
    }
}

Shape in_rows(const Shape &s) {
    const int rows = rows_for(s);
    return {rows, s.height * s.width / rows, s.channels};
}

Shape flat(const Shape &s) {
    return {s.height, 1, s.width * s.channels};
}

} // namespace

Layer kernel_shape(const Layer &layer) {
    Layer same = layer;
    if (is_row_concat(layer)) {
        for_all_shapes(same, flat);
        return same;
    }
    switch (layer.op) {
    case Op::reshape:
        same.op = Op::elementwise;
        same.input = same.output;
        [[fallthrough]];
    case Op::elementwise:
        for_all_shapes(same, in_rows);
        for_all_shapes(same, flat);
        break;
    case Op::affine:
    case Op::layer_norm:
    case Op::softmax:
    case Op::concat:
    case Op::slice:
    case Op::channel_shuffle: for_all_shapes(same, in_rows); break;
    default: break;
    }
    return same;
}

LoopExtents loop_extents(const Layer &l) {
    const Shape &out = l.output;
    switch (l.op) {
    case Op::softmax:
    case Op::channel_shuffle:
    case Op::attention_scores:
    case Op::attention_context: return {out.channels / l.groups, out.width, out.height, l.groups};
    case Op::concat: {
        int channels = l.input.channels;
        for (const Shape &other : l.others) {
            channels = std::max(channels, other.channels);
        }
        return {channels, out.width, out.height, 1};
    }
    case Op::unfold: {
        const Shape &map = l.input;
        return {map.channels, map.width / l.kernel, map.height / l.kernel, l.kernel * l.kernel};
    }
    case Op::fold:
        return {out.channels, out.width / l.kernel, out.height / l.kernel, l.kernel * l.kernel};
    default: return {out.channels, out.width, out.height, 1};
    }
}

int product_depth(const Layer &l) {
    switch (l.op) {
    case Op::conv2d:
    case Op::fully_connected: return l.kernel * l.kernel * (l.input.channels / l.groups);
    case Op::attention_scores:
    case Op::attention_context: return l.input.channels / l.groups;
    default: return 1;
    }
}

bool is_dense(const Layer &layer) {
    return layer.op == Op::conv2d || layer.op == Op::fully_connected;
}

bool is_attention(const Layer &layer) {
    return layer.op == Op::attention_scores || layer.op == Op::attention_context;
}

bool is_product(const Layer &layer) {
    return is_dense(layer) || is_attention(layer);
}

bool has_channel_window(const Layer &layer) {
    return layer.has_window() && layer.op != Op::conv2d;
}

} // namespace edgefront
