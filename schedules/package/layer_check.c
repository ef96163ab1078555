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

static size_t output_count(const edgefront_layer *l) {
    return (size_t)l->output.height * (size_t)l->output.width * (size_t)l->output.channels;
}

/* What the layer, and those before it in its kernel, make of their operands; null when memory runs
 * out. */
static float *reference(const edgefront_layer_run *run) {
    const edgefront_layer *l = &run->layer;
    const size_t channels = (size_t)l->output.channels;
    const size_t depth = run->weights ? reduction_depth(l) : 0;
    float *before = run->before ? reference(run->before) : NULL;
    float *output = malloc(output_count(l) * sizeof(float));
    float *plain = malloc((depth * channels + 1) * sizeof(float));
    const int ready = output && plain && (before || !run->before);
    if (ready) {
        naive_operands operands = {.input = before ? before : run->input,
                                   .residual = run->residual,
                                   .weights = plain,
                                   .bias = run->bias,
                                   .output = output};
        memcpy(operands.others, run->others, sizeof run->others);
        unpack(run, depth, channels, plain);
        naive_run(l, &operands);
    }
    free(before);
    free(plain);
    if (!ready) {
        free(output);
        return NULL;
    }
    return output;
}

edgefront_layer_check edgefront_check_layer(const edgefront_layer_run *run) {
    const size_t count = output_count(&run->layer);
    edgefront_layer_check result = {{0, 0, 0}, 0};
    float *expected = reference(run);
    if (expected) {
        result.difference = naive_compare(expected, run->output, count);
        result.passed = naive_passes(&result.difference, count, EDGEFRONT_TOLERANCE);
    }
    free(expected);
    return result;
}
