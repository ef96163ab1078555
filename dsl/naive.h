/* The naive reference: every operator of dsl/layer.h as plain loops, in C11 so that the very same
 * file checks layers inside this tool and inside every generated package (its self-check).
 *
 *   out = activation(op(input, others, weights) + bias + residual)
 *
 * Tensors are NHWC fp32, batch 1; weights [ky][kx][ci][co], depthwise [ky][kx][c], fully connected
 * [k][n], norms and affine [c]. Sums are kept in double, so the reference's own error is one
 * rounding per element. */
#ifndef EDGEFRONT_NAIVE_H
#define EDGEFRONT_NAIVE_H

#include "dsl/edgefront_layer.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A null bias or residual is left out. */
typedef struct naive_operands {
    const float *input, *others[edgefront_most_others], *residual;
    const float *weights, *bias;
    float *output;
} naive_operands;

void naive_run(const edgefront_layer *layer, const naive_operands *data);

float naive_activate(int activation, float x);

typedef struct naive_difference {
    double error;    /* largest |actual - reference|; infinity when a value is not finite */
    double range;    /* of the reference: largest minus smallest value */
    double variance; /* of the reference */
} naive_difference;

naive_difference naive_compare(const float *reference, const float *actual, size_t count);

/* A layer passes when it is alive (more than one element, non-zero variance) or a single value, and
 * no element is off by more than `tolerance` of the reference's range. 1 or 0. */
int naive_passes(const naive_difference *difference, size_t count, double tolerance);

#ifdef __cplusplus
}
#endif

#endif
