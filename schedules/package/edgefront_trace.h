/* What a package tells its caller about each layer it ran: for checking and timing. */
#ifndef EDGEFRONT_TRACE_H
#define EDGEFRONT_TRACE_H

#include "dsl/edgefront_layer.h"

/* One layer, or the last one of a chain that one kernel computed: `before` is then the layer that
 * it reads, of which no output was kept, and so on to the first one, which alone has an input.
 * Pointers are valid during the call only; those of operands the layer has not are null. Tensors
 * are NHWC fp32. Weights are packed [channels / tile][k][tile] with k running over (ky, kx, input
 * channel), or (ky, kx) for depthwise layers; the last tile is filled up with zeros. */
typedef struct edgefront_layer_run {
    const char *name;
    const char *kernel; /* symbol of the machine code that ran */
    edgefront_layer layer;
    const float *input, *others[edgefront_most_others], *residual;
    const float *weights, *bias;
    int tile;
    const float *output;
    double seconds; /* of the kernel */
    const struct edgefront_layer_run *before;
} edgefront_layer_run;

typedef void (*edgefront_trace)(void *user, const edgefront_layer_run *run);

#endif
