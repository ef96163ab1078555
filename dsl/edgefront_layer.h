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
    edgefront_max_pool
};
enum edgefront_activation {
    edgefront_none,
    edgefront_relu,
    edgefront_relu6,
    edgefront_hard_swish,
    edgefront_hard_sigmoid,
    edgefront_swish,
    edgefront_sigmoid
};

typedef struct edgefront_shape {
    int height, width, channels;
} edgefront_shape;

/* out = activation(op(input, weights) + bias + residual) */
typedef struct edgefront_layer {
    int op;         /* enum edgefront_op */
    int activation; /* enum edgefront_activation */
    edgefront_shape input, output;
    int kernel, stride, groups;
    int pad_top, pad_left; /* zero rows and columns before the input; those after follow */
} edgefront_layer;

#endif
