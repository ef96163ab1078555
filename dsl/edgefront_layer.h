/* One layer as plain C: what generated packages say about their layers, and what the naive
 * reference runs on. Shapes are height, width, channels; batch is always 1. */
#ifndef EDGEFRONT_LAYER_H
#define EDGEFRONT_LAYER_H

/* The values of `edgefront::Op` and `edgefront::Activation`, in their order. */
enum edgefront_op {
    edgefront_conv2d,
    edgefront_depthwise_conv2d,
    edgefront_fully_connected,
    edgefront_global_average_pool,
    edgefront_channel_scale,
    edgefront_max_pool,
    edgefront_average_pool,
    edgefront_elementwise,
    edgefront_affine,
    edgefront_layer_norm,
    edgefront_group_norm,
    edgefront_softmax,
    edgefront_attention_scores,
    edgefront_attention_context,
    edgefront_concat,
    edgefront_slice,
    edgefront_channel_shuffle,
    edgefront_reshape,
    edgefront_unfold,
    edgefront_fold,
    edgefront_resize_bilinear
};
enum edgefront_activation {
    edgefront_none,
    edgefront_relu,
    edgefront_relu6,
    edgefront_hard_swish,
    edgefront_hard_sigmoid,
    edgefront_swish,
    edgefront_sigmoid,
    edgefront_gelu
};

enum { edgefront_most_others = 7 }; /* inputs after the first, without the residual */

#define EDGEFRONT_NORM_EPSILON 1e-5f /* added to the variance by layer_norm and group_norm */

typedef struct edgefront_shape {
    int height, width, channels;
} edgefront_shape;

/* out = activation(op(input, others, weights) + bias + residual); dsl/layer.h says what each op is
 */
typedef struct edgefront_layer {
    int op;         /* enum edgefront_op */
    int activation; /* enum edgefront_activation */
    edgefront_shape input, output;
    edgefront_shape others[edgefront_most_others];
    int other_count;
    int kernel, stride, dilation, groups;
    int first_channel, count_padding;
    int pad_top, pad_left; /* zero rows and columns before the input; those after follow */
} edgefront_layer;

#endif
