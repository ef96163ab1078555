#include "schedules/package/layer_check.h"

#include <stdlib.h>
#include <string.h>

/* Packed [n / tile][k][tile] back to plain [k][n]. */
static void unpack(const edgefront_layer_run *run, size_t depth, size_t channels, float *plain) {
    const size_t tile = (size_t)run->tile;
    for (size_t k = 0; k < depth; k++) {
        for (size_t n = 0; n < channels; n++) {
            plain[k * channels + n] = run->weights[(n / tile * depth + k) * tile + n % tile];
        }
    }
}

/* Weights per output channel. */
static size_t reduction_depth(const edgefront_layer *l) {
    const size_t taps = (size_t)l->kernel * (size_t)l->kernel;
    switch (l->op) {
    case edgefront_affine:
    case edgefront_layer_norm:
    case edgefront_group_norm: return 1;
    case edgefront_depthwise_conv2d: return taps;
    default: return taps * (size_t)(l->input.channels / l->groups);
    }
}

edgefront_layer_check edgefront_check_layer(const edgefront_layer_run *run) {
    const edgefront_layer *l = &run->layer;
    const size_t channels = (size_t)l->output.channels;
    const size_t count = (size_t)l->output.height * (size_t)l->output.width * channels;
    const size_t depth = run->weights ? reduction_depth(l) : 0;
    edgefront_layer_check result = {{0, 0, 0}, 0};
    float *reference = malloc(count * sizeof(float));
    float *plain = malloc((depth * channels + 1) * sizeof(float));
    if (reference && plain) {
        naive_operands operands = {.input = run->input,
                                   .residual = run->residual,
                                   .weights = plain,
                                   .bias = run->bias,
                                   .output = reference};
        memcpy(operands.others, run->others, sizeof run->others);
        unpack(run, depth, channels, plain);
        naive_run(l, &operands);
        result.difference = naive_compare(reference, run->output, count);
        result.passed = naive_passes(&result.difference, count, EDGEFRONT_TOLERANCE);
    }
    free(reference);
    free(plain);
    return result;
}
