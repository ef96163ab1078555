#include "tests/onnx/op_networks.h"

namespace edgefront {

namespace {

constexpr int image = -1;

using Change = std::function<void(Node &)>;

Change window(int kernel, int stride, int pad_top, int pad_left, int dilation = 1) {
    return [=](Node &n) {
        n.layer.kernel = kernel;
        n.layer.stride = stride;
        n.layer.pad_top = pad_top;
        n.layer.pad_left = pad_left;
        n.layer.dilation = dilation;
    };
}

Change groups(int count) {
    return [=](Node &n) { n.layer.groups = count; };
}

/// Both.
Change operator+(const Change &a, const Change &b) {
    return [=](Node &n) {
        a(n);
        b(n);
    };
}

Network alone(const std::string &name, Op op, const Shape &input, const Shape &output,
              const Change &change = {}, Offset offset = Offset::none) {
    NetworkBuilder b(name, input);
    b.add("block1.layer", op, {image}, output, offset, change);
    return b.network();
}

/// Queries of the image, keys and values of `memory` tokens, `shared` by all heads or one each.
Network attention(const std::string &name, const Shape &tokens, int heads, int d, int memory,
                  bool shared) {
    NetworkBuilder b(name, tokens);
    const int width = heads * d, others = shared ? d : width;
    const int queries = b.pointwise("queries", image, width);
    int source = image;
    if (memory != tokens.width) { // every second token
        source = b.add("memory", Op::max_pool, {image}, {tokens.height, memory, tokens.channels},
                       Offset::none, window(1, 2, 0, 0));
    }
    const int keys = b.pointwise("keys", source, others);
    const int values = b.pointwise("values", source, others);
    const Shape scores{tokens.height, tokens.width, heads * memory};
    int last =
        b.add("scores", Op::attention_scores, {queries, keys}, scores, Offset::none, groups(heads));
    last = b.add("softmax", Op::softmax, {last}, scores, Offset::none, groups(heads));
    b.add("context", Op::attention_context, {last, values}, {tokens.height, tokens.width, width},
          Offset::none, groups(heads));
    return b.network();
}

void add_convolutions(std::vector<Network> &all) {
    const auto conv = [&](const std::string &name, const Shape &in, const Shape &out,
                          const Change &change, Offset offset = Offset::bias) {
        all.push_back(alone(name, Op::conv2d, in, out, change, offset));
    };
    conv("conv", {9, 7, 6}, {9, 7, 8}, window(3, 1, 1, 1));
    conv("conv_without_offset", {9, 7, 6}, {9, 7, 8}, window(3, 1, 1, 1), Offset::none);
    conv("conv_batch_norm", {9, 7, 6}, {9, 7, 8}, window(3, 1, 1, 1), Offset::batch_norm);
    conv("conv_same_of_even_size", {8, 6, 3}, {4, 3, 5}, window(3, 2, 0, 0));
    conv("conv_same_of_mixed_size", {8, 7, 3}, {4, 4, 5}, window(5, 2, 1, 2));
    conv("conv_valid", {9, 8, 3}, {4, 3, 5}, window(3, 2, 0, 0));
    conv("conv_one_window_less", {9, 8, 3}, {3, 2, 5}, window(3, 2, 0, 0));
    conv("conv_pixels_left_over", {8, 7, 4}, {2, 2, 4}, window(1, 4, 0, 0));
    conv("conv_from_pixel_1", {8, 8, 4}, {4, 4, 6}, window(1, 2, -1, -1));
    conv("conv_from_pixel_1_beyond_the_edge", {7, 8, 4}, {4, 4, 6}, window(1, 2, -1, -1));
    conv("conv_dilated", {9, 9, 4}, {9, 9, 6}, window(3, 1, 2, 2, 2));
    conv("conv_dilated_stride", {9, 8, 4}, {5, 4, 6}, window(3, 2, 2, 1, 2));
    conv("conv_groups", {6, 5, 8}, {6, 5, 12}, window(3, 1, 1, 1) + groups(4));
    conv(
        "conv_layer_scale", {6, 5, 8}, {6, 5, 8}, [](Node &n) { n.layer_scale = true; },
        Offset::batch_norm);
    conv(
        "conv_layer_scale_alone", {6, 5, 8}, {6, 5, 8}, [](Node &n) { n.layer_scale = true; },
        Offset::none);
    for (const int stride : {1, 2}) {
        const int out = stride == 1 ? 8 : 4;
        all.push_back(alone("depthwise_stride_" + std::to_string(stride), Op::depthwise_conv2d,
                            {8, 8, 10}, {out, out, 10}, window(5, stride, 2, stride == 1 ? 2 : 1),
                            Offset::batch_norm));
    }
    all.push_back(alone("depthwise_dilated", Op::depthwise_conv2d, {9, 8, 5}, {9, 8, 5},
                        window(3, 1, 3, 3, 3), Offset::bias));
}

void add_epilogues(std::vector<Network> &all) {
    for (std::size_t a = 0; a < activation_names().size(); a++) {
        const auto activation = static_cast<Activation>(a);
        const auto act = [=](Node &n) { n.layer.activation = activation; };
        NetworkBuilder b("residual_then_" + activation_names()[a], {5, 6, 7});
        const int first = b.add("first", Op::elementwise, {image}, {5, 6, 7}, Offset::none, act);
        b.add("second", Op::conv2d, {first, image}, {5, 6, 7}, Offset::batch_norm, [=](Node &n) {
            n.layer.residual = true;
            act(n);
        });
        all.push_back(b.network());
    }
    NetworkBuilder sum("sum", {5, 6, 7});
    const int other = sum.pointwise("other", image, 7);
    sum.add("sum", Op::elementwise, {other, image}, {5, 6, 7}, Offset::none,
            [](Node &n) { n.layer.residual = true; });
    all.push_back(sum.network());
    NetworkBuilder nothing("nothing_follows_a_sum", {5, 6, 7});
    const int first = nothing.pointwise("first", image, 9);
    nothing.add("nothing", Op::elementwise, {first}, {5, 6, 9});
    all.push_back(nothing.network());
}

void add_pools_and_gates(std::vector<Network> &all) {
    const auto pool = [&](const std::string &name, Op op, const Shape &in, const Shape &out,
                          const Change &change) {
        all.push_back(alone(name, op, in, out, change));
    };
    const auto count = [](Node &n) { n.layer.count_padding = true; };
    for (const Op op : {Op::max_pool, Op::average_pool}) {
        const std::string name = to_string(op);
        pool(name, op, {8, 6, 5}, {4, 3, 5}, window(2, 2, 0, 0));
        pool(name + "_padded", op, {7, 8, 5}, {7, 8, 5}, window(3, 1, 1, 1));
        pool(name + "_same_of_even_size", op, {8, 8, 5}, {4, 4, 5}, window(3, 2, 0, 0));
    }
    pool("average_pool_counting_padding", Op::average_pool, {7, 8, 5}, {7, 8, 5},
         window(3, 1, 1, 1) + count);
    pool("average_pool_counting_same_padding", Op::average_pool, {8, 8, 5}, {4, 4, 5},
         window(3, 2, 0, 0) + count);
    pool("global_average_pool", Op::global_average_pool, {5, 4, 9}, {1, 1, 9}, {});

    NetworkBuilder se("squeeze_excite", {6, 5, 8});
    const int pooled = se.add("se.pool", Op::global_average_pool, {image}, {1, 1, 8});
    const int reduced = se.add("se.reduce", Op::fully_connected, {pooled}, {1, 1, 3}, Offset::bias,
                               [](Node &n) { n.layer.activation = Activation::relu; });
    const int gate = se.add("se.expand", Op::conv2d, {reduced}, {1, 1, 8}, Offset::bias,
                            [](Node &n) { n.layer.activation = Activation::hard_sigmoid; });
    se.add("se.scale", Op::channel_scale, {image, gate}, {6, 5, 8});
    all.push_back(se.network());

    NetworkBuilder rows("gate_per_row", {6, 5, 8});
    const int row =
        rows.add("row", Op::average_pool, {image}, {6, 1, 8}, Offset::none, window(1, 1, 0, 0));
    rows.add("scale", Op::channel_scale, {image, row}, {6, 5, 8});
    all.push_back(rows.network());

    NetworkBuilder ends("classifier", {4, 3, 8});
    const int mean = ends.add("pool", Op::global_average_pool, {image}, {1, 1, 8});
    const int hidden = ends.add("hidden", Op::fully_connected, {mean}, {1, 1, 8},
                                Offset::batch_norm, [](Node &n) { n.layer_scale = true; });
    ends.add("classes", Op::fully_connected, {hidden, mean}, {1, 1, 8}, Offset::bias,
             [](Node &n) { n.layer.residual = true; });
    all.push_back(ends.network());
}

void add_norms(std::vector<Network> &all) {
    const Shape shape{6, 5, 8};
    all.push_back(alone("affine", Op::affine, shape, shape, {}, Offset::bias));
    all.push_back(alone("batch_norm", Op::affine, shape, shape, {}, Offset::batch_norm));
    all.push_back(alone("layer_norm", Op::layer_norm, shape, shape, {}, Offset::bias));
    all.push_back(alone("group_norm", Op::group_norm, shape, shape, {}, Offset::bias));
    all.push_back(alone("softmax", Op::softmax, shape, shape));
    all.push_back(alone("softmax_in_parts", Op::softmax, shape, shape, groups(4)));
}

void add_rearrangements(std::vector<Network> &all) {
    const Shape shape{6, 4, 8};
    NetworkBuilder channels("concat", shape);
    const int wide = channels.pointwise("wide", image, 5);
    channels.add("concat", Op::concat, {image, wide, image}, {6, 4, 21}, Offset::none,
                 [](Node &n) { n.layer.activation = Activation::relu; });
    all.push_back(channels.network());
    NetworkBuilder rows("concat_rows", shape);
    const int upper =
        rows.add("upper", Op::max_pool, {image}, {2, 4, 8}, Offset::none, window(1, 1, 0, 0));
    rows.add("concat", Op::concat, {upper, image}, {8, 4, 8});
    all.push_back(rows.network());

    const auto from = [](int first) { return [=](Node &n) { n.layer.first_channel = first; }; };
    const auto patch = [](int size) { return [=](Node &n) { n.layer.kernel = size; }; };
    all.push_back(alone("slice", Op::slice, shape, {6, 4, 3}, from(2)));
    all.push_back(alone("slice_of_everything", Op::slice, shape, shape, from(0)));
    all.push_back(alone("channel_shuffle", Op::channel_shuffle, shape, shape, groups(2)));
    all.push_back(alone("reshape_of_pixels", Op::reshape, shape, {1, 24, 8}));
    all.push_back(alone("reshape_of_channels", Op::reshape, shape, {3, 4, 16}));
    all.push_back(alone("unfold", Op::unfold, shape, {4, 6, 8}, patch(2)));
    all.push_back(alone("fold", Op::fold, {4, 6, 8}, shape, patch(2)));
    all.push_back(alone("resize_up", Op::resize_bilinear, shape, {9, 8, 8}));
    all.push_back(alone("resize_down", Op::resize_bilinear, {7, 9, 5}, {4, 6, 5}));
}

} // namespace

std::vector<Network> op_networks() {
    std::vector<Network> all;
    add_convolutions(all);
    add_epilogues(all);
    add_pools_and_gates(all);
    add_norms(all);
    add_rearrangements(all);
    all.push_back(attention("attention", {1, 10, 12}, 3, 4, 10, false));
    all.push_back(attention("attention_in_rows", {4, 6, 12}, 3, 5, 6, false));
    all.push_back(attention("attention_multi_query", {1, 10, 12}, 3, 4, 5, true));
    all.push_back(attention("attention_multi_query_in_rows", {4, 6, 12}, 2, 5, 6, true));
    return all;
}

} // namespace edgefront
