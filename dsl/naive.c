#include "dsl/naive.h"

#include <math.h>

enum { chunk = 64 }; /* output channels summed at once, so that weights are read in order */

static float clamp(float x, float least, float most) {
    return x < least ? least : x > most ? most : x;
}

float naive_activate(int activation, float x) {
    switch (activation) {
    case edgefront_relu: return x < 0 ? 0 : x;
    case edgefront_relu6: return clamp(x, 0, 6);
    case edgefront_hard_swish: return x * clamp(x + 3, 0, 6) / 6;
    case edgefront_hard_sigmoid: return clamp(x + 3, 0, 6) / 6;
    case edgefront_swish: return x / (1 + expf(-x));
    case edgefront_sigmoid: return 1 / (1 + expf(-x));
    case edgefront_gelu: return 0.5f * x * (1 + erff(x * 0.70710678f));
    default: return x;
    }
}

/* Epilogue of `count` neighbouring channels from `first` on, of the pixel that starts at `at`. */
static void store(const edgefront_layer *l, const naive_operands *d, const double *sum, size_t at,
                  int first, int count) {
    for (int i = 0; i < count; i++) {
        double value = sum[i];
        if (d->bias) {
            value += d->bias[first + i];
        }
        if (d->residual) {
            value += d->residual[at + (size_t)(first + i)];
        }
        d->output[at + (size_t)(first + i)] = naive_activate(l->activation, (float)value);
    }
}

/* The taps of the window that lie inside the input: [first, last). */
static void window(int out, int stride, int pad, int kernel, int size, int *first, int *last) {
    const int start = out * stride - pad;
    *first = start < 0 ? -start : 0;
    *last = start + kernel > size ? size - start : kernel;
}

static void pixel(const edgefront_layer *l, const naive_operands *d, int y, int x, int first,
                  int count, double *sum) {
    const int depthwise = l->op == edgefront_depthwise_conv2d;
    const size_t channels = (size_t)l->input.channels, co = (size_t)l->output.channels;
    const size_t ci = depthwise ? channels : channels / (size_t)l->groups; /* of one group */
    const size_t from = depthwise ? 0 : (size_t)first / (co / (size_t)l->groups) * ci;
    int y0, y1, x0, x1;
    window(y, l->stride, l->pad_top, l->kernel, l->input.height, &y0, &y1);
    window(x, l->stride, l->pad_left, l->kernel, l->input.width, &x0, &x1);
    for (int ky = y0; ky < y1; ky++) {
        for (int kx = x0; kx < x1; kx++) {
            const int iy = y * l->stride - l->pad_top + ky;
            const int ix = x * l->stride - l->pad_left + kx;
            const float *in =
                d->input + ((size_t)iy * (size_t)l->input.width + (size_t)ix) * channels + from;
            const size_t tap = (size_t)ky * (size_t)l->kernel + (size_t)kx;
            if (depthwise) {
                const float *w = d->weights + tap * co + first;
                for (int i = 0; i < count; i++) {
                    sum[i] += (double)in[first + i] * (double)w[i];
                }
            } else {
                for (size_t c = 0; c < ci; c++) {
                    const float *w = d->weights + (tap * ci + c) * co + first;
                    for (int i = 0; i < count; i++) {
                        sum[i] += (double)in[c] * (double)w[i];
                    }
                }
            }
        }
    }
}

/* Channels are summed in chunks that lie within one group. */
static void convolution(const edgefront_layer *l, const naive_operands *d) {
    const int group = l->output.channels / l->groups;
    for (int y = 0; y < l->output.height; y++) {
        for (int x = 0; x < l->output.width; x++) {
            const size_t at =
                ((size_t)y * (size_t)l->output.width + (size_t)x) * (size_t)l->output.channels;
            for (int first = 0, count; first < l->output.channels; first += count) {
                const int left = group - first % group;
                count = left < chunk ? left : chunk;
                double sum[chunk] = {0};
                pixel(l, d, y, x, first, count, sum);
                store(l, d, sum, at, first, count);
            }
        }
    }
}

static void max_pool(const edgefront_layer *l, const naive_operands *d) {
    const size_t channels = (size_t)l->output.channels, width = (size_t)l->input.width;
    for (int y = 0; y < l->output.height; y++) {
        for (int x = 0; x < l->output.width; x++) {
            int y0, y1, x0, x1;
            window(y, l->stride, l->pad_top, l->kernel, l->input.height, &y0, &y1);
            window(x, l->stride, l->pad_left, l->kernel, l->input.width, &x0, &x1);
            for (size_t c = 0; c < channels; c++) {
                double most = -INFINITY;
                for (int ky = y0; ky < y1; ky++) {
                    for (int kx = x0; kx < x1; kx++) {
                        const size_t iy = (size_t)(y * l->stride - l->pad_top + ky);
                        const size_t ix = (size_t)(x * l->stride - l->pad_left + kx);
                        const double value = d->input[(iy * width + ix) * channels + c];
                        most = value > most ? value : most;
                    }
                }
                const size_t at = ((size_t)y * (size_t)l->output.width + (size_t)x) * channels;
                store(l, d, &most, at, (int)c, 1);
            }
        }
    }
}

static void average_pool(const edgefront_layer *l, const naive_operands *d) {
    const size_t pixels = (size_t)l->input.height * (size_t)l->input.width;
    const size_t channels = (size_t)l->input.channels;
    for (int c = 0; c < l->input.channels; c++) {
        double sum = 0;
        for (size_t p = 0; p < pixels; p++) {
            sum += d->input[p * channels + (size_t)c];
        }
        sum /= (double)pixels;
        store(l, d, &sum, 0, c, 1);
    }
}

static void channel_scale(const edgefront_layer *l, const naive_operands *d) {
    const size_t pixels = (size_t)l->output.height * (size_t)l->output.width;
    const size_t channels = (size_t)l->output.channels;
    for (size_t p = 0; p < pixels; p++) {
        for (int c = 0; c < l->output.channels; c++) {
            const size_t row = l->others[0].height > 1 ? p / (size_t)l->output.width : 0;
            const double gate = d->others[0][row * channels + (size_t)c];
            const double value = (double)d->input[p * channels + (size_t)c] * gate;
            store(l, d, &value, p * channels, c, 1);
        }
    }
}

void naive_run(const edgefront_layer *layer, const naive_operands *data) {
    switch (layer->op) {
    case edgefront_conv2d:
    case edgefront_depthwise_conv2d:
    case edgefront_fully_connected: convolution(layer, data); break;
    case edgefront_global_average_pool: average_pool(layer, data); break;
    case edgefront_channel_scale: channel_scale(layer, data); break;
    case edgefront_max_pool: max_pool(layer, data); break;
    default: break;
    }
}

naive_difference naive_compare(const float *reference, const float *actual, size_t count) {
    naive_difference result = {0, 0, 0};
    double least = INFINITY, most = -INFINITY, mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        const double r = reference[i];
        const double error = fabs((double)actual[i] - r);
        /* Written so that a NaN on either side counts. */
        if (!(error <= result.error)) {
            result.error = isfinite(error) ? error : INFINITY;
        }
        least = r < least ? r : least;
        most = r > most ? r : most;
        const double delta = r - mean; /* Welford 1962 */
        mean += delta / (double)(i + 1);
        squares += delta * (r - mean);
    }
    if (count > 0) {
        result.range = most - least;
        result.variance = squares / (double)count;
    }
    return result;
}

int naive_passes(const naive_difference *difference, size_t count, double tolerance) {
    const int alive = count == 1 || difference->variance > 0;
    const double range = count == 1 ? 1.0 : difference->range;
    return alive && difference->error <= tolerance * range;
}
