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

/* Where element (y, x, c) of a tensor of shape `s` stands. */
static size_t at(const edgefront_shape *s, int y, int x, int c) {
    return ((size_t)y * (size_t)s->width + (size_t)x) * (size_t)s->channels + (size_t)c;
}

/* The taps of a window that lie inside the input: first to before last; none when last <= first. */
static void taps(const edgefront_layer *l, int out, int pad, int size, int *first, int *last) {
    const int start = out * l->stride - pad;
    *first = start < 0 ? (-start + l->dilation - 1) / l->dilation : 0;
    *last = start < size ? (size - start - 1) / l->dilation + 1 : 0;
    *last = *last < l->kernel ? *last : l->kernel;
}

typedef struct window {
    int y0, y1, x0, x1; /* taps */
} window;

static window window_at(const edgefront_layer *l, int y, int x) {
    window w;
    taps(l, y, l->pad_top, l->input.height, &w.y0, &w.y1);
    taps(l, x, l->pad_left, l->input.width, &w.x0, &w.x1);
    return w;
}

/* Where channel c of tap (ky, kx) of the window of output (y, x) stands in the input. */
static size_t tap_at(const edgefront_layer *l, int y, int x, int ky, int kx, int c) {
    return at(&l->input, y * l->stride - l->pad_top + ky * l->dilation,
              x * l->stride - l->pad_left + kx * l->dilation, c);
}

static void pixel(const edgefront_layer *l, const naive_operands *d, int y, int x, int first,
                  int count, double *sum) {
    const int depthwise = l->op == edgefront_depthwise_conv2d;
    const size_t co = (size_t)l->output.channels;
    const int ci = depthwise ? 1 : l->input.channels / l->groups; /* of one group */
    const int from = depthwise ? first : first / (l->output.channels / l->groups) * ci;
    const window w = window_at(l, y, x);
    for (int ky = w.y0; ky < w.y1; ky++) {
        for (int kx = w.x0; kx < w.x1; kx++) {
            const float *in = d->input + tap_at(l, y, x, ky, kx, from);
            const size_t tap = (size_t)ky * (size_t)l->kernel + (size_t)kx;
            for (int c = 0; c < ci; c++) {
                const float *row = d->weights + (tap * (size_t)ci + (size_t)c) * co + first;
                for (int i = 0; i < count; i++) {
                    sum[i] += (double)in[depthwise ? i : c] * (double)row[i];
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
            for (int first = 0, count; first < l->output.channels; first += count) {
                const int left = group - first % group;
                count = left < chunk ? left : chunk;
                double sum[chunk] = {0};
                pixel(l, d, y, x, first, count, sum);
                store(l, d, sum, at(&l->output, y, x, 0), first, count);
            }
        }
    }
}

static double pool(const edgefront_layer *l, const naive_operands *d, int y, int x, int c) {
    const window w = window_at(l, y, x);
    double most = -INFINITY, sum = 0;
    for (int ky = w.y0; ky < w.y1; ky++) {
        for (int kx = w.x0; kx < w.x1; kx++) {
            const double value = d->input[tap_at(l, y, x, ky, kx, c)];
            most = value > most ? value : most;
            sum += value;
        }
    }
    const int inside = (w.y1 - w.y0) * (w.x1 - w.x0);
    return l->op == edgefront_max_pool ? most
                                       : sum / (l->count_padding ? l->kernel * l->kernel : inside);
}

static double global_pool(const edgefront_layer *l, const naive_operands *d, int c) {
    const size_t pixels = (size_t)l->input.height * (size_t)l->input.width;
    double sum = 0;
    for (size_t p = 0; p < pixels; p++) {
        sum += d->input[p * (size_t)l->input.channels + (size_t)c];
    }
    return sum / (double)pixels;
}

/* Query (y, x) times key j of one head, c = head * keys + j. */
static double score(const edgefront_layer *l, const naive_operands *d, int y, int x, int c) {
    const int depth = l->input.channels / l->groups;
    const int keys = l->others[0].width, head = c / keys;
    const int from = l->others[0].channels == depth ? 0 : head * depth;
    const float *query = d->input + at(&l->input, y, x, head * depth);
    const float *key = d->others[0] + at(&l->others[0], y, c % keys, from);
    double sum = 0;
    for (int i = 0; i < depth; i++) {
        sum += (double)query[i] * (double)key[i];
    }
    return sum / sqrt(depth);
}

/* Channel c, in its head, of all values, weighted by the scores of pixel (y, x). */
static double context(const edgefront_layer *l, const naive_operands *d, int y, int x, int c) {
    const int depth = l->output.channels / l->groups;
    const int values = l->others[0].width;
    const int from = l->others[0].channels == depth ? c % depth : c;
    const float *weight = d->input + at(&l->input, y, x, c / depth * values);
    double sum = 0;
    for (int j = 0; j < values; j++) {
        sum += (double)weight[j] * (double)d->others[0][at(&l->others[0], y, j, from)];
    }
    return sum;
}

/* The input that element (y, x, c) comes from: channels behind each other, or rows. */
static double joined(const edgefront_layer *l, const naive_operands *d, int y, int x, int c) {
    const int rows = l->output.channels == l->input.channels;
    const edgefront_shape *s = &l->input;
    const float *part = d->input;
    for (int i = 0; rows ? y >= s->height : c >= s->channels; i++) {
        y -= rows ? s->height : 0;
        c -= rows ? 0 : s->channels;
        s = &l->others[i];
        part = d->others[i];
    }
    return part[at(s, y, x, c)];
}

/* The input element that a layer which only moves data puts at (y, x, c). */
static size_t moved_from(const edgefront_layer *l, int y, int x, int c) {
    const int k = l->kernel, group = l->output.channels / l->groups;
    const int across = (l->op == edgefront_unfold ? l->input.width : l->output.width) / k;
    switch (l->op) {
    case edgefront_slice: return at(&l->input, y, x, l->first_channel + c);
    case edgefront_channel_shuffle:
        return at(&l->input, y, x, c % l->groups * group + c / l->groups);
    case edgefront_unfold: return at(&l->input, x / across * k + y / k, x % across * k + y % k, c);
    case edgefront_fold: return at(&l->input, y % k * k + x % k, y / k * across + x / k, c);
    default: return at(&l->output, y, x, c); /* the same order */
    }
}

/* Where output pixel `out` lies between the input pixels `first` and `first + 1`; 0 to 1. */
static double between(int out, int outputs, int inputs, int *first, int *second) {
    const double centre = (out + 0.5) * inputs / outputs - 0.5;
    const double from = centre < 0 ? 0 : centre;
    *first = (int)from < inputs - 1 ? (int)from : inputs - 1;
    *second = *first + 1 < inputs ? *first + 1 : *first;
    return from - *first;
}

static double resized(const edgefront_layer *l, const naive_operands *d, int y, int x, int c) {
    int y0, y1, x0, x1;
    const double down = between(y, l->output.height, l->input.height, &y0, &y1);
    const double right = between(x, l->output.width, l->input.width, &x0, &x1);
    const edgefront_shape *s = &l->input;
    const double upper =
        d->input[at(s, y0, x0, c)] * (1 - right) + d->input[at(s, y0, x1, c)] * right;
    const double lower =
        d->input[at(s, y1, x0, c)] * (1 - right) + d->input[at(s, y1, x1, c)] * right;
    return upper * (1 - down) + lower * down;
}

/* One element before the epilogue. */
static double element(const edgefront_layer *l, const naive_operands *d, int y, int x, int c) {
    switch (l->op) {
    case edgefront_global_average_pool: return global_pool(l, d, c);
    case edgefront_channel_scale:
        return (double)d->input[at(&l->input, y, x, c)] *
               (double)d->others[0][at(&l->others[0], l->others[0].height > 1 ? y : 0, 0, c)];
    case edgefront_max_pool:
    case edgefront_average_pool: return pool(l, d, y, x, c);
    case edgefront_affine: return (double)d->input[at(&l->input, y, x, c)] * (double)d->weights[c];
    case edgefront_attention_scores: return score(l, d, y, x, c);
    case edgefront_attention_context: return context(l, d, y, x, c);
    case edgefront_concat: return joined(l, d, y, x, c);
    case edgefront_resize_bilinear: return resized(l, d, y, x, c);
    default: return d->input[moved_from(l, y, x, c)];
    }
}

static void elements(const edgefront_layer *l, const naive_operands *d) {
    for (int y = 0; y < l->output.height; y++) {
        for (int x = 0; x < l->output.width; x++) {
            for (int c = 0; c < l->output.channels; c++) {
                const double value = element(l, d, y, x, c);
                store(l, d, &value, at(&l->output, y, x, 0), c, 1);
            }
        }
    }
}

/* Softmax, or mean 0 and variance 1, of every `size` neighbouring elements. */
static void normalise(const edgefront_layer *l, const naive_operands *d, size_t size) {
    const size_t channels = (size_t)l->output.channels;
    const size_t count = (size_t)l->output.height * (size_t)l->output.width * channels;
    for (size_t first = 0; first < count; first += size) {
        const float *in = d->input + first;
        double mean = 0, most = -INFINITY, squares = 0, exponentials = 0;
        for (size_t i = 0; i < size; i++) {
            mean += in[i] / (double)size;
            most = in[i] > most ? in[i] : most;
        }
        for (size_t i = 0; i < size; i++) {
            squares += (in[i] - mean) * (in[i] - mean);
            exponentials += exp(in[i] - most);
        }
        const double scale = 1 / sqrt(squares / (double)size + (double)EDGEFRONT_NORM_EPSILON);
        for (size_t i = 0; i < size; i++) {
            const size_t c = (first + i) % channels;
            const double value = l->op == edgefront_softmax
                                     ? exp(in[i] - most) / exponentials
                                     : (in[i] - mean) * scale * d->weights[c];
            store(l, d, &value, first + i - c, (int)c, 1);
        }
    }
}

void naive_run(const edgefront_layer *layer, const naive_operands *data) {
    const size_t channels = (size_t)layer->output.channels;
    switch (layer->op) {
    case edgefront_conv2d:
    case edgefront_depthwise_conv2d:
    case edgefront_fully_connected: convolution(layer, data); break;
    case edgefront_softmax: normalise(layer, data, channels / (size_t)layer->groups); break;
    case edgefront_layer_norm: normalise(layer, data, channels); break;
    case edgefront_group_norm:
        normalise(layer, data,
                  (size_t)layer->output.height * (size_t)layer->output.width * channels);
        break;
    default: elements(layer, data); break;
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
